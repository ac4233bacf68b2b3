"""Cards: what is wrong is said with file, key and remedy; real ones agree with their classes."""

from __future__ import annotations

import hashlib
import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from repro import catalog
from repro.catalog import find_model, find_package, list_models, models_root, read_cards
from repro.catalog.card import Paper, read_card
from repro.catalog.entry import citation
from repro.catalog.listing import list_entries
from repro.catalog.places import base_dockerfile, model_code, runtime_file
from repro.catalog.tasks import TASKS, check_modality, has_modality
from repro.common.registrable import Registrable
from repro.errors import CardError, UnknownNameError
from repro.models import DockerModel, Model
from repro.models.lookup import model_class

if TYPE_CHECKING:
    from pathlib import Path

    from repro.catalog import Card

HEAD = """
version = "1.0"
title   = "A title"
summary = "A summary"
license = "MIT"
upstream = "parser 1.0"
"""
MODEL = """
[models.smith2020]
class = "Smith"
task  = "dependency-parsing"
"""
CLAIM = """
[[claims]]
model    = "smith2020"
dataset  = "news"
metric   = "f1"
reported = "0.94"
source   = "Table 1"
"""
WEIGHTS = f"""
[[weights]]
path   = "weights/model.bin"
url    = "https://example.org/model.bin"
sha256 = "{"0123456789abcdef" * 4}"
bytes  = 1024
"""
SMALLEST = HEAD + MODEL
CARDS = list(read_cards())


def card_of(folder: Path, content: str | bytes) -> Card:
    """Read a card with this content, of the package `smith2020`."""
    file = folder / "smith2020" / "model.toml"
    file.parent.mkdir()
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_card(file)


def without(text: str, key: str) -> str:
    """Leave out the line of a key."""
    lines = [line for line in text.splitlines() if line.split("=")[0].strip() != key]
    assert len(lines) == len(text.splitlines()) - 1, key
    return "\n".join(lines) + "\n"


def model_with(line: str) -> str:
    return SMALLEST + line


def weights_with(line: str) -> str:
    return SMALLEST + without(WEIGHTS, line.split("=", maxsplit=1)[0].strip()) + line


def claim_with(*lines: str, leaving: tuple[str, ...] = ()) -> str:
    claim = CLAIM
    for key in (*leaving, *(line.split("=")[0].strip() for line in lines)):
        if f"\n{key} " in claim:
            claim = without(claim, key)
    return SMALLEST + claim + "\n".join(lines)


