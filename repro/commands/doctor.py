"""``repro doctor``."""

from __future__ import annotations

import click

from repro.commands.output import as_dict, json_option, print_json, print_table
from repro.common.text import printable


@click.command(short_help="Look at this machine: what is wrong?")
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Look at this machine: what is wrong, and the command that mends it.

    Ends with 3 if a run would fail.
    """
    from repro.operations.diagnosis import diagnose

    findings = list(diagnose())
    if as_json:
        print_json([as_dict(finding) for finding in findings])
    else:
        print_table(
            ("subject", "state", "detail"), [(f.subject, f.state, f.detail) for f in findings]
        )
        for finding in findings:
            if finding.remedy:  # whole, however narrow the terminal
                click.echo(f"\n{finding.subject}: {printable(finding.remedy)}")
    ctx.exit(3 if any(finding.state == "wrong" for finding in findings) else 0)
