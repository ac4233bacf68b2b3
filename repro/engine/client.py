"""Find the container engine and talk to it."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from repro.common.config import Config, read_config
from repro.errors import ConfigurationError, DiskFull, EngineError, EngineUnavailable, ReproError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DEFAULT_SOCKET = "/var/run/docker.sock"
CALL_TIMEOUT = 60  # seconds; waiting for a container is not a call

_Piece = TypeVar("_Piece")


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where an engine listens, and who said so."""

    url: str
    source: str
    context: str = ""  # the docker context that has the certificates to talk to it

    def __str__(self) -> str:
        return f"{self.url} ({self.source})"

    @property
    def socket(self) -> Path | None:
        """The unix socket's path, if it is one."""
        return Path(self.url.removeprefix("unix://")) if self.url.startswith("unix://") else None


def find_address(config: Config, environment: Mapping[str, str] = os.environ) -> Address:
    """Decide which engine is meant; builds and runs both ask here.

    In this order: ``DOCKER_HOST``; ``docker_server`` in the configuration; a docker context that is
    not the default one; the default socket; podman's socket.
    """
    if environment.get("DOCKER_HOST"):
        return Address(url=environment["DOCKER_HOST"], source="DOCKER_HOST")
    if config.docker_server:
        return Address(url=config.docker_server, source="docker_server in the configuration")
    context = _context(environment)
    if context is not None:
        return context
    for socket in _podman_sockets(environment):
        if socket.exists() and not Path(DEFAULT_SOCKET).exists():
            return Address(url=f"unix://{socket}", source="podman's socket")
    return Address(url=f"unix://{DEFAULT_SOCKET}", source="the default socket")


class Engine:
    """A container engine that answers.

    Parameters
    ----------
    address : Address
        Where it listens.
    config : Config
        What the user has set about it.

    Raises
    ------
    EngineUnavailable
        If nothing answers there, or it does not let us in.
    """

    def __init__(self, address: Address, config: Config) -> None:
        self.address = address
        self.config = config
        with translated(address):
            about = _ping(address)
            self.api: Any = _api_client(address, about.get("Api-Version", "auto"))
        # It answers the way docker does, but for some details.
        self.podman = "Libpod-Api-Version" in about

    def patient(self, seconds: float) -> Any:
        """Make a client that waits no longer than `seconds` for an answer."""
        with translated(self.address):
            return _api_client(self.address, self.api.api_version, seconds)

    @cached_property
    def info(self) -> dict[str, Any]:
        """What the engine says of itself."""
        with translated(self.address):
            return dict(self.api.info())

    @cached_property
    def version(self) -> dict[str, Any]:
        """What the engine says of its version."""
        with translated(self.address):
            return dict(self.api.version())

    @property
    def local(self) -> bool:
        """Whether the engine sees the files of this machine."""
        if self.config.shared_files is not None:
            return self.config.shared_files
        return self.address.socket is not None

    @property
    def rootless(self) -> bool:
        """Whether the engine itself runs without privileges."""
        options = self.info.get("SecurityOptions") or ()
        podmans = bool(self.info.get("Rootless"))
        return podmans or any("rootless" in option for option in options)

    @property
    def keeps_ids(self) -> bool:
        """Whether a container's user can be the one who runs the engine, and is the caller."""
        return self.podman and self.rootless and self.local and os.getuid() != 0

    @property
    def remaps_users(self) -> bool:
        """Whether the engine maps the users of containers to others by default."""
        return any("name=userns" in option for option in self.info.get("SecurityOptions") or ())

    @property
    def tells_out_of_memory(self) -> bool:
        """Whether it says that a container was killed for memory; podman does not."""
        return not self.podman

    @property
    def unlimited(self) -> tuple[str, ...]:
        """What of a container the engine cannot limit, such as ``"memory"``."""
        wanted = {"memory": "MemoryLimit", "swap": "SwapLimit", "processes": "PidsLimit"}
        if self.podman and self.rootless and self.info.get("CgroupVersion") == "1":
            return tuple(wanted)  # it says otherwise, and drops the limits without a word
        return tuple(word for word, key in wanted.items() if not self.info.get(key, False))

    @property
    def takes_device_requests(self) -> bool:
        """Whether its API is new enough to be asked for GPUs; before, there was a runtime only."""
        major, _, minor = str(self.api.api_version).partition(".")
        return (int(major), int(minor)) >= (1, 40)

    @property
    def memory(self) -> int:
        """Bytes of memory of the engine's machine."""
        return int(self.info["MemTotal"])


def connect() -> Engine:
    """Connect to the engine that is meant; the connection is kept for the life of the process.

    Raises
    ------
    EngineUnavailable
        If nothing answers there, or it does not let us in.
    """
    config = read_config()
    address = find_address(config)
    key = (os.getpid(), address, config)
    engine = _connections.get(key)
    if engine is None:
        engine = Engine(address, config)
        _connections.clear()
        _connections[key] = engine
    return engine


