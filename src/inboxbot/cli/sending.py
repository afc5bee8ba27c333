"""`inboxbot sending`: whether letters may leave, and the persons who stop them and let them go on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from inboxbot.cli.context import Context, now, terminal_actor
from inboxbot.cli.output import local_text, print_json, safe, utc_text

if TYPE_CHECKING:
    from inboxbot.store.stops import Stop

_SHOWN = 20


@click.group()
def sending() -> None:
    """Whether letters may leave: show why not, stop them all, let them go on.

    Sending stops by itself when something smells of a loop or a fault, and after a restored backup.
    """


@sending.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(context: Context, as_json: bool) -> None:
    """Show whether sending is stopped, why and since when, what waits, and earlier stops."""
    from inboxbot.cases.values import DraftState
    from inboxbot.store.drafts import load_drafts
    from inboxbot.store.stops import past_stops, standing_stops

    with context.desk() as desk, desk.store.read() as connection:
        standing, past = standing_stops(connection), past_stops(connection, limit=_SHOWN)
        waiting = len(load_drafts(connection, states=[DraftState.APPROVED]))
        unknown = len(load_drafts(connection, states=[DraftState.UNKNOWN]))
    found: dict[str, Any] = {
        "stopped": bool(standing),
        "stops": [stop_as_json(one) for one in standing],
        "approved": waiting,
        "unknown": unknown,
        "past": [stop_as_json(one) for one in past],
    }
    if as_json:
        print_json(found)
        return
    zone = context.zone()
    if standing:
        click.secho("sending is stopped", bold=True, fg="red")
        for one in found["stops"]:
            click.echo(f"  {safe(stop_text(one, zone))}")
    else:
        click.secho("letters may leave", bold=True, fg="green")
    click.echo(f"{waiting} approved letters wait; of {unknown} nobody knows whether they arrived")
    if standing:
        click.echo("when you have looked into it: inboxbot sending release --by NAME")
    for one in found["past"]:
        until = local_text(dt.datetime.fromisoformat(one["released_at"]), zone)
        click.echo(f"earlier: {safe(stop_text(one, zone))}; released {until} by {safe(one['released_by'])}")


@sending.command("stop")
@click.option("--by", "by", metavar="NAME", help="Who stops it; else the user of this terminal.")
@click.option("--because", "note", default="", metavar="WORDS", help="Why; no personal data.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def stop_command(context: Context, by: str | None, note: str, as_json: bool) -> None:
    """Stop all sending at once: nothing leaves until a person releases it."""
    from inboxbot.desk.gate import stop

    with context.desk() as desk:
        made = stop(desk, actor=terminal_actor(by), now=now(), note=note)
    if as_json:
        print_json(stop_as_json(made))
    else:
        click.echo("sending is stopped; `inboxbot sending release --by NAME` lets it go on")


@sending.command("release")
@click.option("--by", "by", metavar="NAME", required=True, help="Who looked into it and lets letters leave again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def release_command(context: Context, by: str, as_json: bool) -> None:
    """Let letters leave again. Look first: `inboxbot sending show`, and letters that are `unknown`."""
    from inboxbot.desk.gate import release

    with context.desk() as desk:
        done = release(desk, actor=terminal_actor(by), now=now())
    if as_json:
        print_json({"released": [one.id for one in done]})
    else:
        click.echo(f"released by {safe(by)}: letters may leave again")


def stop_as_json(one: Stop) -> dict[str, Any]:
    """Return a stop as JSON; ``words`` say for people what ``why`` means."""
    from inboxbot.cli.reasons import in_words

    return {
        "id": one.id,
        "at": utc_text(one.at),
        "why": one.why,
        "words": in_words(one.why),
        "note": one.note,
        "by": one.actor,
        "door": one.door,
        "detail": one.detail,
        "released_at": utc_text(one.released_at),
        "released_by": one.released_by,
    }


def stop_text(one: dict[str, Any], zone: ZoneInfo) -> str:
    """Return a stop on one line: since when, why, and who."""
    since = local_text(dt.datetime.fromisoformat(one["at"]), zone)
    note = f" “{one['note']}”" if one["note"] else ""
    who = f" ({one['by']}, {one['door']})" if one["door"] != "daemon" else ""
    return f"since {since}: {one['words']}{note}{who}"
