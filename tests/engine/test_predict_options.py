"""The options of `repro predict`: the ancestor's under their old names, and those that are new."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from repro.data.reading import RowFile

ROOT = Path(__file__).resolve().parents[2]
ANCESTORS = (
    *("--model-name", "--model-kwargs", "--predict-kwargs", "--dataset-name", "--split"),
    *("--input-files", "--dataset-reader", "--dataset-reader-kwargs", "--output"),
    *("--output-writer", "--output-writer-kwargs", "--log-file", "--silent"),
)
NOWHERE = "unix:///nowhere/docker.sock"

# Models without a card, and a metric, which are found by their folder.
MODELS = '''
import sys
from typing_extensions import TypedDict

from repro.data.dataset_readers import DatasetReader
from repro.models import DockerModel, Model
from repro.models.docker_model import Program
from repro.models.metric import Metric

SAY = """
from repro_runtime import main

def load(suffix=""):
    return suffix

def predict(suffix, instances, *, times=1):
    return [i["text"].upper() * times + suffix for i in instances]

main(load, predict)
"""

KINDS = """
from repro_runtime import main

def predict(model, instances):
    return [{"kinds": {n: type(v).__name__ for n, v in sorted(i.items())}} for i in instances]

main(lambda: None, predict)
"""

PICKY = """
from repro_runtime import main

def predict(model, instances):
    return [answer(i["text"], len(instances)) for i in instances]

def answer(text, count):
    if text == "bad": raise ValueError("cannot do" + chr(10) + "this, or that")
    if text == "nan": return {"of": float("nan"), "text": text}
    return {"of": float(count), "text": text}

def aggregate(rows):
    texts = [row["text"] for row in rows]
    if "odd" in texts: raise ValueError("no total")
    return {"total": len(texts), "rows": 0}

main(lambda: None, predict, aggregate)
"""

LENGTH = """
from repro_runtime import main

def predict(model, instances):
    return [{"length": len(i["text"])} for i in instances]

def aggregate(rows):
    lengths = [row["length"] for row in rows]
    return {"total": sum(lengths), "rows": len(lengths)}

main(lambda: None, predict, aggregate)
"""


def program(code):
    return Program(image="IMAGE", command=("python", "-c", code))


@Model.register("options-say")
class Say(DockerModel):
    program = program(SAY)

    def __init__(self, image: str | None = None, *, suffix: str = "", **common):
        super().__init__(image, **common)

    def predict(self, text: str, *, times: int = 1) -> str:
        return self.answer(text=text, times=times)


@Model.register("options-kinds")
class Kinds(DockerModel):
    program = program(KINDS)

    def predict(
        self, text: str, weight: float = 1.5, words: list[str] | None = None, flag: bool = False
    ) -> dict[str, dict[str, str]]:
        return self.answer(text=text, weight=weight, words=words, flag=flag)


class Row(TypedDict):
    length: int


class Corpus(TypedDict):
    total: int
    rows: int


@Model.register("options-length")
class Length(Metric):
    program = program(LENGTH)
    Row = Row
    Corpus = Corpus

    def predict(self, text: str) -> Corpus:
        return self.answer(text=text)


class Picked(TypedDict):
    of: float
    text: str


@Model.register("options-picky")
class Picky(DockerModel):
    program = program(PICKY)

    def predict(self, text: str) -> Picked:
        return self.answer(text=text)


@Model.register("options-picky-metric")
class PickyMetric(Metric):
    program = program(PICKY)
    Row = Picked
    Corpus = Corpus

    def predict(self, text: str) -> Corpus:
        return self.answer(text=text)


@Model.register("options-mean")
class Mean(Model):
    """A metric in the ancestor's style."""

    def predict(self, text, **options):
        return self.predict_batch([{"text": text}], **options)[0]

    def predict_batch(self, inputs, *args, **kwargs):
        micro = [{"length": len(one["text"])} for one in inputs]
        return {"length": sum(row["length"] for row in micro) / len(micro)}, micro


