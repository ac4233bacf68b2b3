"""``repro test``."""

from __future__ import annotations

import json

import click

from repro.commands.completion import package_names
from repro.commands.output import (
    as_dict,
    json_option,
    print_json,
    print_table,
    unlimited_option,
)


@click.command(short_help="Run the examples of packages.")
@click.argument("packages", nargs=-1, required=True, shell_complete=package_names)
@click.option("--image", default=None, help="Another image than the package's.")
@unlimited_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    packages: tuple[str, ...],
    image: str | None,
    allow_unlimited: bool,
    as_json: bool,
) -> None:
    """Run the examples of PACKAGES, and tell whether each model still answers what they say."""
    from repro.catalog import find_package
    from repro.operations.examples import run_examples

    cards = [find_package(package) for package in packages]
    results = [
        result
        for card in cards
        for result in run_examples(card, image=image, allow_unlimited=allow_unlimited)
    ]
    if as_json:
        print_json([{**as_dict(r), "passed": r.passed} for r in results])
    else:
        rows = []
        for r in results:
            said = r.error or json.dumps(r.prediction, ensure_ascii=False)
            outcome = "passed" if r.passed else f"failed, it said {said}"
            rows.append((r.model, json.dumps(r.input, ensure_ascii=False)[:60], outcome))
        print_table(("model", "input", "outcome"), rows)
    ctx.exit(0 if all(result.passed for result in results) else 1)
