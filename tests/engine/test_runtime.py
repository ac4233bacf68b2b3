"""The in-container half, in real containers with Python 2.7, 3.9 and 3.11."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog.places import runtime_file
from repro.common.jsonlines import encode
from repro.engine.container import run
from repro.engine.exchange import USER
from repro.engine.leftovers import sweep
from repro.engine.spec import ContainerSpec
from repro.engine.volume import exchange_for
from repro.errors import OutputError, PredictionError
from repro.models.docker_model import DockerModel, Program
from repro.models.file_mode import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.engine.client import Engine

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Python:
    """An interpreter in an image."""

    version: str
    image: str
    command: str = "python"


@pytest.fixture(scope="session", params=["2.7", "3.9", "3.11"])
def python(request: pytest.FixtureRequest) -> Python:
    """Each interpreter that the runtime must run under, in turn."""
    version = request.param
    fixture = {"2.7": "python27", "3.9": "bullseye", "3.11": "bookworm"}[version]
    command = "python2.7" if version == "2.7" else "python"
    return Python(version, request.getfixturevalue(fixture), command)


@dataclass
class Ran:
    """What came of one run of a program."""

    status: int
    text: str | None
    report: dict[str, Any] | None
    aggregate: str | None
    log: str

    @property
    def rows(self) -> list[Any]:
        assert self.status == 0, self.log
        assert self.text is not None
        return [json.loads(line) for line in self.text.split("\n")[:-1]]


@dataclass(frozen=True)
class Case:
    """One run of a script: in file mode over instances, unless `words` say otherwise."""

    script: str
    instances: Any = ()
    options: tuple[str, ...] = ()
    words: tuple[str, ...] | None = None

    def command(self, python: Python, number: int) -> str:
        words = self.words
        if words is None:
            words = ("--input-file", f"{number}.in", "--output-file", f"{number}.out")
        program = shlex.join([python.command, f"{number}.py", *words, *self.options])
        return f"{program} </dev/null >{number}.log 2>&1; echo $? >{number}.status"


def run_cases(engine: Engine, python: Python, cases: list[Case]) -> list[Ran]:
    """Run scripts one after the other in one container, which saves most of the time they take."""
    with exchange_for(engine) as exchange:
        for number, case in enumerate(cases):
            with exchange.create(f"{number}.py") as file:
                file.write(("# coding: utf-8\n" + textwrap.dedent(case.script)).encode())
            with exchange.create(f"{number}.in") as file:
                lines = case.instances
                if not isinstance(lines, bytes):
                    lines = b"".join(encode(instance) + b"\n" for instance in lines)
                file.write(lines)
        steps = [case.command(python, number) for number, case in enumerate(cases)]
        shell = "\n".join([f"cd {exchange.inside}", *steps])
        run(
            engine,
            ContainerSpec(
                image=python.image, command=("/bin/sh", "-c", shell), name="cases", timeout=90
            ),
            exchange,
        )

        def left(name: str) -> str | None:
            try:
                with exchange.open(name, "test") as file:
                    return file.read().decode()
            except OutputError:
                return None

        return [
            Ran(
                status=int(left(f"{number}.status") or "-1"),
                text=left(f"{number}.out"),
                report=json.loads(left(f"{number}.out.error") or "null"),
                aggregate=left(f"{number}.aggregate"),
                log=left(f"{number}.log") or "",
            )
            for number in range(len(cases))
        ]


@pytest.fixture
def program(engine: Engine, python: Python) -> Callable[..., Ran]:
    """Run one script, and tell all that came of it."""

    def start(
        script: str, instances: Any = (), *options: str, words: tuple[str, ...] | None = None
    ) -> Ran:
        (ran,) = run_cases(engine, python, [Case(script, instances, options, words)])
        return ran

    return start


@pytest.fixture
def programs(engine: Engine, python: Python) -> Callable[[dict[str, Case]], dict[str, Ran]]:
    """Run several scripts, each called something."""

    def start(cases: dict[str, Case]) -> dict[str, Ran]:
        return dict(zip(cases, run_cases(engine, python, list(cases.values())), strict=True))

    return start


def model(python: Python, script: str, predict: Any = None, **options: Any) -> DockerModel:
    """Make a model of a script; by default it takes a number and may answer anything."""

    def take_number(self: Any, number: int) -> Any: ...

    command = (python.command, "-c", "# coding: utf-8\n" + textwrap.dedent(script))
    body = {
        "program": Program(image=python.image, command=command),
        "predict": predict or take_number,
    }
    return type("Scripted", (DockerModel,), body)(**options)


def numbers(count: int) -> list[dict[str, int]]:
    return [{"number": number} for number in range(count)]


ECHO = """
from repro_runtime import main

def load():
    return None

def predict(model, instances):
    return [i["number"] for i in instances]

if __name__ == "__main__":
    main(load, predict)
