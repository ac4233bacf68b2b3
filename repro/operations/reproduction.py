"""Re-derive what was published about a package's models, by the ordinary way of predicting."""

from __future__ import annotations

import platform
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro import __version__
from repro.catalog import find_package
from repro.catalog.claim import Claim, Verdict, difference, judge
from repro.catalog.ledger import write_ledger
from repro.common.config import read_config
from repro.engine import image as images
from repro.engine.base import base_name
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
from repro.operations.answers import Answers, way
from repro.operations.costs import measure_models
from repro.operations.setup import set_up_each, setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from repro.catalog import Card
    from repro.common.jsonlines import JSON


@dataclass(frozen=True, kw_only=True)
class ClaimResult:
    """One claim, the value we measured, and the verdict; `error` says why there is no value.

    `lacking` tells that this needs data which, as the card says, are not passed on.
    """

    claim: Claim
    verdict: Verdict
    value: Any = None
    error: str = ""
    lacking: bool = False

    @property
    def difference(self) -> Decimal | None:
        """The measured value less the reported one, where both are numbers."""
        return difference(self.claim, self.value)

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the card expects, or nobody could expect one."""
        return self.lacking or self.claim.as_expected(self.verdict)


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
        it are results that say why. So it always is with a package whose weights live elsewhere.
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
        lenient = patient or bool(card.weights)
        measured = reproduce(
            card,
            choose=choose,
            image=image,
            allow_unlimited=allow_unlimited,
            unbuilt=_build(card, report, patient=lenient) if build else {},
            patient=lenient,
            report=report,
        )
        results = list(measured)
        if save and any(result.verdict == Verdict.NOT_RUN for result in results):
            report(f"{card.package}: its ledger stays as it was, as not every claim was run")
        elif save:
            costs = measure_models(card, allow_unlimited=allow_unlimited, report=report)
            record(card, results, costs)
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
    ways = [way(claim) for claim in claims]
    waiting = Counter(ways)
    reasons = {
        key: reason
        for claim, key in zip(claims, ways, strict=True)
        if (reason := (unbuilt or {}).get(card.models[claim.model].image))
    }
    models: dict[str, Answers] = {}
    with ExitStack() as stack:
        for claim, key in zip(claims, ways, strict=True):
            if key not in models:
                alike = [c for c, other in zip(claims, ways, strict=True) if other == key]
                models[key] = Answers(card, alike, options, report)
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


def _result(claim: Claim, answers: Answers, reason: str) -> ClaimResult:
    """Measure one claim, unless there is a reason why it cannot be run."""
    lacks = answers.lacks(claim)
    if reason := "; ".join(filter(None, (lacks, reason))):
        return ClaimResult(claim=claim, verdict=Verdict.NOT_RUN, error=reason, lacking=bool(lacks))
    try:
        value = answers.value(claim)
    except (CardError, EngineError):
        raise
    except (InputError, ModelError) as error:
        return ClaimResult(claim=claim, verdict=Verdict.ERROR, error=str(error))
    return ClaimResult(claim=claim, verdict=judge(claim, value), value=value)


def record(
    card: Card, results: Sequence[ClaimResult], costs: Mapping[str, JSON] | None = None
) -> Path:
    """Write the ledger: each claim's value and verdict, what the models cost, and on what."""
    engine = connect()
    about: dict[str, JSON] = {
        "package": card.package,
        "version": card.version,
        "card_sha256": card.digest,
        "images": images_of(card),
        "models": {**(costs or {})},
        "repro": __version__,
        "engine": str(engine.info.get("ServerVersion", "")),
        "machine": machine(),
        "processor": processor() if engine.local else "",
        "cores": int(engine.info.get("NCPU") or 0),
        "date": datetime.now(timezone.utc).date().isoformat(),
    }
    return write_ledger(card.folder, about, [as_json(result) for result in results])


def machine() -> str:
    """Name the kind of this machine."""
    return f"{platform.system()} {platform.machine()}"


def processor() -> str:
    """Name the processor of this machine, where Linux tells; nothing elsewhere."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return ""


def images_of(card: Card) -> dict[str, JSON]:
    """Tell what the images of a package are, by their names; those that are there."""
    made: dict[str, JSON] = {}
    for name in card.images:
        recipe = recipe_of(card, name, namespace=read_config().namespace)
        found = images.find(connect(), recipe.name)
        if found is not None:
            about: dict[str, JSON] = {
                "id": found.id,
                "context": found.labels.get(CONTEXT_LABEL, ""),
            }
            added = recipe.suite and images.bytes_added(
                connect(), recipe.name, base_name(recipe.suite)
            )
            made[recipe.name] = about | (
                {"bytes_added": int(float(f"{added:.3g}"))} if added else {}
            )
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
        "metric_path": claim.metric_path,
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