_connections: dict[tuple[int, Address, Config], Engine] = {}


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Turn every error of the engine's client library into one of ours, in this one place."""
    import requests
    from docker.errors import APIError, DockerException
    from urllib3.exceptions import HTTPError  # of a stream that breaks off

    try:
        yield
    except ReproError:
        raise
    except APIError as error:
        raise _from_answer(error) from error
    except requests.exceptions.Timeout as error:
        raise _silent(address) from error
    except (DockerException, requests.exceptions.RequestException, HTTPError, OSError) as error:
        # docker-py wraps what went wrong when it first asks for the version
        if isinstance(error.__cause__ or error.__context__, requests.exceptions.Timeout):
            raise _silent(address) from error
        raise _unavailable(address, error) from error


def answers(address: Address, stream: Iterable[_Piece]) -> Iterator[_Piece]:
    """Yield what the engine sends; what is done with it meanwhile is no error of the engine."""
    records = iter(stream)
    while True:
        with translated(address):
            record = next(records, None)
        if record is None:
            return
        yield record


def _silent(address: Address) -> EngineUnavailable:
    problem = f"it did not answer within {CALL_TIMEOUT} s"
    return EngineUnavailable(str(address), problem, "`repro doctor` tells more")


def _from_answer(error: Any) -> EngineError:
    message = str(error.explanation or error).strip()
    if "no space left on device" in message:
        return DiskFull("the engine's storage", "remove images that are not needed")
    return EngineError(f"the engine refused: {message}")


def _unavailable(address: Address, error: BaseException) -> EngineUnavailable:
    cause = _system_error(error)
    start = "start it (`sudo systemctl start docker`), or install one (Debian and Ubuntu: "
    remedy = start + "`sudo apt-get install docker.io`), or name another with DOCKER_HOST"
    match cause:
        case FileNotFoundError():
            problem = "nothing listens there"
        case ConnectionRefusedError():
            problem = "the connection was refused, no engine listens there"
        case PermissionError():
            problem = "this user may not use its socket"
            remedy = "join its group (`sudo usermod -aG docker $USER`) and log in again"
        case ConnectionError():
            problem = "the connection was lost"
            remedy = "is it still running? `repro doctor` tells more"
        case _:
            problem = str(cause or error)
    return EngineUnavailable(str(address), problem, remedy)


def _system_error(error: BaseException | None) -> OSError | None:
    """Dig out the error of the operating system that the libraries have wrapped."""
    while error is not None:
        nested = [error, *(a for a in error.args if isinstance(a, BaseException))]
        for one in nested:
            if isinstance(one, OSError) and one.errno is not None:
                return one
            if one is not error and (found := _system_error(one)) is not None:
                return found
        error = error.__cause__ or error.__context__
    return None


def _ping(address: Address) -> Mapping[str, str]:
    """Ask what the engine is, and the version of its API, the cheap way.

    The other starts programs there.
    """
    with closing(_api_client(address, "1.24")) as api:  # any: the question is the same in all
        answer = api.get(f"{api.base_url}/_ping", timeout=CALL_TIMEOUT)
    headers: Mapping[str, str] = answer.headers
    return headers


def _api_client(address: Address, version: str, timeout: float | None = None) -> Any:
    from docker import APIClient
    from docker.tls import TLSConfig

    tls: TLSConfig | bool = False
    if address.context:
        from docker.context import ContextAPI

        tls = ContextAPI.get_context(address.context).TLSConfig or False
    elif os.environ.get("DOCKER_TLS_VERIFY") and address.socket is None:
        folder = Path(os.environ.get("DOCKER_CERT_PATH", "~/.docker")).expanduser()
        tls = TLSConfig(
            client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")),
            ca_cert=str(folder / "ca.pem"),
            verify=True,
        )
    return APIClient(
        base_url=address.url, version=version, timeout=timeout or CALL_TIMEOUT, tls=tls
    )


def _context(environment: Mapping[str, str]) -> Address | None:
    """Find the docker context in use, unless it is the default one."""
    from docker.context import ContextAPI
    from docker.context.config import get_current_context_name

    name = environment.get("DOCKER_CONTEXT")
    context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
    if context is None and (name := name or get_current_context_name()) != "default":
        raise ConfigurationError(
            f"the docker context {name!r} is not there; `docker context ls` shows those that are"
        )
    if context is None or context.name == "default" or not context.Host:
        return None
    url = str(context.Host).replace("http+unix://", "unix://")
    return Address(url=url, source=f"docker context {context.name!r}", context=context.name)


def _podman_sockets(environment: Mapping[str, str]) -> list[Path]:
    runtime = environment.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    return [Path(runtime, "podman/podman.sock"), Path("/run/podman/podman.sock")]


# `python -m repro.engine.client` exits with 0 if an engine answers, else it says why.
if __name__ == "__main__":
    import sys

    try:
        connect()
    except ReproError as problem:
        sys.exit(str(problem))
