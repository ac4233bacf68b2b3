"""Exact match and F1 of SQuAD, answers to reading questions (Rajpurkar et al., 2016)."""

from __future__ import annotations

from repro.models.rajpurkar2016.model import SQuAD, SQuADScores

__all__ = ["SQuAD", "SQuADScores"]
