"""`inboxbot audit`."""

from __future__ import annotations

import click

from inboxbot.cli.context import Context
from inboxbot.cli.output import print_json, print_table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def audit(ctx: click.Context, as_json: bool) -> None:
    """Check every promise that the database alone can show; exit 1 when one is broken."""
    from inboxbot.desk.audit import PROMISES, audit_database

    context: Context = ctx.obj
    with context.desk() as desk:
        result = audit_database(desk)
    if as_json:
        print_json(result)
    else:
        print_table(
            ["promise", "says", "checked", "broken"],
            [
                [key, PROMISES[key], str(count), str(sum(one["promise"] == key for one in result["findings"]))]
                for key, count in result["checked"].items()
            ],
            shrink=1,
        )
        for one in result["findings"]:
            click.echo(f"{one['promise']} {one['where']}: {one['what']}")
    if not result["ok"]:
        ctx.exit(1)
