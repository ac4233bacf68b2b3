"""The configuration file: where it is found, and what it may not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from repro.common.config import Config, read_config
from repro.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a file that is not there yet as the configuration."""
    file = tmp_path / "config.toml"
    monkeypatch.setenv("REPRO_CONFIG", str(file))
    return file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have an empty home, and no variable that names a configuration."""
    monkeypatch.delenv("REPRO_CONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".repro").mkdir()
    return tmp_path / ".repro"


def test_without_a_file_everything_has_its_default(home: Path) -> None:
    assert read_config() == Config()
    assert Config().namespace == "repro-models"
    home.rmdir()
    assert read_config() == Config()


def test_every_setting_can_be_made(config: Path) -> None:
    config.write_text(
        'docker_server = "unix:///run/x.sock"\nshared_files = false\nnamespace = "lab"\n'
        'debian_mirror = "http://mirror/debian"\nca_bundle = "/etc/site.pem"\n'
        'registry = "ghcr.io/lab"\nmirrors = ["mirror.lab/repro", "other.lab/repro"]\n'
    )

    assert read_config() == Config(
        docker_server="unix:///run/x.sock",
        shared_files=False,
        namespace="lab",
        debian_mirror="http://mirror/debian",
        ca_bundle="/etc/site.pem",
        registry="ghcr.io/lab",
        mirrors=("mirror.lab/repro", "other.lab/repro"),
    )


def test_an_empty_file_sets_nothing(config: Path) -> None:
    config.write_text("# nothing yet\n")

    assert read_config() == Config()


def test_a_change_is_seen_at_the_next_reading(config: Path) -> None:
    config.write_text('namespace = "one"\n')
    before = read_config()
    config.write_text('namespace = "two"\n')

    assert (before.namespace, read_config().namespace) == ("one", "two")


def test_the_home_of_the_user_is_looked_into(home: Path) -> None:
    (home / "config.toml").write_text('namespace = "lab"\n')

    assert read_config().namespace == "lab"


def test_the_file_of_the_ancestor_is_read(home: Path) -> None:
    (home / "config.json").write_text('\n {"docker_server": "tcp://10.0.0.1:2375"}\n')

    assert read_config() == Config(docker_server="tcp://10.0.0.1:2375")


def test_our_file_comes_before_that_of_the_ancestor(home: Path) -> None:
    (home / "config.json").write_text('{"namespace": "ancestor"}')
    (home / "config.toml").write_text('namespace = "lab"\n')

    assert read_config().namespace == "lab"


def test_the_file_that_is_named_comes_before_that_of_the_home(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config.toml").write_text('namespace = "home"\n')
    (tmp_path / "named.toml").write_text('namespace = "named"\n')
    monkeypatch.setenv("REPRO_CONFIG", str(tmp_path / "named.toml"))

    assert read_config().namespace == "named"


def test_an_empty_variable_names_no_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRO_CONFIG", "")

    assert read_config() == Config()


def test_a_file_that_is_named_must_be_there(config: Path) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{config}: No such file or directory$"):
        read_config()


def test_a_folder_is_no_configuration(config: Path) -> None:
    config.mkdir()

    with pytest.raises(ConfigurationError, match=rf"^{config}: Is a directory$"):
        read_config()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'nmespace = "lab"', "'nmespace' is not a setting; did you mean 'namespace'\\?$"),
        (b'{"docker_serve": "x"}', "'docker_serve' is not a setting; did you mean 'docker_server'"),
        (b"zzz = 1", "'zzz' is not a setting$"),
        (b"namespace = 3", "'namespace' must be a str, not 3$"),
        (b"namespace = true", "'namespace' must be a str, not True$"),
        (b'shared_files = "no"', "'shared_files' must be a bool, not 'no'$"),
        (b"shared_files = 1", "'shared_files' must be a bool, not 1$"),
        (b'{"ca_bundle": ["a"]}', "'ca_bundle' must be a str, not \\['a'\\]$"),
        (b'mirrors = "a/b"', "'mirrors' must be a list of strings, not 'a/b'$"),
        (b"mirrors = [1]", "'mirrors' must be a list of strings, not \\[1\\]$"),
        (b"namespace = lab", "Invalid value \\(at line 1"),
        (b'{"namespace": }', "Expecting value: line 1"),
        (b"# \xff", "'utf-8' codec can't decode"),
    ],
)
def test_what_a_configuration_may_not_say_is_told_with_the_file(
    content: bytes, problem: str, config: Path
) -> None:
    config.write_bytes(content)

    with pytest.raises(ConfigurationError, match=rf"^{config}: {problem}"):
        read_config()
