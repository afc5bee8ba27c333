"""The gate: whether sending is stopped for the whole installation, and the persons who stop it and let it go on.

`outbox.runner` asks for every letter, in the transaction that takes it up; nothing leaves while a stop stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection

from inboxbot.desk.context import Actor, Desk
from inboxbot.errors import RefusedError, UsageError
from inboxbot.logs import get_logger
from inboxbot.reading.charsets import clean_line
from inboxbot.store.people import may_approve
from inboxbot.store.stops import Stop, add_stop, release_stops, standing_stops

BY_HAND: Final = "by_hand"
MAX_NOTE: Final = 200
log = get_logger()


def stop(desk: Desk, *, actor: Actor, now: dt.datetime, note: str = "") -> Stop:
    """Stop all sending. Raises RefusedError when a person stopped it already."""
    words = clean_line(note)
    if len(words) > MAX_NOTE:
        raise UsageError(f"the reason has at most {MAX_NOTE} characters", where="--because")
    with desk.store.write() as connection:
        made = add_stop(connection, BY_HAND, actor=actor.name, door=actor.door, at=now, note=words)
    if made is None:
        raise RefusedError("sending is stopped by hand already", cure="`inboxbot sending show` tells by whom")
    log.warning("sending_stopped", why=made.why, stop=made.id)
    return made


def release(desk: Desk, *, actor: Actor, now: dt.datetime, seen: Collection[int] | None = None) -> list[Stop]:
    """Let letters leave again, and return the stops that are over.

    ``seen`` are the ids the person looked at; a stop that came since then stays. Raises RefusedError when nothing is
    stopped, or when the name may not approve letters of every company.
    """
    with desk.store.write() as connection:
        if not may_release(connection, desk, actor.name):
            raise RefusedError(
                "this name may not release sending",
                where=actor.name,
                cure="`inboxbot user list` shows who may: an approver or admin of every company",
            )
        done = release_stops(connection, actor=actor.name, door=actor.door, at=now, only=seen)
        left = len(standing_stops(connection))
    if not done:
        raise RefusedError("sending is not stopped" if not left else "what keeps it stopped came since then")
    log.warning("sending_released", stops=[one.id for one in done], left=left)
    return done


def remind(desk: Desk) -> list[Stop]:
    """Call a person again while sending is stopped, and return the stops that stand."""
    with desk.store.read() as connection:
        standing = standing_stops(connection)
    for one in standing:
        log.error("sending_is_stopped", why=one.why, stop=one.id, since=one.at.isoformat())
    return standing


def may_release(connection: Connection, desk: Desk, name: str) -> bool:
    """Return whether somebody of this name may let sending go on: it concerns every company."""
    return all(may_approve(connection, name, company.name) for company in desk.settings.company)
