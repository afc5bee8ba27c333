"""Letters in the drafts folders of mailboxes: where each lies, and what became of it there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, insert, or_, select, update

from inboxbot.cases.values import DraftState
from inboxbot.store.tables import cases, drafts, placed


class PlacedState(StrEnum):
    """Where a letter stands in the drafts folder; ``removing``: we are about to take our own unedited draft away."""

    ABSENT = "absent"
    STANDING = "standing"
    EDITED = "edited"
    REMOVING = "removing"
    ENDED = "ended"


THERE = (PlacedState.STANDING, PlacedState.EDITED, PlacedState.REMOVING)
REMOVED = "removed"  # the note of a draft that we took away ourselves: it may be put there again
WAITS = "may_lie_in_drafts_folder"  # why an approved letter waits until somebody looked into the folder
LEFT_ALONE = "left_alone"  # the note of an edited draft that lies there although its letter is settled


@dataclass(frozen=True, slots=True)
class Placed:
    """A letter's row; see the table."""

    draft_id: int
    mailbox_id: int
    state: PlacedState
    note: str
    words: str
    placed_at: dt.datetime | None
    uidvalidity: int
    uid: int | None
    missing_since: dt.datetime | None


def _placed(row: Row[Any]) -> Placed:
    return Placed(**{**row._mapping, "state": PlacedState(row.state)})


def load_placed(
    connection: Connection, mailbox_id: int, *, states: Iterable[PlacedState] = tuple(PlacedState)
) -> list[Placed]:
    """Return the letters of a mailbox that were placed, or could not be, oldest first."""
    query = (
        select(placed)
        .where(placed.c.mailbox_id == mailbox_id, placed.c.state.in_([one.value for one in states]))
        .order_by(placed.c.draft_id)
    )
    return [_placed(row) for row in connection.execute(query)]


def placed_of(connection: Connection, draft_id: int) -> Placed | None:
    """Return where a letter lies, or None when nobody ever placed it."""
    row = connection.execute(select(placed).where(placed.c.draft_id == draft_id)).first()
    return _placed(row) if row else None


def set_placed(connection: Connection, draft_id: int, mailbox_id: int, **values: Any) -> None:
    """Write where a letter lies; the row is made when there is none."""
    done = connection.execute(update(placed).where(placed.c.draft_id == draft_id).values(**values))
    if not done.rowcount:
        connection.execute(insert(placed).values(draft_id=draft_id, mailbox_id=mailbox_id, **values))


def placeable(connection: Connection, mailbox_id: int, *, never: Iterable[str]) -> list[int]:
    """Return the ids of proposals with a recipient that do not lie in the drafts folder and may.

    ``never`` are templates that are never placed. What staff took away there is not put back.
    """
    absent = or_(placed.c.state == PlacedState.ABSENT.value, _not_yet())
    query = _proposals(mailbox_id, never).where(absent).order_by(drafts.c.id)
    return list(connection.execute(query).scalars())


def _proposals(mailbox_id: int, never: Iterable[str]) -> Select[Any]:
    """Return the query for the proposals of a mailbox that may be placed, beside where they lie."""
    return (
        select(drafts.c.id)
        .join(cases, cases.c.id == drafts.c.case_id)
        .outerjoin(placed, placed.c.draft_id == drafts.c.id)
        .where(
            cases.c.mailbox_id == mailbox_id,
            drafts.c.state == DraftState.PROPOSED.value,
            drafts.c.recipient.is_not(None),
            drafts.c.template.not_in(sorted(never)),
        )
    )


def holds_back(connection: Connection, draft_id: int) -> bool:
    """Return whether a letter may lie in the drafts folder still, where somebody could be sending it just now."""
    query = select(placed.c.draft_id).where(
        placed.c.draft_id == draft_id,
        placed.c.state.in_([one.value for one in THERE]),
        placed.c.note != LEFT_ALONE,
    )
    return connection.execute(query).first() is not None


def _not_yet() -> ColumnElement[bool]:
    """Whether nobody placed a letter so far, or we took it away again ourselves."""
    taken_away = and_(placed.c.state == PlacedState.ENDED.value, placed.c.note == REMOVED)
    return or_(placed.c.draft_id.is_(None), taken_away)


def to_tend(connection: Connection, mailbox_id: int, *, never: Iterable[str]) -> bool:
    """Return whether a letter waits for its place, or a draft lies there whose letter is settled elsewhere."""
    stale = (
        select(placed.c.draft_id)
        .join(drafts, drafts.c.id == placed.c.draft_id)
        .where(
            placed.c.mailbox_id == mailbox_id,
            placed.c.state.in_([one.value for one in THERE]),
            placed.c.note != LEFT_ALONE,
            drafts.c.state != DraftState.PROPOSED.value,
        )
    )
    fresh = _proposals(mailbox_id, never).where(_not_yet())
    return any(connection.execute(query.limit(1)).first() is not None for query in (stale, fresh))
