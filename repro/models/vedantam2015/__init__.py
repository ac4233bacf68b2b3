"""CIDEr, captions of images against the consensus of several people (Vedantam et al., 2015)."""

from __future__ import annotations

from repro.models.vedantam2015.model import CIDEr, CIDErRow, CIDErScore

__all__ = ["CIDEr", "CIDErRow", "CIDErScore"]
