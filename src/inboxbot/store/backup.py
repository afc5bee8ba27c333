"""Backups: one file with everything, the same for both databases, made while the daemon works.

The file is an embedded database of this schema with two tables more: ``backup`` says when it was made and of what,
``backup_files`` has the files that go with a database (the side journal, the list of what was erased). So what was an
embedded database can become one on PostgreSQL, and the other way round.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from inboxbot import __version__
from inboxbot.crash import crash_here
from inboxbot.errors import StoreError
from inboxbot.store.beside import sync_folder
from inboxbot.store.engine import Store
from inboxbot.store.schema import revision, upgrade
from inboxbot.store.tables import SQLModel

FORMAT: Final = 1
_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """What a backup says of itself. ``made_at`` is None for a plain copy of a database, ``files`` go with it."""

    made_at: dt.datetime | None
    revision: str
    files: Mapping[str, str]


def make_backup(store: Store, target: Path, *, now: dt.datetime, side_files: Mapping[str, Path]) -> None:
    """Write a backup to ``target``, which must not exist; the file stands there whole, or not at all.

    Everything that was committed before is in it. ``side_files`` are read by name; those that are not there are left
    out. Raises StoreError.
    """
    if target.exists():
        raise StoreError("there is a file already", where=str(target), cure="choose a name that is free")
    if not target.parent.is_dir():
        raise StoreError("there is no such folder", where=str(target.parent), cure="make it, or choose another")
    with _partial(target) as partial, _as_store_errors(target):
        before = _read(side_files)
        if store.path is not None:
            _copy_file(store.path, partial)
        else:
            _copy_server(store, partial, now)
        # What was accepted while the copy was made stands in one of the two readings.
        files = {name: _joined(before.get(name, ""), words) for name, words in _read(side_files).items()}
        _finish(partial, now, store, files)
        crash_here("backup_copied")
        _name(partial, target)
        crash_here("backup_named")


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """Give an empty file beside the target that nobody else writes; what a killed backup left there is overwritten."""
    partial = target.with_name(f"{target.name}.partial")
    try:
        handle = os.open(partial, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"the backup cannot be written: {error.strerror}", where=str(target)) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StoreError("another backup to this file is being made", where=str(target)) from None
    try:
        os.fchmod(handle, 0o600)
        os.ftruncate(handle, 0)
        yield partial
    finally:
        partial.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def _as_store_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        words = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0][:200]
        raise StoreError(
            f"the backup could not be written: {words}", where=str(target), cure="see that there is room"
        ) from error
    except SQLAlchemyError as error:
        raise StoreError(
            "the database server could not be read", where=str(target), cure="see that it answers, then try again"
        ) from error


def _copy_file(source: Path, partial: Path) -> None:
    """Copy an embedded database as it stands at one moment; nobody waits for it."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as live,
        closing(sqlite3.connect(partial)) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _copy_server(store: Store, partial: Path, now: dt.datetime) -> None:
    """Copy every row of a database server as of one moment into an embedded database."""
    copy = Store(f"sqlite:///{partial.absolute()}")
    try:
        upgrade(copy, now=now)
        snapshot = store.engine.connect().execution_options(isolation_level="REPEATABLE READ")
        with snapshot as source, source.begin():
            source.execute(text("SET TRANSACTION READ ONLY"))
            with copy.write() as target:
                target.execute(text("DELETE FROM installation"))
                copy_rows(source, target)
    finally:
        copy.close()
    with closing(sqlite3.connect(partial)) as file:
        file.execute("PRAGMA journal_mode=DELETE")


def copy_rows(source: Connection, target: Connection) -> None:
    """Copy the rows of every table, those that others point to first. The tables of the target are empty."""
    for table in SQLModel.metadata.sorted_tables:
        columns = [one for one in table.columns if one.computed is None]
        rows = source.execution_options(yield_per=_ROWS).execute(select(*columns))
        for some in rows.partitions(_ROWS):
            target.execute(insert(table), [dict(row._mapping) for row in some])


def _finish(partial: Path, now: dt.datetime, store: Store, files: Mapping[str, str]) -> None:
    """Write what the backup says of itself, look it through, and make it durable."""
    kind = "sqlite" if store.is_sqlite else "postgresql"
    values = (FORMAT, now.isoformat(), __version__, revision(store), kind)
    with closing(sqlite3.connect(partial)) as file:
        with file:
            file.execute("CREATE TABLE backup (format INTEGER, made_at TEXT, program TEXT, revision TEXT, of TEXT)")
            file.execute("CREATE TABLE backup_files (name TEXT PRIMARY KEY, content TEXT)")
            file.execute("INSERT INTO backup VALUES (?, ?, ?, ?, ?)", values)
            file.executemany("INSERT INTO backup_files VALUES (?, ?)", list(files.items()))
        require_sound(file, partial)
    handle = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def require_sound(file: sqlite3.Connection, where: Path) -> None:
    """Raise StoreError unless every page and every reference of an embedded database is whole."""
    found = [str(row[0]) for row in file.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise StoreError(
            f"the file is damaged: {found[0].splitlines()[0][:200]}", where=str(where), cure="use another backup"
        )
    if file.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise StoreError("the file is not whole: a row points to one that is not there", where=str(where))


def _name(partial: Path, target: Path) -> None:
    """Give the finished file its name, never in place of another."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise StoreError("there is a file already", where=str(target), cure="choose a name that is free") from None
    except OSError:  # a file system without links
        if target.exists():
            raise
        partial.rename(target)
    sync_folder(target.parent)


def _read(side_files: Mapping[str, Path]) -> dict[str, str]:
    found = {}
    for name, path in side_files.items():
        with contextlib.suppress(FileNotFoundError):
            found[name] = path.read_text(encoding="utf-8", errors="replace")
    return found


def _joined(before: str, after: str) -> str:
    return "".join(f"{line}\n" for line in dict.fromkeys([*before.splitlines(), *after.splitlines()]))
