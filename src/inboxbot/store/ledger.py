"""The ledger: every message seen in a watched folder, with what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from inboxbot.cases.values import LedgerState
from inboxbot.store.cases import chunks
from inboxbot.store.tables import cases, folders, ledger, mailboxes, mails

Key = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Before:
    """What became of the same bytes earlier."""

    state: str
    reason: str
    case_id: int | None


def known_uids(connection: Connection, keys: Sequence[Key]) -> set[Key]:
    """Return those of the (folder, UIDVALIDITY, UID) that the ledger has."""
    found: set[Key] = set()
    for folder_id, uidvalidity in {(folder, validity) for folder, validity, _ in keys}:
        uids = [uid for folder, validity, uid in keys if (folder, validity) == (folder_id, uidvalidity)]
        for chunk in chunks(uids):
            query = select(ledger.c.uid).where(
                ledger.c.folder_id == folder_id, ledger.c.uidvalidity == uidvalidity, ledger.c.uid.in_(chunk)
            )
            found |= {(folder_id, uidvalidity, row.uid) for row in connection.execute(query)}
    return found


def folder_uids(connection: Connection, folder_id: int, uidvalidity: int) -> set[int]:
    """Return every UID of a folder that the ledger has."""
    query = select(ledger.c.uid).where(ledger.c.folder_id == folder_id, ledger.c.uidvalidity == uidvalidity)
    return set(connection.execute(query).scalars())


def same_mails(connection: Connection, mailbox_id: int, digests: Iterable[str]) -> dict[tuple[str, int], Before]:
    """Return, by (digest, size), what became of the same message in any folder of the mailbox; the weightiest row wins.

    A message that was moved, copied or renumbered is the same by the digest of its header block and its size.
    """
    found: dict[tuple[str, int], Before] = {}
    for chunk in chunks(sorted(set(digests))):
        query = (
            select(ledger.c.digest, ledger.c.size, ledger.c.state, ledger.c.reason, ledger.c.case_id)
            .join(folders, folders.c.id == ledger.c.folder_id)
            .where(folders.c.mailbox_id == mailbox_id, ledger.c.digest.in_(chunk))
            .order_by(ledger.c.id)
        )
        for row in connection.execute(query):
            key = (row.digest, row.size)
            if key not in found or found[key].case_id is None:
                found[key] = Before(row.state, row.reason, row.case_id)
    return found


def save_ledger(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert ledger rows."""
    if rows:
        connection.execute(insert(ledger), rows)


def list_ledger(
    connection: Connection, *, states: Iterable[LedgerState] | None = None, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield ledger rows, newest first, with mailbox, folder and case reference."""
    query = (
        select(
            ledger.c.id,
            mailboxes.c.address.label("mailbox"),
            folders.c.name.label("folder"),
            ledger.c.uid,
            ledger.c.received_at,
            ledger.c.size,
            ledger.c.state,
            ledger.c.reason,
            cases.c.reference.label("case"),
            mails.c.sender,
            mails.c.subject,
        )
        .join(folders, folders.c.id == ledger.c.folder_id)
        .join(mailboxes, mailboxes.c.id == folders.c.mailbox_id)
        .outerjoin(cases, cases.c.id == ledger.c.case_id)
        .outerjoin(mails, and_(mails.c.ledger_id == ledger.c.id))
        .order_by(ledger.c.id.desc())
    )
    if states is not None:
        query = query.where(ledger.c.state.in_([state.value for state in states]))
    if limit is not None:
        query = query.limit(limit)
    for row in connection.execute(query):
        yield dict(row._mapping)


def set_ledger(connection: Connection, ledger_id: int, *, state: LedgerState, reason: str, case_id: int | None) -> None:
    """Write what a person made of a message afterwards."""
    connection.execute(
        update(ledger).where(ledger.c.id == ledger_id).values(state=state.value, reason=reason, case_id=case_id)
    )


def ledger_counts(connection: Connection, *, start: dt.datetime, end: dt.datetime) -> dict[str, int]:
    """Return how many messages received in [start, end) have each state."""
    query = (
        select(ledger.c.state, func.count())
        .where(ledger.c.received_at >= start, ledger.c.received_at < end)
        .group_by(ledger.c.state)
    )
    return {row[0]: row[1] for row in connection.execute(query)}
