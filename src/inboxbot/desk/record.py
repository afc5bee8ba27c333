"""The one function that changes a case's state, and the one that changes a letter's. Both write history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, update

from inboxbot.cases.transitions import CaseEvent, DraftEvent, move_case, move_draft
from inboxbot.cases.values import Case
from inboxbot.desk.context import Actor
from inboxbot.errors import RefusedError
from inboxbot.store.cases import change_case, load_case
from inboxbot.store.drafts import Draft
from inboxbot.store.history import append_history
from inboxbot.store.tables import drafts


def record(
    connection: Connection,
    case: Case,
    event: CaseEvent,
    *,
    actor: Actor,
    at: dt.datetime,
    detail: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Case:
    """Let ``event`` happen to a case: check the table, write the state with ``values``, add the history row.

    Returns the case as it is then. Raises IllegalMoveError when the table forbids it and RefusedError when somebody
    else changed the case meanwhile. ``detail`` holds codes, ids and digests only.
    """
    record_last(connection, case, event, actor=actor, at=at, detail=detail, values=values)
    return load_case(connection, case.id)


def record_last(
    connection: Connection,
    case: Case,
    event: CaseEvent,
    *,
    actor: Actor,
    at: dt.datetime,
    detail: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Do what `record` does where nobody looks at the case afterwards: loading it is most of the work."""
    state = move_case(case.state, event)
    change_case(connection, case, {**(values or {}), "state": state.value})
    append_history(
        connection, case_id=case.id, at=at, event=event, actor=actor.name, door=actor.door, detail=detail or {}
    )


def record_draft(
    connection: Connection, draft: Draft, event: DraftEvent, *, values: Mapping[str, Any] | None = None
) -> None:
    """Let ``event`` happen to a letter that is still as it was read. The caller records it on the case as well."""
    state = move_draft(draft.state, event)
    changed = connection.execute(
        update(drafts)
        .where(drafts.c.id == draft.id, drafts.c.version == draft.version, drafts.c.state == draft.state.value)
        .values(**(values or {}), state=state.value, version=draft.version + 1)
    )
    if changed.rowcount != 1:
        raise RefusedError("somebody else changed the letter meanwhile", where=f"draft {draft.id}", cure="look again")
