"""`inboxbot deadline`: the legal date of a request, with every step that led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from inboxbot.cli.context import DEFAULT_ZONE, Context

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def context_zone(ctx: click.Context) -> ZoneInfo:
    """Return the company's zone from the settings, or Europe/Stockholm when there are none."""
    from zoneinfo import ZoneInfo

    return ctx.obj.zone() if isinstance(ctx.obj, Context) else ZoneInfo(DEFAULT_ZONE)


@click.command("deadline")
@click.argument("moments", metavar="MOMENT...", nargs=-1, required=True)
@click.option("--extended", is_flag=True, help="Three months from receipt, after a notice inside month one.")
@click.option("--language", type=click.Choice(["en", "sv"]), default="en", help="Of the explanation.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document; an array for several moments.")
@click.pass_context
def deadline(ctx: click.Context, *, moments: tuple[str, ...], extended: bool, language: str, as_json: bool) -> None:
    """Show the last day to answer a request received at MOMENT, and why.

    MOMENT is ISO 8601, such as 2026-03-05T09:00; without an offset it is in the company's zone.
    """
    from inboxbot.cases.legal_date import explain, legal_date
    from inboxbot.cli.moments import parse_moment
    from inboxbot.cli.output import print_json, utc_text

    zone = context_zone(ctx)
    dates = [legal_date(parse_moment(text, zone), zone, extended=extended) for text in moments]
    if not as_json:
        for legal in dates:
            click.echo(f"{legal.due_on.isoformat()}  {explain(legal, language)}")
        return
    documents = [
        {
            "received_at": utc_text(legal.received_at),
            "received_on": legal.received_on.isoformat(),
            "unrolled": legal.unrolled.isoformat(),
            "due_on": legal.due_on.isoformat(),
            "due_at": utc_text(legal.due_at),
            "rolled_because": list(legal.rolled_because),
            "explanation": explain(legal, language),
        }
        for legal in dates
    ]
    print_json(documents if len(documents) > 1 else documents[0])
