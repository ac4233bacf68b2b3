"""The package that is checked, and what several checks of it share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from repro.catalog import find_package
from repro.catalog.metrics import same
from repro.common.config import read_config
from repro.engine.recipe import Recipe, recipe_of
from repro.errors import BuildError, CardError, ReproError
from repro.models import DockerModel, load
from repro.models.files import plain
from repro.models.metric import Metric
from repro.operations.checking.findings import Skip
from repro.operations.examples import read_examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from typing_extensions import Self

    from repro.catalog import Card
    from repro.catalog.card import ModelCard
    from repro.engine.layers import Entry

ROWS = 8  # examples of a model that the contract is tried with
PATIENCE = 600.0  # seconds that a batch of a few examples may take


class Subject:
    """A package while it is checked.

    Parameters
    ----------
    package : str
        Its name.
    build : bool
        Build its images from nothing, although they are there.
    allow_unlimited : bool
        Run also where the engine cannot limit memory and processes.
    report : callable, optional
        Gets a line of what goes on.
    """

    def __init__(
        self,
        package: str,
        *,
        build: bool = False,
        allow_unlimited: bool = False,
        report: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.package, self.build, self.report = package, build, report
        self.options = {"allow_unlimited": True} if allow_unlimited else {}
        self.missing: dict[str, str] = {}  # why there is no image, by its name in the card
        self.files: dict[str, list[Entry]] = {}  # what is doubtful in the layers of an image
        self._problem = self._unmade = ""
        self._trials: dict[str, Trial] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for trial in self._trials.values():
            trial.close()

    @cached_property
    def card(self) -> Card:
        """The card; nothing else can be checked without one."""
        if self._problem:
            raise Skip(self._problem)
        try:
            return find_package(self.package)
        except CardError:
            self._problem = "the card cannot be read"
            raise

    @cached_property
    def recipes(self) -> dict[str, Recipe]:
        """How its images are made, by their names in the card; all their files can be read."""
        if self._unmade:
            raise Skip(self._unmade)
        card, namespace = self.card, read_config().namespace
        try:
            made = {name: recipe_of(card, name, namespace=namespace) for name in card.images}
            for recipe in made.values():
                list(recipe.context.files())
        except BuildError:
            self._unmade = "what an image is built from cannot be read"
            raise
        return made

    @cached_property
    def examples(self) -> list[dict[str, Any]]:
        """The rows of `examples.jsonl`."""
        return read_examples(self.card)

    def trials(self) -> Iterator[Trial]:
        """Yield its models, to be tried."""
        for name, model in self.card.models.items():
            if name not in self._trials:
                self._trials[name] = Trial(self, model)
            yield self._trials[name]


class Trial:
    """A model while it is tried: what it is asked, and what it answers.

    Parameters
    ----------
    subject : Subject
        The package that it is of.
    card : ModelCard
        What the package's card says of it.
    """

    def __init__(self, subject: Subject, card: ModelCard) -> None:
        self.subject, self.card, self.name = subject, card, card.name
        self.repeats = True  # until its answers were seen to differ from run to run
        self.ending: float | None = None  # seconds that a worker goes on after its input has ended
        self._problem = ""
        self._made: list[DockerModel] = []

    def close(self) -> None:
        """End its containers."""
        for model in self._made:
            model.close()

    def make(self, *, timeout: float = PATIENCE, **options: Any) -> DockerModel:
        """Make the model anew, with containers of its own."""
        made = load(self.name, timeout=timeout, **self.subject.options, **options)
        if not isinstance(made, DockerModel):
            raise Skip(f"{self.name} runs in no container of its own")
        self._made.append(made)
        return made

    @cached_property
    def model(self) -> DockerModel:
        """The model as everybody gets it."""
        return self.make()

    @cached_property
    def cold(self) -> bool:
        """Whether its program has no worker mode."""
        return self.model.cold if self.model.cold is not None else self.model.resolve().cold

    @cached_property
    def inputs(self) -> list[dict[str, Any]]:
        """The inputs of its first examples."""
        rows = [row["input"] for row in self.subject.examples if row["model"] == self.name]
        if not rows:
            raise Skip(f"{self.name} has no example to try it with")
        folder = str(self.subject.card.folder)
        return [self.model.schema.located(given, folder) for given in rows[:ROWS]]

    @cached_property
    def answers(self) -> Answers:
        """What it answers to them; whoever asks after that has failed skips."""
        if self._problem:
            raise Skip(f"{self.name} does not answer its examples")
        try:
            return Answers(self.model, self.inputs)
        except ReproError as problem:
            self._problem = str(problem)
            raise

    def agree(self, one: object, other: object) -> bool:
        """Whether two answers to the same are the same, as far as the card says."""
        return same(one, other, self.card.tolerance)


class Answers:
    """What a model answers to some inputs.

    Attributes
    ----------
    rows : list
        The predictions; of a metric, its rows.
    corpus : JSON
        The value over all of them, of a metric.
    """

    def __init__(self, model: DockerModel, inputs: Sequence[dict[str, Any]]) -> None:
        answered: Any = model.predict_batch(inputs)
        self.corpus: Any
        self.rows: list[Any]
        self.corpus, self.rows = answered if isinstance(model, Metric) else (None, plain(answered))
