"""``repro compare``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from repro.commands.completion import model_names
from repro.commands.output import json_option, print_json, print_table, progress, say
from repro.commands.predict import pairs, split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from repro.operations.comparison import Comparison, ComparisonJob

LONGEST = 36  # characters of a value in the table
HEADS = {
    "path": "value",
    "cohen_kappa": "Cohen's kappa",
    "pearson_r": "Pearson's r",
    "spearman_rho": "Spearman's rho",
    "largest_difference": "largest difference",
    "instance_id": "in row",
}


@click.command(short_help="Run several models over the same rows.")
@click.argument("models", nargs=-1, required=True, metavar="MODELS...", shell_complete=model_names)
@click.option(
    "--input", "inputs", multiple=True, metavar="FILE", help="Rows, as of `repro predict`."
)
@click.option("--input-format", metavar="FORMAT", help="If the suffix does not tell.")
@click.option(
    "--rename",
    multiple=True,
    metavar="[MODEL:]OLD=NEW",
    help="Read a column under a name; for one model, with its name before it.",
)
@click.option("--select", multiple=True, metavar="[MODEL:]NAMES", help="Keep these columns: a,b.")
@click.option("--limit", type=int, metavar="N", help="Take the first N rows.")
@click.option(
    "--load-option", "load_options", multiple=True, metavar="[MODEL:]NAME=VALUE", help="Of load."
)
@click.option("--option", "options", multiple=True, metavar="[MODEL:]NAME=VALUE", help="Of a call.")
@click.option(
    "--path",
    "paths",
    multiple=True,
    metavar="[MODEL:]PATH",
    help="Which value of nested predictions is compared, such as 'ranking.0.language'; "
    "by default all plain values that all of them have.",
)
@click.option("--show", type=click.IntRange(0), default=20, help="Print so many rows; 20.")
@click.option(
    "--output",
    metavar="FILE",
    help="Write all rows there: whole predictions as JSON lines, the compared values as csv, tsv "
    "or parquet.",
)
@click.option("--plot", metavar="FILE", help="Draw the agreement: .html or .svg.")
@json_option
@click.pass_context
def command(ctx: click.Context, /, models: tuple[str, ...], **given: Any) -> None:
    """Run MODELS of one task over the same rows: what each says, and how far they agree.

    A model may be named more than once with options of its own, each after an @, of loading or of a
    call: lui2012-langid lui2012-langid@languages='["de","fr"]'

    Labels agree by the share of equal ones and Cohen's kappa, numbers by Pearson's and Spearman's
    correlation and the largest difference. Ends with 1 if a model failed, or failed over a row.
    """
    from repro.operations.comparison import as_json, compare
    from repro.operations.comparison_plot import SUFFIXES, write_plot
    from repro.operations.page import check_path

    job = _job(models, given)
    if given["plot"]:
        check_path(given["plot"], "plot", SUFFIXES)
    with progress("rows", quiet=given["as_json"]) as bar:
        found = compare(job, on_progress=_teller(bar))
    if given["as_json"]:
        print_json(as_json(found))
    else:
        _print(found)
    if given["plot"]:
        write_plot(given["plot"], found)
    _say_failures(found)
    ctx.exit(0 if found.complete else 1)


def _teller(
    bar: Callable[[int, int], None] | None,
) -> Callable[[str, int, int], None] | None:
    return None if bar is None else lambda _model, done, total: bar(done, total)


def _job(models: tuple[str, ...], given: dict[str, Any]) -> ComparisonJob:
    from repro.operations.comparison import Compared, ComparisonJob
    from repro.operations.options import split_options
    from repro.operations.selection import Selection

    rename, select, load_options, options, paths = (
        _by_model(given[name], models)
        for name in ("rename", "select", "load_options", "options", "paths")
    )

    def both(words: dict[str, list[str]], model: str) -> tuple[str, ...]:
        return (*words[""], *words[model])

    def compared(model: str) -> Compared:
        name, *own = model.split("@")
        made, called = split_options(name, pairs(name, tuple(own)))
        return Compared(
            name=name,
            label=model,
            selection=Selection(
                rename=dict(split("--rename", word) for word in both(rename, model)),
                columns=tuple(n for word in both(select, model) for n in word.split(",")),
                limit=given["limit"],
            ),
            load_options={**pairs("--load-option", both(load_options, model)), **made},
            options={**pairs("--option", both(options, model)), **called},
            path=paths[model][-1] if paths[model] else None,
        )

    return ComparisonJob(
        models=tuple(compared(model) for model in models),
        inputs=given["inputs"] or ("-",),
        input_format=given["input_format"],
        paths=tuple(paths[""]),
        output=given["output"],
        shown=None if given["as_json"] else given["show"],
    )


def _by_model(words: Sequence[str], models: Sequence[str]) -> dict[str, list[str]]:
    """Tell words that are about one model, whose name is before them, from the others."""
    found: dict[str, list[str]] = {"": [], **{model: [] for model in models}}
    for word in words:
        about = [model for model in models if word.startswith(f"{model}:")]
        model = max(about, key=len, default="")
        found[model].append(word.removeprefix(f"{model}:") if model else word)
    return found


def _print(found: Comparison) -> None:
    rows = []
    for index, row in enumerate(found.shown):
        for values in found.values:
            cells = [_cell(values.of[model][index]) for model in found.models]
            mark = "≠" if not values.numbers and len(set(cells)) > 1 else ""
            rows.append((row["instance_id"], _first_text(row["input"]), values.name, *cells, mark))
    if rows:
        print_table(("row", "input", "value", *found.models, ""), rows)
    if found.rows > len(found.shown):
        click.echo(f"… and {found.rows - len(found.shown):,} rows more; --output FILE writes all")
    for columns in dict.fromkeys(tuple(agreed) for agreed in found.agreement):
        click.echo()
        alike = [agreed for agreed in found.agreement if tuple(agreed) == columns]
        lines = [[_number(value) for value in agreed.values()] for agreed in alike]
        print_table([HEADS.get(name, name) for name in columns], lines)
    for model, value in found.corpus.items():
        click.echo(f"{model} over all rows: {json.dumps(value, ensure_ascii=False)}")


def _say_failures(found: Comparison) -> None:
    for model, why in found.failures.items():
        say(f"repro: {model} is left out: {why}")
    for model, count in found.failed.items():
        if count:
            say(f"repro: {model} failed over {count:,} of {found.rows:,} rows")


def _first_text(instance: dict[str, Any]) -> str:
    return _short(next((v for v in instance.values() if isinstance(v, str)), str(instance)))


def _cell(value: object) -> str:
    from repro.operations.values import MISSING

    if value is MISSING:
        return "(failed)"
    return _short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _number(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
