"""Where the real things are put together; called by the commands `run`, `once` and `demo`, and by tests."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from inboxbot.config.model import Settings
from inboxbot.daemon.lock import SoleRight, sole_worker
from inboxbot.daemon.originals import MailboxOriginals
from inboxbot.desk.context import Desk
from inboxbot.desk.restored import look_for_older_copy
from inboxbot.mailbox.workers import ReadingPool, local_judge
from inboxbot.outbox.journal import Journal, journal_path
from inboxbot.store.corrections import active_layer
from inboxbot.store.generation import advance
from inboxbot.store.integrity import verify_sound
from inboxbot.store.opening import open_store
from inboxbot.store.schema import secret

LOCK_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class House:
    """Everything that works by itself, with the sole right to do so while it is open."""

    desk: Desk
    pool: ReadingPool
    journal: Journal
    right: SoleRight


def utc_now() -> dt.datetime:
    """Return this moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


@contextmanager
def open_house(settings: Settings, *, lock_wait_s: float = LOCK_WAIT_S) -> Iterator[House]:
    """Open the database, take the sole right to work with it, and make the workers ready."""
    store = open_store(settings.database.url, settings.folder, now=utc_now())
    try:
        look_for_older_copy(store, now=utc_now())
        with store.read() as connection:
            key, layer = secret(connection), active_layer(connection)
        load_judge = partial(local_judge, json.dumps(layer) if layer else None)
        with (
            sole_worker(store, wait_s=lock_wait_s) as right,
            ReadingPool(settings.daemon.workers, load_judge=load_judge) as pool,
        ):
            verify_sound(store, now=utc_now(), starting=True)
            advance(store)
            yield House(Desk(store, settings, key), pool, Journal(journal_path(store)), right)
    finally:
        store.close()


@contextmanager
def originals_of(desk: Desk) -> Iterator[MailboxOriginals]:
    """Give the way to single messages in the mailboxes; a child process for reading them starts with the first."""
    with ReadingPool(1) as pool:
        yield MailboxOriginals(desk, pool)


@contextmanager
def web_desk(desk: Desk, *, else_any_port: bool = False) -> Iterator[str | None]:
    """Serve the desk in a browser beside the daemon, when the settings want it; give its address.

    ``else_any_port``: take a free port when the wished one is taken; else that raises UsageError.
    """
    if desk.settings.web is None:
        yield None
        return
    from inboxbot.web.serve import served  # noqa: PLC0415  (`once` and a daemon without a desk need none of it)

    with (
        originals_of(desk) as originals,
        served(desk, now=utc_now, originals=originals, else_any_port=else_any_port) as address,
    ):
        yield address
