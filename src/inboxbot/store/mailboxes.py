"""Mailboxes and their folders: how far each was taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from inboxbot.store.tables import folders, mailboxes


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder as far as it was taken; ``baseline_at`` is None until its first silent look is complete.

    ``round_at`` is the end of its last round, or the beginning of its first.
    """

    id: int
    name: str
    role: str
    uidvalidity: int
    uidnext: int
    uid_mark: int
    baseline_uid: int
    baseline_at: dt.datetime | None
    round_at: dt.datetime | None
    reconciled_at: dt.datetime | None


def mailbox_ids(connection: Connection, wanted: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return row ids by address for (address, company) pairs, making rows that are missing."""
    known = {row.address: row for row in connection.execute(select(mailboxes))}
    for address, company in wanted:
        if address not in known:
            connection.execute(insert(mailboxes).values(address=address, company=company))
        elif known[address].company != company:
            connection.execute(update(mailboxes).where(mailboxes.c.address == address).values(company=company))
    query = select(mailboxes.c.address, mailboxes.c.id).where(mailboxes.c.address.in_([one for one, _ in wanted]))
    return {row.address: row.id for row in connection.execute(query)}


def load_folder(connection: Connection, mailbox_id: int, name: str) -> FolderRow | None:
    """Return what is known of a folder, or None when it was never opened."""
    query = select(folders).where(folders.c.mailbox_id == mailbox_id, folders.c.name == name)
    row = connection.execute(query).first()
    if row is None:
        return None
    values = dict(row._mapping)
    del values["mailbox_id"]
    return FolderRow(**values)


def save_folder(
    connection: Connection,
    mailbox_id: int,
    *,
    name: str,
    role: str,
    uidvalidity: int,
    uidnext: int,
    baseline_uid: int,
    uid_mark: int = 0,
    looked_at: dt.datetime | None = None,
) -> FolderRow:
    """Make the row of a folder that is opened for the first time, at ``looked_at``."""
    connection.execute(
        insert(folders).values(
            mailbox_id=mailbox_id,
            name=name,
            role=role,
            uidvalidity=uidvalidity,
            uidnext=uidnext,
            uid_mark=uid_mark,
            baseline_uid=baseline_uid,
            round_at=looked_at,
        )
    )
    row = load_folder(connection, mailbox_id, name)
    if row is None:
        raise LookupError(name)
    return row


def change_folder(connection: Connection, folder_id: int, **values: Any) -> None:
    """Write how far a folder was taken."""
    connection.execute(update(folders).where(folders.c.id == folder_id).values(**values))


def note_served(connection: Connection, mailbox_id: int, at: dt.datetime) -> dt.datetime | None:
    """Write when a mailbox was looked through to the end, and return when it was so before."""
    query = select(mailboxes.c.served_at).where(mailboxes.c.id == mailbox_id)
    before: dt.datetime | None = connection.execute(query).scalar_one()
    connection.execute(update(mailboxes).where(mailboxes.c.id == mailbox_id).values(served_at=at))
    return before


def mailbox_address(connection: Connection, mailbox_id: int) -> str:
    """Return the address of a mailbox's row."""
    return str(connection.execute(select(mailboxes.c.address).where(mailboxes.c.id == mailbox_id)).scalar_one())
