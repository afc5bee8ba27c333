"""`inboxbot retention`."""

from __future__ import annotations

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import local_text, print_json, print_table

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
    """Remove what inboxbot itself has kept for its whole period. Run daily; repeating it changes nothing."""
    from inboxbot.desk.retention import retain

    with context.desk() as desk:
        done = retain(desk, now=now(), dry_run=dry_run, force=force)
    if as_json:
        print_json(done)
        return
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
    if done["left_in_mailbox"]:
        click.echo("\npast its period, but still in the mailbox unless somebody removed it there:")
        zone = context.zone()
        print_table(
            ["mailbox", "folder", "UID", "received"],
            [
                [one["mailbox"], one["folder"], str(one["uid"]), local_text(one["received_at"], zone)]
                for one in done["left_in_mailbox"]
            ],
        )
