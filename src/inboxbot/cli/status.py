"""`inboxbot status`: what waits for a person, what falls due, and whether every mailbox is served."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import local_text, print_json, safe, utc_text
from inboxbot.cli.sending import stop_as_json, stop_text
from inboxbot.cli.status_events import events_line, events_standing, untold_lines

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from inboxbot.desk.context import Desk
    from inboxbot.store.drafts import Draft
    from inboxbot.store.standing import OpenDate

_SHOWN = 10
_BLIND_SHOWN = dt.timedelta(days=30)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(context: Context, as_json: bool) -> None:
    """Show what waits for a person, what falls due, and when each mailbox was last served.

    Exit code 1 when a promise is broken: an answer is overdue, a legal date has passed, a mailbox was not read for
    longer than it promises an answer, the last audit found something, or sending is
    stopped.
    """
    moment = now()
    with context.desk() as desk, desk.store.read() as connection:
        standing = _standing(desk, connection, moment)
    if as_json:
        print_json(standing)
    else:
        _print(standing, context.zone())
    if standing["broken"]:
        raise click.exceptions.Exit(1)


def _standing(desk: Desk, connection: Connection, moment: dt.datetime) -> dict[str, Any]:
    from inboxbot.cases.values import CaseState
    from inboxbot.store.cases import load_cases
    from inboxbot.store.standing import count_ledger, open_dates, open_promises, served_moments
    from inboxbot.store.stops import standing_stops

    waiting = open_promises(connection)
    overdue = [one for one in waiting if one.due_at < moment]
    ahead = [one for one in waiting if one.due_at >= moment]
    dates = [_date(desk, one, moment) for one in open_dates(connection)]
    missed = [one for one in dates if one["light"] == "passed"]
    served = served_moments(connection)
    held = load_cases(connection, states=[CaseState.HELD])
    watch = _watch(connection, moment)
    stops = standing_stops(connection)
    mailboxes = [
        {
            "address": mailbox.address,
            "served_at": utc_text(served.get(mailbox.address)),
            "blind": _is_blind(served.get(mailbox.address), mailbox.promise_hours, moment),
        }
        for _, mailbox in desk.settings.mailboxes()
    ]
    return {
        "at": utc_text(moment),
        "broken": bool(overdue or missed or stops or any(one["blind"] for one in mailboxes) or _findings(watch)),
        "sending": {"stopped": bool(stops), "stops": [stop_as_json(one) for one in stops]},
        "held": [{"case": case.reference, "reason": case.held_reason} for case in held],
        "promises": {
            "running": len(ahead),
            "overdue": [{"case": one.reference, "due_at": utc_text(one.due_at)} for one in overdue],
            "next_due_at": utc_text(ahead[0].due_at) if ahead else None,
            "next_case": ahead[0].reference if ahead else None,
        },
        "legal": {
            "running": len(dates) - len(missed),
            "near": [one for one in dates if one["light"] in {"yellow", "red"}],
            "missed": missed,
        },
        "letters": _letters(connection),
        "events": events_standing(desk, connection),
        "mailboxes": mailboxes,
        **watch,
        "ledger": count_ledger(connection),
    }


def _watch(connection: Connection, moment: dt.datetime) -> dict[str, Any]:
    """Return the last month's windows in which a mailbox was not read, and what the newest audit found."""
    from inboxbot.store.audits import blind_between, last_audit

    audited = last_audit(connection)
    blind = blind_between(connection, moment - _BLIND_SHOWN, moment + dt.timedelta(days=1))
    return {
        "blind_windows": [
            {"mailbox": one.mailbox, "since": utc_text(one.since), "until": utc_text(one.until)} for one in blind
        ],
        "audit": {"at": utc_text(audited.at), "findings": audited.findings, "errors": audited.errors}
        if audited
        else None,
    }


def _findings(standing: dict[str, Any]) -> list[dict[str, str]]:
    return standing["audit"]["findings"] if standing["audit"] else []


def _is_blind(served_at: dt.datetime | None, promise_hours: int | None, moment: dt.datetime) -> bool:
    """Whether a mailbox was not read for longer than it promises an answer: what came since is late already (P7)."""
    if served_at is None or promise_hours is None:
        return False
    return moment - served_at > dt.timedelta(hours=promise_hours)


def _date(desk: Desk, one: OpenDate, moment: dt.datetime) -> dict[str, str]:
    from inboxbot.cases.promise import legal_light

    place = desk.find_mailbox(one.mailbox)
    zone = place[0].zone if place else ZoneInfo("UTC")
    light = legal_light(one.received_at, zone, moment, one.due_hard)
    return {"case": one.reference, "kind": one.kind.value, "due_hard": one.due_hard.isoformat(), "light": light}


