"""Bases of models by task: what an instance of the task has.

Derive from one and write `predict_batch`. What `predict` gets besides the fields goes to
`predict_batch`, where four of the ancestor's five dropped it.
"""

from __future__ import annotations

from typing import Any

from repro.data.types import DocumentType, SummaryType  # noqa: TC001  schemas read the hints
from repro.models.model import Model


class QuestionAnsweringModel(Model):
    """Answers a question about a context."""

    def predict(self, context: str, question: str, **kwargs: Any) -> str:
        """Answer one question."""
        answer: str = self.predict_batch([{"context": context, "question": question}], **kwargs)[0]
        return answer


class QuestionGenerationModel(Model):
    """Asks a question that a part of a context answers."""

    def predict(self, context: str, start: int, end: int, **kwargs: Any) -> str:
        """Ask what the characters from `start` to `end` (exclusive) answer."""
        instance = {"context": context, "start": start, "end": end}
        question: str = self.predict_batch([instance], **kwargs)[0]
        return question


class RecipeGenerationModel(Model):
    """Writes a recipe."""

    def predict(self, name: str, ingredients: list[str], **kwargs: Any) -> str:
        """Write one recipe."""
        recipe: str = self.predict_batch([{"name": name, "ingredients": ingredients}], **kwargs)[0]
        return recipe


class SingleDocumentSummarizationModel(Model):
    """Summarizes a document."""

    def predict(self, document: DocumentType, **kwargs: Any) -> SummaryType:
        """Summarize one document, given whole or in sentences."""
        summary: SummaryType = self.predict_batch([{"document": document}], **kwargs)[0]
        return summary


class TruecasingModel(Model):
    """Gives a text its upper and lower case."""

    def predict(self, text: str, **kwargs: Any) -> str:
        """Truecase one text."""
        truecased: str = self.predict_batch([{"text": text}], **kwargs)[0]
        return truecased