"""

SIZES = ECHO.replace('[i["number"] for', '[[i["number"], len(instances)] for')


# What goes right


def test_predictions_come_in_the_order_of_the_instances_and_in_batches_of_64(program) -> None:
    ran = program(SIZES, numbers(150))

    assert ran.rows == [[n, 64] for n in range(128)] + [[n, 22] for n in range(128, 150)]
    assert ran.report is None


def test_another_batch_size_is_heeded(programs) -> None:
    options = {"two words": ("--batch-size", "7"), "one word": ("--batch-size=7",)}
    rans = programs({name: Case(SIZES, numbers(16), words) for name, words in options.items()})

    for name, ran in rans.items():
        assert ran.rows == [[n, 7] for n in range(14)] + [[14, 2], [15, 2]], name


def test_options_reach_load_and_predict_by_name_and_defaults_stay(program) -> None:
    script = """
    from repro_runtime import main

    def load(device=-1, data_folder="none", scale=1.0):
        return [device, data_folder, scale]

    def predict(model, instances, top_k=1, labels=None):
        return [[model, top_k, labels] for i in instances]

    main(load, predict)
    """
    options = ("--top_k", "5", "--data-folder=/a b/=c", "--labels", '["x", null]')
    ran = program(script, numbers(1), *options)

    assert ran.rows == [[[-1, "/a b/=c", 1.0], 5, ["x", None]]]


def test_keyword_only_parameters_of_predict_are_options(program, python: Python) -> None:
    if python.version == "2.7":
        pytest.skip("Python 2.7 has no keyword-only parameters")
    script = ECHO.replace("load()", "load(*, first=1)").replace("return None", "return first")
    script = script.replace("instances):", "instances, *, second=2):")
    script = script.replace('i["number"] for', "[model, second] for")
    ran = program(script, numbers(1), "--second", "20", "--first=10")

    assert ran.rows == [[10, 20]]


OPTIONS: list[Any] = [
    *(
        "plain",
        "",
        " ",
        "5",
        "-1",
        "1e5",
        " 5 ",
        "true",
        "null",
        "NaN",
        "Infinity",
        "[1]",
        "{",
        '{"a": 1}',
    ),
    *(
        '"quoted"',
        '"',
        "it's",
        "a\\b",
        "\\",
        "\\u0041",
        "two\nlines",
        "\t",
        "--x",
        "--x=y",
        "=",
        "-",
    ),
    *("ünï☃", "😀", "\u2028", "\ufeff", "$HOME `ls` *", "x" * 10_000, "9" * 4_301, "[" * 5_000),
    *(
        5,
        -1,
        0,
        2**70,
        1.5,
        -0.0,
        1e300,
        True,
        False,
        None,
        [],
        [1, "2", None],
        {"a": {"b": ["c"]}},
    ),
]


def test_any_option_is_the_same_value_inside(program) -> None:
    names = [f"option_{number}" for number in range(len(OPTIONS))]
    parameters = ", ".join(f"{name}=None" for name in names)
    script = f"""
    import json
    from repro_runtime import main

    def load({parameters}):
        return [{", ".join(names)}]

    def predict(model, instances):
        return [[value, isinstance(value, type(u""))] for value in model]

    main(load, predict)
    """
    rows = program(
        script, numbers(len(OPTIONS)), *words(dict(zip(names, OPTIONS, strict=True)))
    ).rows

    assert [repr(value) for value, _ in rows] == [repr(value) for value in OPTIONS]
    assert [is_text for _, is_text in rows] == [isinstance(value, str) for value in OPTIONS]


def test_options_of_the_model_and_of_a_call_reach_the_program(engine, python: Python) -> None:
    class Typed(DockerModel):
        program = Program(
            image=python.image,
            command=(
                python.command,
                "-c",
                ECHO.replace("load()", "load(language='en', device=-1)")
                .replace("return None", "return language")
                .replace("instances):", "instances, label='', top=1):")
                .replace('i["number"] for', "[model, label, top] for"),
            ),
        )

        def __init__(self, *, language: str = "en", **common: Any) -> None:
            super().__init__(**common)

        def predict(self, number: int, *, label: str = "", top: int = 1) -> Any:
            return self.answer(number=number, label=label, top=top)

    answer = Typed(language="5").predict_batch(numbers(2), label="true", top=3)

    assert answer == [["5", "true", 3]] * 2
    assert Typed(timeout=60).predict(1, label="é") == ["en", "é", 1]


def test_blank_lines_and_the_last_lines_end_make_no_difference(programs) -> None:
    inputs = {
        "blank lines": b'{"number": 0}\n\n  \t\n{"number": 1}\n\r\n{"number": 2}\n',
        "carriage returns": b'{"number": 0}\r\n{"number": 1}\r\n{"number": 2}\r\n',
        "no last newline": b'{"number": 0}\n{"number": 1}\n{"number": 2}',
        "spaces": b'  {"number": 0}  \n{"number" : 1\t}\n{"number": 2}\n\n\n',
    }
    rans = programs({name: Case(ECHO, lines) for name, lines in inputs.items()})

    assert {name: (ran.status, ran.text) for name, ran in rans.items()} == dict.fromkeys(
        inputs, (0, "0\n1\n2\n")
    )


def test_an_empty_input_is_answered_by_an_empty_output(programs) -> None:
    script = ECHO.replace("return [i", "raise ValueError('called')\n    return [i")
    rans = programs({"blank": Case(script, b"\n"), "nothing": Case(script, b"")})

    assert [(ran.status, ran.text) for ran in rans.values()] == [(0, "")] * 2


def test_predict_may_return_any_ordered_iterable(programs) -> None:
    answers = ("(i for i in range(5))", "tuple(range(5))", "map(int, range(5))", "iter(range(5))")
    echo = '[i["number"] for i in instances]'
    rans = programs({answer: Case(ECHO.replace(echo, answer), numbers(5)) for answer in answers})

    for answer, ran in rans.items():
        assert ran.rows == [0, 1, 2, 3, 4], answer


def test_nothing_but_the_standard_library_is_imported(program) -> None:
    loaded = program(
        ECHO.replace('i["number"] for', '"numpy" in __import__("sys").modules for'), numbers(1)
    )
    tree = ast.parse(runtime_file().read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    froms = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]

    assert {alias.name for node in imports for alias in node.names} <= sys.stdlib_module_names
    assert froms == ["__future__"]
    assert loaded.rows == [False]


# The command line


WRONG_WORDS = {
    "error: unknown option --lenght; this program has: --length, --top\n": ("--lenght", "5"),
    "error: --batch-size must be a whole number of at least 1\n": ("--batch-size", "0"),
    "error: --batch-size must be a whole number of at least 1": ("--batch-size", "-1"),
    "error: --batch-size must be a whole number": ("--batch-size", "many"),
    "error: expected --NAME VALUE, got ": ("extra",),
    "error: --length needs a value\n": ("--length",),
    "error: usage: --input-file IN.jsonl --output-file OUT.jsonl": ("--dataset", "x"),
}


def test_a_command_line_that_is_not_right_is_refused_before_load(programs) -> None:
    script = ECHO.replace("load():", "load(length=1):\n    print('loaded')")
    script = script.replace("(model, instances)", "(model, instances, top=1)")
    rans = programs({said: Case(script, numbers(3), given) for said, given in WRONG_WORDS.items()})

    for said, ran in rans.items():
        assert ran.log.startswith(said), ran.log
        assert (ran.status, ran.log.count("\n"), ran.text, ran.report) == (2, 1, None, None), said


def test_a_program_without_options_says_so(program) -> None:
    ran = program(ECHO, numbers(1), "--length", "5")

    assert ran.status == 2
    assert ran.log == "error: unknown option --length; this program has: none\n"


def test_a_command_line_without_files_is_told_the_usage(programs) -> None:
    given = [(), ("--input-file", "0.in"), ("--output-file", "x.out"), ("--dataset", "train")]
    rans = programs({str(words): Case(ECHO, numbers(1), words=words) for words in given})

    for given, ran in rans.items():
        assert ran.status == 2, given
        assert ran.log.startswith("error: usage: --input-file IN.jsonl --output-file OUT.jsonl"), (
            given
        )


def test_a_name_that_both_load_and_predict_have_is_refused(program) -> None:
    script = ECHO.replace("load()", "load(device=1, top=1)")
    script = script.replace("(model, instances)", "(model, instances, top=1)")
    ran = program(script, numbers(1))

    assert ran.status == 2
    assert (
        ran.log
        == "error: load and predict both have a parameter 'top'; a name belongs to one of them\n"
    )


def test_an_input_line_that_is_no_object_is_refused_by_its_number(programs) -> None:
    lines = {
        b"[1, 2]": "expected a JSON object\n",
        b'"text"': "expected a JSON object\n",
        b"null": "expected a JSON object\n",
        b'{"number": ': "",
        b'{"number": 1} {}': "",
        b'{"number": "\xff"}': "",
    }
    cases = {line: Case(ECHO, b'{"number": 0}\n\n' + line + b'\n{"number": 2}\n') for line in lines}
    rans = programs(cases)

    for number, (line, ran) in enumerate(rans.items()):
        assert ran.status == 2, line
        assert ran.log.startswith(f"error: {number}.in, line 3: {lines[line]}"), ran.log
        assert ran.log.count("\n") == 1, ran.log


def test_an_input_file_that_is_not_there_is_refused_by_its_name(program) -> None:
    ran = program(ECHO, words=("--input-file", "/nowhere.jsonl", "--output-file", "0.out"))

    assert ran.status == 2
    assert ran.log.startswith("error: ")
    assert "/nowhere.jsonl" in ran.log
    assert "Traceback" not in ran.log


# What goes wrong in a model


ANSWERS = {
    "[0] * (len(instances) - 1)": "predict returned 9 predictions for 10 instances",
    "[0] * (len(instances) + 1)": "predict returned 11 predictions for 10 instances",
    "[]": "predict returned 0 predictions for 10 instances",
    "(0 for i in instances[1:])": "predict returned 9 predictions for 10 instances",
    "None": "predict returned NoneType, not a list",
    "5": "predict returned int, not a list",
}
UNORDERED = {
    '"x" * len(instances)': "predict returned str, not a list",
    "dict.fromkeys(range(len(instances)))": "predict returned dict, not a list",
    "set(range(len(instances)))": "predict returned set, not a list",
}


@pytest.mark.parametrize("answers", [ANSWERS, UNORDERED], ids=["count", "kind"])
def test_predict_must_return_a_list_as_long_as_the_batch(programs, answers: dict[str, str]) -> None:
    echo, options = '[i["number"] for i in instances]', ("--batch-size", "10")
    rans = programs({a: Case(ECHO.replace(echo, a), numbers(20), options) for a in answers})

    for answer, ran in rans.items():
        assert ran.status == 1, answer
        assert (ran.report["type"], ran.report["message"]) == ("OutputError", answers[answer])
        assert answers[answer] in ran.log


def test_a_prediction_that_is_missing_for_one_instance_is_named_by_its_index(program) -> None:
    script = ECHO.replace("in instances]", 'in instances if i["number"] != 137]')
    ran = program(script, numbers(200))

    assert ran.status == 1
    assert ran.report["message"] == "predict returned 63 predictions for 64 instances"
    assert ran.report["index"] == 137


RAISES = """
from repro_runtime import main

