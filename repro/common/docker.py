"""The ancestor's Docker functions, for wrappers written as the tutorial says.

What was a defect there is mended: a failed build and a non-zero exit raise, an engine that does not
answer is an error and not a "no", nothing is left behind, and what a container wrote belongs to the
caller afterwards.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.commands.subcommand import SetupSubcommand
from repro.engine import image as images
from repro.engine.client import Engine, connect
from repro.engine.container import run
from repro.engine.context import BuildContext
from repro.engine.exchange import make_parent, remove_tree
from repro.engine.spec import ALL_GPUS, ContainerSpec
from repro.errors import ConfigurationError, OutputError, ReproError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from typing_extensions import Self

log = logging.getLogger(__name__)

MAX_PRINTED = 64 * 2**20  # bytes that a command may print


def make_volume_map(*directories: str) -> dict[str, str]:
    """Say where a container sees each directory of the host: ``/tmp0``, ``/tmp1``, and so on."""
    return {str(Path(one).absolute()): f"/tmp{index}" for index, one in enumerate(directories)}


def image_exists(image: str) -> bool:
    """Tell whether the engine has an image; an engine that does not answer is an error."""
    return images.find(connect(), image) is not None


def remove_image(image: str, force: bool = False) -> None:  # noqa: FBT001, FBT002  as in the ancestor
    """Remove an image; one that is not there is fine."""
    images.remove(connect(), image, force=force)


def pull_image(image: str) -> None:
    """Pull an image."""
    images.pull(connect(), image, log.info)


def build_image(
    root: str,
    image: str,
    build_args: Mapping[str, str] | None = None,
    silent: bool = False,  # noqa: FBT001, FBT002  as in the ancestor
) -> None:
    """Build an image from the folder `root`.

    Raises
    ------
    BuildError
        With the failing step.
    """
    report = _ignore if silent else log.info
    context = BuildContext(root=Path(root), excluded=())
    images.build(connect(), context, image, arguments=build_args, on_line=report)
    report("finished building image %s", image)


def run_command(  # noqa: PLR0913, PLR0917  as in the ancestor
    image: str,
    command: str,
    volume_map: Mapping[str, str] | None = None,
    stdout: bool = True,  # noqa: FBT001, FBT002
    stderr: bool = True,  # noqa: FBT001, FBT002
    silent: bool = False,  # noqa: FBT001, FBT002
    network_disabled: bool = False,  # noqa: FBT001, FBT002
    cuda: bool = False,  # noqa: FBT001, FBT002
) -> str:
    """Run a shell command in a container, with the ancestor's looser isolation.

    Parameters
    ----------
    image : str
        The image; pulled if the engine does not have it.
    command : str
        What ``/bin/sh -c`` gets.
    volume_map : mapping of str to str, optional
        Directories of the host, and where they are seen.
    stdout, stderr : bool
        Which of its streams to return.
    silent : bool
        Log nothing of what it prints.
    network_disabled : bool
        Give it no network.
    cuda : bool
        Give it all GPUs.

    Returns
    -------
    str
        What it printed. For people: results belong in files.

    Raises
    ------
    ContainerError
        If it ends with a non-zero status; the ancestor went on.
    OutputError
        If it prints more than 64 MiB, or writes more than the disk can spare.
    """
    engine = connect()
    report = _ignore if silent else log.info
    if images.find(engine, image) is None:
        images.pull(engine, image, report)
    spec = ContainerSpec(
        image=image,
        command=("/bin/sh", "-c", command),
        name=image,
        quiet=silent,
        gpu=ALL_GPUS if cuda else None,
        volumes=dict(volume_map or {}),
    ).legacy(network=not network_disabled)
    report("running %s with the ancestor's looser isolation", image)
    printed = bytearray()
    wanted = {1: stdout, 2: stderr}

    def keep(stream: int, piece: bytes) -> None:
        if wanted.get(stream):
            printed.extend(piece)
        if len(printed) > MAX_PRINTED:
            raise OutputError(image, f"it printed more than {MAX_PRINTED:,} bytes")

    try:
        run(engine, spec, on_output=keep)
    finally:
        for directory, inside in spec.volumes.items():
            _hand_back(engine, image, directory, inside)
    return printed.decode(errors="replace")


class DockerContainer:
    """A directory that is shared with the containers of an image; a context manager.

    Parameters
    ----------
    image : str
        The image.

    Attributes
    ----------
    host_dir, container_dir : str
        The directory's path here and inside.
    volume_map : dict of str to str
        The one as key of the other.
    """

    def __init__(self, image: str) -> None:
        self.image = image

    def __enter__(self) -> Self:
        self._parent = make_parent()
        self.host_dir = str(self._parent / "files")
        Path(self.host_dir).mkdir(mode=0o700)
        self.volume_map = make_volume_map(self.host_dir)
        self.container_dir = self.volume_map[self.host_dir]
        return self

    def __exit__(self, *_: object) -> None:
        try:
            remove_tree(self._parent)
        except OSError as error:  # must not hide the model's; the next start tries again
            log.warning("could not remove %s: %s", self._parent, error)

    def run_command(self, **options: Any) -> str:
        """Run a shell command.

        Takes what the function `run_command` takes, besides the image and the volumes.
        """
        for name in ("image", "volume_map"):
            if name in options:
                raise ConfigurationError(f"{name} is set by the DockerContainer")
        return run_command(image=self.image, volume_map=self.volume_map, **options)


class BuildDockerImageSubcommand(SetupSubcommand):
    """What ``repro setup`` runs for a package whose image is built from one folder.

    Parameters
    ----------
    root : str
        The folder.
    default_image : str
        The image's name.
    """

    def __init__(self, root: str, default_image: str) -> None:
        self.root, self.default_image = root, default_image

    def add_subparser(
        self, model: str, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]
    ) -> argparse.ArgumentParser:
        """Add the options `--image-name` and `--silent`."""
        description = f'Build a Docker image for model "{model}"'
        parser = subparsers.add_parser(model, description=description, help=description)
        parser.add_argument("--image-name", default=self.default_image, help="the image's name")
        parser.add_argument("--silent", action="store_true", help="log nothing of the build")
        parser.set_defaults(subfunc=self.run)
        return parser

    def run(self, args: argparse.Namespace) -> None:
        """Build the image."""
        build_image(self.root, args.image_name, silent=args.silent)


def _hand_back(engine: Engine, image: str, directory: str, inside: str) -> None:
    """Give the caller what a container wrote as another user.

    A failure is logged; the model's error comes first.
    """
    owner = "0:0" if engine.rootless else f"{os.getuid()}:{os.getgid()}"
    spec = ContainerSpec(
        image=image, command=("chown", "-R", owner, inside), volumes={directory: inside}
    ).legacy(network=False)
    try:
        if any(os.lstat(path).st_uid != os.getuid() for path in _all_paths(directory)):
            run(engine, spec.as_user("0:0"))
    except (ReproError, OSError) as error:
        log.warning("could not take back what %s wrote into %s: %s", image, directory, error)


def _ignore(message: str, *_: object) -> None:
    """Report nothing."""


def _all_paths(directory: str) -> list[str]:
    found = []
    for folder, folders, files in os.walk(directory):
        found += [os.path.join(folder, name) for name in (*folders, *files)]  # noqa: PTH118
    return found
