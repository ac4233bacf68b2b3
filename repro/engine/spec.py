"""How to run something in a container, as a value: isolated unless it says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GIB = 2**30
ALL_GPUS = "all"


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """One run of a program in a container.

    Parameters
    ----------
    image : str
        The image's name.
    image_id : str
        The image's id, where it was looked up: its name may be given to another one meanwhile.
    command : tuple of str
        The program and its arguments; no shell reads it.
    name : str
        What messages and logs call it.
    network : bool
        Whether it has a network.
    gpu : int or "all", optional
        The GPU that it gets; it sees that one as number 0.
    memory : int, optional
        Bytes, swap included, its temporary files counted in; 80 % of the engine's memory by
        default.
    cpus : float, optional
        Processors' worth of time.
    pids : int
        Processes and threads at once.
    max_output : int
        Bytes that it may leave in the exchange directory; no single file that it writes may be
        larger.
    timeout : float, optional
        Seconds from the start.
    environment : mapping of str to str
        Variables besides those the engine layer sets.
    read_only : bool
        Whether the image's files are read-only.
    user : str, optional
        The user inside; by default one without rights who is the caller outside, ``""`` is the
        image's own.
    capabilities : tuple of str
        The capabilities it keeps.
    volumes : mapping of str to str
        Directories of the host that it sees and may change, and where.
    mounts : tuple of mapping
        What else it sees, in the engine's words.
    allow_unlimited : bool
        Whether it may run if the engine drops the limits on memory, processes or processors.
    quiet : bool
        Whether nothing that it prints is logged.
    """

    image: str
    command: tuple[str, ...]
    image_id: str = ""
    name: str = ""
    network: bool = False
    gpu: int | str | None = None
    memory: int | None = None
    cpus: float | None = None
    pids: int = 1024
    max_output: int = 16 * GIB
    timeout: float | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    read_only: bool = True
    user: str | None = None
    capabilities: tuple[str, ...] = ()
    volumes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    mounts: tuple[Mapping[str, object], ...] = ()
    allow_unlimited: bool = False
    quiet: bool = False

    def legacy(self, *, network: bool = True) -> ContainerSpec:
        """Loosen to what the ancestor gave: a network, the image's user, a writable root.

        The limits stay, and of the capabilities there are only those that writing to a foreign
        directory needs.
        """
        return replace(
            self,
            network=network,
            read_only=False,
            user="",
            capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER"),
        )

    def as_user(self, user: str) -> ContainerSpec:
        """Run as another user, such as ``"0:0"``."""
        return replace(self, user=user)
