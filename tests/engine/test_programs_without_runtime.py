"""Programs in any language that honour the file mode alone: right answers, ways to fail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from annotated_types import Interval
from typing_extensions import TypedDict

from repro.common.jsonlines import encode
from repro.errors import ContainerError, OutOfMemory, OutputError, PredictionTimeout
from repro.models import worker_mode
from repro.models.docker_model import DockerModel, Program
from repro.models.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.engine.client import Engine

# What the host appends is --input-file IN --output-file OUT: $2 and $4.
ANSWER = 'while read -r row; do echo "${#row}"; done <"$2" >"$4"'


class Scored(TypedDict):
    """A prediction with bounds."""

    score: Annotated[float, Interval(ge=0, le=1)]
    word: str


class Length(DockerModel):
    """Answers a number."""

    def predict(self, text: str) -> float:
        return self.answer(text=text)


class Word(DockerModel):
    """Answers an object."""

    def predict(self, text: str) -> Scored:
        return self.answer(text=text)


@pytest.fixture
def shell(bookworm: str) -> Callable[..., DockerModel]:
    """Make a model of a shell script."""

    def make(script: str, base: type[DockerModel] = Length, **options: Any) -> DockerModel:
        program = Program(cold=True, image=bookworm, command=("/bin/sh", "-c", script, "sh"))
        return type(base.__name__, (base,), {"program": program})(**options)

    return make


def texts(count: int) -> list[dict[str, str]]:
    return [{"text": "x" * number} for number in range(count)]


def write(*rows: str) -> str:
    """Write a script that answers whatever it is asked with these lines."""
    return "".join(f"printf '%s\\n' '{row}' >>\"$4\"\n" for row in rows)


# Right answers


def test_a_shell_script_answers_each_instance_in_order(shell) -> None:
    instances = [{"text": text} for text in ("", "plain", "é", "[{", '"', "a\nb")]

    assert shell(ANSWER).predict_batch(instances) == [len(encode(one)) for one in instances]
    assert shell(ANSWER).predict("plain") == len('{"text": "plain"}')


def test_no_instance_is_lost_when_it_turns_out_that_there_is_no_worker_mode(
    bookworm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_mode, "MAX_BATCH", 30)
    program = Program(image=bookworm, command=("/bin/sh", "-c", f'[ -f "$2" ]; {ANSWER}', "sh"))
    instances = texts(40)

    with type("Length", (Length,), {"program": program})() as model:
        answers = list(model.predict_stream(instances))

    assert model.cold
    assert answers == [len(encode(one)) for one in instances]


def test_a_perl_program_answers_each_instance_in_order(bookworm: str) -> None:
    script = r"""
        my %file = @ARGV;
        open my $in, "<", $file{"--input-file"} or die;
        open my $out, ">", $file{"--output-file"} or die;
        while (<$in>) {
            /"text": "([^"]*)"/ or die "no text";
            printf $out "{\"score\": %.2f, \"word\": \"%s\"}\n", length($1) / 10, scalar reverse $1;
        }
    """

    class Reversed(Word):
        program = Program(cold=True, image=bookworm, command=("perl", "-e", script, "--"))

    rows = Reversed().predict_batch([{"text": "abc"}, {"text": ""}, {"text": "xy"}])

    assert rows == [
        {"score": 0.3, "word": "cba"},
        {"score": 0.0, "word": ""},
        {"score": 0.2, "word": "yx"},
    ]


def test_the_last_row_may_lack_its_newline(shell) -> None:
    assert shell("printf '1\\n2\\n3' >\"$4\"").predict_batch(texts(3)) == [1, 2, 3]


def test_a_model_answers_the_types_that_its_program_wrote(shell) -> None:
    rows = shell(write("1", "1.0", "-0.0")).predict_batch(texts(3))

    assert [repr(row) for row in rows] == ["1", "1.0", "-0.0"]


def test_no_instances_have_no_predictions_and_start_no_container(shell) -> None:
    assert shell("exit 3").predict_batch([]) == []


# Outputs that are not what was asked for


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ('head -n 3 "$2" | sed "s/.*/1/" >"$4"', "it wrote 3 predictions for 10 instances"),
        ('sed "s/.*/1/" "$2" >"$4"; echo 1 >>"$4"', "it wrote 11 predictions for 10 instances"),
        ('sed "s/.*/1/" "$2" >"$4"; printf 1 >>"$4"', "it wrote 11 predictions for 10 instances"),
        ('sed "s/.*/1/" "$2" >"$4"; echo >>"$4"', "it wrote 11 predictions for 10 instances"),
        ('sed "s/.*/1/" "$2" | tr "\\n" " " >"$4"', "it wrote 1 predictions for 10 instances"),
        (': >"$4"', "it wrote 0 predictions for 10 instances"),
        ("true", "it wrote no output.jsonl"),
        ('mkdir "$4"', "output.jsonl is a directory, not a file"),
        ('ln -s /etc/passwd "$4"', "output.jsonl is a symbolic link"),
    ],
)
def test_a_wrong_number_of_rows_is_told_with_both_and_nothing_is_answered(
    shell, script: str, problem: str
) -> None:
    answered: list[Any] = []

    with pytest.raises(OutputError) as caught:
        answered.extend(shell(script).predict_stream(texts(10)))
    assert caught.value.model == "Length"
    assert caught.value.problem.startswith(problem)
    assert caught.value.index is None
    assert answered == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('{"score": 1', "is not JSON: Expecting ',' delimiter"),
        ("", "is not JSON: Expecting value"),
        ("1 1", "is not JSON: Extra data"),
        ('"1.0"', "the prediction is not float: input should be a valid number"),
        ("true", "the prediction is not float: input should be a valid number"),
        ("null", "the prediction is not float: input should be a valid number"),
        ("[1.0]", "the prediction is not float: input should be a valid number"),
        ("9" * 4301, "has an integer of more than 4,300 digits"),
        ("[" * 257 + "]" * 257, "is nested deeper than 256"),
        (r'"\ud800"', "has a lone surrogate (U+D800)"),
    ],
)
def test_a_row_that_is_no_number_is_named_by_its_index(shell, row: str, problem: str) -> None:
    with pytest.raises(OutputError) as caught:
        shell(write("1", "2.5", row, "4")).predict_batch(texts(4))

    assert (caught.value.model, caught.value.index) == ("Length", 2)
    assert caught.value.problem.startswith(problem)
    assert str(caught.value).startswith(f"prediction 2 of Length: {problem}")


def test_a_row_that_is_not_utf8_is_named_by_its_index(shell) -> None:
    with pytest.raises(OutputError, match=r"is not UTF-8: byte 0xff at offset 1") as caught:
        shell('printf \'1\\n"\\377"\\n\' >"$4"').predict_batch(texts(2))

    assert caught.value.index == 1


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('{"score": 1}', ".word Field required"),
        ('{"word": "a"}', ".score Field required"),
        ('{"score": 1, "word": "a", "rank": 1}', ".rank Extra inputs are not permitted"),
        ('{"score": 1.01, "word": "a"}', ".score Input should be less than or equal to 1"),
        ('{"score": "1", "word": "a"}', ".score Input should be a valid number"),
        ('{"score": 1, "word": 5}', ".word Input should be a valid string"),
        ('"a"', "input should be a valid dictionary"),
    ],
)
def test_an_object_that_is_not_as_declared_is_named_by_index_and_field(
    shell, row: str, problem: str
) -> None:
    good = '{"score": 0, "word": "a"}'

    with pytest.raises(OutputError) as caught:
        shell(write(good, row), Word).predict_batch(texts(2))
    assert (caught.value.model, caught.value.index) == ("Word", 1)
    assert caught.value.problem.startswith(f"the prediction is not Scored: {problem}")


# Programs that fail


def test_a_status_other_than_zero_is_told_with_the_command_and_the_last_lines(shell) -> None:
    script = ANSWER + "\necho first >&2; echo 'cannot open weights' >&2; exit 3"

    with pytest.raises(ContainerError) as caught:
        shell(script).predict_batch(texts(10))
    error = caught.value
    assert type(error) is ContainerError
    assert error.status == 3
    assert error.command[:4] == ("/bin/sh", "-c", script, "sh")
    assert error.command[4:] == (
        "--input-file",
        "/exchange/input.jsonl",
        "--output-file",
        "/exchange/output.jsonl",
    )
    assert error.lines == ("first", "cannot open weights")
    assert "ended with status 3\n    first\n    cannot open weights" in str(error)


def test_status_one_with_a_report_that_is_none_is_told_as_any_other(shell) -> None:
    with pytest.raises(ContainerError) as caught:
        shell('echo rubbish >"$4.error"; echo why >&2; exit 1').predict_batch(texts(1))

    assert (caught.value.status, caught.value.lines) == (1, ("why",))


@pytest.mark.parametrize(
    ("signal", "number"), [("KILL", 9), ("TERM", 15), ("SEGV", 11), ("ABRT", 6)]
)
def test_a_program_that_was_killed_is_told_with_the_signal(
    engine: Engine, shell, signal: str, number: int
) -> None:
    with pytest.raises(ContainerError, match=f"was ended by signal {number} ") as caught:
        shell(f"echo working >&2; kill -{signal} $$; sleep 9").predict_batch(texts(1))

    silent = not engine.tells_out_of_memory and not engine.unlimited
    unclear = silent and signal == "KILL"  # it may be for memory
    assert type(caught.value) is (OutOfMemory if unclear else ContainerError)
    assert caught.value.status == 128 + number
    assert caught.value.lines == ("working",)


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "./program"])
def test_a_program_that_is_not_there_is_status_127_with_its_name(
    bookworm: str, program: str
) -> None:
    class Missing(Length):
        pass

    Missing.program = Program(cold=True, image=bookworm, command=(program,))

    with pytest.raises(ContainerError) as caught:
        Missing().predict_batch(texts(1))
    assert caught.value.status == 127
    assert program in str(caught.value)
    assert "No such file or directory" in str(caught.value) or "not found" in str(caught.value)


def test_a_program_that_takes_too_long_is_stopped_in_time(shell) -> None:
    model = shell(ANSWER + "; sleep 60", timeout=1.5)
    started = time.monotonic()

    with pytest.raises(PredictionTimeout, match=r"did not answer within 1\.5 s") as caught:
        model.predict_batch(texts(3))
    assert (caught.value.model, caught.value.seconds) == ("Length", 1.5)
    assert 1.5 < time.monotonic() - started < 5


def test_a_program_that_ignores_signals_is_stopped_in_time_as_well(shell) -> None:
    model = shell("trap '' TERM INT HUP; while :; do sleep 1; done", timeout=1)
    started = time.monotonic()

    with pytest.raises(PredictionTimeout):
        model.predict_batch(texts(3))
    assert time.monotonic() - started < 4.5


def test_a_full_tmp_is_told_by_the_program(shell) -> None:
    script = "dd if=/dev/zero of=/tmp/full bs=1M count=500 2>&1 >/dev/null || exit 5"

    with pytest.raises(ContainerError) as caught:
        shell(script, memory="64m").predict_batch(texts(1))
    assert caught.value.status == 5
    assert any("No space left on device" in line for line in caught.value.lines)


# What they say


def test_the_last_fifty_lines_are_kept(shell) -> None:
    script = "i=0; while [ $i -lt 5000 ]; do echo line $i >&2; i=$((i + 1)); done; exit 4"

    with pytest.raises(ContainerError) as caught:
        shell(script).predict_batch(texts(1))
    assert caught.value.lines == tuple(f"line {number}" for number in range(4950, 5000))


def test_a_last_line_without_an_end_is_kept(shell) -> None:
    with pytest.raises(ContainerError) as caught:
        shell("printf 'one\\r\\ntwo' >&2; exit 4").predict_batch(texts(1))

    assert caught.value.lines == ("one", "two")


def test_a_line_of_megabytes_does_no_harm_and_hides_no_other(shell) -> None:
    long = "head -c 5000000 /dev/zero | tr '\\0' x >&2"

    with pytest.raises(ContainerError) as caught:
        shell(f"echo before >&2; {long}; echo >&2; echo after >&2; exit 4").predict_batch(texts(1))
    lines = caught.value.lines
    assert (lines[0], lines[-1], len(lines)) == ("before", "after", 3)
    assert set(lines[1]) == {"x"}
    assert len(lines[1]) == 8192
    assert shell(f"{long}; {ANSWER}").predict_batch(texts(2)) == [12, 13]


def test_megabytes_of_text_in_a_burst_loses_none_of_its_last_lines(shell) -> None:
    script = "seq 1 600000 >&2; exit 4"

    with pytest.raises(ContainerError) as caught:
        shell(script).predict_batch(texts(1))
    assert caught.value.lines == tuple(map(str, range(599_951, 600_001)))


def test_bytes_that_are_no_text_do_no_harm(shell) -> None:
    script = "printf 'caf\\351 \\377\\376 \\000 end\\n' >&2; exit 4"

    with pytest.raises(ContainerError) as caught:
        shell(script).predict_batch(texts(1))
    assert caught.value.lines == ("caf\ufffd \ufffd\ufffd \\x00 end",)
    assert "caf\ufffd" in str(caught.value)


def test_what_a_program_says_is_no_part_of_its_answer(shell) -> None:
    script = f"echo 5; echo '{{}}' >&2; {ANSWER}; echo 6"

    assert shell(script).predict_batch(texts(2)) == [12, 13]


# Failures that are recorded


def test_an_instance_that_ends_a_script_is_found_and_the_others_are_answered(shell) -> None:
    script = 'if grep -q bad "$2"; then exit 5; fi\n' + ANSWER
    instances = [{"text": text} for text in ("a", "bb", "bad", "cccc")]

    found = shell(script).predict_batch(instances, on_error="record")

    assert [isinstance(one, Failure) for one in found] == [False, False, True, False]
    assert found[2].index == 2
    assert [found[0], found[1], found[3]] == [len(encode(instances[n])) for n in (0, 1, 3)]


def test_a_script_that_answers_nothing_is_given_up(shell) -> None:
    with pytest.raises(ContainerError, match="ended with status 3"):
        shell("exit 3").predict_batch(texts(32), on_error="record")