def _letters(connection: Connection) -> dict[str, Any]:
    from inboxbot.cases.values import DraftState
    from inboxbot.store.drafts import load_drafts

    shown = (DraftState.PROPOSED, DraftState.APPROVED, DraftState.TRANSMITTING, DraftState.FAILED, DraftState.UNKNOWN)
    found = load_drafts(connection, states=shown)
    counts = Counter(one.state for one in found)
    return {
        **{state.value: counts[state] for state in shown},
        "waiting": [_waiting(one) for one in found if one.state is DraftState.APPROVED and one.waits_because],
        "to_settle": [
            {"id": one.id, "case": one.reference, "state": one.state.value}
            for one in found
            if one.state in (DraftState.FAILED, DraftState.UNKNOWN)
        ],
    }


def _waiting(one: Draft) -> dict[str, Any]:
    return {"id": one.id, "case": one.reference, "why": one.waits_because, "next_try_at": utc_text(one.next_try_at)}


# --- for people ---------------------------------------------------------------------------------------------------


def _print(standing: dict[str, Any], zone: ZoneInfo) -> None:
    from inboxbot.cli.reasons import in_words

    def when(moment: str | None) -> str:
        return local_text(dt.datetime.fromisoformat(moment), zone) if moment else "never"

    promises, legal, letters = standing["promises"], standing["legal"], standing["letters"]
    _heading(
        "Sending is stopped: nothing leaves until `inboxbot sending release`",
        [stop_text(one, zone) for one in standing["sending"]["stops"]],
        colour="red",
    )
    _heading(
        "Broken",
        [f"{one['case']}: the answer was due {when(one['due_at'])}" for one in promises["overdue"]]
        + [f"{one['case']}: the legal date of {one['kind']} was {one['due_hard']}" for one in legal["missed"]]
        + [
            f"{one['address']}: not read since {when(one['served_at'])}, longer than it promises an answer"
            for one in standing["mailboxes"]
            if one["blind"]
        ]
        + [f"{one['promise']} {one['where']}: {one['what']} (inboxbot audit)" for one in _findings(standing)],
        colour="red",
    )
    _heading(
        "Past times without a look into a mailbox, longer than it promises an answer",
        [f"{one['mailbox']}: {when(one['since'])} to {when(one['until'])}" for one in standing["blind_windows"]],
        colour="yellow",
    )
    _heading("Held for a person", [f"{one['case']}: {in_words(one['reason'] or '')}" for one in standing["held"]])
    _heading(
        "Legal dates near",
        [f"{one['case']}: {one['kind']} by {one['due_hard']}" for one in legal["near"]],
        colour="yellow",
    )
    _heading(
        "Letters that wait, or that a person must settle",
        [
            f"letter {one['id']} of {one['case']}: {in_words(one['why'])}, tried again {when(one['next_try_at'])}"
            for one in letters["waiting"]
        ]
        + [f"letter {one['id']} of {one['case']}: {one['state']}" for one in letters["to_settle"]],
    )
    next_due = f", the next by {when(promises['next_due_at'])} ({promises['next_case']})" if promises["running"] else ""
    _heading("Alarms and webhooks that did not arrive", untold_lines(standing["events"], when), colour="yellow")
    click.echo(f"promises   {promises['running']} running{next_due}; {len(promises['overdue'])} overdue")
    click.echo(f"legal      {legal['running']} dates running, {len(legal['near'])} near, {len(legal['missed'])} missed")
    click.echo(
        f"letters    {letters['proposed']} to approve, {letters['approved']} approved, {letters['failed']} failed, "
        f"{letters['unknown']} unknown"
    )
    click.echo(events_line(standing["events"], when))
    counts = standing["ledger"]
    click.echo("ledger     " + ", ".join(f"{count} {state}" for state, count in counts.items()))
    for one in standing["mailboxes"]:
        click.echo(f"mailbox    {one['address']}: last served {when(one['served_at'])}")
    audited = standing["audit"]
    if audited:
        unseen = "".join(f"; {one['mailbox']} could not be looked at" for one in audited["errors"])
        click.echo(safe(f"audit      {when(audited['at'])}: {len(audited['findings'])} promises broken{unseen}"))


def _heading(title: str, lines: list[str], *, colour: str | None = None) -> None:
    if not lines:
        return
    click.secho(f"{title} ({len(lines)})", bold=True, fg=colour)
    for line in lines[:_SHOWN]:
        click.echo(f"  {safe(line)}")
    if len(lines) > _SHOWN:
        click.echo(f"  … and {len(lines) - _SHOWN} more (--json shows all)")
    click.echo()
