"""SpliceAI, what variants do to splicing (Jaganathan et al., 2019)."""

from __future__ import annotations

from repro.models.jaganathan2019.model import GeneEffect, SpliceAI, SpliceAIPython2, SpliceEffect

__all__ = ["GeneEffect", "SpliceAI", "SpliceAIPython2", "SpliceEffect"]
