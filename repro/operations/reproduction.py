"""Re-derive what was published about a package's models, by the ordinary way of predicting."""

from __future__ import annotations

import json
import platform
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from repro import __version__
from repro.catalog import find_package
from repro.catalog.claim import Claim, Verdict, difference, judge
from repro.catalog.ledger import write_ledger
from repro.catalog.metrics import compute
from repro.common.config import read_config
from repro.common.io import read_jsonl_file
from repro.engine import image as images
from repro.engine.client import connect
from repro.engine.context import CONTEXT_LABEL
from repro.engine.recipe import recipe_of
from repro.errors import (
    CardError,
    ConfigurationError,
    EngineError,
    InputError,
    ModelError,
    UnknownNameError,
)
from repro.models import DockerModel, load
from repro.models.files import plain
from repro.models.metric import Metric
from repro.operations.paths import value_at
from repro.operations.setup import set_up_each, setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    from repro.catalog import Card
    from repro.common.jsonlines import JSON


@dataclass(frozen=True, kw_only=True)
class ClaimResult:
    """One claim, the value we measured, and the verdict; `error` says why there is no value."""

    claim: Claim
    verdict: Verdict
    value: Any = None
    error: str = ""

    @property
    def difference(self) -> Decimal | None:
        """The measured value less the reported one, where both are numbers."""
        return difference(self.claim, self.value)

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the card expects."""
        return self.claim.as_expected(self.verdict)


def reproduce_packages(  # noqa: PLR0913  one parameter an option; they are keywords
    packages: Sequence[str | Card],
    *,
    model: str | None = None,
    source: str | None = None,
    image: str | None = None,
    allow_unlimited: bool = False,
    save: bool = False,
    build: bool = False,
    patient: bool = False,
    report: Callable[[str], None] = lambda _line: None,
) -> list[ClaimResult]:
    """Measure the claims of several packages.

    Parameters
    ----------
    packages : sequence of str or Card
        Their names, or their cards.
    model, source : str, optional
        Only claims about this model, or whose source has this text.
    image : str, optional
        Another image than the packages'.
    allow_unlimited : bool
        Run also where the engine cannot limit memory and processes.
    save : bool
        Write the ledgers; of whole packages and their own images only. One of which a claim was not
        run stays as it is.
    build : bool
        Have the images first, as `repro setup` does.
    patient : bool
        Go on where an image is missing or cannot be built, or a card is wrong: the claims that need
        it are results that say why.
    report : callable, optional
        Gets a line before something that takes a while.

    Raises
    ------
    ConfigurationError
        If a ledger is to be written of less than all claims, or no claim has that source.
    UnknownNameError
        If no package has that model.
    EngineError
        If there is no engine; and of what is the matter with an image, unless `patient`.
    """
    if save and (model or source or image):
        raise ConfigurationError("a ledger records a package's own image and all of its claims")
    if build and image:
        raise ConfigurationError("another image than the package's is not built here")
    cards = [find_package(p) if isinstance(p, str) else p for p in packages]
    choose = _choice(cards, model, source)
    connect()
    everything: list[ClaimResult] = []
    for card in cards:
        measured = reproduce(
            card,
            choose=choose,
            image=image,
            allow_unlimited=allow_unlimited,
            unbuilt=_build(card, report, patient=patient) if build else {},
            patient=patient,
            report=report,
        )
        results = list(measured)
        if save and any(result.verdict == Verdict.NOT_RUN for result in results):
            report(f"{card.package}: its ledger stays as it was, as not every claim was run")
        elif save:
            record(card, results)
        everything += results
    return everything


def _build(card: Card, report: Callable[[str], None], *, patient: bool) -> dict[str, str]:
    """Have the images of a package; say of each that cannot be built why."""
    if not card.claims:
        return {}
    if not patient:
        setup(card, report=report)
        return {}
    done = set_up_each(card, report=report)
    return {name: result.error for name, result in done if result.action == "failed"}


def _choice(
    cards: Sequence[Card], model: str | None, source: str | None
) -> Callable[[Claim], bool]:
    """Make a choice of claims; one that chooses none is a slip of the caller's."""
    models = [name for card in cards for name in card.models]
    if model is not None and model not in models:
        raise UnknownNameError("model", model, models, "these packages have no other")

    def choose(claim: Claim) -> bool:
        return model in {None, claim.model} and (source or "").lower() in claim.source.lower()

    if source and not any(choose(claim) for card in cards for claim in card.claims):
        raise ConfigurationError(f"no claim has a source with {source!r} in it")
    return choose