class Unreadable(ValueError):
    pass

def load():
    return None

def read(number):
    if number == 137:
        raise Unreadable(u"sch\\u00f6n \\u2603 %d" % number)
    return number

def predict(model, instances):
    return [read(i["number"]) for i in instances]

if __name__ == "__main__":
    main(load, predict)
"""


def test_the_row_that_raises_is_named_by_its_index_with_the_traceback(programs) -> None:
    lazy = RAISES.replace("[read(", "(read(").replace("in instances]", "in instances)")
    rans = programs(
        {
            "in the middle": Case(RAISES, numbers(200)),
            "at the end": Case(RAISES, numbers(138)),
            "alone": Case(RAISES, numbers(200), ("--batch-size", "1")),
            "in a generator": Case(lazy, numbers(200)),
            "a type error": Case(lazy.replace("(ValueError)", "(TypeError)"), numbers(200)),
        }
    )

    for name, ran in rans.items():
        assert (ran.status, ran.report["index"]) == (1, 137), name
        assert (ran.report["type"], ran.report["message"]) == ("Unreadable", "schön ☃ 137"), name
        assert ran.report["traceback"].startswith("Traceback (most recent call last):"), name
        assert re.search(r"line \d+, in read\b", ran.report["traceback"]), name
        assert re.search(r"line \d+, in read\b", ran.log), name


def test_only_the_rows_of_whole_batches_before_it_are_written(program) -> None:
    ran = program(RAISES, numbers(200))

    assert [json.loads(line) for line in ran.text.splitlines()] == list(range(128))


def test_an_exception_that_names_its_index_is_believed_and_the_batch_not_tried_again(
    program,
) -> None:
    script = """
    import sys
    from repro_runtime import main

    class Bad(Exception):
        def __init__(self, index):
            Exception.__init__(self, "bad row")
            self.index = index

    def predict(model, instances):
        sys.stderr.write("CALLED %d\\n" % len(instances))
        for index, instance in enumerate(instances):
            if instance["number"] == 137:
                raise Bad(index)
        return [0 for i in instances]

    main(lambda: None, predict)
    """
    ran = program(script, numbers(200))

    assert ran.status == 1
    assert (ran.report["type"], ran.report["index"]) == ("Bad", 137)
    assert re.findall(r"CALLED (\d+)", ran.log) == ["64", "64", "64"]


def test_an_exceptions_index_that_can_be_none_is_not_believed(programs) -> None:
    given = ("True", "'x'.index", "None", "1.0", "-1", "64", "10 ** 6")
    raised = 'raise Unreadable(u"sch\\u00f6n \\u2603 %d" % number)'
    cases = {}
    for index in given:
        put = f"error = Unreadable('x'); error.index = {index}; raise error"
        cases[index] = Case(RAISES.replace(raised, put), numbers(200))
    rans = programs(cases)

    assert {index: ran.report["index"] for index, ran in rans.items()} == dict.fromkeys(given, 137)


def test_where_only_the_batch_as_a_whole_fails_no_row_is_blamed(program) -> None:
    script = ECHO.replace(
        "def predict(model, instances):",
        "def predict(model, instances):\n"
        "    if len(instances) > 1 and instances[0]['number'] >= 64:\n"
        "        raise MemoryError('too many at once')",
    )
    ran = program(script, numbers(150))

    assert ran.status == 1
    assert ran.report["type"] == "MemoryError"
    assert ran.report["message"] == "too many at once"
    assert ran.report["index"] is None
    assert "in predict" in ran.report["traceback"]


def test_the_right_row_is_blamed_also_where_predict_changes_its_instances(program) -> None:
    script = RAISES.replace('i["number"]', 'i.pop("number")')
    ran = program(script, numbers(200))

    assert ran.report["index"] == 137
    assert ran.report["type"] == "Unreadable"


@pytest.mark.parametrize(
    "raised",
    [
        'ValueError(b"caf\\xe9 \\xff".decode("latin-1").encode("latin-1"))',
        'ValueError(b"caf\\xe9 \\xff", u"\\u2603")',
        "Silent()",
        'ValueError(u"lone \\ud800 surrogate")',
    ],
    ids=["bytes", "bytes and text", "no message", "lone surrogate"],
)
def test_a_message_that_is_no_text_does_not_hide_the_row(
    engine, python: Python, raised: str
) -> None:
    script = RAISES.replace('Unreadable(u"sch\\u00f6n \\u2603 %d" % number)', raised).replace(
        "class Unreadable",
        "class Silent(ValueError):\n    def __str__(self):\n        raise KeyError(5)\n\n"
        "class Unreadable",
    )

    with pytest.raises(PredictionError) as caught:
        model(python, script).predict_batch(numbers(140))
    assert caught.value.index == 137
    assert caught.value.kind in {"ValueError", "Silent"}
    assert "in read" in caught.value.traceback


def test_the_host_names_the_row_and_shows_the_models_own_traceback(engine, python: Python) -> None:
    with pytest.raises(PredictionError) as caught:
        model(python, RAISES).predict_batch(numbers(200))

    error = caught.value
    assert (error.model, error.index, error.kind) == ("Scripted", 137, "Unreadable")
    assert error.message == "schön ☃ 137"
    assert str(error).startswith("Scripted raised Unreadable over instance 137: schön ☃ 137\n")
    assert re.search(r"line \d+, in read\b", str(error))


def test_the_host_tells_of_a_wrong_number_of_predictions_with_the_counts(
    engine, python: Python
) -> None:
    script = ECHO.replace("in instances]", "in instances][:-1]")

    with pytest.raises(
        OutputError, match="predict returned 2 predictions for 3 instances"
    ) as caught:
        model(python, script).predict_batch(numbers(3))
    assert caught.value.model == "Scripted"


def test_what_load_raises_is_told_and_no_row_is_blamed(programs) -> None:
    indexed = (
        "class Indexed(IOError):\n    index = 5\n    __str__ = lambda self: 'no such model'\n\n"
    )
    scripts = {
        raised: ECHO.replace("    return None", f"    raise {raised}").replace(
            "def load", indexed + "def load"
        )
        for raised in ('IOError("no such model")', "Indexed()")
    }
    rans = programs({name: Case(script, numbers(3)) for name, script in scripts.items()})

    for name, ran in rans.items():
        assert (ran.status, ran.report["index"]) == (1, None), name
        assert ran.report["message"] == "no such model"
        assert "in load" in ran.report["traceback"]


def test_a_model_that_exits_never_ends_with_status_zero(programs) -> None:
    cases = {}
    for status in ("0", "3", "'bye'", ""):
        leave = f"__import__('sys').exit({status})"
        echo = '[i["number"] for i in instances]'
        cases[f"load {status}"] = Case(ECHO.replace("return None", leave), numbers(3))
        cases[f"predict {status}"] = Case(ECHO.replace(echo, leave), numbers(3))
        cases[f"lazy {status}"] = Case(
            ECHO.replace(echo, f"({leave} for i in instances)"), numbers(3)
        )
    rans = programs(cases)

    for name, ran in rans.items():
        assert (ran.status, (ran.report or {}).get("type")) == (1, "SystemExit"), name


MAKERS = """
def deep(n):
    value = 0
    for i in range(n):
        value = [value]
    return value

