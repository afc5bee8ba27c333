"""Events, who is told of them, and the mails to staff that tell of many at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from inboxbot.cases.alarms import About, Channel, DeliveryState, EventKind
from inboxbot.cases.values import CaseState, Outcome, Promise
from inboxbot.store.cases import chunks
from inboxbot.store.tables import (
    blind_windows,
    cases,
    deliveries,
    events,
    mailboxes,
    promises,
    requests,
)

_NO_DATE = (Outcome.NOT_A_REQUEST.value, Outcome.WITHDRAWN.value)
_WAITING = DeliveryState.WAITING.value


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told: a webhook of a company by its name, or an address of its staff as a keyed digest."""

    channel: Channel
    company: str
    target: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. The same (about, about_id, mark, step, kind) happens once."""

    kind: EventKind
    about: About
    about_id: int
    at: dt.datetime
    mark: str = ""
    step: int = 0
    due_on: dt.date | None = None
    case_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    listeners: tuple[Listener, ...] = ()


def raise_once(connection: Connection, event: Event) -> bool:
    """Write an event with its deliveries; False when it was raised before. Call it in a write transaction."""
    if was_raised(connection, event):
        return False
    save_events(connection, [event])
    return True


def was_raised(connection: Connection, event: Event) -> bool:
    """Return whether this very event was written before."""
    known = select(events.c.id).where(
        events.c.about == event.about.value,
        events.c.about_id == event.about_id,
        events.c.mark == event.mark,
        events.c.step == event.step,
        events.c.kind == event.kind.value,
    )
    return connection.execute(known).first() is not None


def save_events(connection: Connection, new: Sequence[Event]) -> None:
    """Write events that cannot have been raised before, with their deliveries, all due at once."""
    if not new:
        return
    rows = [
        {
            "kind": one.kind.value,
            "about": one.about.value,
            "about_id": one.about_id,
            "mark": one.mark,
            "step": one.step,
            "due_on": one.due_on,
            "case_id": one.case_id,
            "at": one.at,
            "detail": one.detail,
        }
        for one in new
    ]
    made = connection.execute(insert(events).returning(events.c.id, sort_by_parameter_order=True), rows)
    told = [
        {
            "event_id": row.id,
            "channel": who.channel.value,
            "company": who.company,
            "target": who.target,
            "state": _WAITING,
            "attempts": 0,
            "next_try_at": one.at,
            "result": "",
        }
        for row, one in zip(made.all(), new, strict=True)
        for who in one.listeners
    ]
    if told:
        connection.execute(insert(deliveries), told)


# --- what the clocks say ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DuePromise:
    """A promise that comes near its end; ``raised`` is the most urgent step that was raised, None when none was."""

    id: int
    case_id: int
    mailbox: str
    promise: Promise
    raised: int | None


@dataclass(frozen=True, slots=True)
class DueRequest:
    """A request that comes near its legal date, read as `DuePromise`; what was raised for another date is left out."""

    id: int
    case_id: int
    mailbox: str
    received_at: dt.datetime
    due_hard: dt.date
    raised: int | None


def _raised(about: About, row_id: Any) -> Select[Any]:
    return select(func.min(events.c.step)).where(events.c.about == about.value, events.c.about_id == row_id)


def due_promises(connection: Connection, *, until: dt.datetime, ids: Sequence[int] | None = None) -> list[DuePromise]:
    """Return unanswered promises (of ``ids``, or all) due by ``until``, but those that were raised as overdue."""
    raised = _raised(About.PROMISE, promises.c.id).scalar_subquery()
    query = (
        select(promises, mailboxes.c.address, raised.label("raised"))
        .join(cases, cases.c.id == promises.c.case_id)
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .where(
            promises.c.answered_at.is_(None),
            promises.c.excused.is_(None),
            promises.c.due_at <= until,
            func.coalesce(raised, 1) > 0,
        )
        .order_by(promises.c.id)
    )
    return [
        DuePromise(row.id, row.case_id, row.address, Promise(row.received_at, row.due_at), row.raised)
        for row in _chosen(connection, query, promises.c.id, ids)
    ]


def due_requests(connection: Connection, *, until: dt.date, ids: Sequence[int] | None = None) -> list[DueRequest]:
    """Return requests without a told outcome (of ``ids``, or all) due by ``until``, but those raised as overdue."""
    raised = _raised(About.REQUEST, requests.c.id).where(events.c.due_on == requests.c.due_hard).scalar_subquery()
    query = (
        select(requests, mailboxes.c.address, raised.label("raised"))
        .join(cases, cases.c.id == requests.c.case_id)
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .where(
            requests.c.due_hard <= until,
            requests.c.told_at.is_(None),
            requests.c.outcome.is_(None) | requests.c.outcome.not_in(_NO_DATE),
            cases.c.state != CaseState.DISMISSED.value,
            func.coalesce(raised, 1) > 0,
        )
        .order_by(requests.c.id)
    )
    return [
        DueRequest(row.id, row.case_id, row.address, row.received_at, row.due_hard, row.raised)
        for row in _chosen(connection, query, requests.c.id, ids)
    ]


def _chosen(connection: Connection, query: Select[Any], column: Any, ids: Sequence[int] | None) -> list[Row[Any]]:
    if ids is None:
        return list(connection.execute(query))
    return [row for chunk in chunks(ids) for row in connection.execute(query.where(column.in_(chunk)))]


# --- what is seen of the installation ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a mailbox was not read for longer than it promises an answer, and is read again."""

    id: int
    mailbox_id: int
    mailbox: str
    since: dt.datetime
    until: dt.datetime


def blind_since(connection: Connection, moment: dt.datetime) -> list[Window]:
    """Return the blind windows that ended after ``moment``."""
    query = (
        select(blind_windows, mailboxes.c.address)
        .join(mailboxes, mailboxes.c.id == blind_windows.c.mailbox_id)
        .where(blind_windows.c.until > moment)
        .order_by(blind_windows.c.id)
    )
    return [Window(row.id, row.mailbox_id, row.address, row.since, row.until) for row in connection.execute(query)]


def served_rows(connection: Connection) -> list[tuple[int, str, dt.datetime]]:
    """Return (id, address, moment) of every mailbox that was looked through to the end, and when it was last."""
    query = select(mailboxes.c.id, mailboxes.c.address, mailboxes.c.served_at).where(mailboxes.c.served_at.is_not(None))
    return [(row.id, row.address, row.served_at) for row in connection.execute(query)]