def reproduce(  # noqa: PLR0913  one parameter an option; they are keywords
    card: Card,
    *,
    choose: Callable[[Claim], bool] = lambda _claim: True,
    image: str | None = None,
    allow_unlimited: bool = False,
    unbuilt: Mapping[str, str] | None = None,
    patient: bool = False,
    report: Callable[[str], None] = lambda _line: None,
) -> Iterator[ClaimResult]:
    """Measure every claim of a package, in the card's order.

    Parameters
    ----------
    card : Card
        The package's.
    choose : callable, optional
        Says of a claim whether it shall be measured.
    image : str, optional
        Another image than the package's.
    allow_unlimited : bool
        Run also where the engine cannot limit memory and processes.
    unbuilt : mapping of str to str, optional
        Why there is no image, by its name in the card: what needs it is not run.
    patient : bool
        Let what is the matter with an image or the card be a result.
    report : callable, optional
        Gets a line before something that takes a while.

    Raises
    ------
    CardError
        If a claim is about something that is not there, unless `patient`.
    EngineError
        If the machine cannot run a model, unless `patient`.
    """
    claims = [claim for claim in card.claims if choose(claim)]
    options = {"image": image} | ({"allow_unlimited": True} if allow_unlimited else {})
    waiting = Counter(map(_key, claims))
    reasons = {
        key: reason
        for claim in claims
        for key, name in [(_key(claim), card.models[claim.model].image)]
        if (reason := (unbuilt or {}).get(name))
    }
    models: dict[str, _Answers] = {}
    with ExitStack() as stack:
        for claim in claims:
            key = _key(claim)
            if key not in models:
                single = [c for c in claims if _key(c) == key and c.input is not None]
                models[key] = _Answers(card, claim, single, options, report)
                stack.callback(models[key].close)
            try:
                yield _result(claim, models[key], reasons.get(key, ""))
            except CardError as error:
                if not patient:
                    raise
                yield ClaimResult(claim=claim, verdict=Verdict.ERROR, error=str(error))
            except EngineError as error:
                if not patient:
                    raise
                reasons[key] = str(error)  # it is the same for the next claim
                yield ClaimResult(claim=claim, verdict=Verdict.NOT_RUN, error=str(error))
            waiting[key] -= 1
            if not waiting[key]:
                models[key].close()


def _result(claim: Claim, answers: _Answers, reason: str) -> ClaimResult:
    """Measure one claim, unless there is a reason why it cannot be run."""
    if reason:
        return ClaimResult(claim=claim, verdict=Verdict.NOT_RUN, error=reason)
    try:
        value = _measure(claim, answers)
    except (CardError, EngineError):
        raise
    except (InputError, ModelError) as error:
        return ClaimResult(claim=claim, verdict=Verdict.ERROR, error=str(error))
    return ClaimResult(claim=claim, verdict=judge(claim, value), value=value)


def record(card: Card, results: Sequence[ClaimResult]) -> Path:
    """Write the ledger: each claim's value and verdict, and on what they were measured."""
    engine = connect()
    about: dict[str, JSON] = {
        "package": card.package,
        "version": card.version,
        "card_sha256": card.digest,
        "images": images_of(card),
        "repro": __version__,
        "engine": str(engine.info.get("ServerVersion", "")),
        "machine": machine(),
        "date": datetime.now(timezone.utc).date().isoformat(),
    }
    return write_ledger(card.folder, about, [as_json(result) for result in results])


def machine() -> str:
    """Name the kind of this machine."""
    return f"{platform.system()} {platform.machine()}"


def images_of(card: Card) -> dict[str, JSON]:
    """Tell what the images of a package are, by their names; those that are there."""
    made: dict[str, JSON] = {}
    for name in card.images:
        recipe = recipe_of(card, name, namespace=read_config().namespace)
        found = images.find(connect(), recipe.name)
        if found is not None:
            made[recipe.name] = {"id": found.id, "context": found.labels.get(CONTEXT_LABEL, "")}
    return made