def ring():
    value = []
    value.append(value)
    return value

def load"""


def test_a_prediction_that_is_no_json_is_named_by_its_index(programs) -> None:
    answers = (
        "set([1])",
        "object()",
        'b"\\xff\\xfe"',
        "{(1, 2): 3}",
        "1j",
        "deep(100000)",
        "ring()",
    )
    cases = {}
    for answer in answers:
        script = RAISES.replace("raise ", f"return {answer}\n        raise ")
        cases[answer] = Case(script.replace("\ndef load", MAKERS), numbers(200))
    rans = programs(cases)

    for answer, ran in rans.items():
        assert ran.status == 1, answer
        assert (ran.report["type"], ran.report["index"]) == ("OutputError", 137), answer
        assert ran.report["message"].startswith("the prediction is not JSON: "), answer


# The aggregate mode


AGGREGATE = ECHO.replace(
    "def predict",
    """def aggregate(outputs):
    assert iter(outputs) is outputs
    first = next(outputs, None)
    total = count = 0
    for count, output in enumerate(outputs, 1):
        assert output == first + count
        total += output
    return {"first": first, "count": count, "total": total}

def predict""",
).replace("main(load, predict)", "main(load, predict, aggregate=aggregate)")
TO_AGGREGATE = ("--aggregate-file", "0.aggregate")


def test_the_aggregate_is_made_of_all_predictions_in_order(program) -> None:
    ran = program(AGGREGATE, numbers(150), *TO_AGGREGATE)

    assert ran.rows == list(range(150))
    assert json.loads(ran.aggregate) == {"first": 0, "count": 149, "total": 149 * 75}


def test_without_being_asked_for_there_is_no_aggregate(program) -> None:
    ran = program(AGGREGATE, numbers(3))

    assert ran.rows == [0, 1, 2]
    assert ran.aggregate is None


def test_an_empty_input_has_an_aggregate_too(program) -> None:
    ran = program(AGGREGATE, (), *TO_AGGREGATE)

    assert ran.status == 0
    assert json.loads(ran.aggregate) == {"first": None, "count": 0, "total": 0}


def test_an_aggregate_that_fails_is_told_and_no_row_is_blamed(programs) -> None:
    puts = {
        "ZeroDivisionError": "raise ZeroDivisionError('no rows')",
        "OutputError": "return object()",
    }
    cases = {}
    for number, (kind, put) in enumerate(puts.items()):
        script = AGGREGATE.replace("    first = next", f"    {put}\n    first = next")
        cases[kind] = Case(script, numbers(3), ("--aggregate-file", f"{number}.aggregate"))
    rans = programs(cases)

    for kind, ran in rans.items():
        assert ran.status == 1
        assert (ran.report["type"], ran.report["index"]) == (kind, None)


def test_a_program_without_an_aggregate_function_says_so(program) -> None:
    ran = program(ECHO, numbers(3), *TO_AGGREGATE)

    assert ran.status == 1
    assert "no such function: aggregate" in ran.report["message"]
    assert ran.aggregate is None


# The dataset mode


DATASET = """
from repro_runtime import main

