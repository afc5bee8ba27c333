"""Reading a backup into a copy of its own, and putting that in the place of the database.

Nothing of what stands is touched before the copy was looked through. An embedded database is replaced by one rename,
one on a server in one transaction.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import BigInteger, Connection, Integer, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from inboxbot.crash import crash_here
from inboxbot.errors import StoreError
from inboxbot.store.backup import FORMAT, BackupInfo, copy_rows, make_backup, require_sound
from inboxbot.store.beside import append_lines, own_like, sync_folder
from inboxbot.store.engine import Store
from inboxbot.store.generation import Mark, write_mark
from inboxbot.store.schema import upgrade
from inboxbot.store.tables import SQLModel, counters, installation

_MAGIC: Final = b"SQLite format 3\x00"
_BESIDE: Final = ("-wal", "-shm", "-journal")


def read_backup(file: Path, copy: Path) -> BackupInfo:
    """Copy a backup to ``copy`` as a plain embedded database, look it through, and return what it says of itself.

    A plain copy of a database is taken as well, with what its ``-wal`` holds. Raises StoreError when it is no backup,
    damaged, or made by a later version of the format.
    """
    try:
        with file.open("rb") as start:
            if start.read(len(_MAGIC)) != _MAGIC:
                raise StoreError("this is no backup of inboxbot", where=str(file), cure="name another file")
    except OSError as error:
        raise StoreError(f"the file cannot be read: {error.strerror}", where=str(file)) from error
    remove(copy)
    for suffix in ("", "-wal"):
        if Path(f"{file}{suffix}").exists():
            handle = os.open(f"{copy}{suffix}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with Path(f"{file}{suffix}").open("rb") as source, os.fdopen(handle, "wb") as target:
                shutil.copyfileobj(source, target)
    try:
        with closing(sqlite3.connect(copy)) as opened:
            opened.execute("PRAGMA journal_mode=DELETE")
            require_sound(opened, file)
            return _told(opened, file)
    except sqlite3.DatabaseError as error:
        raise StoreError("the file is damaged", where=str(file), cure="use another backup") from error


def _told(opened: sqlite3.Connection, file: Path) -> BackupInfo:
    tables = {row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"alembic_version", "installation", "ledger", "history"} <= tables:
        raise StoreError("this is no backup of inboxbot", where=str(file), cure="name another file")
    (schema,) = opened.execute("SELECT version_num FROM alembic_version").fetchone()
    if "backup" not in tables:
        return BackupInfo(None, schema, {})
    form, made_at = opened.execute("SELECT format, made_at FROM backup").fetchone()
    if form != FORMAT:
        raise StoreError("the backup was made by a newer inboxbot", where=str(file), cure="install that inboxbot again")
    files = dict(opened.execute("SELECT name, content FROM backup_files"))
    with opened:
        opened.execute("DROP TABLE backup")
        opened.execute("DROP TABLE backup_files")
    return BackupInfo(dt.datetime.fromisoformat(made_at), schema, files)


def numbers_of(store: Store) -> dict[str, int] | None:
    """Return the numbers that the database which stands has given out, or None when nobody can tell any more."""
    if store.path is not None and not store.path.exists():
        return None
    try:
        with store.read() as connection:
            return {row.name: row.value for row in connection.execute(select(counters))}
    except (StoreError, SQLAlchemyError):
        return None


def secret_of(store: Store) -> bytes | None:
    """Return the secret of the database that stands, or None when there is none to be read."""
    if store.path is not None and not store.path.exists():
        return None
    try:
        with store.read() as connection:
            return bytes(connection.execute(select(installation.c.secret)).scalar_one())
    except (StoreError, SQLAlchemyError):
        return None


# --- an embedded database ---------------------------------------------------------------------------------------------


def put_in_place(store: Store, copy: Path, *, mark: Mark, kept: Path) -> Path | None:
    """Put the finished copy in the place of an embedded database; what stood there is kept as ``kept``.

    The mark is written first: should this be cut off, what stands is known as an older database, and nothing is sent.
    Returns ``kept``, or None when nothing stood there.
    """
    path = store.path
    if path is None:
        raise ValueError("a server's database has no file")
    store.close()
    _close_for_all(copy)
    _close_for_all(path)
    _make_durable(copy, like=path if path.exists() else path.parent)
    write_mark(store, mark)
    crash_here("restore_marked")
    stood = path.exists()
    if stood:
        try:
            os.link(path, kept)
        except OSError:  # a file system without links
            path.rename(kept)
        for suffix in _BESIDE:
            if Path(f"{path}{suffix}").exists():
                Path(f"{path}{suffix}").rename(f"{kept}{suffix}")
    copy.replace(path)
    sync_folder(path.parent)
    crash_here("restore_replaced")
    return kept if stood else None


def _close_for_all(path: Path) -> None:
    """Bring everything into the one file, and refuse when another program has it open. A damaged one stays as it is."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=1)) as opened:
            (mode,) = opened.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.DatabaseError as error:
        # One that is damaged is replaced for just that.
        mode = "wal" if "locked" in str(error) else ""
    if mode == "wal":
        raise StoreError(
            "another program has the database open", where=str(path), cure="stop every inboxbot, `web` too"
        )