def as_json(result: ClaimResult) -> dict[str, JSON]:
    """Write a result as JSON."""
    claim = result.claim
    subject: dict[str, object] = {"dataset": claim.subject} if claim.over_rows else {}
    subject |= {"input": dict(claim.input)} if claim.input is not None else {}
    subject |= {"inputs": [dict(one) for one in claim.inputs]} if claim.inputs else {}
    subject |= {"options": dict(claim.options)} if claim.options else {}
    found: dict[str, Any] = {
        "model": claim.model,
        **subject,
        "metric": claim.metric,
        "metric_options": dict(claim.metric_options),
        "path": claim.path,
        "source": claim.source,
        "reported": claim.reported,
        "reproduced": result.value,
        "difference": None if result.difference is None else float(result.difference),
        "verdict": result.verdict.value,
        "expected": claim.expect,
        "why": claim.why,
        "error": result.error,
    }
    return {key: value for key, value in found.items() if value not in ("", {})}


def _measure(claim: Claim, answers: _Answers) -> Any:
    if not claim.over_rows:
        return value_at(answers.to(claim), claim.path, claim.model)
    if claim.dataset:
        labels, predictions = answers.over_dataset(claim.dataset, claim.split)
    else:
        labels, predictions = answers.over_cases(claim.cases)
    values = [value_at(prediction, claim.path, claim.model) for prediction in predictions]
    return compute(claim.metric, values, labels, claim.metric_options)


def _key(claim: Claim) -> str:
    """Name the model as the claim wants it made."""
    return f"{claim.model} {json.dumps(dict(claim.options), sort_keys=True)}"


class _Answers:
    """What one model says, each thing asked once."""

    def __init__(
        self,
        card: Card,
        claim: Claim,
        single: list[Claim],
        options: Mapping[str, Any],
        report: Callable[[str], None],
    ) -> None:
        self._card, self._name = card, claim.model
        self._options = {**options, **claim.options}
        self._single = single
        self._report = report
        self._sets: dict[str, tuple[list[Any], list[Any]]] = {}

    def close(self) -> None:
        """End the model's containers; what was asked stays."""
        model = vars(self).get("_model")
        if isinstance(model, DockerModel):
            model.close()

    @cached_property
    def _model(self) -> Any:
        return load(self._name, **self._options)

    @cached_property
    def _together(self) -> list[Any] | None:
        """The answers to all single inputs in one batch; None if one of them fails it."""
        self._report(f"{self._name}: {len(self._single)} published inputs")
        try:
            inputs = [self._located(c.input or {}) for c in self._single]
            return list(plain(self._model.predict_each(inputs)))
        except (InputError, ModelError):
            return None

    def to(self, claim: Claim) -> Any:
        if claim.inputs:
            inputs = [self._located(one) for one in claim.inputs]
            return plain(self._model.predict_batch(inputs)[0])
        if self._together is not None:
            return self._together[self._single.index(claim)]
        return plain(self._model.predict_each([self._located(claim.input or {})])[0])

    def _located(self, given: Mapping[str, Any], file: str = "model.toml") -> dict[str, Any]:
        """Read the paths in an instance as relative to the file of the package that has it."""
        if not isinstance(self._model, DockerModel):
            return dict(given)
        folder = (self._card.folder / file).parent
        located: dict[str, Any] = self._model.schema.located(dict(given), str(folder))
        return located

    def _rows(self, inputs: list[Any]) -> list[Any]:
        """Predict rows; those of a metric come beside the value over all of them."""
        answered = self._model.predict_batch(inputs)
        return list(plain(answered[1] if isinstance(self._model, Metric) else answered))

    def over_dataset(self, dataset: str, split: str) -> tuple[list[Any], list[Any]]:
        name = f"{dataset}/{split}" if split else dataset
        if name not in self._sets:
            rows = list(self._model.dataset(name))
            self._report(f"{self._name}: {name}, {len(rows):,} rows")
            predictions = self._rows([row["input"] for row in rows])
            self._sets[name] = [row["label"] for row in rows], predictions
        return self._sets[name]

    def over_cases(self, file: str) -> tuple[list[Any], list[Any]]:
        if file not in self._sets:
            path = self._card.folder / file
            if not path.is_file():
                raise CardError(f"{self._card.package}/model.toml", "claims.cases", f"no {file}")
            rows: Any = read_jsonl_file(str(path))
            self._report(f"{self._name}: {file}, {len(rows):,} rows")
            predictions = self._rows([self._located(row["input"], file) for row in rows])
            self._sets[file] = [row["expected"] for row in rows], predictions
        return self._sets[file]
