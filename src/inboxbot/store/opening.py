"""Opening the database of an installation, and never letting an empty one take the place of the real one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from inboxbot.errors import StoreError
from inboxbot.store.engine import Store, verify_durability
from inboxbot.store.generation import mark_in, read_mark, write_mark
from inboxbot.store.schema import revision, upgrade


def open_store(url: str, folder: Path, *, now: dt.datetime) -> Store:
    """Return the database with this program's schema, making it at the very first start.

    A file beside the database (``NAME.installed``) remembers that it was made. When the database is gone or empty and
    that file is there, StoreError is raised instead of starting with an empty one, in which every mail would be new.
    """
    store = Store(url, folder=folder)
    try:
        _refuse_vanished(store)
        verify_durability(store)
        upgrade(store, now=now)
        _remember(store)
    except BaseException:
        store.close()
        raise
    return store


def marker_of(path: Path) -> Path:
    """Return the file that remembers that a database was made at ``path``."""
    return path.with_name(f"{path.name}.installed")


def _refuse_vanished(store: Store) -> None:
    path, marker = store.path, store.beside(".installed")
    if not marker.exists():
        return
    gone = path is not None and not path.exists()
    if gone or (path.stat().st_size == 0 if path is not None else revision(store) is None):
        raise StoreError(
            "the database is gone" if gone else "the database is empty",
            where=store.place,
            cure=f"put it back or restore a backup; to start anew on purpose remove {marker.name}",
        )


def _remember(store: Store) -> None:
    """Write beside a new embedded database that it was made; one that was worked with has to bring its mark along."""
    if store.path is None or read_mark(store) is not None:
        return
    with store.read() as connection:
        mark = mark_in(connection)
    if mark.generation == 0:
        write_mark(store, mark)
