"""Bootstrap a Debian root file system from the site's mirror, where no registry answers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING

from repro.errors import BuildError, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# As small as Debian's own slim images: no manuals, no translations.
_WITHOUT = ("man", "doc", "locale", "info", "groff", "lintian", "linda")
_CLEAN = (
    'rm -f "$1/etc/resolv.conf" "$1/etc/hostname" '
    '"$1/var/lib/apt/lists/lock" "$1/var/cache/apt/"*.bin '
    '"$1/var/log/dpkg.log" "$1/var/log/alternatives.log"; '
    'rm -rf "$1/var/log/apt"; : > "$1/etc/machine-id"'
)
# Without it, bookworm brings all of Perl.
_MERGED_USR = "/usr/share/mmdebstrap/hooks/maybe-merged-usr"


def bootstrap(
    suite: str, target: IO[bytes], mirror: str | None, report: Callable[[str], None]
) -> None:
    """Write the root file system of a Debian suite as a tar.

    Parameters
    ----------
    suite : str
        The suite's name.
    target : binary file
        Where the tar goes.
    mirror : str, optional
        The mirror's address; by default the one this machine installs from, and mmdebstrap's own if
        there is none.
    report : callable
        Gets a line when something has to be installed first.

    Raises
    ------
    BuildError
        If it fails, with the last lines.
    """
    _have_mmdebstrap(report)
    command = ["mmdebstrap", "--variant=minbase", "--format=tar"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in _WITHOUT]
    command += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    command += ['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"']
    if Path(_MERGED_USR).is_dir():
        command += [f"--hook-dir={_MERGED_USR}"]
    command += [f"--customize-hook={_CLEAN}", suite, "-"]
    sources = sources_list(suite, mirror)
    command += ["-"] if sources else []
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=target,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    lines: deque[str] = deque(maxlen=20)
    with process:
        if process.stdin is None or process.stderr is None:
            raise AssertionError
        try:
            process.stdin.write(sources.encode())
            process.stdin.close()
            lines.extend(line.decode(errors="replace").rstrip() for line in process.stderr)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        problem = f"mmdebstrap ended with status {process.returncode}"
        raise BuildError(f"repro-debian:{suite}", "", problem, lines)


def sources_list(suite: str, mirror: str | None = None, apt: Path = Path("/etc/apt")) -> str:
    """Write the lines that tell apt where a suite comes from; none if this machine does not say."""
    if mirror:
        return f"deb {mirror} {suite} main\n"
    archive = security = ""
    for address, suites, components in _entries(apt):
        if "main" not in components:
            continue
        if any(one.endswith("-security") for one in suites):
            security = security or address
        elif _is_archive(address, suites):
            archive = archive or address
    if not archive:
        return ""
    lines = [f"deb {archive} {suite}{part} main\n" for part in ("", "-updates")]
    if security:
        lines.append(f"deb {security} {suite}-security main\n")
    return "".join(lines)


def _is_archive(address: str, suites: list[str]) -> bool:
    """Tell Debian's own archive from what others publish for Debian: it has updates of its own."""
    path = address.partition("://")[2].partition("/")[2]
    updated = any(one.endswith("-updates") for one in suites)
    return path == "debian" or (updated and "debian" in path)


def _have_mmdebstrap(report: Callable[[str], None]) -> None:
    """Install mmdebstrap where that may be done without asking: by root, on Debian or Ubuntu."""
    if shutil.which("mmdebstrap"):
        return
    problem = "no image registry answers, and mmdebstrap, which could make a base image, is missing"
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise EngineError(f"{problem}; install it: sudo apt-get install mmdebstrap")
    report("installing mmdebstrap")
    quiet = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", "update"], check=False, env=environment, **quiet)  # type: ignore[call-overload]
    install = ["apt-get", "-q", "install", "-y", "--no-install-recommends", "mmdebstrap"]
    done = subprocess.run(install, check=False, env=environment, **quiet)  # type: ignore[call-overload]
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [""]
        raise EngineError(f"{problem}, and apt-get could not install it: {last[0]}")


def _entries(apt: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield (address, suites, components) of every archive that apt installs from."""
    lists = [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]
    for file in filter(Path.is_file, lists):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            found = re.match(
                r"\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*(.*)", line.partition("#")[0]
            )
            if found:
                yield found[1].rstrip("/"), [found[2]], found[3].split()
    for file in sorted(apt.glob("sources.list.d/*.sources")):
        yield from _stanzas(file.read_text(encoding="utf-8", errors="replace"))


def _stanzas(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Read the newer form: stanzas of fields, a field's value may go on in indented lines."""
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in " \t" and name:
                fields[name] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            for address in fields.get("uris", "").split():
                suites, components = fields.get("suites", ""), fields.get("components", "")
                yield address.rstrip("/"), suites.split(), components.split()
