"""How things stand: what runs, what was missed, when each mailbox was last looked through. For `status` and `check`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from inboxbot.cases.values import CaseState, LedgerState, Outcome
from inboxbot.sorting.kinds import Kind
from inboxbot.store.tables import cases, history, ledger, mailboxes, promises, requests

_NO_DATE = (Outcome.NOT_A_REQUEST.value, Outcome.WITHDRAWN.value)


@dataclass(frozen=True, slots=True)
class OpenPromise:
    """A mail that somebody still waits to be answered."""

    reference: str
    mailbox: str
    received_at: dt.datetime
    due_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OpenDate:
    """A request whose outcome the person was not told yet, with its legal date."""

    reference: str
    mailbox: str
    kind: Kind
    received_at: dt.datetime
    due_hard: dt.date


def open_promises(connection: Connection) -> list[OpenPromise]:
    """Return every promise that runs or is overdue, the earliest first."""
    query = (
        select(cases.c.reference, mailboxes.c.address, promises.c.received_at, promises.c.due_at)
        .join(cases, cases.c.id == promises.c.case_id)
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .where(promises.c.answered_at.is_(None), promises.c.excused.is_(None))
        .order_by(promises.c.due_at, promises.c.id)
    )
    return [OpenPromise(*row) for row in connection.execute(query)]


def open_dates(connection: Connection) -> list[OpenDate]:
    """Return every request with a legal date whose outcome was not told, earliest first; none of dismissed cases."""
    query = (
        select(cases.c.reference, mailboxes.c.address, requests.c.kind, requests.c.received_at, requests.c.due_hard)
        .join(cases, cases.c.id == requests.c.case_id)
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .where(
            requests.c.due_hard.is_not(None),
            requests.c.told_at.is_(None),
            requests.c.outcome.is_(None) | requests.c.outcome.not_in(_NO_DATE),
            cases.c.state != CaseState.DISMISSED.value,
        )
        .order_by(requests.c.due_hard, requests.c.id)
    )
    return [
        OpenDate(row.reference, row.address, Kind(row.kind), row.received_at, row.due_hard)
        for row in connection.execute(query)
    ]


def served_moments(connection: Connection) -> dict[str, dt.datetime | None]:
    """Return, by mailbox address, when all its folders were last looked through to the end; None when never."""
    query = select(mailboxes.c.address, mailboxes.c.served_at)
    return {row.address: row.served_at for row in connection.execute(query)}


def count_ledger(connection: Connection) -> dict[str, int]:
    """Return how many messages of all time have each state, the baseline among them."""
    query = select(ledger.c.state, func.count()).group_by(ledger.c.state)
    counted = {str(state): int(count) for state, count in connection.execute(query)}
    return {state.value: counted.get(state.value, 0) for state in LedgerState}


def newest_moment(connection: Connection) -> dt.datetime | None:
    """Return the newest moment that this program wrote down itself (a fetch or an event), None when there is none."""
    fetched = connection.execute(select(ledger.c.fetched_at).order_by(ledger.c.fetched_at.desc()).limit(1)).scalar()
    event = connection.execute(select(history.c.at).order_by(history.c.id.desc()).limit(1)).scalar()
    return max((moment for moment in (fetched, event) if moment is not None), default=None)
