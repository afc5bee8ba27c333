"""Raising events: in the transaction of what they tell, or when a clock says so; each once (promises.md P4, P5).

A raised event is a row with one delivery for each webhook and address of the settings; the outbox carries them out.
What is told holds codes, moments, the case number and the mailbox: no name, no address of a requester, no words.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from inboxbot.cases.alarms import ALARMS, About, Channel, EventKind
from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import Case, CaseState
from inboxbot.config.model import CompanySettings
from inboxbot.desk.context import Desk
from inboxbot.store.cases import load_case
from inboxbot.store.events import Event, Listener, raise_once
from inboxbot.store.stops import Stop


def address_mark(desk: Desk, address: str) -> str:
    """Return the keyed digest under which an address of staff is kept with what it was told."""
    return hmac.new(desk.secret, b"inboxbot alarm " + address.encode(), hashlib.sha256).hexdigest()[:32]


def listeners_of(desk: Desk, companies: Iterable[CompanySettings], kind: EventKind) -> tuple[Listener, ...]:
    """Return who is told of an event of these companies, nobody twice by mail."""
    found: list[Listener] = []
    mailed: set[str] = set()
    for company in companies:
        found += [
            Listener(Channel.WEBHOOK, company.name, one.name) for one in company.webhooks if kind.value in one.events
        ]
        for address in company.alarm_addresses if kind in ALARMS else ():
            if address not in mailed:
                mailed.add(address)
                found.append(Listener(Channel.MAIL, company.name, address_mark(desk, address)))
    return tuple(found)


def desk_address(desk: Desk, reference: str = "") -> str | None:
    """Return where staff find a case in the browser, None without a desk there."""
    web = desk.settings.web
    if web is None:
        return None
    base = web.base_url or (f"http://{web.listen}:{web.port}" if web.port else None)
    return f"{base}/cases/{reference}" if base and reference else base


def what_is_told(desk: Desk, case: Case, *, now: dt.datetime, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what a webhook is told of a case as it stands."""
    status, promise = promise_status(case.promises, now)
    dates = [one.due_hard for one in case.requests if one.due_hard is not None and one.outcome is None]
    return {
        "case": case.reference,
        "company": case.company,
        "mailbox": case.mailbox,
        "state": case.state.value,
        "kinds": [one.kind.value for one in case.requests],
        "opened_at": moment_text(case.opened_at),
        "promise": {
            "status": status.value,
            "due_at": moment_text(promise.due_at) if promise else None,
            "first_answer_at": moment_text(promise.answered_at) if promise and promise.answered_at else None,
        },
        "legal_due_on": min(dates).isoformat() if dates else None,
        "url": desk_address(desk, case.reference),
        **(more or {}),
    }


def moment_text(moment: dt.datetime) -> str:
    """Return a moment as JSON has it."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def events_of_opening(desk: Desk, company: CompanySettings, case: Case, *, now: dt.datetime) -> list[Event]:
    """Return what is to be raised with a new case: that it was opened, or that it is held for a person."""
    kind = EventKind.HELD if case.state is CaseState.HELD else EventKind.OPENED
    told = listeners_of(desk, [company], kind)
    if not told:  # its history says the same
        return []
    return [_about_case(desk, case, kind, told, now=now)]


def raise_held(connection: Connection, desk: Desk, case: Case, *, now: dt.datetime) -> None:
    """Raise that a case is held for a person again."""
    place = desk.find_mailbox(case.mailbox)
    told = listeners_of(desk, [place[0]], EventKind.HELD) if place else ()
    if told:
        raise_once(connection, _about_case(desk, case, EventKind.HELD, told, now=now))


def _about_case(desk: Desk, case: Case, kind: EventKind, told: tuple[Listener, ...], *, now: dt.datetime) -> Event:
    # A case is opened once, and may be held again and again: the moment tells one time from the other.
    mark = moment_text(now) if kind is EventKind.HELD else ""
    more = {"reason": case.held_reason} if kind is EventKind.HELD else {}
    detail = what_is_told(desk, case, now=now, more=more)
    return Event(kind, About.CASE, case.id, now, mark=mark, case_id=case.id, detail=detail, listeners=told)


def raise_sent(
    connection: Connection,
    desk: Desk,
    case_id: int,
    about: About,
    about_id: int,
    *,
    door: str,
    now: dt.datetime,
    mark: str = "",
) -> None:
    """Raise that a letter of a case went out, or (``about`` the case) an answer that staff wrote themselves."""
    if not listeners_of(desk, desk.settings.company, EventKind.SENT):
        return
    case = load_case(connection, case_id)
    place = desk.find_mailbox(case.mailbox)
    told = listeners_of(desk, [place[0]], EventKind.SENT) if place else ()
    if not told:
        return
    detail = what_is_told(desk, case, now=now, more={"door": door})
    event = Event(EventKind.SENT, about, about_id, now, mark=mark, case_id=case.id, detail=detail, listeners=told)
    raise_once(connection, event)


def event_of_stop(desk: Desk, stop: Stop, *, now: dt.datetime) -> Event:
    """Return that sending stands still, for everybody who listens to any company."""
    kind = EventKind.SENDING_STOPPED
    detail = {"reason": stop.why, "since": moment_text(stop.at)}
    told = listeners_of(desk, desk.settings.company, kind)
    return Event(kind, About.INSTALLATION, stop.id, now, detail=detail, listeners=told)
