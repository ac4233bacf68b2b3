"""`repro new`: what it writes, and that it writes all or nothing, and over nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from repro.catalog import places
from repro.catalog.card import read_card
from repro.catalog.cards import find_model
from repro.commands.cli import cli
from repro.errors import ConfigurationError, DataFileError, InputError
from repro.operations import authoring
from repro.operations.authoring import write_package, write_project
from repro.operations.draft import FILES, Draft

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("str", "int", "float", "bool", "list[str]", "list[bool]", "dict[str, float]")
DRAFTS = [
    Draft(
        package="vandenbosch2007b",
        variant="named-entities",
        title="A “study” \u2013 of names that are far too long for a line of a source\u2019s",
        url="https://example.org/paper",
        doi="https://doi.org/10.1234/abc",
        authors=("Ann van den Bosch", "Bob Two", "Cleo Õne"),
        task="named-entity-recognition",
        fields=("text:str", "language:str"),
        returns="list[ str ]",
        base="bullseye",
        languages=("en", "pt-BR"),
        license="MIT AND CC-BY-4.0",
    ),
    Draft(package="kane2021", variant="model", fields=("id:int", "type:bool")),
    Draft(package="kane2022", variant="3d", fields=tuple(f"number_{n}:float" for n in range(9))),
    Draft(package="kane2023", variant="none", fields=("bool:bool",), returns="dict[str,int]"),
    *(Draft(package=f"from{n}", fields=(f"x:{k}",)) for n, k in enumerate((*KINDS, *FILES), 2000)),
    *(Draft(package=f"to{n}", returns=k) for n, k in enumerate((*KINDS, "Content"), 2000)),
    *(
        Draft(package=f"both{n}", fields=(f"x:{k}",), returns="dict[str, float]")
        for n, k in enumerate((*KINDS, *FILES), 2000)
    ),
]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without packages, in place of the real one."""
    made = tmp_path / "checkout"
    (made / "repro" / "models").mkdir(parents=True)
    (made / "models").mkdir()
    (made / "Dockerfile.base").touch()
    shutil.copy(ROOT / "pyproject.toml", made)
    (made / "repro" / "templates").symlink_to(ROOT / "repro" / "templates")
    monkeypatch.setattr(places, "_share", lambda: made)
    monkeypatch.setattr(places, "_code", lambda: made / "repro")
    return made


def files_below(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if "templates" not in str(path)
    }


def new(*arguments: str, answers: str | None = None) -> object:
    return CliRunner().invoke(cli, ["new", *arguments], input=answers)


def check(*command: str, folder: Path) -> None:
    environment = {**os.environ, "MYPY_CACHE_DIR": str(folder.parent / "mypy")}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_written_passes_the_checks_of_this_project(root):
    for draft in DRAFTS:
        write_package(draft)

    check("ruff", "check", ".", folder=root)
    check("ruff", "format", "--check", ".", folder=root)


def test_projects_of_their_own_pass_their_own_checks(tmp_path):
    for draft in DRAFTS:
        write_project(draft, tmp_path / "all" / draft.package)

    check("ruff", "check", ".", folder=tmp_path / "all")
    check("ruff", "format", "--check", ".", folder=tmp_path / "all")
    check("mypy", "--strict", "--exclude", "/(src|tests)/", ".", folder=tmp_path / "all")


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.package)
def test_a_new_program_answers_its_example(root, draft):
    _, package = write_package(draft)
    (example,) = map(json.loads, (package / "examples.jsonl").read_text().splitlines())
    given = package / "in.jsonl"
    given.write_text(json.dumps(example["input"]) + "\n")

    subprocess.run(
        [sys.executable, "src/run.py", "--input-file", "in.jsonl", "--output-file", "out.jsonl"],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(ROOT / "repro" / "runtime")},
        check=True,
    )

    answer = json.loads((package / "out.jsonl").read_text())
    if draft.returns == "Content":
        assert answer.keys() == {"content", "suffix"}
    else:
        assert answer == example["output"]
    assert "It is a stand-in and no model" in (package / "src" / "run.py").read_text()


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.package)
def test_a_new_card_says_what_was_answered(root, draft):
    card = read_card(write_package(draft)[1] / "model.toml")

    paper = card.paper
    assert (paper.title, paper.url, paper.doi) == (draft.title, draft.url, draft.doi)
    assert (paper.authors, paper.year) == (draft.authors, draft.year)
    assert (card.license, card.languages) == (draft.license, draft.languages)
    assert card.images[""].base == draft.base
    assert not card.publish, "a stand-in is not to be published"
    assert [(m.name, m.class_name, m.task) for m in card.models.values()] == [
        (draft.model, draft.class_name, draft.task)
    ]
    assert find_model(draft.model)[0].package == draft.package