# What stands in the card; the key that is named, what is said of it, and what to do.
WRONG: dict[str, tuple[str | bytes, str, str, str]] = {
    "nothing": ("", "models", "is empty", "add a table [models.NAME] with class and task"),
    "no version": (
        without(HEAD, "version") + MODEL,
        "version",
        "is missing",
        "add `version = …`, a string",
    ),
    "no licence": (without(HEAD, "license") + MODEL, "license", "is missing", "add `license = …`"),
    "no class": (
        HEAD + without(MODEL, "class"),
        "models.smith2020.class",
        "is missing",
        "add `class = …`, a string",
    ),
    "no task": (
        HEAD + without(MODEL, "task"),
        "models.smith2020.task",
        "is missing",
        "add `task = …`, a string",
    ),
    "no upstream": (
        without(HEAD, "upstream") + MODEL,
        "upstream",
        "is missing",
        "add `upstream = …`, a string",
    ),
    "a task with a slip": (
        SMALLEST.replace("dependency-parsing", "dependancy-parsing"),
        "models.smith2020.task",
        "'dependancy-parsing' is not a task",
        "did you mean 'dependency-parsing'",
    ),
    "a task by another name": (
        SMALLEST.replace("dependency-parsing", "automatic-speech-recognition"),
        "models.smith2020.task",
        "'automatic-speech-recognition' is not a task",
        "it is called 'speech-recognition' here",
    ),
    "a task that is like no other": (
        SMALLEST.replace("dependency-parsing", "x"),
        "models.smith2020.task",
        "'x' is not a task",
        "repro/catalog/tasks.py lists them; add a line there for a new one",
    ),
    "a language by its name": (
        "languages = ['en', 'English']" + SMALLEST,
        "languages",
        "'English' is not a code of a language",
        "write it as BCP 47 does: en, pt-BR, zh-Hant",
    ),
    "a language twice": (
        "languages = ['en', 'en']" + SMALLEST,
        "languages",
        "names a language twice",
        "",
    ),
    "no models": (HEAD, "models", "is empty", "add a table [models.NAME] with class and task"),
    **{
        f"weights from {url}": (
            weights_with(f'url = "{url}"'),
            "weights[0].url",
            f"{url!r} is no place to fetch from",
            "write https://…, gdrive://FILE_ID or hf://OWNER/NAME/FILE@COMMIT, the commit in full",
        )
        for url in (
            "http://example.org/model.bin",
            "https:///model.bin",
            "http://localhost.example.org/model.bin",
            "ftp://example.org/model.bin",
            "/etc/passwd",
            "file:///etc/passwd",
            "gdrive://../x",
            "hf://facebook/bart-large-cnn/model.safetensors@main",
            f"hf://bart-large-cnn/model.safetensors@{'0' * 40}",
        )
    },
    **{
        f"weights at {path}": (
            weights_with(f'path = "{path}"'),
            "weights[0].path",
            f"{path!r} is no place in a build context",
            "such as weights/model.bin: relative to the package's folder, and within it",
        )
        for path in ("", ".", "/opt/x", "../x", "a/../x", "a//b", "a/", "./a")
    },
    "weights without a hash": (
        SMALLEST + without(WEIGHTS, "sha256"),
        "weights[0].sha256",
        "is missing",
        "add `sha256 = …`, a string",
    ),
    "weights with half a hash": (
        weights_with('sha256 = "0123456789abcdef"'),
        "weights[0].sha256",
        "'0123456789abcdef' is not 64 hexadecimal digits, in small letters",
        "",
    ),
    "weights of no length": (weights_with("bytes = 0"), "weights[0].bytes", "less than 1", ""),
    "weights from a wrong mirror": (
        SMALLEST + WEIGHTS + 'mirrors = ["mirror.example.org"]',
        "weights[0].mirrors",
        "'mirror.example.org' is no place to fetch from",
        "write https://…",
    ),
    "weights of an image that is not there": (
        SMALLEST + WEIGHTS + 'image = "large"',
        "weights[0].image",
        "there is no [images.large]",
        "add it, or leave this out",
    ),
    "weights in one place": (
        SMALLEST + WEIGHTS + WEIGHTS,
        "weights[1].path",
        "'weights/model.bin' is another one's, too",
        "",
    ),
    "a key with a slip": (
        'licence = "MIT"' + SMALLEST,
        "licence",
        "is not a key that may stand here",
        "did you mean 'license'",
    ),
    "a key of a model with a slip": (
        model_with('comand = ["a"]'),
        "models.smith2020.comand",
        "is not a key that may stand here",
        "did you mean 'command'",
    ),
    "a key of a claim with a slip": (
        claim_with('tolerence = "0.1"'),
        "claims[0].tolerence",
        "is not a key that may stand here",
        "did you mean 'tolerance'",
    ),
    "a key of a paper with a slip": (
        SMALLEST + "[paper]\nauthor = ['A']",
        "paper.author",
        "is not a key that may stand here",
        "did you mean 'authors'?",
    ),
    "a key of a build with a slip": (
        SMALLEST + "[build.arg]\nX = '1'",
        "build.arg",
        "is not a key that may stand here",
        "did you mean 'args'?",
    ),
    "a version that is a number": (
        "version = 1.0" + without(SMALLEST, "version"),
        "version",
        "must be a string, not 1.0",
        "",
    ),
    "a flag that is a string": (
        'publish = "yes"' + SMALLEST,
        "publish",
        "must be true or false, not 'yes'",
        "",
    ),
    "a year that is a string": (
        SMALLEST + "[paper]\nyear = '2014'",
        "paper.year",
        "must be a whole number, not '2014'",
        "",
    ),
    "a year that is a flag": (
        SMALLEST + "[paper]\nyear = true",
        "paper.year",
        "must be a whole number, not True",
        "",
    ),
    "a command that is a string": (
        model_with('command = "python"'),
        "models.smith2020.command",
        "must be an array, not 'python'",
        "",
    ),
    "a command of numbers": (
        model_with("command = [1]"),
        "models.smith2020.command",
        "must be an array of strings, not [1]",
        "",
    ),
    "an empty command": (
        model_with("command = []"),
        "models.smith2020.command",
        "is empty",
        "leave it out for `python run.py`",
    ),
    "a paper that is a string": (
        'paper = "Smith"' + SMALLEST,
        "paper",
        "must be a table, not 'Smith'",
        "",
    ),
    "models that are no table": ("models = 3" + HEAD, "models", "must be a table, not 3", ""),
    "a model that is no table": (
        HEAD + "[models]\nsmith2020 = 3",
        "models.smith2020",
        "must be a table, not 3",
        "",
    ),
    "claims that are no tables": (
        "claims = [3]" + SMALLEST,
        "claims[0]",
        "must be a table, not 3",
        "",
    ),
    "a suite that there is not": (
        'base = "buster"' + SMALLEST,
        "base",
        "'buster' is not a base",
        "one of bookworm, bullseye, trixie",
    ),
    "a suite of an image that there is not": (
        SMALLEST + "[images.data]\ndockerfile = 'D'\nbase = 'sid'",
        "images.data.base",
        "'sid' is not a base",
        "one of bookworm, bullseye, trixie",
    ),
    "an image without its table": (
        model_with('image = "data"'),
        "models.smith2020.image",
        "there is no [images.data]",
        "add it, or leave this out",
    ),
    "an image without its Dockerfile": (
        SMALLEST + "[images.data]\nbase = 'bookworm'",
        "images.data.dockerfile",
        "is missing",
        "add `dockerfile = …`, a string",
    ),
    "an image that cannot be named": (
        SMALLEST + "[images.'My Data']\ndockerfile = 'D'",
        "images.My Data",
        "'My Data' cannot be part of an image's name",
        "",
    ),
    "a model with capitals": (
        SMALLEST.replace("smith2020", "Smith2020"),
        "models.Smith2020",
        "'Smith2020' cannot be a model's name",
        "small letters, digits and hyphens: <author><year>[-<variant>]",
    ),
    "a model that is a path": (
        SMALLEST.replace("smith2020", "'../smith'"),
        "models.../smith",
        "'../smith' cannot be a model's name",
        "small letters",
    ),
    "a memory that is no size": (
        model_with('memory = "much"'),
        "models.smith2020.memory",
        "'much' is not a size",
        "write it like 512m or 2g",
    ),
    "a build argument that is a number": (
        SMALLEST + "[build.args]\nTHREADS = 3",
        "build.args.THREADS",
        "must be a string, not 3",
        "",
    ),
    "a claim without a source": (
        claim_with(leaving=("source",)),
        "claims[0].source",
        "is missing",
        "add `source = …`, a string",
    ),
    "a claim of no number": (
        claim_with(leaving=("reported",)),
        "claims[0].reported",
        "is missing",
        'add `reported = "…"`, as it was printed',
    ),
    "a claim of an unknown model": (
        claim_with('model = "smith2021"'),
        "claims[0].model",
        "'smith2021' is not a model of this card",
        "did you mean 'smith2020'?",
    ),
    "a claim in an unknown metric": (
        claim_with('metric = "F1"'),
        "claims[0].metric",
        "'F1' is not a metric",
        "one of pearson_r, spearman_rho, precision, recall, f1, accuracy, exact, within",
    ),
    "a claim in no metric": (
        claim_with(leaving=("metric",)),
        "claims[0].metric",
        "'' is not a metric",
        "one of pearson_r",
    ),
    "a claim with a path into one of our metrics": (
        claim_with('metric_path = "f1"'),
        "claims[0].metric_path",
        "is for a metric that is a model",
        "write path",
    ),
    "a claim that says where a data set comes from": (
        claim_with('obtain = "ask them"'),
        "claims[0].obtain",
        "says where the file of cases comes from",
        "name it in cases",
    ),
    "a claim that differs for no reason": (
        claim_with('expect = "differs"'),
        "claims[0].why",
        "is missing",
        "say what is known about why it differs",
    ),
    "runs that differ by something else than a number": (
        SMALLEST + 'tolerance = "much"\n',
        "models.smith2020.tolerance",
        "'much' is no number of at least 0",
        'such as "1e-6"',
    ),
    "runs that differ by less than nothing": (
        SMALLEST + 'tolerance = "-1"\n',
        "models.smith2020.tolerance",
        "'-1' is no number of at least 0",
        "",
    ),
    "a claim that expects something else": (
        claim_with('expect = "maybe"'),
        "claims[0].expect",
        "'maybe' is neither",
        'write "reproduces" or "differs"',
    ),
    "a tolerance for no reason": (
        claim_with('tolerance = "0.1"'),
        "claims[0].tolerance_reason",
        "is missing",
        "say why it is wider",
    ),
    "a tolerance that is no number": (
        claim_with('tolerance = "wide"', 'tolerance_reason = "seeds"'),
        "claims[0].tolerance",
        "'wide' is not a number",
        "",
    ),
    "a tolerance that is negative": (
        claim_with('tolerance = "-0.1"', 'tolerance_reason = "seeds"'),
        "claims[0].tolerance",
        "'-0.1'",
        "",
    ),
    "a tolerance that is not quoted": (
        claim_with("tolerance = 0.1", 'tolerance_reason = "seeds"'),
        "claims[0].tolerance",
        "must be a string, not 0.1",
        "",
    ),
    "a number that is not quoted": (
        claim_with("reported = 0.94"),
        "claims[0].reported",
        "must be a string, not 0.94",
        "put it in quotes: its digits are the claim",
    ),
    "a flag as a number": (
        claim_with("reported = true"),
        "claims[0].reported",
        "must be a string, not True",
        "put it in quotes",
    ),
    "words as the number of a data set": (
        claim_with('reported = "94 %"'),
        "claims[0].reported",
        "'94 %' is not a number, in a string",
        "",
    ),
    "no number as the number of a data set": (
        claim_with('reported = "nan"'),
        "claims[0].reported",
        "'nan' is not a number, in a string",
        "",
    ),
    "a table as the number of a data set": (
        claim_with("reported = { f1 = 0.9 }"),
        "claims[0].reported",
        "{'f1': 0.9} is not a number, in a string",
        "",
    ),
    "a data set and an input": (
        claim_with('input = { text = "a" }'),
        "claims[0].dataset",
        "a claim has one of dataset, cases, input and inputs",
        "",
    ),
    "a data set and cases": (
        claim_with('cases = "claims/golden.jsonl"'),
        "claims[0].dataset",
        "a claim has one of dataset, cases, input and inputs",
        "",
    ),
    "a claim about nothing": (
        claim_with(leaving=("dataset",)),
        "claims[0].dataset",
        "a claim has one of dataset, cases, input and inputs",
        "",
    ),
    "the second of two claims": (
        claim_with() + CLAIM.replace("f1", "f2"),
        "claims[1].metric",
        "'f2' is not a metric",
        "one of pearson_r",
    ),
    "no TOML": ("version = = 1", "the file", "is not TOML: Invalid value (at line 1", ""),
    "the same key twice": (HEAD + HEAD + MODEL, "the file", "is not TOML: Cannot overwrite", ""),
    "no UTF-8": (SMALLEST.encode() + b"# \xff", "the file", "is not TOML: 'utf-8' codec", ""),
}


