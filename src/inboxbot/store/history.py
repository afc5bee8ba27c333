"""The append-only history of cases: a chain of hashes a case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from inboxbot.cases.history import entry_hash
from inboxbot.store.numbers import claim_id
from inboxbot.store.tables import history


def history_row(
    *,
    row_id: int,
    previous: str | None,
    case_id: int,
    sequence: int,
    at: dt.datetime,
    event: str,
    actor: str,
    door: str,
    detail: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the values of one history row with its hash, chained to ``previous`` (the hash before it, or None)."""
    return {
        "id": row_id,
        "case_id": case_id,
        "sequence": sequence,
        "at": at,
        "event": event,
        "actor": actor,
        "door": door,
        "detail": dict(detail),
        "hash": entry_hash(
            previous, case_id=case_id, sequence=sequence, at=at, event=event, actor=actor, door=door, detail=detail
        ),
    }


def append_history(
    connection: Connection,
    *,
    case_id: int,
    at: dt.datetime,
    event: str,
    actor: str,
    door: str,
    detail: Mapping[str, Any],
) -> None:
    """Add one entry at the end of a case's chain."""
    last = connection.execute(
        select(history.c.sequence, history.c.hash)
        .where(history.c.case_id == case_id)
        .order_by(history.c.sequence.desc())
        .limit(1)
    ).first()
    row = history_row(
        row_id=claim_id(connection, "history"),
        previous=last.hash if last else None,
        case_id=case_id,
        sequence=last.sequence + 1 if last else 1,
        at=at,
        event=event,
        actor=actor,
        door=door,
        detail=detail,
    )
    connection.execute(insert(history), [row])


def load_history(connection: Connection, case_id: int) -> list[dict[str, Any]]:
    """Return a case's entries in order."""
    query = select(history).where(history.c.case_id == case_id).order_by(history.c.sequence)
    return [dict(row._mapping) for row in connection.execute(query)]