def test_a_new_readme_has_the_sections_of_the_template(root):
    def sections(file: Path) -> list[str]:
        return re.findall("^## .*", file.read_text(encoding="utf-8"), re.MULTILINE)

    text = write_package(DRAFTS[0])[1] / "Readme.md"

    assert sections(text) == sections(ROOT / "models" / "Template.md")


def test_typographic_marks_become_plain_ones():
    assert DRAFTS[0].title.startswith('A "study" - of names')
    assert DRAFTS[0].doi == "10.1234/abc"
    assert DRAFTS[0].returns == "list[str]"


def test_the_first_author_and_the_year_are_in_the_name():
    draft = Draft(package="kane2020")

    assert (draft.authors, draft.year, draft.model) == (("Kane",), 2020, "kane2020")
    assert (draft.class_name, Draft(package="kane2020", variant="model").class_name) == (
        "Kane2020",
        "Kane2020Model",
    )


WRONG: dict[str, tuple[object, ...]] = {
    "package": (
        "kane",
        "Kane2020",
        "kane_2020",
        "2020kane",
        "../x2020",
        "kane2020-ner",
        "kane20\u0968\u0966",
    ),
    "variant": ("Ner", "a--b", "-a", "a b", "../x"),
    "title": ("a\x00b", "a\u202eb", 'a """ b', "a \\ b"),
    "url": ("example.org", "https://a b", 'https://a"b', "file:///etc"),
    "doi": ("1234", "10.1/x", '10.1234/a"b'),
    "task": ("frobnication", ""),
    "fields": (
        *(("text",), ("text:",), ("Text:str",), ("a b:str",), ("class:str",), ("é:str",), ()),
        *(("instance_id:str",), ("self:str",), ("x:string",), ("x:list",), ("x:Content",)),
        *(("a:str", "a:int"), ("a" * 41 + ":str",)),
    ),
    "returns": ("list", "File", "list[list[str]]", "dict[int, str]", "str]", "None", ""),
    "base": ("jessie",),
    "languages": (("english",), ("en_GB",), ("e",)),
    "license": ("", "MIT or so", "do what you want", "MIT;", "GPL", "(MIT"),
}


@pytest.mark.parametrize(
    ("part", "value"), [(part, value) for part, values in WRONG.items() for value in values]
)
def test_a_part_that_cannot_be_is_told(part, value):
    with pytest.raises(InputError):
        Draft(**{"package": "kane2020", part: value})


@pytest.mark.parametrize("there", ["models/kane2020", "repro/models/kane2020"])
@pytest.mark.parametrize("kind", ["folder", "full", "file", "link"])
def test_half_a_package_is_refused_before_a_byte_is_written(root, there, kind):
    place = root / there
    match kind:
        case "file":
            place.touch()
        case "link":
            place.symlink_to("nowhere")
        case _:
            place.mkdir()
    if kind == "full":
        (place / "notes").touch()
    before = files_below(root)

    with pytest.raises(ConfigurationError, match=f"{there} is there already, and nothing is"):
        write_package(Draft(package="kane2020"))
    assert files_below(root) == before


def test_names_that_are_in_use_are_refused(root, tmp_path):
    write_package(Draft(package="kane2020"))
    (root / "models" / "kane2020").rename(root / "models" / "other2020")
    shutil.rmtree(root / "repro" / "models" / "kane2020")
    before = files_below(root)

    for write in (write_package, lambda draft: write_project(draft, tmp_path / "project")):
        with pytest.raises(ConfigurationError, match="there is a model 'kane2020' already"):
            write(Draft(package="kane2020"))
        with pytest.raises(ConfigurationError, match=r"other2020.? (is there )?already"):
            write(Draft(package="other2020"))
    assert files_below(root) == before
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("failing", ["_write", "_appear", "read_card"])
def test_what_fails_on_the_way_leaves_nothing(root, tmp_path, monkeypatch, failing):
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    before = files_below(root)
    monkeypatch.setattr(authoring, failing, fail)

    for write in (write_package, lambda draft: write_project(draft, tmp_path / "project")):
        with pytest.raises(KeyboardInterrupt):
            write(Draft(package="kane2020"))
    assert files_below(root) == before
    assert not (tmp_path / "project").exists()
    assert not list(tmp_path.glob(".new-*"))


def test_the_first_folder_goes_again_where_the_second_cannot_come(root, monkeypatch):
    before = files_below(root)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if target == root / "models" / "kane2020":
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)

    with pytest.raises(DataFileError, match="models/kane2020: Permission denied"):
        write_package(Draft(package="kane2020"))
    assert files_below(root) == before


