"""`inboxbot audit`."""

from __future__ import annotations

from typing import Any

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import print_json, print_table, safe


@click.command()
@click.option("--offline", is_flag=True, help="Look at the database only, not into the mailboxes.")
@click.option("--all", "everything", is_flag=True, help="Compare every message byte by byte, not a sample of old ones.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def audit(context: Context, offline: bool, everything: bool, as_json: bool) -> None:
    """Check every promise that database and mailboxes can show. Nothing is changed in a mailbox.

    Exit code 1 when a promise is broken, or a mailbox could not be looked at. Of each folder the newest 1,000 messages
    and a sample of 1,000 older ones are compared with what is kept; --all compares every one.
    """
    from inboxbot.daemon.auditing import audit_all, keep
    from inboxbot.desk.audit import EVERYTHING, MOST, PROMISES

    moment = now()
    with context.desk() as desk:
        result = audit_all(desk, now=moment, offline=offline, most=EVERYTHING if everything else MOST)
        if not offline:
            keep(desk, result, now=moment)
    if as_json:
        print_json(result)
    else:
        _print(result, PROMISES)
    if not result["ok"]:
        raise click.exceptions.Exit(1)


def _print(result: dict[str, Any], says: dict[str, str]) -> None:
    broken = [one["promise"] for one in result["findings"]]
    print_table(
        ["promise", "says", "checked", "broken"],
        [[key, says[key], str(count), str(broken.count(key))] for key, count in result["checked"].items()],
        shrink=1,
    )
    for one in result["mailboxes"]:
        line = f"{one['address']}: {one['messages']} messages seen, {one['compared']} compared"
        click.echo(safe(line))
    if result["offline"]:
        click.echo("the database only: no mailbox was looked at")
    for one in result["findings"]:
        click.secho(safe(f"{one['promise']} {one['where']}: {one['what']}"), fg="red")
    for one in result["errors"]:
        cure = f" ({one['cure']})" if one["cure"] else ""
        click.secho(
            safe(f"{one['mailbox']} was not looked at: {one['where']}: {one['what']}{cure}"), fg="red", err=True
        )
