"""Seeing that an embedded database is sound: in short at each start, page by page once a day (promises.md F75)."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import select, text, update

from inboxbot.errors import DamagedError
from inboxbot.store.engine import Store
from inboxbot.store.tables import installation

EVERY: Final = dt.timedelta(days=1)
SHORT_LOOK_UP_TO: Final = 64 * 1024 * 1024  # bytes: a second's work at most


def verify_sound(store: Store, *, now: dt.datetime, starting: bool = False) -> None:
    """Look the file through when that was not done for a day; a small one in short when the program is ``starting``.

    Raises DamagedError with the way out. A database on a server is looked after by its server.
    """
    if store.path is None:
        return
    with store.read() as connection:
        last = connection.execute(select(installation.c.checked_at)).scalar_one()
    if last is None or abs(now - last) >= EVERY:
        look_through(store)
        with store.write() as connection:
            connection.execute(update(installation).values(checked_at=now))
    elif starting and store.path.stat().st_size <= SHORT_LOOK_UP_TO:
        look_through(store, short=True)


def look_through(store: Store, *, short: bool = False) -> None:
    """Raise DamagedError unless an embedded database is whole; ``short`` leaves out what compares indexes with rows."""
    with store.read() as connection:
        found = connection.execute(text("PRAGMA quick_check(1)" if short else "PRAGMA integrity_check(1)")).scalar_one()
    if found != "ok":
        raise DamagedError(
            "the database is damaged",
            where=store.place,
            cure="stop, keep the file, and put the latest backup in its place with `inboxbot restore FILE`",
        )
