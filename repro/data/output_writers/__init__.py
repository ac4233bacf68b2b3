"""Output writers, found by name: what turns predictions into files."""

from __future__ import annotations

from repro.data.output_writers.default import DefaultOutputWriter
from repro.data.output_writers.metrics import MetricsOutputWriter
from repro.data.output_writers.output_writer import OutputWriter
from repro.data.output_writers.sacrerouge import SacreROUGEOutputWriter

__all__ = [
    "DefaultOutputWriter",
    "MetricsOutputWriter",
    "OutputWriter",
    "SacreROUGEOutputWriter",
]