def _make_durable(copy: Path, *, like: Path) -> None:
    """Write the copy to the disk, for its owner alone: whoever owns what it replaces."""
    handle = os.open(copy, os.O_RDONLY)
    try:
        os.fchmod(handle, 0o600)
        own_like(handle, like)
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(copy: Path) -> None:
    """Remove a copy with everything beside it."""
    for suffix in ("", *_BESIDE):
        Path(f"{copy}{suffix}").unlink(missing_ok=True)


# --- a database on a server -------------------------------------------------------------------------------------------


def load_into_server(
    store: Store, copy: Store, *, kept: Path, side_files: Mapping[str, Path], now: dt.datetime
) -> Path | None:
    """Put the rows of the finished copy in the place of those on a server, in one transaction; they are kept first.

    Returns ``kept``, or None when the database was empty.
    """
    stood = upgrade(store, now=now) is not None
    if stood:
        make_backup(store, kept, now=now, side_files=side_files)
    tables = [table.name for table in SQLModel.metadata.sorted_tables]
    with store.write() as target, copy.read() as source:
        for name in tables:
            # History refuses every removal, and what triggers keep in step comes along as it is.
            target.execute(text(f'ALTER TABLE "{name}" DISABLE TRIGGER USER'))
        target.execute(text("TRUNCATE " + ", ".join(f'"{name}"' for name in tables)))
        copy_rows(source, target)
        _continue_numbers(target)
        for name in tables:
            target.execute(text(f'ALTER TABLE "{name}" ENABLE TRIGGER USER'))
        crash_here("restore_in_transaction")
    crash_here("restore_replaced")
    return kept if stood else None


def _continue_numbers(connection: Connection) -> None:
    """Let ids that the server hands out go on after the highest there is."""
    for table in SQLModel.metadata.sorted_tables:
        for column in table.primary_key.columns:
            if not isinstance(column.type, (Integer, BigInteger)):
                continue
            sequence = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
            ).scalar()
            if sequence is not None:
                highest = f'SELECT max("{column.name}") FROM "{table.name}"'  # noqa: S608  (names of our own tables)
                question = f"SELECT setval(:sequence, greatest(coalesce(({highest}), 0), 1))"
                connection.execute(text(question), {"sequence": sequence})


def merge_numbers(connection: Connection, taken: dict[str, int] | None, *, gap: int) -> None:
    """Let no number be given out twice: go on after those ``taken``, or leave a ``gap`` when nobody knows them."""
    have = {row.name: row.value for row in connection.execute(select(counters))}
    for name in {*have, *(taken or {})}:
        value = max(have.get(name, 0), taken.get(name, 0)) if taken is not None else have[name] + gap
        if name in have:
            connection.execute(counters.update().where(counters.c.name == name).values(value=value))
        else:
            connection.execute(insert(counters).values(name=name, value=value))


def merge_lines(path: Path, words: str) -> None:
    """Add to a side file the lines it lacks."""
    have = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    more = [line for line in words.splitlines() if line not in have]
    if more:
        append_lines(path, more)