def load():
    raise AssertionError("a data set needs no model")

def predict(model, instances):
    return []

def dataset(name):
    if name not in ("train", "broken", "leaves"):
        raise KeyError(name)
    for number in range(100):
        if name != "train" and number == 50:
            if name == "leaves":
                raise SystemExit(0)
            raise ValueError("row 50 is damaged")
        yield {"input": {"text": u"\\u2603 %d" % number}, "label": number % 2, "more": "is dropped"}

main(load, predict, dataset=dataset)
"""


def from_dataset(name: str) -> tuple[str, ...]:
    return "--dataset", name, "--output-file", "0.out"


def test_the_rows_of_a_data_set_are_written_without_loading_a_model(program) -> None:
    ran = program(DATASET, words=from_dataset("train"))

    assert ran.rows == [{"input": {"text": f"☃ {n}"}, "label": n % 2} for n in range(100)]


def test_the_host_reads_the_rows_of_a_data_set(engine, python: Python) -> None:
    rows = list(model(python, DATASET).dataset("train"))

    assert rows == [{"input": {"text": f"☃ {n}"}, "label": n % 2} for n in range(100)]


def test_an_unknown_data_set_is_told_in_the_models_words(engine, python: Python) -> None:
    with pytest.raises(PredictionError) as caught:
        list(model(python, DATASET).dataset("dev-2"))

    assert (caught.value.kind, caught.value.index) == ("KeyError", None)
    assert "dev-2" in caught.value.message
    assert "in dataset" in caught.value.traceback


@pytest.mark.parametrize(("name", "kind"), [("broken", "ValueError"), ("leaves", "SystemExit")])
def test_a_data_set_that_breaks_off_is_an_error_and_never_a_shorter_one(
    engine, python: Python, name: str, kind: str
) -> None:
    with pytest.raises(PredictionError) as caught:
        list(model(python, DATASET).dataset(name))

    assert caught.value.kind == kind


def test_a_row_without_a_label_is_refused(program) -> None:
    ran = program(DATASET.replace('"label"', '"lable"'), words=from_dataset("train"))

    assert ran.status == 1
    assert (ran.report["type"], ran.report["message"]) == ("KeyError", "'label'")


def test_a_program_without_data_sets_says_so(program) -> None:
    ran = program(ECHO, words=from_dataset("train"))

    assert ran.status == 1
    assert "no such function" in ran.report["message"]


# What a model prints and reads


NOISY = """
import os, subprocess, sys
from repro_runtime import main

