"""What to tell the engine of a container that is to be run: isolation is spelt out here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repro.engine import podman
from repro.engine.exchange import owner_labels
from repro.engine.spec import ALL_GPUS, ContainerSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from repro.engine.client import Engine
    from repro.engine.exchange import Exchange

MEMORY_SHARE = 0.8  # of the engine's memory, so that the container dies before the host does
NOBODY = (65534, 65534)


def engine_config(
    engine: Engine, spec: ContainerSpec, exchange: Exchange | None, *, gpu_runtime: bool = False
) -> dict[str, Any]:
    """Say in the engine's words how to run a container; isolation is spelt out here alone."""
    memory = spec.memory or default_memory(engine)
    environment = {"REPRO_WATCH_STDIN": "1", **spec.environment}
    host: dict[str, Any] = {
        "AutoRemove": True,
        "Init": True,
        "LogConfig": {"Type": "none"},
        "NetworkMode": "default" if spec.network else "none",
        "CapDrop": ["ALL"],
        "CapAdd": list(spec.capabilities),
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": spec.read_only,
        "Memory": memory,
        "MemorySwap": memory,
        "PidsLimit": spec.pids,
        "Ulimits": [
            {"Name": "fsize", "Soft": spec.max_output, "Hard": spec.max_output},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "Mounts": [*(exchange.mounts() if exchange is not None else ()), *spec.mounts],
    }
    host["Mounts"] += [
        {"Type": "bind", "Source": source, "Target": target}
        for source, target in spec.volumes.items()
    ]
    if spec.cpus is not None:
        host["NanoCpus"] = int(spec.cpus * 1e9)
    host |= _user_namespace(engine, spec)
    if spec.gpu is not None:
        _request_gpu(host, environment, spec.gpu, gpu_runtime=gpu_runtime)
    config: dict[str, Any] = {
        "Image": spec.image_id or spec.image,
        "Cmd": list(spec.command),
        "Entrypoint": [],
        "Labels": {**owner_labels(), "repro.model": spec.name},
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "HostConfig": host,
    }
    if spec.read_only:
        host["Tmpfs"] = {"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={memory // 2}"}
    if engine.podman:
        podman.adapt(host)
    if spec.user is None:
        config["User"] = "{}:{}".format(*(exchange.user if exchange is not None else NOBODY))
        environment = {"USER": "repro", "LOGNAME": "repro", "HOME": "/tmp"} | environment
    elif spec.user:
        config["User"] = spec.user
    config["Env"] = [f"{name}={value}" for name, value in environment.items()]
    return config


def hide_volumes(volumes: Iterable[str], host: dict[str, Any]) -> None:
    """Put an empty directory in memory over each volume that an image declares.

    The engine would make a directory on its disk, without a limit.
    """
    if host["ReadonlyRootfs"]:
        taken = {mount["Target"] for mount in host["Mounts"]}
        hidden = {volume.rstrip("/") for volume in volumes} - taken
        host["Tmpfs"] |= dict.fromkeys(hidden, host["Tmpfs"]["/tmp"])


def default_memory(engine: Engine) -> int:
    """Bytes that a container may use if nothing else is said."""
    return int(engine.memory * MEMORY_SHARE)


def _user_namespace(engine: Engine, spec: ContainerSpec) -> dict[str, str]:
    """Have a user inside be the same outside, where the engine would map it to another."""
    if engine.keeps_ids and spec.user is None:
        return {"UsernsMode": "keep-id"}
    return {"UsernsMode": "host"} if engine.remaps_users else {}


def has_gpu(made: dict[str, Any]) -> bool:
    """Whether a container was made with the GPU that it was to have; podman drops the request."""
    return bool(made.get("DeviceRequests")) or made.get("Runtime") == "nvidia"


def _request_gpu(
    host: dict[str, Any], environment: dict[str, str], gpu: int | str, *, gpu_runtime: bool
) -> None:
    """Ask for GPUs the way of 2019 and later, or through the older runtime if that is all."""
    if gpu_runtime:
        host["Runtime"] = "nvidia"
        environment["NVIDIA_VISIBLE_DEVICES"] = str(gpu)
        return
    which = {"Count": -1} if gpu == ALL_GPUS else {"DeviceIDs": [str(gpu)]}
    host["DeviceRequests"] = [{**which, "Capabilities": [["gpu"]]}]
