"""The queue of the desk: which cases, most urgent first, in pages by key; flat however many are closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, literal, or_, select, tuple_, union_all

from inboxbot.cases.values import Case
from inboxbot.store.search import FEW, holds
from inboxbot.store.tables import cases, drafts, mailboxes, mails, requests
from inboxbot.store.types import UtcMoment

_TODO, _WAITING, _DONE = ("held", "open"), ("waiting",), ("closed", "dismissed")
VIEWS = {"todo": _TODO, "waiting": _WAITING, "done": _DONE, "all": (*_TODO, *_WAITING, *_DONE)}
FIRST, LAST = dt.datetime(1, 1, 2, tzinfo=dt.UTC), dt.datetime(9999, 12, 30, tzinfo=dt.UTC)
EVENING = dt.time(23)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is shown: a view of `VIEWS`, in these mailboxes (row ids), narrowed by whatever else is given."""

    view: str
    mailbox_ids: tuple[int, ...]
    kind: str | None = None
    assignee: str | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands in the order; the next page begins after it."""

    moment: dt.datetime
    case_id: int


def mailboxes_of(connection: Connection, companies: Sequence[str] | None) -> list[tuple[int, str, str]]:
    """Return (row id, address, company) of every mailbox of these companies (None: all)."""
    query = select(mailboxes.c.id, mailboxes.c.address, mailboxes.c.company).order_by(mailboxes.c.address)
    if companies is not None:
        query = query.where(mailboxes.c.company.in_(companies))
    return [(row.id, row.address, row.company) for row in connection.execute(query)]


def urgent_moment(case: Case) -> dt.datetime:
    """Return the moment a new case is sorted by: the earlier of its promise and the evening of its legal date, in UTC.

    Later the database keeps it (migration 0008).
    """
    moments = [one.due_at for one in case.promises if one.answered_at is None and one.excused is None]
    moments += [
        dt.datetime.combine(one.due_hard, EVENING, dt.UTC)
        for one in case.requests
        if one.due_hard is not None and one.outcome is None
    ]
    return min(moments, default=LAST)


def queue_page(connection: Connection, wanted: Wanted, *, after: Place | None, limit: int) -> list[Place]:
    """Return the next cases in order.

    Live ones: first those whose letter failed, then by what falls due next. ``done`` and ``all``: newest first.
    """
    conditions = _conditions(connection, wanted)
    states = VIEWS[wanted.view]
    if wanted.view in ("done", "all"):
        return _newest(connection, states, conditions, after, limit)
    some = [[cases.c.state == state, *conditions] for state in states]
    if wanted.view == "todo":  # a letter that failed needs a person, although an answer is waited for
        some += [[cases.c.state == state, cases.c.urgent_at == FIRST, *conditions] for state in _WAITING]
    if after is not None:
        behind = tuple_(cases.c.urgent_at, cases.c.id) > tuple_(_moment(after.moment), literal(after.case_id))
        some = [[*one, behind] for one in some]
    columns, order = (cases.c.urgent_at, cases.c.id), (cases.c.urgent_at.asc(), cases.c.id.asc())
    return [Place(row.urgent_at, row.id) for row in _first_of(connection, columns, some, order, limit)]


def _newest(
    connection: Connection,
    states: Sequence[str],
    conditions: list[ColumnElement[bool]],
    after: Place | None,
    limit: int,
) -> list[Place]:
    behind = [cases.c.id < after.case_id] if after is not None else []
    some = [[cases.c.state == state, *conditions, *behind] for state in states]
    return [Place(LAST, row.id) for row in _first_of(connection, (cases.c.id,), some, (cases.c.id.desc(),), limit)]


def _first_of(
    connection: Connection,
    columns: Sequence[Any],
    some: Sequence[list[ColumnElement[bool]]],
    order: Sequence[Any],
    limit: int,
) -> list[Row[Any]]:
    """Return the first rows of each of ``some`` (conditions with one state each, so an index has them in order)."""
    parts = [select(*columns).where(*one).order_by(*order).limit(limit).subquery() for one in some]
    united = union_all(*(select(*part.c) for part in parts)).subquery()
    last = [united.c.id.desc()] if len(columns) == 1 else [united.c.urgent_at, united.c.id]
    return list(connection.execute(select(united).order_by(*last).limit(limit)))


def _moment(moment: dt.datetime) -> Any:
    return literal(moment, UtcMoment)


def place_in_queue(connection: Connection, case_id: int) -> Place | None:
    """Return where a case stands in the queue of what is to be done, or None when it does not stand there."""
    query = select(cases.c.urgent_at).where(cases.c.id == case_id, cases.c.state.in_(_TODO))
    found = connection.execute(query).scalar()
    return Place(found, case_id) if found is not None else None


def _conditions(connection: Connection, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [cases.c.mailbox_id.in_(wanted.mailbox_ids)]
    if wanted.kind:
        found.append(_asks_for(connection, wanted.kind))
    if wanted.assignee:
        found.append(cases.c.assignee == wanted.assignee)
    if wanted.search:
        found += holds(connection, wanted.search)
    return found


def _asks_for(connection: Connection, kind: str) -> ColumnElement[bool]:
    """Return whether a case asks for a kind; a rare kind leads the way to its cases."""
    meant = [requests.c.kind == kind, or_(requests.c.outcome.is_(None), requests.c.outcome != "not_a_request")]
    some = select(requests.c.id).where(requests.c.kind == kind).limit(FEW + 1).subquery()
    if connection.execute(select(func.count()).select_from(some)).scalar_one() <= FEW:
        return cases.c.id.in_(select(requests.c.case_id).where(*meant))
    return exists().where(requests.c.case_id == cases.c.id, *meant)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many cases there are in each state, and in how many live ones an answer is late, or falls due soon."""

    states: dict[str, int]
    late: int
    soon: int


def standing(connection: Connection, mailbox_ids: Sequence[int], *, now: dt.datetime, soon: dt.datetime) -> Standing:
    """Count the cases of some mailboxes: late is due before ``now``, soon between that and ``soon``."""
    due = cases.c.answer_due_at
    query = (
        select(cases.c.state, func.count(), func.count().filter(due < now), func.count().filter(due < soon))
        .where(cases.c.mailbox_id.in_(mailbox_ids))
        .group_by(cases.c.mailbox_id, cases.c.state)
    )
    states: dict[str, int] = {}
    late = before = 0
    for state, number, past, near in connection.execute(query):
        states[state] = states.get(state, 0) + number
        if state not in _DONE:
            late, before = late + past, before + near
    return Standing(states, late, before - late)


def letter_states(connection: Connection, case_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the states of the letters of these cases, oldest first."""
    query = select(drafts.c.case_id, drafts.c.state).where(drafts.c.case_id.in_(case_ids)).order_by(drafts.c.id)
    found: dict[int, list[str]] = {}
    for case_id, state in connection.execute(query):
        found.setdefault(case_id, []).append(state)
    return found


def openings(connection: Connection, case_ids: Sequence[int], length: int) -> dict[int, str]:
    """Return how the newest incoming mail of each of these cases begins."""
    query = (
        select(mails.c.case_id, func.substr(mails.c.text, 1, length).label("text"))
        .where(mails.c.case_id.in_(case_ids), mails.c.direction == "in")
        .order_by(mails.c.received_at, mails.c.id)
    )
    return {row.case_id: row.text for row in connection.execute(query)}
