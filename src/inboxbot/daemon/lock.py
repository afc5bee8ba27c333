"""One worker at a time for one database: a second daemon or `once` waits a little, then says so.

The right can be lost while it is held: the connection that holds it on PostgreSQL is cut, or the lock file beside an
embedded database is removed. Whoever works asks now and then whether it is still held (promises.md D10, F79).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from inboxbot.errors import StoreError
from inboxbot.store.engine import Store

_KEY = 743202
_PAUSE_S = 0.2


class SoleRight(Protocol):
    """The sole right to work with a database."""

    def held(self) -> bool:
        """Return whether it is still held, as far as the lock's keeper says now."""

    def regain(self) -> bool:
        """Take it anew after it was lost; False when somebody else has it or the server cannot be reached."""


@contextmanager
def sole_worker(store: Store, *, wait_s: float) -> Iterator[SoleRight]:
    """Hold the lock of the database; it is free at once when its holder dies. Raises StoreError after ``wait_s``."""
    right: _FileRight | _ServerRight
    right = _FileRight(Path(f"{store.path}.lock")) if store.path is not None else _ServerRight(store)
    try:
        _until(right.take, store, wait_s)
        yield right
    finally:
        right.give_back()


def require(right: SoleRight | None) -> None:
    """Raise StoreError when the right was lost; without one (None) nothing is asked."""
    if right is not None and not right.held():
        raise StoreError(
            "the sole right to work with the database was lost",
            where="the lock of the database",
            cure="start again; what was begun is settled then",
        )


class _FileRight:
    """A lock on a file beside an embedded database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> bool:
        """Try to take the lock now."""
        if self._handle is None:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def held(self) -> bool:
        """Whether the file that is locked is still the one beside the database."""
        if self._handle is None:
            return False
        try:
            there, ours = self._path.stat(), os.fstat(self._handle)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def regain(self) -> bool:
        """Lock the file that is there now."""
        self.give_back()
        with contextlib.suppress(OSError):
            return self.take()
        return False

    def give_back(self) -> None:
        """Free the lock."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


class _ServerRight:
    """An advisory lock of PostgreSQL, held by a connection of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: Connection | None = None
        self._asking = threading.Lock()  # a connection is not for two threads

    def take(self) -> bool:
        """Try to take the lock now. Raises what the driver raises when the server cannot be reached."""
        with self._asking:
            if self._connection is None:
                connection = self._store.engine.connect()
                self._connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            question = text("SELECT pg_try_advisory_lock(:key)")
            return bool(self._connection.execute(question, {"key": _KEY}).scalar())

    def held(self) -> bool:
        """Whether this connection stands and the server counts the lock as its own."""
        question = text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted "
            "AND classid = 0 AND objid = :key AND objsubid = 1"
        )
        with self._asking, contextlib.suppress(SQLAlchemyError):
            return self._connection is not None and bool(self._connection.execute(question, {"key": _KEY}).scalar())
        return False

    def regain(self) -> bool:
        """Take the lock with a new connection."""
        self.give_back()
        with contextlib.suppress(SQLAlchemyError):
            return self.take()
        return False

    def give_back(self) -> None:
        """Free the lock; a lost connection has given it back already."""
        with self._asking:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            with contextlib.suppress(SQLAlchemyError):
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})
            with contextlib.suppress(SQLAlchemyError):
                connection.close()


def _until(locked: Callable[[], bool], store: Store, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while not locked():
        if time.monotonic() > deadline:
            raise StoreError(
                "another inboxbot works with this database",
                where=store.place,
                cure="stop it first, or let it do the work",
            )
        time.sleep(_PAUSE_S)
