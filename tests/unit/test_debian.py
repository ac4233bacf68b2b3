"""Where this machine installs Debian from, as its apt says; what is not Debian is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from repro.engine.debian import sources_list

if TYPE_CHECKING:
    from pathlib import Path

DEBIAN = "http://mirror.example/debian"
SECURITY = "http://mirror.example/debian-security"
ALL = (
    f"deb {DEBIAN} bullseye main\n"
    f"deb {DEBIAN} bullseye-updates main\n"
    f"deb {SECURITY} bullseye-security main\n"
)

# As in debian:bookworm-slim.
DEB822 = """Types: deb
# http://snapshot.debian.org/archive/debian/20241111T000000Z
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
# http://snapshot.debian.org/archive/debian-security/20241111T000000Z
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
ONE_LINE = """
# deb cdrom:[Debian GNU/Linux 12.0 _Bookworm_ - Official amd64]/ bookworm main
deb http://mirror.example/debian/ bookworm main contrib  # the archive
deb-src http://src.example.org/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
\tdeb http://mirror.example/debian-security bookworm-security main contrib
"""


def sources_of(folder: Path, suite: str = "bullseye", **files: str) -> str:
    """Write the files of an apt, by name with __ for the dot; return the lines for a suite."""
    lists = folder / "sources.list.d"
    lists.mkdir()
    for name, content in files.items():
        name = name.replace("__", ".")  # noqa: PLW2901
        place = folder if name == "sources.list" else lists
        (place / name).write_text(content, encoding="utf-8")
    return sources_list(suite, apt=folder)


def test_the_older_form_is_read(tmp_path: Path) -> None:
    assert sources_of(tmp_path, sources__list=ONE_LINE) == ALL


def test_the_newer_form_is_read(tmp_path: Path) -> None:
    assert sources_of(tmp_path, debian__sources=DEB822) == ALL


def test_the_suite_that_is_asked_for_is_the_one_that_comes(tmp_path: Path) -> None:
    lines = sources_of(tmp_path, suite="trixie", debian__sources=DEB822).splitlines()

    assert [line.split()[2] for line in lines] == ["trixie", "trixie-updates", "trixie-security"]


def test_a_comment_in_the_middle_of_a_stanza_ends_nothing(tmp_path: Path) -> None:
    content = DEB822.replace("URIs: ", "URIs:\n#\n# a remark: of two lines\n ")

    assert sources_of(tmp_path, debian__sources=content) == ALL


def test_a_value_may_go_on_in_indented_lines_and_in_any_case(tmp_path: Path) -> None:
    content = """types: deb deb-src
uris:
 http://mirror.example/debian
suites: bookworm
\tbookworm-updates
COMPONENTS: main
 contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 Comment: URIs: http://elsewhere/debian
 .
 mQINBGPL0BUBEADmW5NdOOHwPIJlgPu6JDcKw/NZJPR8lsD3K87ZM18gzyQZJD+w
 -----END PGP PUBLIC KEY BLOCK-----
"""

    assert sources_of(tmp_path, debian__sources=content) == "".join(ALL.splitlines(True)[:2])


@pytest.mark.parametrize(
    "options",
    [
        "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]",
        "[ arch=amd64 signed-by=/k.gpg ]",
    ],
)
def test_the_options_of_a_line_are_skipped(options: str, tmp_path: Path) -> None:
    content = ONE_LINE.replace("deb http", f"deb {options} http")

    assert sources_of(tmp_path, sources__list=content) == ALL


def test_an_address_loses_the_slash_at_its_end(tmp_path: Path) -> None:
    content = "deb https://mirror.example.org/debian/ bookworm main\n"

    assert sources_of(tmp_path, site__list=content) == (
        "deb https://mirror.example.org/debian bullseye main\n"
        "deb https://mirror.example.org/debian bullseye-updates main\n"
    )


def test_the_mirror_of_a_site_is_used_for_security_too(tmp_path: Path) -> None:
    content = ONE_LINE.replace("http://mirror.example", "http://nexus.site/repository")

    assert sources_of(tmp_path, sources__list=content) == ALL.replace(
        "http://mirror.example", "http://nexus.site/repository"
    )


