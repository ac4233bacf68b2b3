"""Names of repositories, and what a manifest consists of."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from repro.catalog.repository import repository
from repro.engine.push import _refused
from repro.engine.registry import LARGEST, Manifest, Registry
from repro.errors import ConfigurationError, RegistryError


@pytest.mark.parametrize(
    ("name", "host", "path"),
    [
        ("ghcr.io/owner/hutto2014", "ghcr.io", "owner/hutto2014"),
        ("docker.io/owner/hutto2014", "docker.io", "owner/hutto2014"),
        ("owner/hutto2014", "docker.io", "owner/hutto2014"),
        ("localhost/a", "localhost", "a"),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b"),
        ("GHCR.io/owner/a", "ghcr.io", "owner/a"),
        ("[::1]:5000/a", "[::1]:5000", "a"),
    ],
)
def test_the_name_of_a_repository_is_read(name, host, path):
    found = repository(name)

    assert (found.host, found.path) == (host, path)
    assert str(found) == f"{host}/{path}"
    assert repository(str(found)) == found


@pytest.mark.parametrize(
    "name", ["", "ghcr.io/", "ghcr.io/Owner/x", "https://ghcr.io/a", "a b/c", "a/../b", "a//b"]
)
def test_what_names_no_repository_is_refused(name):
    with pytest.raises(ConfigurationError, match="names no place in a registry"):
        repository(name)


def test_a_manifest_tells_its_parts():
    configuration, layer, foreign = (f"sha256:{digit * 64}" for digit in "123")
    layers = [{"digest": layer}, {"digest": foreign, "urls": ["elsewhere"]}]
    content = json.dumps({"config": {"digest": configuration}, "layers": layers})
    manifest = Manifest(digest="", content=content.encode())

    assert manifest.configuration == configuration
    assert manifest.blobs() == [configuration, layer]


NONSENSE = [
    b"",
    b"[]",
    b'{"manifests": []}',
    b'{"config": 1, "layers": []}',
    b'{"config": {"digest": "../../x"}, "layers": []}',
    b"[" * 200_000,
]


@pytest.mark.parametrize("content", NONSENSE)
def test_a_list_of_images_and_nonsense_have_no_parts(content):
    manifest = Manifest(digest="d", content=content)

    assert manifest.configuration == ""
    assert manifest.blobs() == manifest.listed() == []


def test_a_list_of_images_tells_them_and_not_what_is_about_them():
    one, other = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    about = {"platform": {"os": "unknown", "architecture": "unknown"}}
    content = json.dumps({"manifests": [{"digest": one, **about}, {"digest": other}]})
    manifest = Manifest(digest="", content=content.encode())

    assert manifest.listed() == [other]
    assert manifest.blobs() == []


class Liar(BaseHTTPRequestHandler):
    """A registry that wants a token, and sends what `answers` has for the service that gives it."""

    def do_POST(self):
        self.server.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def do_GET(self):
        status, headers, content = self.server.answers(self.path)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_HEAD(self):
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def liar(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), Liar) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def ask(server, token, headers=None, status=200):
    host = f"127.0.0.1:{server.server_port}"
    challenge = {"WWW-Authenticate": f'Bearer realm="http://{host}/token"'}

    def answers(path):
        return (status, headers or {}, token) if "/v2/" not in path else (401, challenge, b"")

    server.answers = answers
    with closing(Registry(host)) as registry:
        return registry.digest("owner/x", "1.0")


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"[]",
        b"[" * 200_000,
        b'{"token": 5}',
        b'{"token": "a\\r\\nX: y"}',
        '{"token": "漢"}'.encode(),
    ],
)
def test_what_is_no_token_is_told(liar, token):
    with pytest.raises(RegistryError, match="its login service sends no token"):
        ask(liar, token)


def test_of_a_login_service_no_more_is_read_than_of_a_registry(liar):
    with pytest.raises(RegistryError, match="it sends too much about a login"):
        ask(liar, b" " * (LARGEST + 1))


def test_a_refresh_token_is_not_handed_on_to_where_its_service_points(liar, tmp_path):
    host = f"127.0.0.1:{liar.server_port}"
    login = {"auth": "dTo=", "identitytoken": "secret"}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {host: login}}))

    with pytest.raises(RegistryError, match="its login service sends no token"):
        ask(liar, b"", {"Location": f"http://localhost:{liar.server_port}/token"}, 307)

    (sent,) = liar.asked
    assert b"refresh_token=secret" in sent


def test_a_registry_on_this_machine_is_asked_without_a_proxy(liar, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    digest = f"sha256:{'1' * 64}"
    token = json.dumps({"token": "some"}).encode()
    challenge = {"WWW-Authenticate": f'Bearer realm="http://127.0.0.1:{liar.server_port}/token"'}
    answers = iter([(401, challenge, b""), (200, {}, token)])
    liar.answers = lambda _path: next(answers, (200, {"Docker-Content-Digest": digest}, b""))

    with closing(Registry(f"127.0.0.1:{liar.server_port}")) as registry:
        assert registry.digest("owner/x", "1.0") == digest


def test_a_registry_elsewhere_that_speaks_no_tls_is_told_of(liar):
    with (
        closing(Registry(f"127.1:{liar.server_port}")) as registry,
        pytest.raises(RegistryError, match="it does not speak TLS"),
    ):
        registry.digest("owner/x", "1.0")


@pytest.mark.parametrize("content", [b"<html>Welcome</html>", b"[]", b'{"errors": []}', b""])
def test_a_page_is_no_manifest_and_who_sends_it_no_registry(liar, content):
    liar.answers = lambda _path: (200, {}, content)

    with (
        closing(Registry(f"127.0.0.1:{liar.server_port}")) as registry,
        pytest.raises(RegistryError, match=r"manifest of owner/x:1\.0 is none; is that a registry"),
    ):
        registry.digest("owner/x", "1.0")


def test_a_certificate_that_the_engine_does_not_trust_is_told_with_what_to_do():
    said = "x509: certificate signed by unknown authority"

    told = str(_refused(repository("lab.example/owner/x"), said))

    assert f"lab.example/owner/x could not be pushed: {said}; Docker has to trust it" in told
    assert "/etc/docker/certs.d/lab.example/ca.crt" in told


def test_an_address_that_is_none_is_told(liar):
    liar.answers = lambda _path: (307, {"Location": "http://[::1"}, b"")

    with (
        closing(Registry(f"127.0.0.1:{liar.server_port}")) as registry,
        pytest.raises(RegistryError, match="it names an address that is none"),
    ):
        registry.digest("owner/x", "1.0")
