"""What a model answers to what claims are about, each thing asked once."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from repro.catalog.metrics import compute
from repro.common.io import read_jsonl_file
from repro.errors import CardError, ConfigurationError, InputError, ModelError
from repro.models import DockerModel, load
from repro.models.files import plain
from repro.models.metric import Metric
from repro.operations.options import split_options
from repro.operations.paths import value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from repro.catalog import Card, Claim

    Rows = tuple[list[Any], list[Any]]  # what was expected, what was predicted


def way(claim: Claim) -> str:
    """Name the model of a claim as it is made: claims of one way share their containers."""
    return f"{claim.model} {_text(split_options(claim.model, claim.options)[0])}"


class Answers:
    """What one model says, made in one way.

    Parameters
    ----------
    card : Card
        The package's.
    claims : sequence of Claim
        All that are to be measured, of one way.
    options : mapping
        What the model is made with, besides the options of the claims.
    report : callable
        Gets a line before something that takes a while.
    """

    def __init__(
        self,
        card: Card,
        claims: Sequence[Claim],
        options: Mapping[str, Any],
        report: Callable[[str], None],
    ) -> None:
        self._card, self._name = card, claims[0].model
        self._common = {name: value for name, value in options.items() if name != "image"}
        self._options = {**options, **split_options(self._name, claims[0].options)[0]}
        self._report = report
        self._single: dict[str, list[Claim]] = {}  # by the options of a call
        for claim in claims:
            if claim.input is not None:
                self._single.setdefault(
                    _text(split_options(claim.model, claim.options)[1]), []
                ).append(claim)
        self._together: dict[str, list[Any] | None] = {}
        self._sets: dict[str, Rows] = {}
        self._scores: dict[str, Any] = {}

    def close(self) -> None:
        """End the model's containers; what was asked stays."""
        model = vars(self).get("_model")
        if isinstance(model, DockerModel):
            model.close()

    def value(self, claim: Claim) -> Any:
        """Measure what a claim is about.

        Raises
        ------
        CardError
            If its suite is not there, or is none.
        InputError, ModelError
            If the model cannot be made, or fails, or its answer has no such value.
        """
        _, call = split_options(claim.model, claim.options)
        if not claim.over_rows:
            said = self._to_several(claim, call) if claim.inputs else self._to_one(claim, call)
            return value_at(said, claim.path, claim.model)
        key = _text([claim.dataset, claim.split, claim.cases, call])
        if key not in self._sets:
            over = self._over_dataset if claim.dataset else self._over_cases
            self._sets[key] = over(claim, call)
        labels, predictions = self._sets[key]
        values = [value_at(prediction, claim.path, claim.model) for prediction in predictions]
        if claim.metric_is_model:
            scores = self._scores_of(claim, key, values, labels)
            return value_at(scores, claim.metric_path, claim.metric)
        return compute(claim.metric, values, labels, claim.metric_options)

    def lacks(self, claim: Claim) -> str:
        """Say what a claim needs and is not passed on with the package; nothing if it is there."""
        there = not claim.obtain or (self._card.folder / claim.cases).is_file()
        return "" if there else f"{claim.cases} is not there: {claim.obtain}"

    @cached_property
    def _model(self) -> Any:
        return load(self._name, **self._options)

    def _to_several(self, claim: Claim, call: Mapping[str, Any]) -> Any:
        return self._corpus(self._located(claim.inputs), call)

    def _to_one(self, claim: Claim, call: Mapping[str, Any]) -> Any:
        """Answer it together with the other single inputs, or alone if one of them fails."""
        key = _text(call)
        alike = self._single[key]
        if key not in self._together:
            self._report(f"{self._name}: {len(alike)} published inputs")
            try:
                inputs = self._located(one.input or {} for one in alike)
                self._together[key] = list(plain(self._model.predict_each(inputs, **call)))
            except (InputError, ModelError):
                self._together[key] = None
        together = self._together[key]
        if together is not None:
            return together[alike.index(claim)]
        return plain(self._model.predict_each(self._located([claim.input or {}]), **call)[0])

    def _over_dataset(self, claim: Claim, call: Mapping[str, Any]) -> Rows:
        rows = list(self._model.dataset(claim.subject))
        self._report(f"{self._name}: {claim.subject}, {len(rows):,} rows")
        predictions = self._rows([row["input"] for row in rows], call)
        return [row["label"] for row in rows], predictions

    def _over_cases(self, claim: Claim, call: Mapping[str, Any]) -> Rows:
        """Answer a suite: of rows with an input each, or with the inputs of a corpus each."""
        rows = self._cases(claim.cases)
        self._report(f"{self._name}: {claim.cases}, {len(rows):,} rows")
        expected = [row["expected"] for row in rows]
        if "input" in rows[0]:
            inputs = self._located((row["input"] for row in rows), claim.cases)
            return expected, self._rows(inputs, call)
        corpora = [self._located(row["inputs"], claim.cases) for row in rows]
        return expected, [self._corpus(corpus, call) for corpus in corpora]

    def _scores_of(self, claim: Claim, rows: str, values: list[Any], labels: list[Any]) -> Any:
        """Ask a model that is a metric about predictions, once for all of its scores."""
        options = {**self._common, **claim.metric_options}
        key = _text([rows, claim.path, claim.metric, options])
        if key not in self._scores:
            self._report(f"{claim.metric}: {len(values):,} rows")
            pairs = zip(values, labels, strict=True)
            with load(claim.metric, **options) as metric:
                if not isinstance(metric, Metric):
                    raise ConfigurationError(f"{claim.metric} is no metric")
                given = [{"candidate": one, "references": [other]} for one, other in pairs]
                self._scores[key] = plain(metric.predict_batch(given)[0])
        return self._scores[key]

    def _cases(self, file: str) -> list[dict[str, Any]]:
        path = self._card.folder / file
        if not path.is_file():
            raise CardError(f"{self._card.package}/model.toml", "claims.cases", f"no {file}")
        rows: list[Any] = list(read_jsonl_file(str(path)))
        known = {"input", "inputs", "expected"}
        kinds = [known & row.keys() if isinstance(row, dict) else None for row in rows]
        if not rows or not any(
            kinds == [{key, "expected"}] * len(rows) for key in ("input", "inputs")
        ):
            problem = "is no suite"
            remedy = 'write rows {"input": {…}, "expected": …}, or of a corpus {"inputs": [{…}], …}'
            raise CardError(f"{self._card.package}/{file}", "the file", problem, remedy)
        return rows

    def _corpus(self, inputs: list[Any], call: Mapping[str, Any]) -> Any:
        """Answer what a model that is a metric gives over all inputs together."""
        if not isinstance(self._model, Metric):
            problem = f"{self._name} has no value over several inputs together"
            raise CardError(f"{self._card.package}/model.toml", "claims.inputs", problem)
        return plain(self._model.predict_batch(inputs, **call)[0])

    def _rows(self, inputs: list[Any], call: Mapping[str, Any]) -> list[Any]:
        """Predict rows; those of a metric come beside the value over all of them."""
        answered = self._model.predict_batch(inputs, **call)
        return list(plain(answered[1] if isinstance(self._model, Metric) else answered))

    def _located(self, given: Iterable[Mapping[str, Any]], file: str = "model.toml") -> list[Any]:
        """Read the paths in instances as relative to the file of the package that has them."""
        if not isinstance(self._model, DockerModel):
            return [dict(one) for one in given]
        folder = str((self._card.folder / file).parent)
        return [self._model.schema.located(dict(one), folder) for one in given]


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
