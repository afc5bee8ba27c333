"""The ledger: every message seen in a watched folder, with what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, insert, null, select, update

from inboxbot.cases.values import LedgerState
from inboxbot.store.cases import chunks
from inboxbot.store.tables import cases, folders, ledger, mailboxes, mails

Key = tuple[int, int, int]
NO_PLACE = 0  # no server's UIDVALIDITY: the entry's message lies nowhere that we know


@dataclass(frozen=True, slots=True)
class Before:
    """What became of the same bytes earlier."""

    state: str
    reason: str
    case_id: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger row as needed to find its message in its folder."""

    id: int
    uid: int
    digest: str
    size: int
    received_at: dt.datetime
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message lay when it was last looked for, and the digest of its header block that tells it is that one."""

    folder: str
    uidvalidity: int
    uid: int
    digest: str


def places_of(connection: Connection, ledger_id: int) -> list[Place]:
    """Return where a message may lie: its own place first, then those of the same message in other watched folders."""
    own = select(folders.c.mailbox_id, ledger.c.digest, ledger.c.size).join(folders, folders.c.id == ledger.c.folder_id)
    entry = connection.execute(own.where(ledger.c.id == ledger_id)).first()
    if entry is None:
        return []
    query = (
        select(folders.c.name, ledger.c.uidvalidity, ledger.c.uid, ledger.c.digest)
        .join(folders, folders.c.id == ledger.c.folder_id)
        .where(
            folders.c.mailbox_id == entry.mailbox_id,
            ledger.c.digest == entry.digest,
            ledger.c.size == entry.size,
            ledger.c.uid > 0,
        )
        .order_by(ledger.c.id != ledger_id, ledger.c.id.desc())
        .limit(10)
    )
    return [Place(*row) for row in connection.execute(query)]


def known_entries(connection: Connection, keys: Sequence[Key]) -> dict[Key, tuple[int, str]]:
    """Return row id and digest of those (folder, UIDVALIDITY, UID) that the ledger has."""
    found: dict[Key, tuple[int, str]] = {}
    for folder_id, uidvalidity in {(folder, validity) for folder, validity, _ in keys}:
        uids = [uid for folder, validity, uid in keys if (folder, validity) == (folder_id, uidvalidity)]
        for chunk in chunks(uids):
            query = select(ledger.c.id, ledger.c.uid, ledger.c.digest).where(
                ledger.c.folder_id == folder_id, ledger.c.uidvalidity == uidvalidity, ledger.c.uid.in_(chunk)
            )
            found |= {(folder_id, uidvalidity, row.uid): (row.id, row.digest) for row in connection.execute(query)}
    return found


def folder_uids(connection: Connection, folder_id: int, uidvalidity: int) -> set[int]:
    """Return every UID of a folder that the ledger has."""
    query = select(ledger.c.uid).where(ledger.c.folder_id == folder_id, ledger.c.uidvalidity == uidvalidity)
    return set(connection.execute(query).scalars())


def folder_digests(connection: Connection, folder_id: int, uidvalidity: int) -> dict[int, tuple[int, str, int]]:
    """Return row id, digest and size of the entries that have a place in a folder, by UID."""
    query = select(ledger.c.uid, ledger.c.id, ledger.c.digest, ledger.c.size).where(
        ledger.c.folder_id == folder_id, ledger.c.uidvalidity == uidvalidity
    )
    return {row.uid: (row.id, row.digest, row.size) for row in connection.execute(query)}


def folder_entries(connection: Connection, folder_id: int, uidvalidity: int | None = None) -> list[Entry]:
    """Return the entries of a folder; with ``uidvalidity`` only those that have a place under it."""
    query = (
        select(
            ledger.c.id,
            ledger.c.uid,
            ledger.c.digest,
            ledger.c.size,
            ledger.c.received_at,
            func.min(mails.c.message_id),
        )
        .outerjoin(mails, mails.c.ledger_id == ledger.c.id)
        .where(ledger.c.folder_id == folder_id)
        .group_by(ledger.c.id, ledger.c.uid, ledger.c.digest, ledger.c.size, ledger.c.received_at)
        .order_by(ledger.c.id)
    )
    if uidvalidity is not None:
        query = query.where(ledger.c.uidvalidity == uidvalidity)
    return [Entry(*row) for row in connection.execute(query)]


def displace(connection: Connection, ids: Sequence[int]) -> None:
    """Note that a message does not lie where it lay: it keeps its entry, under no UIDVALIDITY and minus its row id."""
    for chunk in chunks(list(ids)):
        connection.execute(update(ledger).where(ledger.c.id.in_(chunk)).values(uidvalidity=NO_PLACE, uid=-ledger.c.id))


def place_anew(connection: Connection, folder_id: int, uidvalidity: int, places: Mapping[int, int]) -> None:
    """Give a folder's entries their new UIDs (``places``: row id by UID); all others of the folder lose their place."""
    connection.execute(
        update(ledger).where(ledger.c.folder_id == folder_id).values(uidvalidity=NO_PLACE, uid=-ledger.c.id)
    )
    if places:
        statement = (
            update(ledger)
            .where(ledger.c.id == bindparam("row_id"))
            .values(uidvalidity=uidvalidity, uid=bindparam("at"))
        )
        connection.execute(statement, [{"row_id": row_id, "at": uid} for uid, row_id in places.items()])


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
            case((ledger.c.uid > 0, ledger.c.uid), else_=null()).label("uid"),
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
