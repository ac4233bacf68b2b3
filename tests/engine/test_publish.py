"""Publishing to a registry, and pulling by digest: also where logins, disks and registries fail."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import threading
import time
from base64 import b64encode
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog.lockfile import read_lock
from repro.engine import image as images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "tell-nobody-7"
USERS = ("ada", "$2y$05$x1Mz3socuCn827kViAtnbObaK6/fq73a5eKsVmcgZGcxs2aGZzURa")
QUICK = ("--level", "card")  # where the checks are not what is tested
ZEROS = "sha256:" + "0" * 64


@pytest.fixture(autouse=True)
def _docker_only(engine):
    if engine.podman:
        pytest.skip("podman wants https of a registry, here too: 'HTTP response to HTTPS client'")


def result(done: subprocess.CompletedProcess[str], index: int = 0) -> dict[str, Any]:
    return json.loads(done.stdout)[index]


def log_in(checkout, address: str, user: str = "ada", password: str = PASSWORD) -> None:
    """Write what `docker login` writes."""
    (checkout.folder / "docker").mkdir(exist_ok=True)
    auths = {address: {"auth": b64encode(f"{user}:{password}".encode()).decode()}}
    (checkout.folder / "docker" / "config.json").write_text(json.dumps({"auths": auths}))


def has(address: str, path: str, version: str = "1.0") -> bool:
    """Ask a registry itself, past all code of ours."""
    host, _, port = address.rpartition(":")
    with closing(http.client.HTTPConnection(host, int(port))) as connection:
        connection.request("HEAD", f"/v2/{path}/manifests/{version}")
        return connection.getresponse().status == 200


def test_an_image_is_published_once_and_pulled_by_its_digest(engine, checkout, registry):
    folder = checkout.add("small2020")
    to = ("--registry", f"{registry}/lab", "--json")

    planned = checkout.repro("publish", "small2020", "--plan", *to)
    dry = checkout.repro("publish", "small2020", "--dry-run", *to)
    pushed_by_dry_run = has(registry, "lab/small2020")
    done = checkout.repro("publish", "small2020", *to)
    again = checkout.repro("publish", "small2020", *to)
    locked = read_lock(folder).images[0]
    images.remove(engine, checkout.image("small2020"), force=True)
    offline = checkout.repro("publish", "small2020", "--plan", *to, DOCKER_HOST="unix:///none")
    setup = checkout.repro("setup", "small2020", "--pull", "--locked", "--json")
    answer = checkout.repro("predict", "--model", "small2020-model", "-i", "text=a")

    assert result(planned)["action"] == "publish", planned.stderr
    assert result(dry)["action"] == "checked", dry.stderr
    assert not pushed_by_dry_run
    assert (done.returncode, result(done)["action"]) == (0, "published"), done.stderr
    digest = result(done)["digest"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    assert locked.published == {f"{registry}/lab/small2020": digest}
    assert result(again)["action"] == result(offline)["action"] == "present"
    assert result(again)["digest"] == digest
    assert (setup.returncode, result(setup)["action"]) == (0, "pulled"), setup.stderr
    assert f"pulling {registry}/lab/small2020@{digest}" in setup.stderr
    assert answer.stdout == '"seen"\n'
    assert not [name for name in images.names(engine) if registry in name]


def test_a_published_version_is_not_overwritten_and_stops_no_other(checkout, registry):
    first, second = checkout.add("small2020"), checkout.add("small2021")
    hidden = checkout.add("small2022", publish=False)
    private = checkout.add("small2023", more="LABEL repro.certificates=some\n")
    wrong = checkout.add("small2024")
    to = ("--registry", f"{registry}/lab", "--json")
    checkout.repro("publish", "small2020", *to)
    (first / "src" / "more.txt").write_text("more")
    (second / "examples.jsonl").write_text((second / "examples.jsonl").read_text() * 2)
    (wrong / "examples.jsonl").write_text(
        (wrong / "examples.jsonl").read_text().replace("seen", "other")
    )
    before = has(registry, "lab/small2020")

    names = (folder.name for folder in (first, hidden, private, wrong, second))
    done = checkout.repro("publish", *names, *to)

    assert before
    outcomes = [one["action"] for one in json.loads(done.stdout)]
    assert outcomes == ["refused", "skipped", "refused", "failed", "published"], done.stderr
    assert done.returncode == 3
    assert "write a new version into model.toml" in done.stderr
    assert "small2022: its card says publish = false" in done.stderr
    assert "it has a site's certificates in it" in done.stderr
    assert "REPRO_CA_BUNDLE= repro setup --build small2023" in done.stderr
    assert "full.examples: error: " in done.stderr
    assert "`repro check small2024` tells all; nothing was pushed" in done.stderr
    assert not has(registry, "lab/small2023")
    assert not has(registry, "lab/small2024")


def test_a_password_is_taken_from_dockers_configuration_and_never_printed(checkout, registries):
    checkout.add("small2020")
    server = registries(login=USERS)
    to = ("--registry", f"{server.address}/lab", "--json", *QUICK)

    without = checkout.repro("publish", "small2020", *to)
    log_in(checkout, server.address, password="a-wrong-one")
    wrong = checkout.repro("publish", "small2020", *to)
    log_in(checkout, server.address)
    right = checkout.repro("-v", "-v", "publish", "small2020", *to)

    assert (without.returncode, wrong.returncode, right.returncode) == (3, 3, 0), right.stderr
    assert "does not tell of lab/small2020 without a login" in without.stderr
    assert f"`docker login {server.address}` makes one" in without.stderr
    assert "it does not let ada see lab/small2020" in wrong.stderr
    assert result(right)["action"] == "published"
    for done in (without, wrong, right):
        for secret in (PASSWORD, b64encode(f"ada:{PASSWORD}".encode()).decode()):
            assert secret not in done.stdout + done.stderr


def test_a_password_may_come_from_a_helper_program(checkout, registries, tmp_path):
    checkout.add("small2020")
    server = registries(login=USERS)
    helper = tmp_path / "docker-credential-tests"
    said = {"ServerURL": server.address, "Username": "ada", "Secret": PASSWORD}
    helper.write_text(f"#!/bin/sh\necho '{json.dumps(said)}'\n")
    helper.chmod(0o755)
    (checkout.folder / "docker").mkdir()
    config = {"credHelpers": {server.address: "tests"}}
    (checkout.folder / "docker" / "config.json").write_text(json.dumps(config))
    words = ("publish", "small2020", "--registry", f"{server.address}/lab", "--json", *QUICK)

    done = checkout.repro(*words, PATH=f"{tmp_path}:{os.environ['PATH']}")
    without = checkout.repro(*words)

    assert result(done)["action"] == "published", done.stderr
    assert without.returncode == 3
    assert "the login cannot be read from docker's configuration" in without.stderr
    assert PASSWORD not in done.stdout + done.stderr + without.stderr


def test_a_registry_whose_tokens_come_from_a_service_is_asked_with_one(checkout, meddler):
    checkout.add("small2020")
    asked: list[str] = []

    def before(_method: str, path: str, headers: Any) -> Any:
        """Let a token for pulling see what there is, and one for pushing see all."""
        if path.startswith("/token"):
            asked.append(path)
            login = b64encode(f"ada:{PASSWORD}".encode()).decode()
            right = headers.get("Authorization") == f"Basic {login}"
            token = "for-pushing" if "push" in path else "for-pulling"
            return (200, {}, json.dumps({"token": token}).encode()) if right else (401, {}, b"")
        may = {"Bearer for-pushing"}
        if has(meddler.target, "lab/small2020"):
            may.add("Bearer for-pulling")
        if headers.get("Authorization") in may:
            return None
        challenge = f'Bearer realm="http://{meddler.address}/token",service="tests"'
        if repository := re.match("/v2/(.*?)/(manifests|blobs)/", path):
            actions = "pull" if repository[2] == "manifests" else "pull,push"
            challenge += f',scope="repository:{repository[1]}:{actions}"'
        return 401, {"WWW-Authenticate": challenge}, b"{}"

    meddler.before = before
    to = ("--registry", f"{meddler.address}/lab", "--json", *QUICK)

    without = checkout.repro("publish", "small2020", *to)
    log_in(checkout, meddler.address)
    done = checkout.repro("publish", "small2020", *to)
    asked.append("then")
    again = checkout.repro("publish", "small2020", *to)

    assert without.returncode == 3
    assert result(without)["action"] == "unknown"
    assert "without a login" in without.stderr
    assert result(done)["action"] == "published", done.stderr
    assert result(again)["action"] == "present", again.stderr
    assert not any("push" in path for path in asked[asked.index("then") :])
    assert any("scope=repository%3Alab%2Fsmall2020%3Apull" in path for path in asked)


def test_a_publication_that_is_killed_in_the_middle_is_none_and_can_be_repeated(
    engine, checkout, meddler
):
    checkout.add("small2020")
    to = ("--registry", f"{meddler.address}/lab", "--json", *QUICK)
    begun, go_on = threading.Event(), threading.Event()

    def before(method: str, _path: str, _headers: Any) -> None:
        if method == "PATCH":
            begun.set()
            go_on.wait(30)

    meddler.before = before
    with checkout.start("publish", "small2020", *to) as process:
        assert begun.wait(60)
        process.kill()
    go_on.set()
    time.sleep(0.5)
    meddler.before = lambda *_: None
    planned = checkout.repro("publish", "small2020", "--plan", *to)
    done = checkout.repro("publish", "small2020", *to)

    assert result(planned)["action"] == "publish"
    assert result(done)["action"] == "published", done.stderr
    assert not [name for name in images.names(engine) if meddler.address in name]


def test_of_two_publications_at_once_one_waits_and_takes_nothing_from_the_other(checkout, meddler):
    checkout.add("small2020")
    words = ("publish", "small2020", "--registry", f"{meddler.address}/lab", "--json", *QUICK)
    begun, go_on = threading.Event(), threading.Event()

    def before(method: str, _path: str, _headers: Any) -> None:
        if method == "PATCH":
            begun.set()
            go_on.wait(60)

    meddler.before = before
    with checkout.start(*words) as first:
        assert begun.wait(60)
        with checkout.start(*words) as second:
            waiting = next(line for line in second.stderr if "another process" in line)
            go_on.set()
            told, errors = second.communicate(timeout=60)
        done, _ = first.communicate(timeout=60)

    assert "small2020: waiting for another process that pushes" in waiting
    assert json.loads(done)[0]["action"] == "published"
    assert second.returncode == 3
    assert json.loads(told)[0]["action"] == "failed"
    assert "somebody else has just published" in errors


@pytest.fixture
def little(tmp_path: Path) -> Iterator[Path]:
    """A disk with little space."""
    folder = tmp_path / "little"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk, and not everywhere")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_registry_that_dies_in_the_middle_or_is_full_has_published_nothing(
    checkout, registries, little
):
    """Both at once: the engine tries for most of a minute before it gives up."""
    folder = checkout.add("large2020")
    (folder / "src" / "large").write_bytes(os.urandom(20_000_000))  # so that it takes a while
    checkout.add("small2020")
    full, dying = registries(storage=little), registries()
    to_dying = ("large2020", "--registry", f"{dying.address}/lab", "--json", *QUICK)
    to_full = ("small2020", "--registry", f"{full.address}/lab", "--json", *QUICK)

    with checkout.start("publish", *to_dying) as first:
        while not list(dying.storage.rglob("_uploads/*/data")):
            assert first.poll() is None
            time.sleep(0.01)
        dying.stop()
        filled = checkout.repro("publish", *to_full)
        output, errors = first.communicate(timeout=100)
    left = list(dying.storage.rglob("_uploads/*/data"))
    dying.start()
    planned = checkout.repro("publish", "--plan", *to_dying)
    done = checkout.repro("publish", *to_dying)

    assert (first.returncode, filled.returncode) == (3, 3)
    assert left
    for told in (errors, filled.stderr):
        assert "could not be pushed" in told
        assert "nothing was published; publish again" in told
    assert json.loads(output)[0]["action"] == result(filled)["action"] == "failed"
    assert not has(full.address, "lab/small2020")
    assert read_lock(checkout.folder / "models" / "small2020").images[0].published == {}
    assert result(planned)["action"] == "publish"
    assert result(done)["action"] == "published", done.stderr


LIES = {
    "another digest": lambda headers, body: ({**headers, "Docker-Content-Digest": ZEROS}, body),
    "another manifest": lambda headers, body: (
        {key: value for key, value in headers.items() if key != "Docker-Content-Digest"},
        body.replace(b":", b": ", 1),
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_registry_that_lies_about_a_digest_is_not_believed(checkout, meddler, lie):
    folder = checkout.add("small2020")
    to = ("--registry", f"{meddler.address}/lab", "--json", *QUICK)

    def after(method: str, path: str, headers: Any, body: bytes) -> Any:
        return (
            LIES[lie](headers, body)
            if method == "GET" and "/manifests/" in path
            else (headers, body)
        )

    meddler.after = after
    done = checkout.repro("publish", "small2020", *to)

    assert done.returncode == 3
    assert result(done)["action"] == "failed"
    assert "do not trust" in done.stderr
    assert read_lock(folder).images[0].published == {}


def test_a_version_that_somebody_else_publishes_meanwhile_stays(checkout, meddler):
    folder = checkout.add("small2020")
    to = ("--registry", f"{meddler.address}/lab", "--json", *QUICK)
    first = checkout.repro("publish", "small2020", *to)
    asked: list[str] = []

    def after(method: str, path: str, headers: Any, body: bytes) -> Any:
        if method == "HEAD" and "/manifests/" in path:
            asked.append(path)
        return headers, body

    def before(method: str, path: str, _headers: Any) -> Any:
        """Let the version seem to be missing at first."""
        missing = method == "HEAD" and "/manifests/" in path and not asked
        if missing:
            asked.append("missing")
        return (404, {}, b"") if missing else None

    meddler.before, meddler.after = before, after
    (folder / "src" / "more.txt").write_text("more")
    (folder / "image.lock").unlink()  # it is somebody else's
    done = checkout.repro("publish", "small2020", *to)
    meddler.before = lambda *_: None
    planned = checkout.repro("publish", "small2020", "--plan", *to)

    assert done.returncode == 3
    assert "somebody else has just published" in done.stderr
    assert result(planned)["action"] == "refused"
    assert result(planned)["digest"] == result(first)["digest"]


def test_a_version_that_is_a_list_of_images_is_known_by_its_first(checkout, registry):
    folder = checkout.add("small2020")
    to = ("--registry", f"{registry}/lab", "--json")
    digest = result(checkout.repro("publish", "small2020", *to))["digest"]
    path = f"/v2/lab/small2020/manifests/{digest}"
    kind = "application/vnd.docker.distribution.manifest"
    host, _, port = registry.rpartition(":")
    with closing(http.client.HTTPConnection(host, int(port))) as connection:
        connection.request("GET", path, headers={"Accept": f"{kind}.v2+json"})
        size = len(connection.getresponse().read())
        platform = {"os": "linux", "architecture": "amd64"}
        one = {"mediaType": f"{kind}.v2+json", "size": size, "digest": digest}
        listed = {"schemaVersion": 2, "mediaType": f"{kind}.list.v2+json"}
        body = json.dumps({**listed, "manifests": [{**one, "platform": platform}]})
        headers = {"Content-Type": f"{kind}.list.v2+json"}
        connection.request("PUT", path.replace(digest, "1.0"), body, headers)
        assert connection.getresponse().status == 201

    planned = checkout.repro("publish", "small2020", "--plan", *to)
    (folder / "src" / "more.txt").write_text("more")
    changed = checkout.repro("publish", "small2020", "--plan", *to)

    assert result(planned)["action"] == "present", planned.stderr
    assert result(planned)["digest"] != digest
    assert result(changed)["action"] == "refused"


def test_a_card_that_is_not_right_stops_no_other(checkout, registry):
    checkout.add("small2020")
    (checkout.add("wrong2020") / "model.toml").write_text("version = 1")

    done = checkout.repro("publish", "--all", "--plan", "--json", "--registry", f"{registry}/lab")

    assert done.returncode == 2
    assert "wrong2020/model.toml: models: is empty" in done.stderr
    outcomes = {one["package"]: one["action"] for one in json.loads(done.stdout)}
    assert outcomes["small2020"] == "publish"


def test_what_is_wrong_with_files_is_told_by_the_plan_and_stops_no_other(checkout, registry):
    checkout.add("small2020")
    (checkout.add("undecoded2020") / ".dockerignore").write_bytes(b"\xff")
    (checkout.add("linked2020") / "src" / ".hidden").symlink_to("run.sh")
    (checkout.add("unlocked2020") / "image.lock").write_text("lock = 2")
    (checkout.add("unmade2020") / "Dockerfile").unlink()
    names = ("undecoded2020", "linked2020", "unlocked2020", "unmade2020", "small2020")
    words = ("publish", *names, "--registry", f"{registry}/lab", "--json", *QUICK)

    planned = checkout.repro(*words, "--plan", DOCKER_HOST="unix:///none")
    dry = checkout.repro(*words, "--dry-run")
    done = checkout.repro(*words)

    for told, last in ((planned, "publish"), (dry, "checked"), (done, "published")):
        assert told.returncode == 3
        results = json.loads(told.stdout)
        assert [one["action"] for one in results] == [*["failed"] * 4, last], told.stderr
        assert [one["exit_code"] for one in results] == [3, 3, 2, 3, 0]
        for reason in (
            ".dockerignore, line 1: is not UTF-8",
            "src/.hidden: it is neither a file nor a directory",
            "unlocked2020/image.lock: lock: is of format 2, this repro reads 1",
            "Dockerfile: No such file or directory",
        ):
            assert reason in told.stderr


def test_a_lock_that_is_not_right_is_told_wherever_it_is_read(checkout, registry):
    folder = checkout.add("small2020")
    digest = published(checkout, registry)
    lock = folder / "image.lock"
    lock.write_text(lock.read_text().replace(digest, digest[:-1]))
    said = f"small2020/image.lock: images[0].published.{registry}/lab/small2020: '{digest[:-1]}' is"

    wrong = [
        checkout.repro("setup", "small2020"),
        checkout.repro("setup", "small2020", "--locked", "--build"),
        checkout.repro("pull", "small2020"),
        checkout.repro("publish", "small2020", "--registry", f"{registry}/lab"),
    ]
    checked = checkout.repro("check", "small2020", "--level", "card")
    listed = checkout.repro("list")
    right = checkout.repro("lock", "small2020")
    again = checkout.repro("setup", "small2020", "--locked")

    assert [done.returncode for done in wrong] == [2] * 4
    assert all(said in done.stderr for done in wrong), wrong
    assert checked.returncode == 1
    assert said in checked.stdout
    assert [done.returncode for done in (listed, right, again)] == [0] * 3


def published(checkout, registry: str, package: str = "small2020") -> str:
    """Publish a package, forget its image, and return its digest."""
    done = checkout.repro("publish", package, "--registry", f"{registry}/lab", "--json", *QUICK)
    assert done.returncode == 0, done.stderr
    forget(checkout, package)
    return result(done)["digest"]


def forget(checkout, package: str = "small2020") -> None:
    from repro.engine.client import connect

    images.remove(connect(), checkout.image(package), force=True)


def test_what_its_registry_no_longer_has_is_pulled_from_a_mirror_else_built(checkout, registries):
    checkout.add("small2020")
    first, mirror = registries(), registries()
    published(checkout, first.address)
    lock = checkout.folder / "models" / "small2020" / "image.lock"
    first.stop()
    shutil.copytree(first.storage, mirror.storage, dirs_exist_ok=True)
    other = {"REPRO_MIRRORS": f"127.0.0.1:1/nobody, {mirror.address}/lab"}

    mirrored = checkout.repro("setup", "small2020", "--json", **other)
    forget(checkout)
    pulled = checkout.repro("pull", "small2020", "--json", **other)
    forget(checkout)
    refused = checkout.repro("setup", "small2020", "--pull", "--json")
    built = checkout.repro("setup", "small2020", "--json")
    forget(checkout)
    checkout.settings["mirrors"] = [f"{mirror.address}/lab"]
    configured = checkout.repro("setup", "small2020", "--pull", "--json")
    forced = checkout.repro("setup", "small2020", "--build", "--json")

    assert result(mirrored)["action"] == "pulled", mirrored.stderr
    assert f"pulling {mirror.address}/lab/small2020@sha256:" in mirrored.stderr
    assert pulled.returncode == 0, pulled.stderr
    assert refused.returncode == 3
    assert f"the image {first.address}/lab/small2020@sha256:" in refused.stderr
    assert "`repro setup --build small2020` builds it" in refused.stderr
    assert result(built)["action"] == "built"
    assert "cannot be pulled" in built.stderr
    assert result(configured)["action"] == "pulled"
    assert result(forced)["action"] == "rebuilt"
    assert lock.is_file()


def test_what_cannot_be_pulled_is_told_and_stops_no_other(engine, checkout, registry):
    checkout.add("broken2020").joinpath("image.lock").write_text("lock = 2")
    checkout.add("small2021")
    checkout.add("small2020")
    checkout.repro("setup", "small2021")
    digest = published(checkout, registry)

    done = checkout.repro("pull", "broken2020", "small2021", "small2020", "--json")
    nowhere = checkout.repro("pull", "broken2020", "small2020", DOCKER_HOST="unix:///none")

    broken, local, pulled = json.loads(done.stdout)
    assert [one["outcome"] for one in (broken, local, pulled)] == ["failed", "failed", "pulled"]
    assert done.returncode == max(broken["exit_code"], local["exit_code"]) == 3
    assert "broken2020: broken2020/image.lock: lock: is of format 2" in done.stderr
    assert f"small2021: the image {checkout.image('small2021')} cannot be pulled; " in done.stderr
    assert pulled["image"] == checkout.image("small2020")
    assert f"small2020: pulling {registry}/lab/small2020@{digest}" in done.stderr
    assert images.find(engine, checkout.image("small2020"))
    assert (nowhere.returncode, nowhere.stdout) == (3, "")
    assert nowhere.stderr.startswith("repro: no container engine at")


def test_what_was_built_from_something_else_is_not_taken(engine, checkout, registry):
    folder = checkout.add("small2020")
    digest = published(checkout, registry)
    (folder / "model.toml").write_text(
        (folder / "model.toml").read_text().replace('"1.0"', '"2.0"')
    )
    (folder / "src" / "more.txt").write_text("more")
    other = published(checkout, registry)
    lock = folder / "image.lock"
    lock.write_text(lock.read_text().replace(other, digest))
    images.remove(engine, checkout.image("small2020", "2.0"), force=True)

    refused = checkout.repro("pull", "small2020")
    built = checkout.repro("setup", "small2020", "--json")

    assert digest != other
    assert refused.returncode == 3
    assert "was built from context" in refused.stderr
    assert "it is not used" in refused.stderr
    assert result(built)["action"] == "built"
    assert not [name for name in images.names(engine) if registry in name]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["publish"], "name packages, or give --all"),
        (["publish", "small2020", "--all"], "not both"),
        (["publish", "small2020"], "give --registry HOST/NAMESPACE"),
        (["publish", "small2020", "--registry", "https://x/y"], "names no place in a registry"),
        (["publish", "smal2020", "--registry", "x/y"], "did you mean 'small2020'"),
        (["lock"], "name packages, or give --all"),
        (["setup", "small2020", "--pull", "--build"], "choose one of the two"),
    ],
)
def test_a_command_line_that_is_not_right_is_told(checkout, words, said):
    checkout.add("small2020")

    done = checkout.repro(*words)

    assert done.returncode == 2, done.stderr
    assert said in done.stderr


def test_a_registry_that_does_not_answer_is_no_registry_without_an_image(checkout):
    checkout.add("small2020")

    done = checkout.repro(
        "publish", "small2020", "--plan", "--json", "--registry", "127.0.0.1:1/lab"
    )

    assert done.returncode == 3
    assert result(done)["action"] == "unknown"
    assert "the registry 127.0.0.1:1: it cannot be reached" in done.stderr
