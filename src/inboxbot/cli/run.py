"""`inboxbot once` and `inboxbot run`."""

from __future__ import annotations

import click

from inboxbot.cli.context import Context
from inboxbot.cli.output import print_json, safe


@click.command()
@click.option(
    "--accept-new-mails",
    "accept_new",
    metavar="ADDRESS",
    help="Take all mails of this mailbox that look new after its server numbered them anew.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def once(context: Context, accept_new: str | None, as_json: bool) -> None:
    """Do each job once: take mail, notice what staff sent, send what is approved. For cron.

    Once a day it also does what the daemon does daily: retention and the audit. SIGTERM and Ctrl-C end it after the
    piece of work in hand, with exit code 0; the next run does the rest.

    Exit code 1 when a mailbox or a server could not be served, or the audit found a broken promise; what could be done
    was done.
    """
    from inboxbot.daemon.daily import do_daily
    from inboxbot.daemon.ending import Ending
    from inboxbot.daemon.hygiene import begin_tidily
    from inboxbot.daemon.once import run_once
    from inboxbot.errors import UsageError
    from inboxbot.wiring import open_house, utc_now

    settings = context.settings()
    address = accept_new.lower() if accept_new else None
    if address is not None and address not in [mailbox.address for _, mailbox in settings.mailboxes()]:
        raise UsageError(f"no mailbox {accept_new} in the settings", cure="name one of company.mailbox.address")
    begin_tidily(settings)
    ending = Ending()
    with ending.heard(), open_house(settings) as house, ending.leaving(house.pool.close):
        tally = run_once(
            house.desk,
            house.pool,
            house.journal,
            now=utc_now,
            progress=lambda line: click.echo(line, err=True) if not as_json else None,
            accept_new=address,
            right=house.right,
            ending=ending,
        )
        if not ending.told:
            tally.add(do_daily(house.desk, now=utc_now))
    if as_json:
        print_json(tally.as_json())
    else:
        click.echo(
            f"taken {tally.taken}: {tally.cases_opened} new cases, {tally.followups} follow-ups, {tally.held} held, "
            f"{tally.ordinary} ordinary, {tally.ignored} ignored · {tally.drafts} letters drafted · "
            f"{tally.sent} sent · {tally.noticed} answers noticed"
        )
        for error in tally.errors:
            cure = f" ({error['cure']})" if error.get("cure") else ""
            click.echo(safe(f"{error['where']}: {error['what']}{cure}"), err=True)
        if ending.told:
            click.echo("told to end: the next run does the rest", err=True)
    if tally.errors:
        raise click.exceptions.Exit(1)


@click.command()
@click.pass_obj
def run(context: Context) -> None:
    """Watch the mailboxes, draft within seconds of a new mail, and send what is approved, until SIGTERM or Ctrl-C.

    With a [web] table in the settings it serves the desk in a browser as well.
    """
    from inboxbot.daemon.hygiene import begin_tidily
    from inboxbot.daemon.service import Service
    from inboxbot.wiring import open_house, utc_now, web_desk

    settings = context.settings()
    begin_tidily(settings)
    # Longer than the ten seconds in which one that was told to stop ends.
    with open_house(settings, lock_wait_s=12.0) as house, web_desk(house.desk):
        Service(house.desk, house.pool, house.journal, now=utc_now, right=house.right).run()
