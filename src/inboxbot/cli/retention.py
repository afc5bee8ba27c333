"""`inboxbot retention`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import local_text, print_json, print_table, safe

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

NAMES = {
    "cases": "cases emptied",
    "proofs": "proof records ended",
    "ordinary": "mails without a case",
    "files": "outgoing files",
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what is due; nothing is removed.")
@click.option("--force", is_flag=True, help="Go on although the clock jumped: you looked, and it is right.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def retention(context: Context, dry_run: bool, force: bool, as_json: bool) -> None:
    """Remove what inboxbot itself has kept for its whole period. Run daily; repeating it changes nothing.

    The mails themselves stay in the mailbox: they are listed, or moved where the settings name folders.expired.
    """
    from dataclasses import asdict

    from inboxbot.daemon.expired import move_all
    from inboxbot.desk.retention import Plan, left_in_mailboxes, retain

    with context.desk() as desk:
        done = retain(desk, now=now(), dry_run=dry_run, force=force)
        done["moved"] = [asdict(one) for one in move_all(desk)] if not dry_run else []
        if done["moved"]:
            done["left_in_mailbox"] = left_in_mailboxes(desk, Plan())
    if as_json:
        print_json(done)
    else:
        _print(done, context.zone())
    if any(one["why"] for one in done["moved"]):
        raise click.exceptions.Exit(1)


def _print(done: dict[str, Any], zone: ZoneInfo) -> None:
    dry_run = done["dry_run"]
    click.secho("would be removed" if dry_run else "removed", bold=True)
    for key, name in NAMES.items():
        click.echo(f"  {name}: {done['purged'][key]}")
    if done["on_hold"]:
        click.echo(f"due, but on hold: {', '.join(done['on_hold'])}")
    if done["unconfigured"]:
        click.echo(
            f"{done['unconfigured']} ended cases belong to companies that are not in the settings; they are kept"
        )
    if not done["overwritten"]:
        click.echo("the freed space is not overwritten yet: somebody held the database; run this again")
    if done["refit_layer"]:
        click.echo("corrections went too: run `inboxbot learn`, so that the judge forgets them")
    for name in done["copies"]:
        click.echo(f"what is removed still lies in {name}; delete that copy when you no longer need it")
    for one in done["moved"]:
        click.echo(f"{one['mailbox']}: {one['moved']} mails moved to {safe(one['folder'])}")
        if one["why"]:
            click.echo(f"  the others stay where they are: {safe(one['why'])}")
    if done["left_in_mailbox"]:
        click.echo("\npast its period, but still in the mailbox unless somebody removed it there:")
        rows = [
            [one["mailbox"], one["folder"], str(one["uid"]), local_text(one["received_at"], zone), one["to"] or "–"]
            for one in done["left_in_mailbox"]
        ]
        print_table(["mailbox", "folder", "UID", "received", "would move to" if dry_run else "to move to"], rows)
