"""One worker at a time for one database: a second daemon or `once` waits a little, then says so."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from inboxbot.errors import StoreError
from inboxbot.store.engine import Store

_KEY = 743202
_PAUSE_S = 0.2


@contextmanager
def sole_worker(store: Store, *, wait_s: float) -> Iterator[None]:
    """Hold the lock of the database; it is free at once when its holder dies. Raises StoreError after ``wait_s``."""
    if store.path is not None:
        with _file_lock(store, wait_s):
            yield
    else:
        with _server_lock(store, wait_s):
            yield


@contextmanager
def _file_lock(store: Store, wait_s: float) -> Iterator[None]:
    handle = os.open(f"{store.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _until(lambda: _try_flock(handle), store, wait_s)
        yield
    finally:
        os.close(handle)


def _try_flock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _server_lock(store: Store, wait_s: float) -> Iterator[None]:
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        question = text("SELECT pg_try_advisory_lock(:key)")
        _until(lambda: bool(connection.execute(question, {"key": _KEY}).scalar()), store, wait_s)
        try:
            yield
        finally:
            with contextlib.suppress(DBAPIError):  # a lost connection has given the lock back already
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})


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
