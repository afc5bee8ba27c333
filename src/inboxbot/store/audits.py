"""What audits found, and the windows in which a mailbox was not read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from inboxbot.store.tables import audits, blind_windows, mailboxes

_KEPT = 60  # results of audits: two months of days


@dataclass(frozen=True, slots=True)
class Audited:
    """The result of an audit of database and mailboxes; ``errors`` are mailboxes that could not be looked at."""

    at: dt.datetime
    checked: dict[str, int]
    findings: list[dict[str, str]]
    errors: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Blind:
    """A time in which a mailbox was not read for longer than it promises an answer (P7)."""

    mailbox: str
    since: dt.datetime
    until: dt.datetime


def save_audit(connection: Connection, result: dict[str, Any], *, at: dt.datetime) -> None:
    """Keep the result of an audit; the oldest ones go."""
    values = {key: result[key] for key in ("checked", "findings", "errors")}
    connection.execute(insert(audits).values(at=at, **values))
    newest = select(audits.c.id).order_by(audits.c.id.desc()).limit(_KEPT)
    kept = list(connection.execute(newest).scalars())
    connection.execute(delete(audits).where(audits.c.id < kept[-1]))


def last_audit(connection: Connection) -> Audited | None:
    """Return what the newest audit found, or None when there was none."""
    row = connection.execute(select(audits).order_by(audits.c.id.desc()).limit(1)).first()
    return Audited(row.at, row.checked, row.findings, row.errors) if row else None


def save_blind(connection: Connection, mailbox_id: int, *, since: dt.datetime, until: dt.datetime) -> None:
    """Keep a window in which a mailbox was not read."""
    connection.execute(insert(blind_windows).values(mailbox_id=mailbox_id, since=since, until=until))


def blind_between(connection: Connection, start: dt.datetime, end: dt.datetime) -> list[Blind]:
    """Return the windows that touch [start, end), oldest first."""
    query = (
        select(mailboxes.c.address, blind_windows.c.since, blind_windows.c.until)
        .join(mailboxes, mailboxes.c.id == blind_windows.c.mailbox_id)
        .where(blind_windows.c.until >= start, blind_windows.c.since < end)
        .order_by(blind_windows.c.since, blind_windows.c.id)
    )
    return [Blind(*row) for row in connection.execute(query)]
