"""The facts that the report is made of, read for one period."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, select

from inboxbot.cases.values import LedgerState, Outcome, Promise
from inboxbot.reports.figures import BlindFact, LegalFact, PromiseFact
from inboxbot.sorting.kinds import Kind
from inboxbot.store.audits import blind_between
from inboxbot.store.cases import chunks
from inboxbot.store.tables import cases, folders, ledger, mailboxes, mails, promises, requests

_ANSWERABLE = (LedgerState.CASE, LedgerState.FOLLOWUP, LedgerState.HELD, LedgerState.ORDINARY)


def promise_facts(connection: Connection, start: dt.datetime, end: dt.datetime) -> list[PromiseFact]:
    """Return every promise of a mail received in [start, end)."""
    query = (
        select(promises, mailboxes.c.address)
        .join(cases, cases.c.id == promises.c.case_id)
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .where(promises.c.received_at >= start, promises.c.received_at < end)
    )
    rows = list(connection.execute(query))
    kinds = _kinds_by_case(connection, sorted({row.case_id for row in rows}))
    return [
        PromiseFact(
            Promise(row.received_at, row.due_at, answered_at=row.answered_at, excused=row.excused),
            row.address,
            kinds.get(row.case_id, (Kind.OTHER,)),
        )
        for row in rows
    ]


def _kinds_by_case(connection: Connection, ids: list[int]) -> dict[int, tuple[Kind, ...]]:
    found: dict[int, tuple[Kind, ...]] = {}
    for chunk in chunks(ids):
        query = select(requests.c.case_id, requests.c.kind, requests.c.outcome).where(requests.c.case_id.in_(chunk))
        for row in connection.execute(query):
            if row.outcome != Outcome.NOT_A_REQUEST.value or row.kind == Kind.OTHER.value:
                found[row.case_id] = (*found.get(row.case_id, ()), Kind(row.kind))
    return found


def legal_facts(connection: Connection, start: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> list[LegalFact]:
    """Return every request with a legal date received in [start, end)."""
    query = (
        select(requests, mailboxes.c.address)
        .join(cases, cases.c.id == requests.c.case_id)
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .where(requests.c.due_hard.is_not(None), requests.c.received_at >= start, requests.c.received_at < end)
    )
    return [
        LegalFact(
            row.address,
            Kind(row.kind),
            row.received_at,
            row.due_hard,
            Outcome(row.outcome) if row.outcome else None,
            row.told_at.astimezone(zone).date() if row.told_at else None,
        )
        for row in connection.execute(query)
    ]


def count_without_promise(connection: Connection, start: dt.datetime, end: dt.datetime) -> int:
    """Return how many mails of people received in [start, end) started no promise."""
    query = (
        select(ledger.c.id)
        .join(folders, folders.c.id == ledger.c.folder_id)
        .outerjoin(mails, mails.c.ledger_id == ledger.c.id)
        .outerjoin(promises, promises.c.mail_id == mails.c.id)
        .where(
            ledger.c.received_at >= start,
            ledger.c.received_at < end,
            ledger.c.state.in_([state.value for state in _ANSWERABLE]),
            ledger.c.reason != "same_mail",
            promises.c.id.is_(None),
        )
    )
    return len(connection.execute(query).all())


def blind_facts(connection: Connection, start: dt.datetime, end: dt.datetime) -> list[BlindFact]:
    """Return the times that touch [start, end) in which a mailbox was not read for longer than it promises."""
    return [BlindFact(one.mailbox, one.since, one.until) for one in blind_between(connection, start, end)]
