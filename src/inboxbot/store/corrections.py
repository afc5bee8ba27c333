"""What staff corrected, kept so that the judge of this installation can learn from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from inboxbot.store.tables import corrections, learned


def save_correction(
    connection: Connection, case_id: int, mail: dict[str, Any], right: Sequence[str], *, now: dt.datetime
) -> None:
    """Keep the right kinds of a mail that was judged; a later correction of the same mail takes its place."""
    verdict = mail["detail"].get("verdict")
    if not verdict:
        return
    connection.execute(delete(corrections).where(corrections.c.mail_id == mail["id"]))
    connection.execute(
        insert(corrections).values(
            case_id=case_id,
            mail_id=mail["id"],
            at=now,
            features=verdict["features"],
            judged=verdict["kinds"],
            right=list(right),
            scores=verdict.get("scores", []),
        )
    )


def load_corrections(connection: Connection) -> list[dict[str, Any]]:
    """Return every correction, oldest first."""
    return [dict(row._mapping) for row in connection.execute(select(corrections).order_by(corrections.c.id))]


def active_layer(connection: Connection) -> dict[str, Any] | None:
    """Return the local layer in use, or None."""
    row = connection.execute(select(learned.c.layer).order_by(learned.c.id.desc()).limit(1)).first()
    return dict(row.layer) if row else None


def save_layer(connection: Connection, layer: dict[str, Any], *, now: dt.datetime) -> None:
    """Make ``layer`` the one in use."""
    connection.execute(insert(learned).values(at=now, layer=layer))


def drop_layer(connection: Connection) -> bool:
    """Go back to the layer before; return whether there was one to drop."""
    newest = connection.execute(select(learned.c.id).order_by(learned.c.id.desc()).limit(1)).scalar()
    if newest is None:
        return False
    connection.execute(delete(learned).where(learned.c.id == newest))
    return True


def drop_layers(connection: Connection) -> None:
    """Forget everything that was learned."""
    connection.execute(delete(learned))
