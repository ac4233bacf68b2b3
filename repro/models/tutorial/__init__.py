"""The worked example: a model that reverses texts."""

from repro.models.tutorial.model import TutorialModel

__all__ = ["TutorialModel"]
