"""The base images: one a Debian suite, the parent of every image that `repro` writes."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from repro import __version__
from repro.catalog.places import base_dockerfile, runtime_file
from repro.engine import image as images
from repro.engine.context import BuildContext
from repro.engine.lock import one_at_a_time
from repro.errors import ConfigurationError

if TYPE_CHECKING:
    from repro.engine.client import Engine

DIGEST_LABEL = "repro.base"
CERTIFICATES_LABEL = "repro.certificates"  # of a site; an image that has some is not for others

Report = Callable[[str], None]


def base_digest(suite: str) -> str:
    """Hash what a base image is made from.

    A site's certificates do not count, they change no result.
    """
    total = hashlib.sha256(suite.encode())
    for file in (base_dockerfile(), runtime_file()):
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def base_name(suite: str) -> str:
    """Name the base image that packages build on now."""
    return f"repro-base:{base_digest(suite)[:12]}-{suite}"


def ensure_base(engine: Engine, suite: str, report: Report | None = None) -> str:
    """Have the base image of a suite; return its name.

    Parameters
    ----------
    engine : Engine
        Where it shall be.
    suite : str
        ``"bookworm"``, ``"bullseye"`` or ``"trixie"``.
    report : callable, optional
        Gets the lines of the build.
    """
    report = report or (lambda _line: None)
    name = base_name(suite)
    bundle = certificate_bundle(engine)
    certificates = hashlib.sha256(bundle).hexdigest() if bundle else ""
    labels = {
        DIGEST_LABEL: base_digest(suite),
        "org.opencontainers.image.title": f"repro-base {suite}",
        "org.opencontainers.image.version": __version__,
    }
    if bundle:
        labels[CERTIFICATES_LABEL] = certificates
    if not _has(engine, name, certificates):
        with one_at_a_time(name, report):
            if not _has(engine, name, certificates):
                parent = _debian_image(engine, suite, report)
                report(f"building {name}")
                _build(engine, name, parent, bundle, labels, report)
    images.tag(engine, name, f"repro-base:{__version__}-{suite}")
    return name


def _has(engine: Engine, name: str, certificates: str) -> bool:
    found = images.find(engine, name)
    return found is not None and found.labels.get(CERTIFICATES_LABEL, "") == certificates


def certificate_bundle(engine: Engine) -> bytes:
    """Read the certificates that builds shall trust besides the usual ones.

    Empty if this site has none. They are named by ``REPRO_CA_BUNDLE``, `ca_bundle` in the
    configuration, or the variables that Python's tools read; an empty ``REPRO_CA_BUNDLE`` says that
    there shall be none, whatever the others name, so that an image can be published.

    Raises
    ------
    ConfigurationError
        If the file that is named cannot be read.
    """
    names = ("REPRO_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
    given = [os.environ.get(name) for name in names]
    if given[0] == "":
        return b""
    path = given[0] or engine.config.ca_bundle or next(filter(None, given), None)
    if path is None:
        return b""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the certificate bundle {path}: {error.strerror}") from error


def _debian_image(engine: Engine, suite: str, report: Report) -> str:
    """Have the suite's root file system once, from a registry if one answers, else bootstrapped."""
    official, bootstrapped = f"debian:{suite}-slim", f"repro-debian:{suite}"
    for name in (official, bootstrapped):
        if images.find(engine, name) is not None:
            return name
    if images.registry_has(engine, official):
        images.pull(engine, official, report)
        return official
    from repro.engine import debian

    report(f"no image registry answers: bootstrapping Debian {suite}, about half a minute")
    with tempfile.TemporaryFile() as tar:
        debian.bootstrap(suite, tar, engine.config.debian_mirror, report)
        tar.seek(0)
        images.load_root(engine, tar, bootstrapped)
    return bootstrapped


def _build(
    engine: Engine, name: str, parent: str, bundle: bytes, labels: dict[str, str], report: Report
) -> None:
    with tempfile.TemporaryDirectory(prefix="repro-base-") as folder:
        root = Path(folder)
        shutil.copyfile(base_dockerfile(), root / "Dockerfile.base")
        shutil.copyfile(runtime_file(), root / "repro_runtime.py")
        if bundle:
            (root / "ca-bundle.pem").write_bytes(bundle)
        context = BuildContext(root=root, dockerfile="Dockerfile.base")
        images.build(
            engine, context, name, arguments={"DEBIAN": parent}, labels=labels, on_line=report
        )
