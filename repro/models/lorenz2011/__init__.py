"""Secondary structures of RNA by the ViennaRNA package (Lorenz et al., 2011)."""

from __future__ import annotations

from repro.models.lorenz2011.model import Ensemble, Folding, RNAEnsemble, RNAfold

__all__ = ["Ensemble", "Folding", "RNAEnsemble", "RNAfold"]
