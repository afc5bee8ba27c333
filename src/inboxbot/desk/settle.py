"""Ending cases: confirm or dismiss what is held, say that no answer is needed, close, reopen."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from sqlalchemy import Connection, update

from inboxbot.cases.promise import Excuse
from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import Case, CaseState, DraftState, Outcome
from inboxbot.desk.closing import lacking
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.followup import taken_up
from inboxbot.desk.record import record, record_draft
from inboxbot.errors import RefusedError
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import excuse_promises, load_case
from inboxbot.store.drafts import load_drafts, void_approvals
from inboxbot.store.tables import requests

REOPENED_BY_STAFF: Final = "reopened_by_staff"
_LIVE_DRAFTS = (DraftState.PROPOSED, DraftState.APPROVED)


def confirm(desk: Desk, case_id: int, *, actor: Actor, now: dt.datetime) -> Case:
    """Say that a held case is what the judge guessed."""
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        return record(connection, case, CaseEvent.CONFIRMED, actor=actor, at=now, values={"held_reason": None})


def dismiss(desk: Desk, case_id: int, *, actor: Actor, now: dt.datetime) -> Case:
    """Put a held case aside: it asked for nothing. Its promise is excused, its letter declined."""
    with desk.store.write() as connection:
        return put_aside(connection, load_case(connection, case_id), actor=actor, now=now)


def put_aside(
    connection: Connection, case: Case, *, actor: Actor, now: dt.datetime, detail: dict[str, Any] | None = None
) -> Case:
    """Do what `dismiss` does, inside the caller's transaction."""
    values = {"closed_at": now, "look_at": None, "held_reason": None}
    case = record(connection, case, CaseEvent.DISMISSED, actor=actor, at=now, values=values, detail=detail)
    excuse_promises(connection, case.id, Excuse.NOT_A_REQUEST.value)
    _end_requests(connection, case, Outcome.NOT_A_REQUEST, now)
    return _end_drafts(connection, case, actor, now)


def no_answer_needed(
    desk: Desk, case_id: int, *, actor: Actor, now: dt.datetime, reason: Excuse = Excuse.NO_ANSWER_NEEDED
) -> Case:
    """Say that nobody waits for an answer; counted apart in the report. Closes a case that asks for no right.

    Raises RefusedError when a right is still undecided: that needs an outcome, not an excuse.
    """
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        if any(one.kind.is_right and one.outcome is None for one in case.requests):
            raise RefusedError(
                "a right is asked for and has no outcome",
                where=case.reference,
                cure="record one with `cases outcome`, or `cases relabel` if it is none",
            )
        excuse_promises(connection, case.id, reason.value)
        case = record(connection, case, CaseEvent.EXCUSED, actor=actor, at=now, detail={"reason": reason.value})
        case = _end_drafts(connection, case, actor, now)
        if case.state in (CaseState.OPEN, CaseState.WAITING):
            _end_requests(connection, case, Outcome.NOT_A_REQUEST, now)
            case = _close(connection, case, actor, now)
        return case


def close(desk: Desk, case_id: int, *, actor: Actor, now: dt.datetime) -> Case:
    """Close a case whose requests all have an outcome the person was told (ordinary mail: an answer).

    Raises RefusedError naming what is left.
    """
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        if case.state is CaseState.CLOSED:
            raise RefusedError("the case is closed already", where=case.reference)
        left = [one.kind.value for one in case.requests if one.kind.is_right and one.outcome is None]
        if left:
            raise RefusedError(
                f"there is no outcome for {', '.join(left)}",
                where=case.reference,
                cure="record it with `cases outcome`",
            )
        untold = [
            one.kind.value
            for one in case.requests
            if one.told_at is None and one.outcome not in (None, Outcome.WITHDRAWN, Outcome.NOT_A_REQUEST)
        ]
        if untold:
            raise RefusedError(
                f"the person was not told about {', '.join(untold)}",
                where=case.reference,
                cure="approve the letter, or note how they were told with `cases outcome --told`",
            )
        if any(one.answered_at is None and one.excused is None for one in case.promises):
            raise RefusedError(
                "a mail waits for its answer", where=case.reference, cure="answer it, or use `cases close --no-answer`"
            )
        undone = lacking(connection, desk.of_mailbox(case.mailbox)[0], case)
        if undone:
            cure = "record what was done with `cases line`"
            raise RefusedError(f"not decided: {', '.join(undone)}", where=case.reference, cure=cure)
        _end_requests(connection, case, Outcome.GRANTED, now)
        case = _end_drafts(connection, case, actor, now)
        return _close(connection, case, actor, now)


def reopen(desk: Desk, case_id: int, *, actor: Actor, now: dt.datetime) -> Case:
    """Take a closed or dismissed case up again."""
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        values = taken_up(case, REOPENED_BY_STAFF)
        return record(connection, case, CaseEvent.REOPENED, actor=actor, at=now, values=values)


def _close(connection: Connection, case: Case, actor: Actor, now: dt.datetime) -> Case:
    return record(connection, case, CaseEvent.CLOSED, actor=actor, at=now, values={"closed_at": now, "look_at": None})


def _end_requests(connection: Connection, case: Case, outcome: Outcome, now: dt.datetime) -> None:
    """Give undecided requests an outcome: every kind when it was no request, else only ordinary mail."""
    query = update(requests).where(requests.c.case_id == case.id, requests.c.outcome.is_(None))
    if outcome is not Outcome.NOT_A_REQUEST:
        query = query.where(requests.c.kind == Kind.OTHER.value)
    connection.execute(query.values(outcome=outcome.value, outcome_at=now))


def _end_drafts(connection: Connection, case: Case, actor: Actor, now: dt.datetime) -> Case:
    for draft in load_drafts(connection, case_ids=[case.id], states=_LIVE_DRAFTS):
        void_approvals(connection, draft.id, at=now)
        record_draft(connection, draft, DraftEvent.SUPERSEDED)
        detail = {"draft": draft.id}
        case = record(connection, case, CaseEvent.DRAFT_SUPERSEDED, actor=actor, at=now, detail=detail)
    return case
