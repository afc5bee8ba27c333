"""When a case is done: every request has an outcome that was told, and every line of every checklist is decided."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection

from inboxbot.cases.checklist import ChecklistLine, lines_for, undecided
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import Case, CaseState, Outcome, Request
from inboxbot.config.model import CompanySettings
from inboxbot.desk.context import Actor
from inboxbot.desk.record import record
from inboxbot.store.checklists import load_lines

_LIVE = (CaseState.OPEN, CaseState.WAITING)
_SILENT = (Outcome.WITHDRAWN, Outcome.NOT_A_REQUEST)  # nothing to tell, nothing to do
NOTHING_DONE = (*_SILENT, Outcome.REFUSED)


def lines_of(connection: Connection, company: CompanySettings, request: Request) -> tuple[ChecklistLine, ...]:
    """Return a request's checklist: what was recorded, and an undecided line for everything configured besides."""
    known = {line.key: line for line in load_lines(connection, request.id)}
    merged = [known.pop(line.key, line) for line in lines_for(request.kind, company)]
    return (*merged, *known.values())


def is_settled(request: Request) -> bool:
    """Return whether a request has an outcome and the person knows it, or there is nothing to tell."""
    return request.outcome is not None and (request.told_at is not None or request.outcome in _SILENT)


def lacking(connection: Connection, company: CompanySettings, case: Case) -> list[str]:
    """Return the lines that still have to be decided, as ``kind system:Name``."""
    return [
        f"{request.kind.value} {one.key}"
        for request in case.requests
        if request.outcome not in NOTHING_DONE
        for one in undecided(request.kind, lines_of(connection, company, request))
    ]


def close_if_done(
    connection: Connection, company: CompanySettings, case: Case, *, actor: Actor, now: dt.datetime
) -> Case:
    """Close a live case in which everything is decided, done and told; else return it as it is."""
    if case.state not in _LIVE or not all(is_settled(one) for one in case.requests):
        return case
    if lacking(connection, company, case):
        return case
    return record(connection, case, CaseEvent.CLOSED, actor=actor, at=now, values={"closed_at": now, "look_at": None})
