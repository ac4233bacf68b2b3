"""``repro predict``."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from repro.commands.completion import model_names
from repro.commands.output import print_json, progress, say, unlimited_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.operations.job import PredictionJob

COMMON = (  # options of the model's class
    *("device", "timeout", "memory", "cpus", "network", "max_output", "image"),
    *("workers", "batch_size", "load_timeout", "cold", "files_within"),
)

FILES = (  # options about files of rows
    "inputs",
    "outputs",
    "input_format",
    "output_format",
    "rename",
    "select",
    "limit",
    "shard",
    "dataset_name",
    "dataset_reader",
    "include_input",
    "allow_nan",
    "output_writer_kwargs",
    "on_error",
    "max_errors",
    "resume",
)


class ManyFiles(click.Command):
    """A command whose ``--input-files`` takes several words, as the ancestor's did."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the option again before each further word."""
        spread: list[str] = []
        several = False
        for word in args:
            if word.startswith("-") and word != "-":
                several = word == "--input-files"
            elif several and spread[-1] != "--input-files":
                spread.append("--input-files")
            spread.append(word)
        return super().parse_args(ctx, spread)


@click.command(cls=ManyFiles)
@click.option(
    "--model",
    "--model-name",
    "model",
    required=True,
    shell_complete=model_names,
    metavar="NAME",
    help="The model's name.",
)
@click.option(
    "-i",
    "--instance",
    "fields",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A field of one instance; its prediction is printed alone.",
)
@click.option(
    "--input",
    "--input-files",
    "inputs",
    multiple=True,
    metavar="FILE",
    help="Rows: jsonl, csv, tsv, txt or parquet, by its suffix, also .gz and .zst; "
    "- is standard input, compressed or not. Several are read one after the other.",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="As --input; several get the same rows. FILE.run.json says how it was made.",
)
@click.option("--input-format", metavar="FORMAT", help="If the suffix does not tell.")
@click.option("--output-format", metavar="FORMAT", help="If the suffix does not tell.")
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="Read a column under a name.")
@click.option("--select", multiple=True, metavar="NAMES", help="Keep these columns: a,b.")
@click.option("--limit", type=int, metavar="N", help="Predict the first N rows.")
@click.option("--shard", metavar="I/N", help="Predict every N-th row, from the I-th on.")
@click.option("--dry-run", is_flag=True, help="Check every row against the schema, start nothing.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Of the call.")
@click.option("--predict-kwargs", metavar="JSON", help="Options of the call, as one object.")
@click.option("--load-option", "load_options", multiple=True, metavar="NAME=VALUE", help="Of load.")
@click.option("--model-kwargs", metavar="JSON", help="Options of the class, as one object.")
@click.option("--dataset-name", metavar="NAME", help="A Hugging Face data set, with --split.")
@click.option("--split", metavar="NAME", help="The data set's split.")
@click.option("--dataset-reader", metavar="NAME", help="A registered reader of the inputs.")
@click.option("--dataset-reader-kwargs", metavar="JSON", help="The reader's options.")
@click.option("--output-writer", metavar="NAME", default="default", help="A registered writer.")
@click.option("--output-writer-kwargs", metavar="JSON", help="The writer's options.")
@click.option("--include-input", is_flag=True, help="Repeat the instance in each row.")
@click.option("--allow-nan", is_flag=True, help="Write NaN and infinities, which are no JSON.")
@click.option(
    "--on-error",
    type=click.Choice(["stop", "record"]),
    help="What an instance does that fails the model: stop, the default, or leave a row with "
    '"error" {"type", "message"} in place of "prediction"; as columns of tables. Status 1 in '
    "both cases.",
)
@click.option("--max-errors", type=click.IntRange(min=0), metavar="N", help="Record no more.")
@click.option(
    "--resume",
    is_flag=True,
    help="Keep rows in OUTPUT.partial until all are there, and go on with those of a run that was "
    "stopped. For one output of JSON lines, and inputs that are files.",
)
@click.option(
    "--files",
    metavar="DIR",
    help="Where files go that the model makes; OUTPUT.files by default.",
)
@click.option(
    "--files-within", metavar="DIR", help="Read no file outside of it that an instance names."
)
@click.option("--device", type=int, help="The GPU to run on; -1, the default, is the CPU.")
@click.option("--timeout", type=float, metavar="SECONDS", help="How long a batch may take.")
@click.option("--load-timeout", type=float, metavar="SECONDS", help="How long loading may take.")
@click.option("--workers", type=int, metavar="N", help="Containers that answer at the same time.")
@click.option("--batch-size", type=int, metavar="N", help="Instances that are sent at once.")
@click.option("--cold/--warm", default=None, help="Run it once over all rows, or have it stay.")
@click.option("--memory", metavar="SIZE", help="Memory it may use, such as 2g.")
@click.option("--cpus", type=float, metavar="N", help="Processors' worth of time.")
@click.option("--network/--no-network", default=None, help="Give it a network, or none.")
@click.option("--max-output", metavar="SIZE", help="What it may write, such as 2g.")
@unlimited_option
@click.option("--image", metavar="NAME", help="Another image than the package's.")
@click.option("--log-file", metavar="FILE", help="Write the log there.")
@click.option("--silent", "--quiet", "silent", is_flag=True, help="Show no progress, log nothing.")
def command(model: str, fields: tuple[str, ...], **given: Any) -> None:
    """Predict one instance (-i), or files of rows."""
    from repro.operations.prediction import check_file, predict_one

    if given["log_file"]:
        from repro.common.logging import prepare_global_logging

        prepare_global_logging(given["log_file"], given["silent"])
    job = _job(model, given)
    if fields:
        _only_one(given)
        words = [split("--instance", word) for word in fields]
        if len(dict(words)) != len(words):
            raise click.UsageError("-i gives a field twice; it takes one instance")
        dry_run = given["dry_run"]
        answer = predict_one(
            model, words, job.load_options, job.options, dry_run=dry_run, files=given["files"]
        )
        if dry_run:
            say(f"the instance is right for {model}")
        else:
            print_json(answer)
        return
    if not given["inputs"] and not job.dataset and sys.stdin.isatty():
        raise click.UsageError("give an instance with -i FIELD=VALUE, or a file with --input")
    if given["dry_run"]:
        say(f"{check_file(job):,} rows are right for {model}")
        return
    _predict_files(job, quiet=given["silent"])


