"""Names of repositories, and what a manifest consists of."""

from __future__ import annotations

import json

import pytest

from repro.engine.registry import Manifest, repository
from repro.errors import ConfigurationError


@pytest.mark.parametrize(
    ("name", "host", "path"),
    [
        ("ghcr.io/owner/hutto2014", "ghcr.io", "owner/hutto2014"),
        ("docker.io/owner/hutto2014", "docker.io", "owner/hutto2014"),
        ("owner/hutto2014", "docker.io", "owner/hutto2014"),
        ("localhost/a", "localhost", "a"),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b"),
        ("[::1]:5000/a", "[::1]:5000", "a"),
    ],
)
def test_the_name_of_a_repository_is_read(name, host, path):
    found = repository(name)

    assert (found.host, found.path) == (host, path)
    assert str(found) == f"{host}/{path}"


@pytest.mark.parametrize("name", ["", "ghcr.io/", "ghcr.io/Owner/x", "https://ghcr.io/a", "a b/c"])
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
