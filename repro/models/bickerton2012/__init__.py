"""QED, how much a molecule is like a drug (Bickerton et al., 2012)."""

from __future__ import annotations

from repro.models.bickerton2012.model import QED, DrugLikeness

__all__ = ["QED", "DrugLikeness"]
