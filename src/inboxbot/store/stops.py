"""When sending was stopped for the whole installation, why, and who let it go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from inboxbot.store.tables import stops


@dataclass(frozen=True, slots=True)
class Stop:
    """Sending was stopped at ``at``. ``why`` is a code, ``note`` a person's words, ``detail`` counts and ids."""

    id: int
    at: dt.datetime
    why: str
    note: str
    actor: str
    door: str
    detail: dict[str, Any]
    released_at: dt.datetime | None
    released_by: str | None
    released_door: str | None


def _stop(row: Row[Any]) -> Stop:
    return Stop(**row._mapping)


def standing_stops(connection: Connection) -> list[Stop]:
    """Return what keeps sending stopped now, oldest first; empty when letters may leave."""
    query = select(stops).where(stops.c.released_at.is_(None)).order_by(stops.c.id)
    return [_stop(row) for row in connection.execute(query)]


def is_stopped(connection: Connection) -> bool:
    """Return whether sending is stopped now."""
    return connection.execute(select(stops.c.id).where(stops.c.released_at.is_(None)).limit(1)).first() is not None


def past_stops(connection: Connection, *, limit: int) -> list[Stop]:
    """Return the newest stops that were released, newest first."""
    query = select(stops).where(stops.c.released_at.is_not(None)).order_by(stops.c.id.desc()).limit(limit)
    return [_stop(row) for row in connection.execute(query)]


def last_release(connection: Connection) -> dt.datetime | None:
    """Return when a person last let sending go on, or None."""
    moment: dt.datetime | None = connection.execute(select(func.max(stops.c.released_at))).scalar_one()
    return moment


def add_stop(
    connection: Connection,
    why: str,
    *,
    actor: str,
    door: str,
    at: dt.datetime,
    note: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Stop | None:
    """Stop sending, and return the stop; None when it is stopped for this reason already."""
    if connection.execute(select(stops.c.id).where(stops.c.why == why, stops.c.released_at.is_(None))).first():
        return None
    values = {"at": at, "why": why, "note": note, "actor": actor, "door": door, "detail": dict(detail or {})}
    row = connection.execute(insert(stops).values(**values).returning(stops)).one()
    return _stop(row)


def release_stops(
    connection: Connection, *, actor: str, door: str, at: dt.datetime, only: Collection[int] | None = None
) -> list[Stop]:
    """End the stops that stand (of these ids ``only``), and return them."""
    standing = [one for one in standing_stops(connection) if only is None or one.id in only]
    connection.execute(
        update(stops)
        .where(stops.c.id.in_([one.id for one in standing]))
        .values(released_at=at, released_by=actor, released_door=door)
    )
    return standing
