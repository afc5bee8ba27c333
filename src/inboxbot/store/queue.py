"""The queue of the desk: which cases, most urgent first, in pages by key; flat however many are closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from inboxbot.cases.values import DraftState
from inboxbot.store.tables import cases, drafts, mailboxes, mails, promises, requests

_TODO, _WAITING, _DONE = ("held", "open"), ("waiting",), ("closed", "dismissed")
VIEWS = {"todo": _TODO, "waiting": _WAITING, "done": _DONE, "all": (*_TODO, *_WAITING, *_DONE)}
_TROUBLE = (DraftState.FAILED.value, DraftState.UNKNOWN.value)
_MOST_TROUBLE = 500
FIRST, LAST = dt.datetime(1, 1, 2, tzinfo=dt.UTC), dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


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


def queue_page(connection: Connection, wanted: Wanted, *, after: Place | None, limit: int) -> list[Place]:
    """Return the next cases in order.

    Live ones: first those whose letter failed, then by what falls due next. ``done`` and ``all``: newest first.
    """
    if wanted.view in ("done", "all"):
        query = select(cases.c.id).where(*_conditions(connection, wanted, [])).order_by(cases.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(cases.c.id < after.case_id)
        return [Place(LAST, row.id) for row in connection.execute(query)]
    return _live_page(connection, wanted, after, limit)


def _live_page(connection: Connection, wanted: Wanted, after: Place | None, limit: int) -> list[Place]:
    answer = (
        select(promises.c.case_id, func.min(promises.c.due_at).label("due"))
        .where(promises.c.answered_at.is_(None), promises.c.excused.is_(None))
        .group_by(promises.c.case_id)
        .subquery()
    )
    law = (
        select(requests.c.case_id, func.min(requests.c.due_hard).label("due"))
        .where(requests.c.outcome.is_(None), requests.c.due_hard.is_not(None))
        .group_by(requests.c.case_id)
        .subquery()
    )
    troubled = _in_trouble(connection)
    order = _order(connection, answer.c.due, law.c.due, troubled).label("moment")
    query: Select[Any] = (
        select(cases.c.id, order)
        .outerjoin(answer, answer.c.case_id == cases.c.id)
        .outerjoin(law, law.c.case_id == cases.c.id)
        .where(*_conditions(connection, wanted, troubled))
        .order_by(order, cases.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(order, cases.c.id) > tuple_(_bound(connection, after.moment), after.case_id))
    return [Place(_moment(row.moment), row.id) for row in connection.execute(query)]


def _order(connection: Connection, due: Any, law: Any, troubled: Sequence[int]) -> ColumnElement[Any]:
    """Return the moment a case is sorted by: the earlier of its promise and the evening of its legal date, in UTC."""
    if connection.dialect.name == "postgresql":
        evening = cast(cast(law, String) + " 23:00+00", DateTime(timezone=True))
        moment: ColumnElement[Any] = func.coalesce(func.least(due, evening), literal(LAST))
    else:
        last = _text(LAST)
        as_text = func.coalesce(cast(due, String), last)
        moment = func.min(as_text, func.coalesce(cast(law, String) + " 23:00:00.000000", last))
    if not troubled:
        return moment
    return case((cases.c.id.in_(troubled), _bound(connection, FIRST)), else_=moment)


def _in_trouble(connection: Connection) -> list[int]:
    """Return the cases with a letter that failed or may have failed: a handful, each state found by the index."""
    query = union_all(*(select(drafts.c.case_id).where(drafts.c.state == state) for state in _TROUBLE))
    return list(connection.execute(query.limit(_MOST_TROUBLE)).scalars())


def _bound(connection: Connection, moment: dt.datetime) -> Any:
    return moment if connection.dialect.name == "postgresql" else _text(moment)


def _text(moment: dt.datetime) -> str:
    utc = moment.astimezone(dt.UTC)
    return f"{utc.year:04}-{utc.month:02}-{utc.day:02} {utc:%H:%M:%S.%f}"


def _moment(value: Any) -> dt.datetime:
    found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _conditions(connection: Connection, wanted: Wanted, troubled: Sequence[int]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [cases.c.mailbox_id.in_(wanted.mailbox_ids)]
    if wanted.view == "todo" and troubled:
        found.append(or_(cases.c.state.in_(_TODO), and_(cases.c.state.in_(_WAITING), cases.c.id.in_(troubled))))
    elif wanted.view != "all":
        found.append(cases.c.state.in_(VIEWS[wanted.view]))
    if wanted.kind:
        asked = exists().where(
            requests.c.case_id == cases.c.id,
            requests.c.kind == wanted.kind,
            or_(requests.c.outcome.is_(None), requests.c.outcome != "not_a_request"),
        )
        found.append(asked)
    if wanted.assignee:
        found.append(cases.c.assignee == wanted.assignee)
    if wanted.search:
        found.append(_holds(connection, wanted.search))
    return found


def _holds(connection: Connection, words: str) -> ColumnElement[bool]:
    """Return whether the words stand in the reference, the requester, their name or the subject."""
    columns = (cases.c.reference, cases.c.requester, cases.c.requester_name, cases.c.subject)
    plain = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if connection.dialect.name == "postgresql" or plain.isascii():
        return or_(*(column.ilike(f"%{plain}%", escape="\\") for column in columns))
    # SQLite knows upper and lower case of ASCII letters only.
    forms = dict.fromkeys((plain, plain.lower(), plain.upper(), plain.title()))
    return or_(*(column.like(f"%{form}%", escape="\\") for column in columns for form in forms))


def counts(connection: Connection, mailbox_ids: Sequence[int]) -> dict[str, int]:
    """Return how many cases there are in each state."""
    query = (
        select(cases.c.state, func.count())
        .where(cases.c.mailbox_id.in_(mailbox_ids))
        .group_by(cases.c.mailbox_id, cases.c.state)
    )
    found: dict[str, int] = {}
    for state, number in connection.execute(query):
        found[state] = found.get(state, 0) + number
    return found


def promises_due(connection: Connection, mailbox_ids: Sequence[int], before: dt.datetime) -> int:
    """Return how many live cases have a mail that waits for an answer due before a moment."""
    query = (
        select(func.count(func.distinct(promises.c.case_id)))
        .join(cases, cases.c.id == promises.c.case_id)
        .where(
            promises.c.answered_at.is_(None),
            promises.c.excused.is_(None),
            promises.c.due_at < before,
            cases.c.mailbox_id.in_(mailbox_ids),
            cases.c.state.in_((*_TODO, *_WAITING)),
        )
    )
    return int(connection.execute(query).scalar_one())


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
