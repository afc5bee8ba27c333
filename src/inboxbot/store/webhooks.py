"""Opt-outs on their way to marketing systems."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from inboxbot.store.tables import cases, mailboxes, webhooks


@dataclass(frozen=True, slots=True)
class Told:
    """An opt-out to tell a system of: whose, since when, and how often it was tried."""

    id: int
    case_id: int
    reference: str
    company: str
    system: str
    address: str
    since: dt.datetime
    attempts: int


def queue_webhook(connection: Connection, case_id: int, system: str, address: str, *, now: dt.datetime) -> None:
    """Queue the telling of one system; once a case is enough."""
    known = select(webhooks.c.id).where(webhooks.c.case_id == case_id, webhooks.c.system == system)
    if connection.execute(known).first() is None:
        connection.execute(
            insert(webhooks).values(
                case_id=case_id, system=system, address=address, since=now, attempts=0, next_try_at=now
            )
        )


def due_webhooks(connection: Connection, now: dt.datetime) -> list[Told]:
    """Return what may be told now, oldest first."""
    query = (
        select(webhooks, cases.c.reference, mailboxes.c.company)
        .join(cases, cases.c.id == webhooks.c.case_id)
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .where(webhooks.c.next_try_at <= now, webhooks.c.address.is_not(None))
        .order_by(webhooks.c.id)
    )
    return [
        Told(row.id, row.case_id, row.reference, row.company, row.system, row.address, row.since, row.attempts)
        for row in connection.execute(query)
    ]


def end_webhook(connection: Connection, webhook_id: int, *, result: str, now: dt.datetime) -> None:
    """Write that a system answered, and forget the address."""
    connection.execute(
        update(webhooks)
        .where(webhooks.c.id == webhook_id)
        .values(answered_at=now, result=result, next_try_at=None, address=None, attempts=webhooks.c.attempts + 1)
    )


def retry_webhook(connection: Connection, webhook_id: int, *, result: str, at: dt.datetime | None) -> None:
    """Write that a system did not take it; tried again ``at``, or never by itself (None)."""
    connection.execute(
        update(webhooks)
        .where(webhooks.c.id == webhook_id)
        .values(result=result, next_try_at=at, attempts=webhooks.c.attempts + 1)
    )