def test_what_is_half_written_is_never_listed(root, monkeypatch):
    seen = []
    appear = authoring._appear

    def look(moves: list[tuple[Path, Path]]) -> None:
        seen.extend(root.glob("models/*/model.toml"))
        appear(moves)

    monkeypatch.setattr(authoring, "_appear", look)
    write_package(Draft(package="kane2020"))

    assert seen == []
    assert [path.parent.name for path in root.glob("models/*/model.toml")] == ["kane2020"]


def test_a_project_is_written_into_an_empty_folder_and_over_no_other(root, tmp_path):
    draft = Draft(package="kane2020")
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").touch()
    (tmp_path / "file").touch()

    same = (tmp_path / "empty").stat().st_ino

    assert write_project(draft, tmp_path / "empty") == tmp_path / "empty"
    assert (tmp_path / "empty").stat().st_ino == same
    assert not list((tmp_path / "empty").glob(".new-*"))
    assert (tmp_path / "empty" / "kane2020" / "model.toml").is_file()
    assert write_project(draft, tmp_path / "a" / "new") == tmp_path / "a" / "new"
    for there in ("full", "file", "empty"):
        with pytest.raises(ConfigurationError, match=f"{there} is there already"):
            write_project(draft, tmp_path / there)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes"]


def test_a_module_that_is_installed_already_is_refused(root, tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "kane2020.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")

    with pytest.raises(ConfigurationError, match="a Python module called 'kane2020' is installed"):
        write_project(Draft(package="kane2020"), tmp_path / "project")


def test_without_a_checkout_a_project_of_its_own_is_proposed(root, monkeypatch, tmp_path):
    monkeypatch.setattr(places, "_share", lambda: root / "repro" / "share")
    (root / "repro" / "share" / "models").mkdir(parents=True)

    with pytest.raises(ConfigurationError, match=r"without a checkout .*`--standalone DIR` writes"):
        write_package(Draft(package="kane2020"))
    assert write_project(Draft(package="kane2020"), tmp_path / "project").is_dir()


def test_a_folder_that_cannot_be_written_is_told(root, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(DataFileError, match="File exists"):
        write_project(Draft(package="kane2020"), tmp_path / "file" / "below")


def test_the_command_asks_nothing_where_there_is_no_terminal(root):
    done = new("kane2020", "--field", "text:str", "--field", "n:int")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "repro setup kane2020",
        "repro test kane2020",
        "repro predict --model kane2020 -i text='some text' -i n=3",
    ]
    assert "class Kane2020" in (root / "repro/models/kane2020/model.py").read_text()


def test_the_command_asks_for_what_was_not_given_until_it_is_right(root, monkeypatch):
    monkeypatch.setattr("repro.commands.new._is_terminal", lambda: True)
    answers = [
        "https://example.org", "10.1234/x", "Ada Kane, Bob Two", "ner",
        "frobnication", "parsing", "named-entity-recognition",
        "text", "text:str, scores: dict[str, float]", "", "", "en, de", "MIT",
    ]  # fmt: skip

    done = new("kane2020", "--title", "A study", answers="\n".join(answers) + "\n")

    assert done.exit_code == 0, done.output
    assert "Title of the paper" not in done.stderr
    assert "Error: 'text' cannot be a field" in done.stderr
    card = read_card(root / "models" / "kane2020" / "model.toml")
    assert card.paper.authors == ("Ada Kane", "Bob Two")
    assert (card.license, card.languages) == ("MIT", ("en", "de"))
    assert card.models["kane2020-ner"].task == "named-entity-recognition"
    code = (root / "repro" / "models" / "kane2020" / "model.py").read_text()
    assert "self, text: str, scores: dict[str, float]) -> str:" in code


def test_an_interrupted_question_writes_nothing(root, monkeypatch):
    monkeypatch.setattr("repro.commands.new._is_terminal", lambda: True)
    before = files_below(root)

    done = new("kane2020", answers="A study\n")

    assert done.exit_code == 1
    assert files_below(root) == before


def test_what_is_there_is_refused_before_anything_is_asked(root, monkeypatch):
    monkeypatch.setattr("repro.commands.new._is_terminal", lambda: True)
    write_package(Draft(package="kane2020"))

    done = new("kane2020", answers="")

    assert "is there already" in str(done.exception)
    assert "Title" not in done.stderr


def test_yes_asks_nothing(root, monkeypatch):
    monkeypatch.setattr("repro.commands.new._is_terminal", lambda: True)

    assert new("kane2020", "--yes").exit_code == 0
