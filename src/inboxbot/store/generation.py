"""How far an installation has come, kept in the database and beside it: an older copy put in its place is known.

``installation.generation`` goes up whenever something happened that must not happen again: at each start of a worker,
every hour, and in the transaction before the final dot of a letter. The file beside the database
(``NAME.installed``) holds the same number, written after the commit. So a database whose number is lower than its
file's is an older copy (promises.md F78). It is put right once; the sending that follows waits for a person.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from inboxbot.errors import StoreError
from inboxbot.store.beside import own_like, sync_folder
from inboxbot.store.engine import Store
from inboxbot.store.tables import installation


@dataclass(frozen=True, slots=True)
class Mark:
    """What the file beside the database says: of which installation (a digest, "" when unsaid), and how far."""

    installed: str = ""
    generation: int = 0


def read_mark(store: Store) -> Mark | None:
    """Return what stands beside the database, or None when no database was ever made there."""
    try:
        text = store.beside(".installed").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    try:
        found = json.loads(text)
        return Mark(str(found["installed"]), int(found["generation"]))
    except (ValueError, KeyError, TypeError):
        return Mark()  # as versions without generations left it


def write_mark(store: Store, mark: Mark) -> None:
    """Write the file, durable when this returns; half of it is never seen. Raises OSError when that fails."""
    path = store.beside(".installed")
    fresh = path.with_name(f"{path.name}.new")
    words = json.dumps({"installed": mark.installed, "generation": mark.generation}) + "\n"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        own_like(handle, path if path.exists() else path.parent)
        os.write(handle, words.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    fresh.replace(path)
    sync_folder(path.parent)


def mark_in(connection: Connection) -> Mark:
    """Return what the database itself says."""
    row = connection.execute(select(installation.c.secret, installation.c.generation)).one()
    return Mark(hashlib.sha256(b"inboxbot installation " + bytes(row.secret)).hexdigest()[:16], row.generation)


def raise_generation(connection: Connection, least: int = 0) -> Mark:
    """Let the database come further by one, and beyond ``least``. `write_mark` follows once this is committed."""
    now = mark_in(connection)
    raised = Mark(now.installed, max(now.generation, least) + 1)
    connection.execute(update(installation).values(generation=raised.generation))
    return raised


def advance(store: Store) -> None:
    """Come further by one, in the database and beside it. Raises StoreError when that cannot be written."""
    with store.write() as connection:
        mark = raise_generation(connection)
    try:
        write_mark(store, mark)
    except OSError as error:
        raise StoreError(
            f"the mark beside the database could not be written: {error.strerror}",
            where=str(store.beside(".installed")),
            cure="give this user the right to write the folder, and see that there is room",
        ) from error