def noise(place):
    print("printed in " + place)
    sys.stdout.write("written in %s\\n" % place)
    os.write(1, ("raw in %s\\n" % place).encode())
    os.system("echo child in " + place)
    subprocess.call(["sh", "-c", "echo grandchild in %s; echo late >/dev/stdout" % place])
    sys.stderr.write("complained in %s\\n" % place)

def eaten():
    return [sys.stdin.read(), os.read(0, 10).decode(), subprocess.check_output(["cat"]).decode()]

def load():
    noise("load")
    return eaten()

def predict(model, instances):
    noise("predict")
    return [[i["number"], model, eaten()] for i in instances]

if __name__ == "__main__":
    main(load, predict)
"""
SOURCES = ("printed", "written", "raw", "child", "grandchild", "complained")
QUIET = ["", "", ""]


def test_whatever_a_model_prints_or_reads_touches_no_output_and_is_logged(
    engine, python: Python, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="repro.container.Scripted")
    rows = model(python, NOISY, timeout=60).predict_batch(numbers(2))

    logged = [r.getMessage() for r in caplog.records if r.name == "repro.container.Scripted"]
    assert rows == [[n, QUIET, QUIET] for n in range(2)]
    for place in ("load", "predict"):
        for source in SOURCES:
            assert logged.count(f"{source} in {place}") == 1, (source, place)


def docker(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the engine's own command line, as somebody without `repro` would."""
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **options)