@Model.register("options-brief")
class Brief(Model):
    """A model in the ancestor's style, whose answers are too few."""

    def predict_batch(self, inputs, *args, **kwargs):
        return [one["text"] for one in inputs][:-1]


@DatasetReader.register("options-reader")
class Reader(DatasetReader):
    """Reads fields from lines, parted as its option says."""

    def __init__(self, separator="|"):
        self.separator = separator

    def _read(self, *input_files):
        for file in input_files:
            for line in open(file):
                identity, text = line.rstrip().split(self.separator)
                yield {"instance_id": identity, "text": text}
'''

Done = subprocess.CompletedProcess[str]
Run = "Callable[..., Done]"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, bookworm: str) -> Path:
    """A copy of the checkout with the package `options`."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("repro", "models"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Dockerfile.base", folder)
    (folder / "repro/models/options").mkdir()
    (folder / "repro/models/options/__init__.py").write_text(MODELS.replace("IMAGE", bookworm))
    return folder


@pytest.fixture
def predict(checkout: Path, tmp_path: Path) -> Run:
    """Run `repro predict` in an empty folder."""

    def run(*words: str, given: str = "", **environment: str) -> Done:
        return subprocess.run(
            [sys.executable, "-m", "repro", "predict", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(checkout), **environment},
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two files of JSON lines: a, b; c."""
    (tmp_path / "one.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
    (tmp_path / "two.jsonl").write_text('{"text": "c", "instance_id": "third"}\n')
    return ["one.jsonl", "two.jsonl"]


def lines(path: Path) -> list[dict[str, object]]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def answers(path: Path) -> list[object]:
    """Read the predictions in a file."""
    return [row["prediction"] for row in lines(path)]


def right(done: Done) -> None:
    """It ended well, and said nothing."""
    assert (done.returncode, done.stderr) == (0, "")


def test_the_ancestors_command_line_works_as_it_was(
    predict: Run, files: list[str], tmp_path: Path
) -> None:
    words = ["--model-name", "options-say", "--dataset-reader", "jsonl", "--input-files", *files]

    done = predict(*words, "--output-writer", "default", "--output", "out.jsonl", "--silent")

    right(done)
    assert lines(tmp_path / "out.jsonl") == [
        {"instance_id": "0", "model_id": "options-say", "prediction": "A"},
        {"instance_id": "1", "model_id": "options-say", "prediction": "B"},
        {"instance_id": "third", "model_id": "options-say", "prediction": "C"},
    ]


def test_files_may_be_named_by_several_words_or_by_several_options(
    predict: Run, files: list[str]
) -> None:
    several = predict("--input-files", *files, "--model-name", "options-say")
    again = predict("--model", "options-say", "--input", files[0], "--input", files[1])

    right(several)
    assert several.stdout == again.stdout
    assert several.stdout.count("\n") == 3


def test_the_options_of_a_reader_reach_it(predict: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("first;a\nsecond;b\n")
    words = ["--dataset-reader", "options-reader", "--dataset-reader-kwargs", '{"separator": ";"}']

    done = predict("--model-name", "options-say", "--input-files", "in.txt", *words)

    right(done)
    assert [json.loads(line)["instance_id"] for line in done.stdout.splitlines()] == [
        "first",
        "second",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["--predict-kwargs", '{"times": 2}', "--model-kwargs", '{"suffix": "!"}'],
        ["--option", "times=2", "--load-option", "suffix=!"],
        ["--predict-kwargs", '{"times": 5}', "--option", "times=2", "--load-option", 'suffix="!"'],
    ],
)
def test_options_of_the_call_and_of_the_class_reach_the_program(
    predict: Run, words: list[str]
) -> None:
    one = predict("--model", "options-say", "-i", "text=a", *words)
    row = predict("--model", "options-say", *words, given='{"text": "a"}')

    right(one)
    assert one.stdout == '"AA!"\n'
    assert json.loads(row.stdout)["prediction"] == "AA!"


@pytest.mark.parametrize("option", ["--include-input", "--output-writer-kwargs"])
def test_the_default_writer_repeats_the_instance(
    predict: Run, files: list[str], option: str
) -> None:
    value = ['{"include_input": true}'] if option.endswith("kwargs") else []

    done = predict("--model", "options-say", "--input", files[1], option, *value)

    right(done)
    assert json.loads(done.stdout) == {
        "instance_id": "third",
        "model_id": "options-say",
        "input": {"text": "c"},
        "prediction": "C",
    }


@pytest.mark.parametrize("model", ["options-mean", "options-length"])
def test_the_writer_of_metrics_writes_what_the_model_answered(
    predict: Run, files: list[str], tmp_path: Path, model: str
) -> None:
    words = ["--output-writer", "metrics", "--output", "out.json"]

    done = predict("--model-name", model, "--input-files", *files, *words)
    macro, micro = json.loads((tmp_path / "out.json").read_text())

    right(done)
    assert macro in ({"length": 1.0}, {"total": 3, "rows": 3})
    assert micro == [{"length": 1}] * 3
    assert json.loads((tmp_path / "out.json.run.json").read_text())["output"]["rows"] == 3


def test_a_metric_of_the_ancestors_style_has_rows_and_a_value_over_them(
    predict: Run, files: list[str], tmp_path: Path
) -> None:
    done = predict("--model", "options-mean", "--input-files", *files, "--output", "out.jsonl")
    record = json.loads((tmp_path / "out.jsonl.run.json").read_text())

    assert done.returncode == 0, done.stderr
    assert done.stderr == 'over all rows: {"length": 1.0}\n'
    assert answers(tmp_path / "out.jsonl") == [{"length": 1}] * 3
    assert record["corpus"] == {"length": 1.0}


def test_a_model_of_the_ancestors_style_that_answers_too_few_is_an_error(
    predict: Run, files: list[str], tmp_path: Path
) -> None:
    words = ["--model", "options-brief", "--input-files", *files, "--output", "out.jsonl"]

    own = predict(*words)
    writer = predict(*words, "--output-writer", "sacrerouge")

    assert own.returncode == 1
    assert "2 for 3 instances" in own.stderr
    assert writer.returncode == 1
    assert "2 predictions for 3 instances" in writer.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_a_metric_writes_rows_and_says_the_value_over_all(
    predict: Run, files: list[str], tmp_path: Path
) -> None:
    done = predict("--model", "options-length", "--input-files", *files, "--output", "out.jsonl")
    record = json.loads((tmp_path / "out.jsonl.run.json").read_text())

    assert done.returncode == 0
    assert done.stdout == ""
    assert done.stderr == 'over all rows: {"total": 3, "rows": 3}\n'
    assert answers(tmp_path / "out.jsonl") == [{"length": 1}] * 3
    assert record["corpus"] == {"total": 3, "rows": 3}


def test_one_instance_of_a_metric_is_answered_by_the_value_over_it(predict: Run) -> None:
    done = predict("--model", "options-length", "-i", "text=abc")

    right(done)
    assert json.loads(done.stdout) == {"total": 3, "rows": 1}


def test_the_value_of_a_metric_over_no_rows_is_null(predict: Run, tmp_path: Path) -> None:
    done = predict("--model", "options-length", "--output", "out.jsonl")

    assert done.returncode == 0
    assert done.stderr == "over all rows: null\n"
    assert (tmp_path / "out.jsonl").read_text() == ""
    assert json.loads((tmp_path / "out.jsonl.run.json").read_text())["corpus"] is None


def test_a_log_file_is_written_and_silence_is_kept(
    predict: Run, files: list[str], tmp_path: Path
) -> None:
    words = ["--model", "options-say", "--input", files[0], "--log-file", "logs/run.log"]

    done = predict(*words, "--silent", "--output", "out.jsonl")

    right(done)
    assert (tmp_path / "logs/run.log").is_file()


def test_several_outputs_get_the_same_rows_in_their_formats(
    predict: Run, files: list[str], tmp_path: Path
) -> None:
    names = ["o.jsonl", "o.csv", "o.tsv.gz", "o.parquet", "o.txt", "o.jsonl.zst"]
    words = [word for name in names for word in ("--output", name)]

    done = predict("--model", "options-say", "--input-files", *files, *words)

    right(done)
    assert answers(tmp_path / "o.jsonl") == ["A", "B", "C"]
    assert (tmp_path / "o.txt").read_text() == "A\nB\nC\n"
    with (tmp_path / "o.csv").open() as file:
        assert [row["prediction"] for row in csv.DictReader(file)] == ["A", "B", "C"]
    assert gzip.decompress((tmp_path / "o.tsv.gz").read_bytes()).endswith(
        b"third\toptions-say\tC\n"
    )
    for name in names:
        record = json.loads((tmp_path / f"{name}.run.json").read_text())
        about = {one["path"]: one for one in record["output"]}
        assert about[name]["rows"] == 3
        written = (tmp_path / name).read_bytes()
        assert about[name]["sha256"] == hashlib.sha256(written).hexdigest()


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "tsv", "parquet", "csv.gz", "jsonl.zst"])
def test_what_was_written_with_its_input_can_be_read_again(
    predict: Run, files: list[str], tmp_path: Path, suffix: str
) -> None:
    name = f"first.{suffix}"
    predict("--model", "options-say", "--input-files", *files, "--output", name)

    words = ["--rename", "prediction=text", "--select", "text"]
    done = predict("--model", "options-say", "--input", name, *words, "--output", "again.jsonl")

    right(done)
    assert [(row["instance_id"], row["prediction"]) for row in lines(tmp_path / "again.jsonl")] == [
        ("0", "A"),
        ("1", "B"),
        ("third", "C"),
    ]


def test_several_inputs_are_recorded_each_with_its_hash(
    predict: Run, files: list[str], tmp_path: Path
) -> None:
    predict("--model", "options-say", "--input-files", *files, "--output", "out.jsonl")
    record = json.loads((tmp_path / "out.jsonl.run.json").read_text())["input"]

    hashes = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in files]
    assert [one["path"] for one in record] == files
    assert [one["sha256"] for one in record] == hashes


def test_cells_of_a_table_are_read_as_the_fields_they_are(predict: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(
        "text,weight,words,flag\n"
        '5,2,"[""a"", ""b""]",true\n'
        '"null",0.25,[],false\n'
        '"two\nlines",,,\n'  # where nothing is written, the default holds
    )

    done = predict("--model", "options-kinds", "--input", "in.csv", "--include-input")
    rows = [json.loads(line) for line in done.stdout.splitlines()]

    right(done)
    assert rows[0]["input"] == {"text": "5", "weight": 2, "words": ["a", "b"], "flag": True}
    assert rows[1]["input"]["text"] == "null"
    assert rows[1]["prediction"]["kinds"] == {
        "flag": "bool",
        "text": "str",
        "weight": "float",
        "words": "list",
    }
    assert rows[2]["input"] == {"text": "two\nlines"}
    assert rows[2]["prediction"]["kinds"]["weight"] == "float"


def test_a_cell_that_is_no_value_of_its_field_is_named(predict: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,weight\na,1\nb,heavy\n")

    done = predict("--model", "options-kinds", "--input", "in.csv", "--dry-run")

    assert done.returncode == 2
    assert "instance 1" in done.stderr
    assert "'weight'" in done.stderr


def test_each_line_of_a_text_is_the_one_text_that_a_model_takes(predict: Run) -> None:
    done = predict(
        "--model", "options-say", "--input-format", "text", "--output-format", "text", given="a\nb"
    )

    right(done)
    assert done.stdout == "A\nB\n"


def test_columns_are_renamed_and_chosen(predict: Run) -> None:
    given = '{"body": "a", "label": 1, "instance_id": "x"}\n'

    done = predict(
        "--model", "options-say", "--rename", "body=text", "--select", "text", given=given
    )

    right(done)
    assert json.loads(done.stdout)["prediction"] == "A"
    assert json.loads(done.stdout)["instance_id"] == "x"


def test_a_column_too_many_is_an_error_that_names_it(predict: Run) -> None:
    done = predict("--model", "options-say", given='{"text": "a", "label": 1}\n')

    assert done.returncode == 2
    assert "'label'" in done.stderr


def test_shards_and_limits_choose_rows_that_keep_their_numbers(predict: Run) -> None:
    given = "".join(json.dumps({"text": text}) + "\n" for text in "abcde")

    def ids(*words: str) -> list[tuple[str, str]]:
        done = predict("--model", "options-say", *words, given=given)
        right(done)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return [(row["instance_id"], row["prediction"]) for row in rows]

    assert ids("--limit", "2") == [("0", "A"), ("1", "B")]
    assert ids("--shard", "1/2") == [("0", "A"), ("2", "C"), ("4", "E")]
    assert ids("--shard", "2/2") == [("1", "B"), ("3", "D")]
    assert ids("--shard", "1/2", "--limit", "1") == [("0", "A")]


def test_a_dry_run_checks_every_row_and_needs_no_engine(
    predict: Run, files: list[str], tmp_path: Path
) -> None:
    words = ["--model", "options-say", "--dry-run", "--output", "out.jsonl"]

    good = predict(*words, "--input-files", *files, DOCKER_HOST=NOWHERE)
    bad = predict(*words, given='{"text": "a"}\n{"txt": "b"}\n', DOCKER_HOST=NOWHERE)
    option = predict(*words, "--option", "tims=2", given='{"text": "a"}', DOCKER_HOST=NOWHERE)

    assert (good.returncode, good.stdout) == (0, "")
    assert good.stderr == "3 rows are right for options-say\n"
    assert bad.returncode == option.returncode == 2
    assert "instance 1" in bad.stderr
    assert "did you mean 'text'" in bad.stderr
    assert "did you mean 'times'" in option.stderr
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--input", "bad.jsonl"],
        ["--input", "bad.jsonl", "--output-writer", "sacrerouge", "--output", "out.jsonl"],
        ["--input", "bad.jsonl", "--dataset-reader", "jsonl"],
    ],
)
def test_a_row_that_is_not_right_is_told_before_an_engine_is_looked_for(
    words: list[str], predict: Run, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n{"text": 3}\n')

    done = predict("--model", "options-say", *words, DOCKER_HOST=NOWHERE)

    assert done.returncode == 2, done.stderr
    assert "instance 2 for 'options-say': field 'text' is not str" in done.stderr


@pytest.mark.parametrize("words", [["-i", "txt=a"], ["-i", "text=a", "--option", "times=b"]])
def test_one_instance_is_checked_before_an_engine_is_looked_for(
    words: list[str], predict: Run
) -> None:
    done = predict("--model", "options-say", *words, DOCKER_HOST=NOWHERE)

    assert done.returncode == 2, done.stderr


def test_an_input_that_is_missing_is_told_before_an_engine_is_looked_for(
    predict: Run, files: list[str]
) -> None:
    alone = predict("--model", "options-say", "--input", "absent.jsonl", DOCKER_HOST=NOWHERE)
    last = predict(
        *("--model", "options-say", "--input-files", *files, "./absent.jsonl"), DOCKER_HOST=NOWHERE
    )

    assert (alone.returncode, alone.stderr) == (
        2,
        "repro: absent.jsonl: No such file or directory\n",
    )
    assert (last.returncode, last.stderr) == (
        2,
        "repro: ./absent.jsonl: No such file or directory\n",
    )


def test_an_output_of_a_writer_is_recorded_with_its_hash(
    predict: Run, files: list[str], tmp_path: Path
) -> None:
    words = ["--model", "options-mean", "--input-files", *files, "--output", "out.json"]

    right(predict(*words, "--output-writer", "metrics"))

    record = json.loads((tmp_path / "out.json.run.json").read_text())
    written = (tmp_path / "out.json").read_bytes()
    assert record["output"] == {
        "path": "out.json",
        "rows": 3,
        "sha256": hashlib.sha256(written).hexdigest(),
    }


def test_a_dry_run_of_one_instance_starts_nothing_either(predict: Run) -> None:
    words = ["--model", "options-say", "--dry-run"]

    good = predict(*words, "-i", "text=a", DOCKER_HOST=NOWHERE)
    bad = predict(*words, "-i", "txt=a", DOCKER_HOST=NOWHERE)

    assert (good.returncode, good.stdout) == (0, "")
    assert bad.returncode == 2
    assert "did you mean 'text'" in bad.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dataset-name", "squad_v2"], "--dataset-name and --split go together"),
        (["--split", "test"], "--dataset-name and --split go together"),
        (
            ["--dataset-name", "squad_v2", "--split", "test", "--input-files", "one.jsonl"],
            "not both",
        ),
        (["--dataset-reader-kwargs", "{}"], "--dataset-reader-kwargs needs --dataset-reader"),
        (["--predict-kwargs", "{times: 2}"], "--predict-kwargs wants a JSON object"),
        (["--model-kwargs", "[1]"], "--model-kwargs wants a JSON object"),
        (["--dataset-reader", "jsonl"], "name them with --input"),
        (
            ["--dataset-reader", "jsonl", "--input", "one.jsonl", "--dataset-reader-kwargs", "1"],
            "wants a JSON object",
        ),
        (["--output-writer-kwargs", "nope"], "--output-writer-kwargs wants a JSON object"),
        (["--output-writer", "metrics"], "'metrics' needs an --output"),
        (["--output-writer", "metrix", "--output", "o"], "did you mean 'metrics'"),
        (["--dataset-reader", "jsnol", "--input", "one.jsonl"], "did you mean 'jsonl'"),
        (
            ["--dataset-name", "squad-v3", "--split", "test"],
            "squad_v2",
        ),
        (["--output-writer-kwargs", '{"include": true}'], "include_input"),
        (
            [
                *("--dataset-reader", "options-reader", "--input", "one.jsonl"),
                *("--dataset-reader-kwargs", '{"separate": 1}'),
            ],
            "did you mean 'separator'",
        ),
        (
            ["--output-writer", "metrics", "--output-writer-kwargs", '{"x": 1}', "--output", "o"],
            "'x'",
        ),
        (["--model-kwargs", '{"sufix": "!"}'], "did you mean 'suffix'"),
        (
            ["--model-kwargs", '{"suffix": ["!"]}'],
            "'suffix' of options-say is not str: input should be a valid string; it is ['!']",
        ),
        (["--load-option", "suffix=5", "-i", "text=a"], "is not str"),
        (["--option", "times"], "--option wants NAME=VALUE"),
        (["--option", "times=many"], "times"),
        (["--option", "tims=2"], "did you mean 'times'"),
        (["--rename", "body"], "--rename wants NAME=VALUE"),
        (["--rename", "body=text"], "'body'"),
        (["--rename", "a=text", "--rename", "a=b"], "--rename gives two names to one column"),
        (["--select", "body"], "'body'"),
        (["--shard", "2"], "--shard wants I/N"),
        (["--shard", "3/2"], "no shard 3/2"),
        (["--shard", "0/2"], "no shard 0/2"),
        (["--limit", "-1"], "less than none"),
        (["--limit", "few"], "few"),
        (["--input-format", "jsnl"], "did you mean 'jsonl'"),
        (["--output-format", "exel"], "there are: jsonl, csv"),
        (["--input", "absent.jsonl"], "absent.jsonl"),
        (["--input", "."], "directory"),
        (["-i", "text=a", "--input", "one.jsonl"], "leave out --input"),
        (["-i", "text=a", "--output", "o"], "leave out --output"),
        (["-i", "text=a", "--dataset-name", "squad_v2", "--split", "test"], "leave out --dataset"),
        (["-i", "text=a", "--limit", "1"], "leave out --limit"),
        (["-i", "text"], "wants NAME=VALUE"),
        (["--input-format", "parquet"], "Parquet cannot be read from a stream"),
        (["--output", "absent/out.jsonl"], "absent"),
        (["--memory", "lots"], "memory"),
        (["--timeout", "0"], "timeout"),
        (["--load-timeout", "0"], "load_timeout"),
        (["--workers", "0"], "workers"),
        (["--batch-size", "0"], "batch_size"),
        (["--on-error", "ignore"], "stop"),
        (["--max-errors", "1"], "only where they are recorded"),
        (["--on-error", "record", "--max-errors", "-1"], "--max-errors"),
        (["--on-error", "record", "--output", "o.txt"], "a line of text cannot tell a failure"),
        (
            ["--on-error", "record", "--output-writer", "metrics", "--output", "o"],
            "'metrics' cannot write failures",
        ),
        (["-i", "text=a", "--on-error", "record"], "leave out --on-error"),
        (["-i", "text=a", "--resume"], "leave out --resume"),
        (["--resume"], "needs one --output file"),
    ],
)
@pytest.mark.usefixtures("files")
def test_a_command_line_that_is_not_right_is_told_and_leaves_nothing(
    predict: Run, tmp_path: Path, words: list[str], said: str
) -> None:
    before = sorted(tmp_path.iterdir())

    # No engine is needed to tell.
    done = predict("--model", "options-say", *words, given='{"text": "a"}\n', DOCKER_HOST=NOWHERE)

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(tmp_path.iterdir()) == before


def given(*texts: str) -> str:
    """Write instances as JSON lines."""
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)


@pytest.mark.parametrize("words", [[], ["--cold"], ["--workers", "2", "--batch-size", "2"]])
def test_a_failure_has_a_row_in_its_place_and_status_1(
    predict: Run, tmp_path: Path, words: list[str]
) -> None:
    words = ["--model", "options-picky", "--on-error", "record", "--output", "o.jsonl", *words]

    done = predict(*words, given=given("a", "bad", "b", "nan"))
    record = json.loads((tmp_path / "o.jsonl.run.json").read_text())
    first, second, third, fourth = lines(tmp_path / "o.jsonl")

    assert done.returncode == 1
    assert done.stderr == "2 of 4 rows failed; each says why in its place\n"
    assert (first["prediction"]["text"], third["prediction"]["text"]) == ("a", "b")
    assert second == {
        "instance_id": "1",
        "model_id": "options-picky",
        "error": {"type": "ValueError", "message": "cannot do\nthis, or that"},
    }
    assert fourth["error"]["type"] == "OutputError"
    assert "--allow-nan" in fourth["error"]["message"]
    assert record["failed"] == 2
    assert record["isolated"] == (1 if "2" in words else 3)
    assert ("load_seconds" in record) == ("--cold" not in words)


@pytest.mark.parametrize("suffix", ["csv", "tsv.gz", "parquet"])
@pytest.mark.parametrize(
    "texts", [["bad", "a", "b"], ["a", "bad", "b"], ["bad", "bad"], ["a", "b"]]
)
def test_a_table_has_columns_for_failures(
    predict: Run, tmp_path: Path, suffix: str, texts: list[str]
) -> None:
    words = ["--model", "options-picky", "--include-input", "--on-error", "record"]

    done = predict(*words, "--output", f"o.{suffix}", "--output", "o.jsonl", given=given(*texts))
    expected = lines(tmp_path / "o.jsonl")
    with RowFile(str(tmp_path / f"o.{suffix}")).open() as (rows, _):
        found = list(rows)

    assert done.returncode == int("bad" in texts)
    if suffix == "parquet":
        nothing = {"prediction": None, "error": None}
        assert found == [{**nothing, **row} for row in expected]
        return
    predicted = ["prediction.of", "prediction.text"] if "a" in texts else ["prediction"]
    columns = ["instance_id", "model_id", "input.text", *predicted, "error.type", "error.message"]
    for row, right_row in zip(found, expected, strict=True):
        assert list(row) == columns
        failed = "error" in right_row
        assert row["error.type"] == ("ValueError" if failed else "")
        assert row["error.message"] == ("cannot do\nthis, or that" if failed else "")
        assert [row[name] == "" for name in predicted] == [failed] * len(predicted)


def test_too_many_failures_end_the_run(predict: Run, tmp_path: Path) -> None:
    words = ["--model", "options-picky", "--on-error", "record", "--output", "o.jsonl"]
    rows = given("bad", "a", "bad")

    enough = predict(*words, "--max-errors", "2", given=rows)
    written = (tmp_path / "o.jsonl").read_text()
    too_many = predict(*words, "--max-errors", "1", given=rows)

    assert enough.stderr == "2 of 3 rows failed; each says why in its place\n"
    assert too_many.returncode == 1
    assert "raised ValueError over instance 2" in too_many.stderr
    assert (tmp_path / "o.jsonl").read_text() == written


def test_a_metric_of_which_a_row_failed_has_no_value(predict: Run, tmp_path: Path) -> None:
    words = ["--model", "options-picky-metric", "--on-error", "record", "--output", "o.jsonl"]

    done = predict(*words, given=given("a", "bad"))
    record = json.loads((tmp_path / "o.jsonl.run.json").read_text())
    good = predict(*words, given=given("a", "b"))
    unwritable = predict(*words, given=given("a", "nan"))

    assert done.returncode == unwritable.returncode == 1
    assert done.stderr == unwritable.stderr
    assert done.stderr.startswith("over all rows: null\n1 of 2 rows failed")
    assert (record["corpus"], record["failed"]) == (None, 1)
    assert (good.returncode, good.stderr) == (0, 'over all rows: {"total": 2, "rows": 0}\n')


@pytest.mark.parametrize("words", [[], ["--cold"]])
def test_a_metric_that_fails_over_no_row_but_over_all_has_failed(
    words: list[str], predict: Run, tmp_path: Path
) -> None:
    words = ["--model", "options-picky-metric", "--on-error", "record", *words]

    done = predict(*words, "--output", "o.jsonl", given=given("a", "odd", "b"))
    one = predict(*words, "--output", "p.jsonl", given=given("a", "odd", "bad"))
    record = json.loads((tmp_path / "p.jsonl.run.json").read_text())

    assert done.returncode == 1
    assert "raised ValueError: no total" in done.stderr
    assert not (tmp_path / "o.jsonl").exists()
    assert (one.returncode, record["failed"], record["corpus"]) == (1, 1, None)


def test_a_model_of_the_ancestors_style_records_no_failures(predict: Run) -> None:
    done = predict("--model", "options-mean", "--on-error", "record", given=given("a"))

    assert done.returncode == 2
    assert "options-mean answers all rows at once" in done.stderr


@pytest.mark.parametrize(
    ("words", "sizes"),
    [
        (["--batch-size", "2"], [2, 2, 2, 2, 1]),
        (["--batch-size", "2", "--workers", "2", "--load-timeout", "60"], [2, 2, 2, 2, 1]),
        (["--batch-size", "2", "--cold"], [5] * 5),
        ([], [5] * 5),
    ],
)
def test_how_it_is_run_reaches_the_model(predict: Run, words: list[str], sizes: list[int]) -> None:
    done = predict("--model", "options-picky", *words, given=given(*"abcde"))

    right(done)
    rows = [json.loads(line)["prediction"] for line in done.stdout.splitlines()]
    assert [row["of"] for row in rows] == sizes
    assert "".join(row["text"] for row in rows) == "abcde"


def test_answers_come_before_the_input_ends(checkout: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "repro", "predict", "--model", "options-say", "--batch-size", "1"],
        cwd=checkout,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(given(*map(str, range(20))))
        process.stdin.flush()
        early = [json.loads(process.stdout.readline())["prediction"] for _ in range(10)]
        process.stdin.write(given("last"))
        process.stdin.close()
        late = [json.loads(line)["prediction"] for line in process.stdout]

    assert early == [str(number) for number in range(10)]
    assert late == [*map(str, range(10, 20)), "LAST"]


def test_without_a_model_the_option_is_named(predict: Run) -> None:
    done = predict("-i", "text=a")

    assert done.returncode == 2
    assert "--model" in done.stderr


def test_the_help_names_every_option_of_the_ancestor(predict: Run) -> None:
    text = predict("--help", COLUMNS="200").stdout

    for option in ANCESTORS:
        assert re.search(rf"{option}\b(?!-)", text)
