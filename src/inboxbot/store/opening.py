"""Opening the database of an installation, and never letting an empty one take the place of the real one."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from inboxbot.errors import StoreError
from inboxbot.store.engine import Store, verify_durability
from inboxbot.store.schema import upgrade


def open_store(url: str, folder: Path, *, now: dt.datetime) -> Store:
    """Return the database with this program's schema, making it at the very first start.

    A file beside an embedded database (``NAME.installed``) remembers that it was made. When the database is gone and
    that file is not, StoreError is raised instead of starting with an empty one, in which every mail would be new.
    """
    store = Store(url, folder=folder)
    try:
        _refuse_vanished(store)
        verify_durability(store)
        upgrade(store, now=now)
        if store.path is not None:
            _remember(store.path)
    except BaseException:
        store.close()
        raise
    return store


def marker_of(path: Path) -> Path:
    """Return the file that remembers that a database was made at ``path``."""
    return path.with_name(f"{path.name}.installed")


def _refuse_vanished(store: Store) -> None:
    path = store.path
    if path is not None and marker_of(path).exists() and (not path.exists() or path.stat().st_size == 0):
        raise StoreError(
            "the database is gone" if not path.exists() else "the database is empty",
            where=str(path),
            cure=f"put it back or restore a backup; to start anew on purpose remove {marker_of(path).name}",
        )


def _remember(path: Path) -> None:
    marker = marker_of(path)
    if not marker.exists():
        os.close(os.open(marker, os.O_WRONLY | os.O_CREAT, 0o600))
