"""The tokenizer and the detokenizer of Moses (Koehn et al., 2007)."""

from __future__ import annotations

from repro.models.koehn2007.model import Detokenizer, SacreDetokenizer, SacreTokenizer, Tokenizer

__all__ = ["Detokenizer", "SacreDetokenizer", "SacreTokenizer", "Tokenizer"]