def _predict_files(job: PredictionJob, *, quiet: bool) -> None:
    from repro.operations.prediction import predict_file

    with _kept(job) if job.resume else nullcontext(), progress(job.model, quiet=quiet) as tell:
        record = predict_file(job, on_progress=tell)
    if "corpus" in record:
        say(f"over all rows: {json.dumps(record['corpus'], ensure_ascii=False)}")
    if failed := record.get("failed"):
        outputs = record["output"] if isinstance(record["output"], list) else [record["output"]]
        say(f"{failed:,} of {outputs[0]['rows']:,} rows failed; each says why in its place")
        click.get_current_context().exit(1)


@contextmanager
def _kept(job: PredictionJob) -> Iterator[None]:
    """Say where the rows are of a run that ends before it is done."""
    from repro.errors import InputError
    from repro.operations.resume import partial_of

    try:
        yield
    except InputError:  # the same command would end in the same way
        raise
    except BaseException:
        path = partial_of(job.outputs[0])
        if path.is_file():
            say(f"the rows until here are in {path}; the same command goes on from there")
        raise


def _only_one(given: dict[str, Any]) -> None:
    """Refuse what says something about files of rows."""
    for name in FILES:
        if given[name] not in {None, (), False}:
            option = f"--{name.removesuffix('s') if name in {'inputs', 'outputs'} else name}"
            raise click.UsageError(f"-i gives one instance; leave out {option.replace('_', '-')}")


def _job(model: str, given: dict[str, Any]) -> PredictionJob:
    from repro.operations.job import PredictionJob
    from repro.operations.selection import Selection

    load_options = {name: given[name] for name in COMMON if given[name] is not None}
    load_options |= {"allow_unlimited": True} if given["allow_unlimited"] else {}
    load_options |= json_object("--model-kwargs", given["model_kwargs"])
    load_options |= pairs("--load-option", given["load_options"])
    options = json_object("--predict-kwargs", given["predict_kwargs"])
    renamed = [split("--rename", word) for word in given["rename"]]
    if len(dict(renamed)) != len(renamed):
        raise click.UsageError("--rename gives two names to one column")
    selection = Selection(
        rename=dict(renamed),
        columns=tuple(n for names in given["select"] for n in names.split(",")),
        shard=_shard(given["shard"]),
        limit=given["limit"],
    )
    return PredictionJob(
        model=model,
        inputs=given["inputs"] or ("-",),
        outputs=given["outputs"] or ("-",),
        input_format=given["input_format"],
        output_format=given["output_format"],
        load_options=load_options,
        options=options | pairs("--option", given["options"]),
        selection=selection,
        include_input=given["include_input"],
        allow_nan=given["allow_nan"],
        on_error="record" if given["on_error"] == "record" else "raise",
        max_errors=given["max_errors"],
        files=given["files"],
        resume=given["resume"],
        **_ancestors_way(given),
    )


def _ancestors_way(given: dict[str, Any]) -> dict[str, Any]:
    """Read the options of data sets, readers and writers."""
    name, part = given["dataset_name"], given["split"]
    if (name is None) != (part is None):
        raise click.UsageError("--dataset-name and --split go together")
    if name is not None and given["inputs"]:
        raise click.UsageError("give --dataset-name or --input, not both")
    if given["dataset_reader"] and not given["inputs"]:
        raise click.UsageError("--dataset-reader reads files; name them with --input")
    if given["dataset_reader_kwargs"] and not given["dataset_reader"]:
        raise click.UsageError("--dataset-reader-kwargs needs --dataset-reader")
    return {
        "dataset": None if name is None else (name, part),
        "reader": given["dataset_reader"],
        "reader_options": json_object("--dataset-reader-kwargs", given["dataset_reader_kwargs"]),
        "writer": given["output_writer"],
        "writer_options": json_object("--output-writer-kwargs", given["output_writer_kwargs"]),
    }


def json_object(option: str, text: str | None) -> dict[str, Any]:
    """Read an option that is one JSON object."""
    try:
        value = json.loads(text) if text else {}
    except ValueError as error:
        raise click.UsageError(f"{option} wants a JSON object: {error}") from None
    if not isinstance(value, dict):
        raise click.UsageError(f"{option} wants a JSON object, not {text}")
    return value


def pairs(option: str, given: tuple[str, ...]) -> dict[str, Any]:
    """Read NAME=VALUE words; a value is JSON if it reads as JSON, else a string."""
    found = {}
    for name, value in (split(option, word) for word in given):
        try:
            found[name] = json.loads(value)
        except (ValueError, RecursionError):
            found[name] = value
    return found


def split(option: str, word: str) -> tuple[str, str]:
    """Split NAME=VALUE."""
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise click.UsageError(f"{option} wants NAME=VALUE, not {word!r}")
    return name, value


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise click.UsageError(f"--shard wants I/N, such as 1/4, not {text!r}")
    return int(part), int(parts)
