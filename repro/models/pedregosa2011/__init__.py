"""Classifiers of scikit-learn over its digits (Pedregosa et al., 2011)."""

from __future__ import annotations

from repro.models.pedregosa2011.model import DigitMLP, DigitSVC, DigitTree

__all__ = ["DigitMLP", "DigitSVC", "DigitTree"]
