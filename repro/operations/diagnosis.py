"""Look at this machine: can it run models, and what is wrong if it cannot."""

from __future__ import annotations

import shutil
import subprocess
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

TOOLKIT = (
    "install nvidia-container-toolkit from NVIDIA's packages, then "
    "`sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker`"
)
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
    here, trouble = installed_gpus() if engine.local else ((), "")
    facts = GPUFacts(
        local=engine.local,
        here=here,
        trouble=trouble,
        runtime="nvidia" in (engine.info.get("Runtimes") or {}),
        # With it on its path when it starts, an engine can answer requests for devices.
        toolkit=engine.local and shutil.which("nvidia-container-runtime-hook") is not None,
        requests=engine.takes_device_requests,
    )
    return judge_gpus(facts)


@dataclass(frozen=True, kw_only=True)
class GPUFacts:
    """What can be seen of GPUs without starting a container.

    Parameters
    ----------
    local : bool
        The engine is on this machine, so that the rest can be seen.
    here : tuple of str
        The GPUs that the driver lists.
    trouble : str
        Why it lists none, although its program is there.
    runtime : bool
        The engine has the runtime `nvidia`.
    toolkit : bool
        The NVIDIA container toolkit is installed.
    requests : bool
        The engine knows requests for devices, which came with API 1.40.
    """

    local: bool
    here: tuple[str, ...] = ()
    trouble: str = ""
    runtime: bool = False
    toolkit: bool = False
    requests: bool = True


def judge_gpus(facts: GPUFacts) -> Finding:
    """Say whether models can have GPUs, as far as that can be seen; only a run proves it."""
    way = facts.runtime or (facts.toolkit and facts.requests)
    through = "the engine has the nvidia runtime"
    if not facts.runtime:
        through = "the NVIDIA container toolkit is here" if way else "the engine has no way to them"
    state: Literal["ok", "note"] = "note"
    remedy = ""
    if not facts.local:
        detail = "none is offered, models run on the CPU"
        if facts.runtime:
            detail = f"{through}; whether its machine has a GPU cannot be seen from here"
    elif facts.trouble:
        detail, remedy = f"nvidia-smi fails: {facts.trouble}", "mend the driver: nvidia-smi"
    elif facts.here and way:
        state, detail = "ok", f"{', '.join(facts.here)}; {through}, a run will tell if it works"
    elif facts.here:
        detail, remedy = f"{', '.join(facts.here)}; {through}", TOOLKIT
    elif way:
        detail = f"{through}, and nvidia-smi finds no GPU here; models run on the CPU"
    else:
        detail = "none; models run on the CPU"
    return Finding(subject="GPU", state=state, detail=detail, remedy=remedy)


def installed_gpus() -> tuple[tuple[str, ...], str]:
    """List the GPUs that NVIDIA's driver on this machine has, and what is wrong with it."""
    words = ["nvidia-smi", "--query-gpu=index,name", "--format=csv,noheader"]
    if shutil.which(words[0]) is None:
        return (), ""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return (), str(error)
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode != 0:
        said = [*lines, *done.stderr.split("\n")]
        return (), next(filter(None, said), f"it ended with status {done.returncode}")
    return tuple(line.replace(",", ":", 1) for line in lines), ""


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