def test_file_mode_works_with_a_bare_docker_run(engine, python: Python, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(NOISY)
    (tmp_path / "in.jsonl").write_text('{"number": 5}\n{"number": 6}\n')
    tmp_path.chmod(0o755)
    files = ("--input-file", "in.jsonl", "--output-file", "out.jsonl", "--batch-size", "1")
    container = ("run", "--rm", "-v", f"{tmp_path}:/data", "-w", "/data", "--network", "none")
    done = docker(*container, python.image, python.command, "run.py", *files)

    assert done.returncode == 0, done.stderr
    written = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in written] == [[n, QUIET, QUIET] for n in (5, 6)]
    assert done.stdout == b""
    assert done.stderr.count(b"raw in predict\n") == 2
    assert not (tmp_path / "out.jsonl.error").exists()


def test_a_failure_is_told_by_a_bare_docker_run(engine, python: Python, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(RAISES.lstrip())
    (tmp_path / "in.jsonl").write_text('{"number": 1}\n{"number": 137}\n')
    tmp_path.chmod(0o755)
    files = ("--input-file", "/data/in.jsonl", "--output-file", "/data/out.jsonl")
    container = ("run", "--rm", "-v", f"{tmp_path}:/data", "--network", "none")
    done = docker(*container, python.image, python.command, "/data/run.py", *files)

    # Of a container that is removed at its end, podman answers docker's client with 0.
    assert done.returncode == (0 if engine.podman else 1)
    report = json.loads((tmp_path / "out.jsonl.error").read_text())
    assert report["index"] == 1
    assert b"Traceback" in done.stderr
    assert b'raise Unreadable(u"sch' in done.stderr
    assert done.stdout == b""


def test_neither_an_ending_pipe_nor_no_input_at_all_does_a_bare_run_any_harm(
    engine, python: Python, tmp_path: Path
) -> None:
    slow = ECHO.replace("return None", "__import__('time').sleep(1.5)")
    (tmp_path / "run.py").write_text(slow)
    (tmp_path / "in.jsonl").write_text('{"number": 5}\n')
    tmp_path.chmod(0o755)
    files = ("--input-file", "/data/in.jsonl", "--output-file", "/data/out.jsonl")
    container = ("run", "--rm", "-i", "--init", "-v", f"{tmp_path}:/data", "--network", "none")

    for standard_input in ({"stdin": subprocess.DEVNULL}, {"input": b"some text\n"}):
        command = (*container, python.image, python.command, "/data/run.py", *files)
        done = docker(*command, **standard_input)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "out.jsonl").read_text() == "5\n"
        (tmp_path / "out.jsonl").unlink()


# Many rows


MEMORY = ECHO.replace('i["number"] for', '__import__("resource").getrusage(0).ru_maxrss for')

STREAM = """
import resource, sys
from repro.models.docker_model import DockerModel, Program

class Scripted(DockerModel):
    program = Program(image=sys.argv[1], command=(sys.argv[2], "-c", sys.argv[3]))

    def predict(self, number: int, text: str) -> int:
        return self.answer(number=number, text=text)

def stream(count):
    instances = ({"number": n, "text": "row of some length"} for n in range(count))
    answered = last = 0
    for answered, last in enumerate(Scripted().predict_stream(instances), 1):
        pass
    assert answered == count, answered
    return last, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

print(*stream(1_000), *stream(1_000_000))
"""


def test_a_million_rows_are_streamed_in_constant_memory_on_both_sides(
    engine, bookworm: str
) -> None:
    command = [sys.executable, "-c", STREAM, bookworm, "python", MEMORY]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=280, check=False, cwd=ROOT
    )

    assert done.returncode == 0, done.stderr
    few_inside, few_outside, many_inside, many_outside = map(int, done.stdout.split())
    assert many_inside < few_inside + 20 * 1024
    assert many_outside < few_outside + 20 * 1024


# The watchdog


SLEEPS = ECHO.replace(
    "return [", "print('PREDICTING'); __import__('time').sleep(120)\n    return ["
)
BACKTRACKS = ECHO.replace(
    "return [",
    "print('PREDICTING'); __import__('re').match(r'(a+)+$', 'a' * 40 + 'b')\n    return [",
)
STUCK = pytest.mark.parametrize("script", [SLEEPS, BACKTRACKS], ids=["sleeping", "backtracking"])


