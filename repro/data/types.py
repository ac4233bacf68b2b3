"""The types that wrappers name: texts, metrics, instances."""

from __future__ import annotations

from typing import Any

from repro.common.util import MetricsType, TextType

DocumentType = str | list[str]
SummaryType = str | list[str]
InstanceDict = dict[str, Any]

__all__ = ["DocumentType", "InstanceDict", "MetricsType", "SummaryType", "TextType"]
