"""What a model runs: an image, a command in it, and how isolated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.engine import image as images
from repro.engine import recipe as recipes
from repro.engine.client import connect
from repro.engine.spec import ContainerSpec
from repro.errors import ImageNotFound

if TYPE_CHECKING:
    from repro.engine.client import Engine
    from repro.engine.recipe import Recipe
    from repro.models.docker_model import DockerModel


@dataclass(frozen=True, kw_only=True)
class Program:
    """An image, and a command in it, to which the words of the contract are appended.

    `recipe`, where there is one, says what the image must have been built from. A `cold` program
    has no worker mode, and runs once for each call.
    """

    image: str
    command: tuple[str, ...] = ("python", "run.py")
    network: bool = False
    memory: int | None = None
    cold: bool = False
    recipe: Recipe | None = None


def prepare(model: DockerModel) -> tuple[Engine, ContainerSpec]:
    """Find the engine, look whether it has the right image, and say how to run the program.

    Raises
    ------
    EngineError
        If there is no engine, or it does not have the image.
    """
    program = model.resolve()
    engine = connect()
    if program.recipe is not None:
        found: images.Image | None = recipes.check(engine, program.recipe)
    else:
        found = images.find(engine, program.image)
    if found is None:
        raise ImageNotFound(program.image, "build or pull it first")
    model.last_image = found.id
    return engine, ContainerSpec(
        image=program.image,
        image_id=found.id,
        command=program.command,
        name=model.schema.model,
        network=program.network if model.network is None else model.network,
        gpu=model.device if model.device >= 0 else None,
        memory=model.memory or program.memory,
        cpus=model.cpus,
        max_output=model.max_output or ContainerSpec.max_output,
        allow_unlimited=model.allow_unlimited,
    )


def device_words(model: DockerModel) -> list[str]:
    """Tell the program of its GPU, which it sees as the first."""
    return ["--device", "0"] if model.device >= 0 else []
