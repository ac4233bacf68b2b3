"""The exchange directory for an engine that does not see this machine's files.

It is a volume, filled and emptied as tars.
"""

from __future__ import annotations

import logging
import tarfile
import tempfile
from contextlib import closing, suppress
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, cast

from repro.common.io import translated as file_errors
from repro.engine.client import translated
from repro.engine.context import entry
from repro.engine.exchange import MAX_ENTRIES, Exchange, owner_labels
from repro.engine.leftovers import sweep_once
from repro.errors import EngineError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.engine.client import Engine

log = logging.getLogger(__name__)

CHUNK = 2**20
ROOT = "/volume"  # where the volume is mounted


def exchange_for(engine: Engine) -> Exchange:
    """Make the kind of exchange directory that an engine can use."""
    sweep_once(engine)
    return Exchange(engine) if engine.local else VolumeExchange(engine)


class VolumeExchange(Exchange):
    """An exchange directory kept in step with a volume of the engine.

    A container that is never started holds the volume, so that what was written can be fetched
    after the one that ran is gone. Files go in before the start and come out after the end.
    """

    inside = f"{ROOT}/exchange"
    _volume: str | None = None
    _holder: str | None = None

    def mounts(self) -> list[dict[str, Any]]:
        """Say what to mount: a volume with the exchange directory in it.

        The volume's root belongs to nobody.
        """
        return [{"Type": "volume", "Source": self._volume, "Target": ROOT}]

    def push(self, image: str) -> None:
        """Make the volume and put what was written into it."""
        api = self._engine.api
        with translated(self._engine.address), tempfile.TemporaryFile() as tar:
            # Podman would give the volume's root to the first user that sees it.
            kept = {"o": "uid=0,gid=0"} if self._engine.podman else None
            self._volume = api.create_volume(driver_opts=kept, labels=owner_labels())["Name"]
            config = {"Image": image, "Cmd": ["true"], "Labels": owner_labels()}
            config["HostConfig"] = {"Mounts": self.mounts(), "NetworkMode": "none"}
            self._holder = str(api.create_container_from_config(config)["Id"])
            with file_errors(tempfile.gettempdir()):
                self._pack(tar)
            tar.seek(0)
            api.put_archive(self._holder, ROOT, tar)

    def pull(self, limit: int, reader: str) -> None:
        """Fetch what is in the volume: regular files only, no more than `limit` bytes."""
        limit = min(limit, int(self.free() * 0.9))
        with translated(self._engine.address):
            pieces, _ = self._engine.api.get_archive(self._holder, self.inside, chunk_size=CHUNK)
            stream = cast("IO[bytes]", _Pieces(pieces))
            # Closed even if not read to its end: the engine holds what it is still sending.
            with closing(pieces), tarfile.open(fileobj=stream, mode="r|") as tar:
                for count, member in enumerate(tar):
                    limit -= member.size
                    if limit < 0 or count > MAX_ENTRIES:
                        raise OutputError(reader, "it wrote more bytes or files than it may")
                    self._unpack(tar, member)

    def __exit__(self, *args: object) -> None:
        super().__exit__(*args)
        try:
            with translated(self._engine.address):
                self._give_back()
        except EngineError as error:  # must not hide why we end; the next start tries again
            log.warning("could not remove the volume %s: %s", self._volume, error)

    def _give_back(self) -> None:
        from docker.errors import APIError

        if self._holder is not None:
            with suppress(APIError):
                self._engine.api.remove_container(self._holder, v=True, force=True)
        if self._volume is not None:
            with suppress(APIError):
                self._engine.api.remove_volume(self._volume, force=True)

    def _pack(self, target: IO[bytes]) -> None:
        """Write the exchange directory, owned by the user inside, with what the host wrote."""
        self._sent = {path.name for path in self.directory.iterdir()}
        with tarfile.open(fileobj=target, mode="w") as tar:
            folder = entry("exchange", folder=True)
            folder.uid = folder.gid = self.user[0]
            folder.mode = 0o700
            tar.addfile(folder)
            for name in sorted(self._sent):
                path = self.directory / name
                info = entry(f"exchange/{name}")
                info.size = path.stat().st_size
                with path.open("rb") as file:
                    tar.addfile(info, file)
            end = tar.offset + 2 * tarfile.BLOCKSIZE
        target.truncate(end)  # what podman does not read, the padding, it may fail over

    def _unpack(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Write one member here; only remember what is no regular file right in the directory."""
        parts = PurePosixPath(member.name).parts
        if len(parts) != 2 or parts[1] in self._sent:
            return
        source = tar.extractfile(member) if member.isreg() else None
        if source is None:
            self.irregular[parts[1]] = "a link, a directory or a device"
            return
        path = self.directory / parts[1]
        with file_errors(path):
            file = path.open("xb")  # buffered: a raw file may take less than it is given
        with file:
            while piece := source.read(CHUNK):
                with file_errors(path):  # reading is the engine's part
                    file.write(piece)
                    file.flush()


class _Pieces:
    """A readable file of an iterator of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = iter(pieces), b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