@pytest.mark.parametrize(("content", "key", "problem", "remedy"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_card_is_told_with_file_key_and_remedy(
    content: str | bytes, key: str, problem: str, remedy: str, tmp_path: Path
) -> None:
    with pytest.raises(CardError) as caught:
        card_of(tmp_path, content)

    assert caught.value.file == "smith2020/model.toml"
    assert caught.value.key == key
    assert problem in str(caught.value)
    assert remedy in str(caught.value)
    assert str(caught.value).startswith(f"smith2020/model.toml: {key}: ")


def test_a_card_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"model\.toml: the file: No such file or directory$"):
        read_card(tmp_path / "model.toml")


def test_the_smallest_card_has_every_default(tmp_path: Path) -> None:
    card = card_of(tmp_path, SMALLEST)

    assert (card.package, card.folder.name, card.version) == ("smith2020", "smith2020", "1.0")
    assert card.digest == hashlib.sha256(SMALLEST.encode()).hexdigest()
    assert not card.publish
    assert card.paper == Paper()
    assert card.claims == ()
    assert (card.languages, card.weights_license, card.licenses) == ((), "", "MIT")
    assert dict(card.build_arguments) == {}
    assert [(i.dockerfile, i.base) for i in card.images.values()] == [("Dockerfile", "bookworm")]
    model = card.models["smith2020"]
    assert (model.class_name, model.task) == ("Smith", "dependency-parsing")
    assert model.command == ("python", "run.py")
    assert (model.image, model.network, model.memory) == ("", False, None)
    assert model.batch_invariant


def test_a_card_may_say_everything(tmp_path: Path) -> None:
    more = """
        command = ["perl", "run.pl"]
        image = "data"
        summary = "One of two"
        network = true
        memory = "2g"
        batch_invariant = false
        deterministic = false
        tolerance = "1e-6"
        [images.data]
        dockerfile = "data/Dockerfile"
        [build.args]
        THREADS = "3"
        [paper]
        authors = ["Ann Smith", "Bob Roe"]
        year = 2020
    """
    claim = claim_with(
        'split = "test"', 'tolerance = "0.1"', 'tolerance_reason = "seeds"', 'path = "scores.0"'
    )
    card = card_of(
        tmp_path,
        'base = "trixie"\npublish = true\nweights_license = "CC-BY-4.0"\n'
        'languages = ["en", "pt-BR", "yue", "zh-Hant-TW", "es-419", "sl-rozaj", "de-1996"]'
        + SMALLEST
        + more
        + claim[len(SMALLEST) :],
    )

    model = card.models["smith2020"]
    assert (model.command, model.image) == (("perl", "run.pl"), "data")
    assert (model.network, model.memory, model.batch_invariant) == (True, 2 * 2**30, False)
    assert (model.deterministic, model.tolerance) == (False, 1e-6)
    assert card.publish
    assert (card.upstream, len(card.languages)) == ("parser 1.0", 7)
    assert (card.weights_license, card.licenses) == ("CC-BY-4.0", "MIT AND CC-BY-4.0")
    assert (card.images["data"].dockerfile, card.images["data"].base) == (
        "data/Dockerfile",
        "trixie",
    )
    assert dict(card.build_arguments) == {"THREADS": "3"}
    assert (card.paper.authors, card.paper.year) == (("Ann Smith", "Bob Roe"), 2020)
    assert [c.subject for c in card.claims] == ["news/test"]
    assert (card.claims[0].tolerance, card.claims[0].path) == ("0.1", "scores.0")


def test_weights_of_a_card_are_read(tmp_path: Path) -> None:
    hub = f"hf://facebook/bart-large-cnn/onnx/model.bin@{'0' * 40}"
    mirrors = f'mirrors = ["{hub}", "gdrive://1A2b_3-C", "http://127.0.0.1:8080/x"]'
    more = '\nlicense = "CC-BY-4.0"\nimage = "large"\n[images.large]\ndockerfile = "Large"\n'
    one, other = card_of(tmp_path, SMALLEST + WEIGHTS + WEIGHTS + mirrors + more).weights

    assert (one.path, one.url) == ("weights/model.bin", "https://example.org/model.bin")
    assert (one.bytes, one.sha256[:4]) == (1024, "0123")
    assert (one.mirrors, one.license, one.image) == ((), "", "")
    assert other.mirrors == (hub, "gdrive://1A2b_3-C", "http://127.0.0.1:8080/x")
    assert (other.license, other.image) == ("CC-BY-4.0", "large")


def test_a_claim_about_one_input_may_report_any_value(tmp_path: Path) -> None:
    reported = {'"abc"': "abc", '["a", 1]': ["a", 1], "{ a = 0.5 }": {"a": 0.5}, '"0.5"': "0.5"}
    content = SMALLEST
    for value in reported:
        content += (
            f'[[claims]]\nmodel = "smith2020"\ninput = {{ text = "x" }}\n'
            f'reported = {value}\nsource = "README"\n'
        )
    card = card_of(tmp_path, content)

    assert [claim.reported for claim in card.claims] == list(reported.values())
    assert {claim.subject for claim in card.claims} == {"x"}


@pytest.mark.parametrize("card", CARDS, ids=[card.package for card in CARDS])
def test_a_card_and_the_classes_of_its_package_agree(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module(f"repro.models.{card.package}")
    registered = {
        name: found
        for name, (found, _) in Model._registry().items()
        if found.__module__.startswith(f"{module.__name__}.")
    }

    assert {n: c.__name__ for n, c in registered.items()} == {
        n: m.class_name for n, m in card.models.items()
    }
    for name, found in registered.items():
        assert getattr(module, found.__name__) is found, "users import it from the package"
        assert model_class(name) is found
        assert found.name == name
        assert issubclass(found, DockerModel)


@pytest.mark.parametrize("card", CARDS, ids=[card.package for card in CARDS])
def test_a_package_has_all_its_files(card: Card) -> None:
    for image in card.images.values():
        assert (card.folder / image.dockerfile).is_file()
    assert (card.folder / "src").is_dir()
    assert (card.folder / "examples.jsonl").is_file()
    assert (model_code(card.package) / "model.py").is_file()
    assert {claim.model for claim in card.claims} <= set(card.models)
    for claim in card.claims:
        assert not claim.cases or claim.obtain or (card.folder / claim.cases).is_file()


@pytest.mark.parametrize("card", CARDS, ids=[card.package for card in CARDS])
def test_a_card_says_what_is_in_the_images(card: Card) -> None:
    licence = r"[A-Za-z0-9.-]+"

    assert re.fullmatch(rf"{licence}( (AND|OR) {licence})*", card.licenses)
    assert card.weights_license != card.license, "weights_license is for another one"
    assert not card.publish or re.search(r"\d", card.upstream), "with its version"
    assert not card.publish or all(model.summary for model in card.models.values())
    assert not card.publish or (card.paper.authors and card.paper.year and card.paper.url)


def test_there_are_packages_and_no_model_is_in_two_of_them() -> None:
    names = [name for card in CARDS for name in card.models]

    assert {card.package for card in CARDS} >= {"tutorial", "hutto2014"}
    assert len(names) == len(set(names))
    assert list_models() == sorted(names)


def test_a_package_is_found_by_its_name() -> None:
    assert find_package("tutorial").title == "Tutorial"

    with pytest.raises(
        UnknownNameError, match=r"no package called 'tutorail'; did you mean 'tutorial'"
    ):
        find_package("tutorail")


@pytest.mark.parametrize(
    "name", ["", "..", "../models/tutorial", "tutorial/", "/tutorial", "tutorial/.."]
)
def test_a_path_is_no_package(name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"there is no package called .*`repro list` shows"):
        find_package(name)


def test_a_package_that_has_classes_alone_is_told_to_lack_a_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "__init__.py").touch()
    monkeypatch.setattr("repro.catalog.cards.model_code", lambda _: tmp_path)

    with pytest.raises(
        UnknownNameError, match=r"with a card called 'deutsch2021'; .* write models"
    ):
        find_package("deutsch2021")


def test_a_model_is_found_by_its_name() -> None:
    card, model = find_model("hutto2014-vader-icwsm")

    assert (card.package, model.class_name) == ("hutto2014", "OriginalVADER")
    with pytest.raises(
        UnknownNameError, match=r"no model called 'hutto2014-vadr'; did you mean 'hutto"
    ):
        find_model("hutto2014-vadr")


def test_a_class_that_is_not_the_one_of_the_card_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_module("repro.models.tutorial")
    monkeypatch.setattr(
        Registrable,
        "_registries",
        {**Registrable._registries, Model: {"tutorial-model": (DockerModel, None)}},
    )

    with pytest.raises(
        CardError, match=r"tutorial/model\.toml: models\.tutorial-model\.class: says"
    ):
        model_class("tutorial-model")


def test_a_model_that_its_package_does_not_register_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_module("repro.models.tutorial")
    monkeypatch.setattr(Registrable, "_registries", {**Registrable._registries, Model: {}})

    with pytest.raises(
        CardError, match=r"tutorial-model: repro\.models\.tutorial registers no model"
    ):
        model_class("tutorial-model")


def test_the_places_are_there() -> None:
    assert models_root().is_dir()
    assert base_dockerfile().read_text(encoding="utf-8").lstrip().startswith("#")
    assert runtime_file().is_file()
    assert str(models_root()) == catalog.MODELS_ROOT


def test_the_catalogue_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'MODEL_ROOT'"):
        catalog.MODEL_ROOT  # noqa: B018


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], {"tutorial-model", "hutto2014-vader", "hutto2014-vader-icwsm"}),
        (["hutto"], {"hutto2014-vader", "hutto2014-vader-icwsm"}),
        (["GILBERT", "Sentiment"], {"hutto2014-vader", "hutto2014-vader-icwsm"}),
        (["parsimonious"], {"hutto2014-vader", "hutto2014-vader-icwsm"}),
        (["icwsm"], {"hutto2014-vader-icwsm"}),
        (["vader", "3.3.2"], {"hutto2014-vader"}),
        (["text-transformation"], {"tutorial-model"}),
        (["vader", "reverses"], set()),
        (["no such word"], set()),
    ],
)
def test_a_search_finds_models_whose_card_has_every_word(words: list[str], found: set[str]) -> None:
    names = {"tutorial-model", "hutto2014-vader", "hutto2014-vader-icwsm"}

    assert {entry["model"] for entry in list_entries(words)} & names == found


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ({"task": "sentiment-analysis"}, {"hutto2014-vader"}),
        ({"task": "summarization"}, {"mihalcea2004-textrank"}),
        ({"task": "syntactic-parsing"}, {"vandenbosch2007-frog"}),
        ({"language": "nl"}, {"vandenbosch2007-frog", "mihalcea2004-textrank"}),
        ({"language": "NL", "task": "summarization"}, {"mihalcea2004-textrank"}),
        ({"language": "n"}, set()),
        ({"language": "nl-BE"}, set()),
        ({"modality": "sequence"}, {"lorenz2011-rnafold"}),
        ({"modality": "sequence->"}, {"lorenz2011-rnafold"}),
        ({"modality": "→structure", "language": "nl"}, {"vandenbosch2007-frog"}),
        ({"modality": "text -> label"}, {"hutto2014-vader"}),
        ({"modality": "label→text"}, set()),
        ({"modality": "structure", "language": "en"}, set()),
    ],
)
def test_a_filter_finds_models_by_task_language_and_modality(
    sought: dict[str, str], found: set[str]
) -> None:
    names = {"hutto2014-vader", "mihalcea2004-textrank", "vandenbosch2007-frog"}
    names |= {"lorenz2011-rnafold"}

    assert {entry["model"] for entry in list_entries(**sought)} & names == found


