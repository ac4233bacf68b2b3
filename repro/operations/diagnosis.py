"""Look at this machine: can it run models, and what is wrong if it cannot."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from repro.common.config import read_config
from repro.common.sizes import format_bytes
from repro.engine import image as images
from repro.engine.base import certificate_bundle
from repro.engine.client import Engine, connect, find_address
from repro.errors import EngineError, ReproError

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST_SPACE = 5 * 10**9  # bytes; one image of a small model and its base


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at; a `remedy` says what to type if it is not well."""

    subject: str
    state: Literal["ok", "note", "wrong"]
    detail: str
    remedy: str = ""


def diagnose() -> Iterator[Finding]:
    """Look at the engine, what it can enforce, its disk, and what else a run needs."""
    config = read_config()
    try:
        engine = connect()
        yield _engine(engine)
    except EngineError as error:
        yield Finding(
            subject="engine", state="wrong", detail=str(find_address(config)), remedy=str(error)
        )
        return
    yield from _isolation(engine)
    yield _gpu(engine)
    yield _space("temporary files", tempfile.gettempdir())
    if engine.local:
        yield _space("images", str(engine.info.get("DockerRootDir", "/")))
    yield _registry(engine)
    yield _certificates(engine)


def _engine(engine: Engine) -> Finding:
    info = engine.info
    rootless = ", rootless" if engine.rootless else ""
    shared = "" if engine.local else ", does not see this machine's files"
    detail = (
        f"{info.get('ServerVersion')} at {engine.address}, storage {info.get('Driver')}, "
        f"{info.get('NCPU')} processors, {format_bytes(engine.memory)}{rootless}{shared}"
    )
    return Finding(subject="engine", state="ok", detail=detail)


def _isolation(engine: Engine) -> Iterator[Finding]:
    if engine.unlimited:
        detail = f"this engine cannot limit {' and '.join(engine.unlimited)}"
        remedy = "use a rootful engine, or one on cgroup v2; or let a model take all there is"
        remedy += ": --allow-unlimited, or allow_unlimited = true in the configuration"
        yield Finding(subject="limits", state="note", detail=detail, remedy=remedy)
    else:
        yield Finding(subject="limits", state="ok", detail="memory, swap and processes are limited")
    if not engine.tells_out_of_memory:
        detail = "this engine does not tell when a model's child process is killed for memory"
        yield Finding(subject="out of memory", state="note", detail=detail)
    options = [str(o) for o in engine.info.get("SecurityOptions") or ()]
    if not any("seccomp" in option for option in options):
        detail = "this engine has no seccomp filter"
        yield Finding(subject="system calls", state="note", detail=detail)


def _gpu(engine: Engine) -> Finding:
    has = "nvidia" in engine.info.get("Runtimes", {}) or bool(shutil.which("nvidia-smi"))
    detail = "NVIDIA GPUs can be requested" if has else "none; models run on the CPU"
    return Finding(subject="GPU", state="ok" if has else "note", detail=detail)


def _space(subject: str, path: str) -> Finding:
    try:
        free = shutil.disk_usage(path).free
    except OSError as error:
        return Finding(subject=subject, state="note", detail=f"{path}: {error.strerror}")
    low = free < LEAST_SPACE
    return Finding(
        subject=subject,
        state="wrong" if low and free < LEAST_SPACE / 50 else "note" if low else "ok",
        detail=f"{format_bytes(free)} free at {path}",
        remedy="remove what is not needed, images for instance: docker image rm" if low else "",
    )


def _registry(engine: Engine) -> Finding:
    if images.registry_has(engine, "debian:bookworm-slim"):
        return Finding(subject="registry", state="ok", detail="answers")
    has = shutil.which("mmdebstrap")
    return Finding(
        subject="registry",
        state="note",
        detail="does not answer; base images are bootstrapped with mmdebstrap",
        remedy="" if has else "sudo apt-get install mmdebstrap",
    )


def _certificates(engine: Engine) -> Finding:
    try:
        found = certificate_bundle(engine)
    except ReproError as error:
        return Finding(subject="certificates", state="wrong", detail=str(error))
    detail = "builds trust this site's bundle" if found else "the usual ones"
    return Finding(subject="certificates", state="ok", detail=detail)