def test_security_may_be_a_suite_of_the_same_address(tmp_path: Path) -> None:
    content = (
        "deb http://mirror/debian bookworm main\ndeb http://mirror/debian bookworm-security main\n"
    )

    assert sources_of(tmp_path, sources__list=content).splitlines() == [
        "deb http://mirror/debian bullseye main",
        "deb http://mirror/debian bullseye-updates main",
        "deb http://mirror/debian bullseye-security main",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "deb https://download.docker.com/linux/debian bookworm stable",
        "deb https://nginx.org/packages/mainline/debian bookworm nginx",
        "deb https://deb.nodesource.com/node_20.x nodistro main",
        "deb http://apt.postgresql.org/pub/repos/apt bookworm-pgdg main",
        "deb https://packages.example.com/debian/12/prod bookworm main",
        "deb https://pkgs.example.com/stable/debian bookworm main",
        "deb http://repo.example.com/apt/debian bookworm/database-org/7.0 main",
    ],
)
@pytest.mark.parametrize("name", ["a.list", "zz.list", "zz.sources"])
@pytest.mark.parametrize(
    ("where", "content"), [("debian__sources", DEB822), ("sources__list", ONE_LINE)]
)
def test_the_archives_of_others_are_not_debian(
    where: str, content: str, name: str, line: str, tmp_path: Path
) -> None:
    if name.endswith(".sources"):
        _, address, suite, component = line.split()
        line = f"Types: deb\nURIs: {address}\nSuites: {suite}\nComponents: {component}"
    others = {name.replace(".", "__"): line + "\n"}

    assert sources_of(tmp_path, **{where: content}, **others) == ALL


def test_what_is_switched_off_is_not_used(tmp_path: Path) -> None:
    other = DEB822.replace("mirror.example", "old.example.org").replace(
        "Types: deb", "Enabled: no\nTypes: deb"
    )
    files = {
        "debian__sources": DEB822,
        "a-old__sources": other,
        "old__sources": other,
        "old__list": "# deb http://older.example.org/debian bookworm main\n",
        "old__list__disabled": "deb http://older.example.org/debian bookworm main\n",
        "readme__txt": "deb http://older.example.org/debian bookworm main\n",
    }

    assert sources_of(tmp_path, **files) == ALL


def test_a_stanza_that_is_switched_on_is_used(tmp_path: Path) -> None:
    content = DEB822.replace("Types: deb", "Enabled: yes\nTypes: deb")

    assert sources_of(tmp_path, debian__sources=content) == ALL


def test_sources_of_programs_texts_are_not_used(tmp_path: Path) -> None:
    content = DEB822.replace("Types: deb", "Types: deb-src")

    assert sources_of(tmp_path, debian__sources=content) == ""


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# nothing\n",
        "deb http://archive.ubuntu.com/ubuntu noble main universe\n",
        "deb cdrom:[Debian GNU/Linux 12.0 _Bookworm_ - Official amd64]/ bookworm main\n",
        "deb\n",
        "nonsense \x00 \n",
    ],
)
def test_a_machine_that_does_not_say_gives_nothing(content: str, tmp_path: Path) -> None:
    assert sources_of(tmp_path, sources__list=content) == ""


def test_ubuntu_is_not_debian(tmp_path: Path) -> None:
    content = DEB822.replace("bookworm", "noble")
    content = content.replace("/debian-security", "/ubuntu").replace("/debian", "/ubuntu")

    assert sources_of(tmp_path, ubuntu__sources=content) == ""


def test_a_machine_without_apt_gives_nothing(tmp_path: Path) -> None:
    assert sources_list("bookworm", apt=tmp_path / "missing") == ""


def test_the_mirror_of_the_configuration_comes_before_everything(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(ONE_LINE)

    assert (
        sources_list("trixie", "http://m/debian", tmp_path) == "deb http://m/debian trixie main\n"
    )