@pytest.fixture
def on_host(tmp_path: Path) -> Iterator[Any]:
    """Start a program as a plain process of this machine, its standard input a pipe."""
    started = []

    def start(script: str, *, watch: bool) -> subprocess.Popen[bytes]:
        (tmp_path / "in.jsonl").write_text('{"number": 5}\n')
        environment = {"PYTHONPATH": str(runtime_file().parent), "PATH": os.environ["PATH"]}
        environment["PYTHONUNBUFFERED"] = "1"
        if watch:
            environment["REPRO_WATCH_STDIN"] = "1"
        files = ("--input-file", str(tmp_path / "in.jsonl"), "--output-file", str(tmp_path / "out"))
        process = subprocess.Popen(
            [sys.executable, "-c", script, *files],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stderr):
            pipe.close()


def seconds_until(done: Any, limit: float = 10) -> float:
    """Wait until something holds; tell how long it took."""
    started = time.monotonic()
    while not done():
        took = time.monotonic() - started
        if took > limit:
            return took
        time.sleep(0.02)
    return time.monotonic() - started


def nobody_reads(pipe: int) -> bool:
    """Tell whether every process that had the other end of a pipe is gone."""
    poll = select.poll()
    poll.register(pipe, 0)
    return bool(poll.poll(0))


@STUCK
def test_a_stuck_program_dies_within_seconds_of_its_input_hanging_up(on_host, script: str) -> None:
    process = on_host(script, watch=True)
    assert process.stderr.readline() == b"PREDICTING\n"
    process.stdin.close()

    assert seconds_until(lambda: process.poll() is not None) < 5
    assert process.returncode == -signal.SIGKILL


def test_a_watched_program_lives_as_long_as_its_input_is_open_and_takes_its_watchdog_along(
    on_host, tmp_path: Path
) -> None:
    process = on_host(ECHO.replace("return None", "__import__('time').sleep(2)"), watch=True)
    process.stdin.write(b"nobody reads this\n")
    process.stdin.flush()

    assert process.wait(timeout=10) == 0
    assert (tmp_path / "out").read_text() == "5\n"
    assert seconds_until(lambda: nobody_reads(process.stdin.fileno())) < 5


def test_a_killed_program_takes_its_watchdog_along(on_host) -> None:
    process = on_host(SLEEPS, watch=True)
    assert process.stderr.readline() == b"PREDICTING\n"
    process.kill()

    assert seconds_until(lambda: nobody_reads(process.stdin.fileno())) < 5


def test_an_unwatched_program_outlives_its_input(on_host, tmp_path: Path) -> None:
    process = on_host(ECHO.replace("return None", "__import__('time').sleep(2)"), watch=False)
    process.stdin.close()

    assert process.wait(timeout=10) == 0
    assert (tmp_path / "out").read_text() == "5\n"


def test_the_children_of_a_model_cannot_hold_the_watchdog_up(on_host) -> None:
    script = SLEEPS.replace(
        "print('PREDICTING')",
        "__import__('subprocess').Popen(['sleep', '3']); print('PREDICTING')",
    )
    process = on_host(script, watch=True)
    assert process.stderr.readline() == b"PREDICTING\n"
    process.stdin.close()

    assert seconds_until(lambda: process.poll() is not None) < 2.5


HOST = """
import sys
from repro.models.docker_model import DockerModel, Program

class Doomed(DockerModel):
    program = Program(image=sys.argv[1], command=(sys.argv[2], "-c", sys.argv[3]))

    def predict(self, number: int) -> int:
        return self.answer(number=number)

import logging
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(message)s")
Doomed().predict(5)
"""


@STUCK
def test_a_container_ends_within_seconds_of_the_death_of_its_host(
    engine, python: Python, script: str
) -> None:
    command = [sys.executable, "-u", "-c", HOST, python.image, python.command, script]
    host = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    with host:
        for line in host.stdout:
            if line == b"PREDICTING\n":
                break
        running = [c["Id"] for c in containers(engine, "Doomed")]
        host.kill()
        host.wait()
        took = seconds_until(lambda: not containers(engine, "Doomed"))
        for container in containers(engine, "Doomed"):  # only where the test fails
            engine.api.remove_container(container["Id"], force=True)
    removed = sweep(engine)

    assert len(running) == 1
    assert took < 5
    assert len(removed) >= 1


def containers(engine: Engine, name: str) -> list[dict[str, Any]]:
    return engine.api.containers(all=True, filters={"label": f"repro.model={name}"})


# The user inside


def test_a_program_runs_as_a_user_without_rights_who_has_a_home(program) -> None:
    script = ECHO.replace(
        'i["number"] for', '[os.getuid(), os.path.expanduser("~"), getpass.getuser()] for'
    ).replace("from repro_runtime", "import getpass, os\nfrom repro_runtime")
    ran = program(script, numbers(1))

    user = os.getuid() or USER
    assert ran.rows == [[user, "/tmp", "repro"]]
