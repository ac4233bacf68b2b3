"""The tree of errors: what each says, that it travels, and the status it ends with."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from repro import errors
from repro.errors import (
    BuildError,
    CardError,
    ConfigurationError,
    ContainerError,
    DataFileError,
    DeviceUnavailable,
    DiskFull,
    EngineError,
    EngineUnavailable,
    ImageDrifted,
    ImageNotFound,
    ImageOutdated,
    InputError,
    InstanceError,
    ModelError,
    OutOfMemory,
    OutputError,
    PredictionError,
    PredictionTimeout,
    RegistryError,
    ReproError,
    UnknownNameError,
    WeightsUnavailable,
    nearest,
)

HASH = "0123456789abcdef" * 4
COMMAND = ("python", "run.py")

# Each error, and the whole of what it says.
CASES: list[tuple[ReproError, str]] = [
    (ConfigurationError("timeout=0 is not more than 0"), "timeout=0 is not more than 0"),
    (
        UnknownNameError(
            "model", "vadar", ["tutorial", "vader"], "`repro list` shows what there is"
        ),
        "there is no model called 'vadar'; did you mean 'vader'?; `repro list` shows what there is",
    ),
    (UnknownNameError("model", "bert"), "there is no model called 'bert'"),
    (
        CardError("tutorial/model.toml", "version", "is missing", 'add `version = "1.0"`'),
        'tutorial/model.toml: version: is missing; add `version = "1.0"`',
    ),
    (CardError("a/model.toml", "the file", "is gone"), "a/model.toml: the file: is gone"),
    (
        InstanceError("tutorial-model", 3, "text", "is missing"),
        (
            "instance 3 for 'tutorial-model': field 'text' is missing; "
            "`repro info tutorial-model` shows its fields"
        ),
    ),
    (
        InstanceError("tutorial-model", 0, "", "it is null, not an object with fields"),
        (
            "instance 0 for 'tutorial-model': it is null, not an object with fields; "
            "`repro info tutorial-model` shows its fields"
        ),
    ),
    (DataFileError("in.jsonl", "is not JSON", 7), "in.jsonl, line 7: is not JSON"),
    (DataFileError("in.jsonl", "Permission denied"), "in.jsonl: Permission denied"),
    (EngineError("the engine refused: conflict"), "the engine refused: conflict"),
    (
        EngineUnavailable("unix:///x.sock (DOCKER_HOST)", "nothing listens there", "start it"),
        "no container engine at unix:///x.sock (DOCKER_HOST): nothing listens there; start it",
    ),
    (
        ImageNotFound("repro-models/x:1", "`repro setup x` builds it"),
        "the image repro-models/x:1 is not on this engine; `repro setup x` builds it",
    ),
    (
        ImageOutdated("repro-models/x:1", HASH, HASH[::-1], "`repro setup x` builds it"),
        (
            "the image repro-models/x:1 was built from context 0123456789ab, the package is at "
            "fedcba987654; `repro setup x` builds it"
        ),
    ),
    (
        ImageOutdated("repro-models/x:1", "", HASH, "`repro setup x` builds it"),
        (
            "the image repro-models/x:1 was built from an unknown context, the package is at "
            "0123456789ab; `repro setup x` builds it"
        ),
    ),
    (
        BuildError("x:1", "step 2/3: RUN false", "it returned 1", ["one", "two"]),
        "building x:1 failed at step 2/3: RUN false: it returned 1\n    one\n    two",
    ),
    (BuildError("x:1", "", "no image"), "building x:1 failed: no image"),
    (
        WeightsUnavailable("w/m.bin", HASH, ["https://a/b: it answers 404", "no"], "/cache/x"),
        (
            "w/m.bin cannot be fetched: https://a/b: it answers 404; no; put the file whose "
            f"SHA-256 is {HASH} at /cache/x, or name a folder or an address that has it under "
            "that name (REPRO_WEIGHTS_MIRROR)"
        ),
    ),
    (
        ImageDrifted("x:1", ["Debian's libc6: locked 2.36-9, now 2.36-10"], "lock it"),
        (
            "the image x:1 is not what its image.lock says: Debian's libc6: locked 2.36-9, now "
            "2.36-10; lock it"
        ),
    ),
    (
        ImageDrifted("x:1", list("abcdefghij"), "lock it"),
        (
            "the image x:1 is not what its image.lock says: a; b; c; d; e; f; g; h; and 2 more; "
            "lock it"
        ),
    ),
    (
        RegistryError("ghcr.io", "it does not answer", "try again later"),
        "the registry ghcr.io: it does not answer; try again later",
    ),
    (
        DeviceUnavailable("GPU 1", "this machine has 1 GPU"),
        (
            "GPU 1 cannot be had: this machine has 1 GPU; use the CPU (device=-1), or install the "
            "NVIDIA container toolkit on the engine's machine"
        ),
    ),
    (
        DiskFull("/tmp/x", "remove images"),
        "no space left on the device that holds /tmp/x; remove images",
    ),
    (DiskFull("/tmp/x"), "no space left on the device that holds /tmp/x; free some"),
    (
        ContainerError("x:1", COMMAND, 7, ["Traceback", "ValueError: 3"]),
        "'python run.py' in x:1 ended with status 7\n    Traceback\n    ValueError: 3",
    ),
    (
        ContainerError("x:1", COMMAND, 137),
        "'python run.py' in x:1 was ended by signal 9 (status 137)",
    ),
    (
        OutOfMemory("x:1", COMMAND, 137, ["loading"], 512 * 2**20),
        (
            "the container of x:1 was killed for memory: its limit was 512 MiB; give it more "
            "(memory=…, on the command line --memory), or send smaller inputs\n    loading"
        ),
    ),
    (
        OutOfMemory("x:1", COMMAND, 137, (), 512 * 2**20, certain=False),
        (
            "the container of x:1 was ended by signal 9 (status 137), probably for memory: its "
            "limit was 512 MiB; give it more (memory=…, on the command line --memory), or send "
            "smaller inputs"
        ),
    ),
    (OutputError("vader", "is not JSON", 5), "prediction 5 of vader: is not JSON"),
    (
        OutputError("vader", "it wrote 2 predictions for 3 instances"),
        "vader: it wrote 2 predictions for 3 instances",
    ),
    (
        PredictionError("vader", 2, "KeyError", "'x'", "Traceback\n  line 1\nKeyError: 'x'\n"),
        (
            "vader raised KeyError over instance 2: 'x'\n"
            "    Traceback\n      line 1\n    KeyError: 'x'"
        ),
    ),
    (PredictionError("vader", None, "OSError", "no file"), "vader raised OSError: no file"),
    (
        PredictionTimeout("vader", 1.5),
        (
            "vader did not answer within 1.5 s and was stopped; "
            "give it more time (timeout=…, on the command line --timeout)"
        ),
    ),
    (
        PredictionTimeout("vader", 1.5, None, "load"),
        "vader did not load within 1.5 s and was stopped; give it more time (load_timeout=…)",
    ),
]
IDS = [f"{type(error).__name__}-{number}" for number, (error, _) in enumerate(CASES)]
GROUPS = {InputError: 2, EngineError: 3, ModelError: 1}


def tree(cls: type[ReproError], depth: int = 0) -> list[tuple[int, str]]:
    """List the classes of the module, a class before those below it, in the order of definition."""
    below = [c for c in cls.__subclasses__() if c.__module__ == errors.__name__]
    return [(depth, cls.__name__), *(one for c in below for one in tree(c, depth + 1))]


def drawn() -> list[tuple[int, str]]:
    """Read the tree in the module's docstring."""
    line = re.compile(r"^((?:[│ ]   )*(?:[├└]── )?)([A-Z]\w+)(?:  |$)", re.MULTILINE)
    return [(len(branch) // 4, name) for branch, name in line.findall(errors.__doc__ or "")]


def all_classes() -> list[type[ReproError]]:
    return [getattr(errors, name) for _, name in tree(ReproError)]


def test_the_tree_that_is_drawn_is_the_real_one() -> None:
    assert drawn() == tree(ReproError)


def test_the_statuses_that_are_drawn_are_the_real_ones() -> None:
    statuses = dict(re.findall(r"── (\w+) .* exit (\d+)$", errors.__doc__ or "", re.MULTILINE))

    assert statuses == {cls.__name__: str(status) for cls, status in GROUPS.items()}
    assert {cls: cls.exit_code for cls in GROUPS} == GROUPS


def test_every_error_that_is_raised_has_a_case() -> None:
    classes = all_classes()
    leaves = {cls for cls in classes if len(tree(cls)) == 1}

    assert leaves <= {type(error) for error, _ in CASES}
    assert len(leaves) >= 15


def test_every_error_belongs_to_who_must_act() -> None:
    for cls in all_classes()[1:]:
        assert sum(issubclass(cls, group) for group in GROUPS) == 1, cls


@pytest.mark.parametrize(("error", "message"), CASES, ids=IDS)
def test_an_error_says_what_happened_to_which_input_and_what_to_do(
    error: ReproError, message: str
) -> None:
    assert str(error) == message


@pytest.mark.parametrize(("error", "message"), CASES, ids=IDS)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_an_error_travels_between_processes(error: ReproError, message: str, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(error, protocol))

    assert type(again) is type(error)
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert str(again) == message


@pytest.mark.parametrize(("error", "message"), CASES, ids=IDS)
def test_the_arguments_of_an_error_are_all_of_its_data(error: ReproError, message: str) -> None:
    again = type(error)(*error.args)

    assert vars(again) == vars(error)
    assert str(again) == message


@pytest.mark.parametrize(("error", "message"), CASES, ids=IDS)
def test_an_error_can_be_copied(error: ReproError, message: str) -> None:
    assert str(copy.deepcopy(error)) == message


@pytest.mark.parametrize("cls", all_classes()[1:])
def test_an_error_has_an_exit_code_and_an_http_status(cls: type[ReproError]) -> None:
    expected = next(code for group, code in GROUPS.items() if issubclass(cls, group))

    assert cls.exit_code == expected
    assert 400 <= cls.http_status <= 599
    assert issubclass(cls, InputError) or cls.http_status >= 500


def test_an_error_of_no_group_counts_as_our_defect() -> None:
    assert (ReproError.exit_code, ReproError.http_status) == (70, 500)


def test_the_known_names_may_be_an_iterator_and_are_kept_sorted() -> None:
    error = UnknownNameError("model", "b", iter(["c", "a"]))

    assert error.known == ["a", "c"]
    assert pickle.loads(pickle.dumps(error)).known == ["a", "c"]


def test_a_long_command_is_shown_short_and_on_one_line() -> None:
    message = str(ContainerError("x:1", ("python", "-c", "import os\n" + "x = 1\n" * 50), 1))

    assert message.startswith("'python -c import os⏎x = 1⏎")
    assert "…' in x:1 ended with status 1" in message
    assert len(message) < 120
    assert "\n" not in message


def test_the_limit_that_was_exceeded_keeps_its_thousands() -> None:
    assert "its limit was 65,536 MiB" in str(OutOfMemory("x:1", COMMAND, 137, (), 64 * 2**30))


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("vadar", ["vader"], "; did you mean 'vader'?"),
        ("hutto2014", ["hutto2014-vader", "tutorial"], "; did you mean 'hutto2014-vader'?"),
        ("abcd", ["abcx", "abce", "abcf", "abcg"], "; did you mean 'abcx' or 'abcg' or 'abcf'?"),
        ("abcd", ["abcd1", "abcdefg"], "; did you mean 'abcd1' or 'abcdefg'?"),
        ("qqq", ["vader"], ""),
        ("", ["vader"], ""),
        ("vader", [], ""),
    ],
)
def test_the_nearest_names_end_a_sentence_nearest_first_and_at_most_three(
    name: str, known: list[str], said: str
) -> None:
    assert nearest(name, iter(known)) == said