def test_a_language_finds_its_regions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfile.base").touch()
    (tmp_path / "models").mkdir()
    card_of(tmp_path / "models", "languages = ['pt-BR', 'zh-Hant-TW', 'ca-valencia']" + SMALLEST)
    monkeypatch.setattr("repro.catalog.places._code", lambda: tmp_path / "repro")

    found = [len(list_entries(language=code)) for code in ("pt", "pt-BR", "zh-Hant", "ca", "p")]
    assert found == [1, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("sought", "said"),
    [
        ({"task": "sumarization"}, "there is no task called 'sumarization'; did you mean 'summ"),
        ({"modality": "audoi->text"}, "there is no modality called 'audoi'; did you mean 'audio'"),
    ],
)
def test_a_filter_that_means_nothing_is_told(sought: dict[str, str], said: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        list_entries(**sought)

    assert said in str(caught.value)


def test_every_task_has_a_modality_of_known_words() -> None:
    for name, task in TASKS.items():
        check_modality(task.modality)
        assert has_modality(task.modality, task.modality), name
        assert task.summary.endswith("."), name
    others = [other for task in TASKS.values() for other in task.also]
    assert len(others) == len(set(others))
    assert not set(others) & set(TASKS)


def test_a_line_of_the_list_says_what_the_card_says() -> None:
    entry = next(e for e in list_entries() if e["model"] == "hutto2014-vader-icwsm")
    card = find_package("hutto2014")

    assert entry == {
        "model": "hutto2014-vader-icwsm",
        "package": "hutto2014",
        "task": "sentiment-analysis",
        "modality": "text → label",
        "languages": ["en"],
        "title": "The program that was published with the paper (2014), for Python 2.7",
        "summary": card.summary,
        "paper": "Hutto and Gilbert 2014",
        "license": "MIT",
        "weights_license": card.weights_license,
        "upstream": card.upstream,
        "version": card.version,
        "claims": sum(claim.model == "hutto2014-vader-icwsm" for claim in card.claims),
    }


def test_a_model_without_a_summary_is_listed_with_the_title_of_its_package() -> None:
    entry = next(e for e in list_entries() if e["model"] == "tutorial-model")

    assert (entry["title"], entry["paper"], entry["claims"]) == ("Tutorial", "", 2)


@pytest.mark.parametrize(
    ("authors", "year", "cited"),
    [
        ((), None, ""),
        ((), 2014, "2014"),
        (("C.J. Hutto",), 2014, "Hutto 2014"),
        (("Plato",), None, "Plato"),
        (("C.J. Hutto", "Eric Gilbert"), 2014, "Hutto and Gilbert 2014"),
        (("A. One", "B. Two", "C. Three"), 2020, "One et al. 2020"),
    ],
)
def test_a_paper_is_cited_as_people_do(
    authors: tuple[str, ...], year: int | None, cited: str
) -> None:
    assert citation(Paper(authors=authors, year=year)) == cited
