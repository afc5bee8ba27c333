"""What moves a legal date: a pause while the requester is asked something, and an extension told in time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, update

from inboxbot.cases.identity import needed_level, reached_level
from inboxbot.cases.legal_date import legal_date, paused_date, told_in_time
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import Case, DraftState, Request
from inboxbot.config.model import CompanySettings
from inboxbot.desk.context import Actor
from inboxbot.desk.drafting import grounds_of
from inboxbot.desk.evidence import evidence_on_case
from inboxbot.desk.record import record
from inboxbot.store.cases import load_case
from inboxbot.store.drafts import Draft, load_drafts
from inboxbot.store.tables import requests


def note_asked(connection: Connection, case: Case, draft: Draft, now: dt.datetime) -> None:
    """Write when the requester was first asked about the requests of a letter."""
    kinds = grounds_of(draft.facts).kinds
    connection.execute(
        update(requests)
        .where(
            requests.c.case_id == case.id,
            requests.c.kind.in_(kinds),
            requests.c.asked_at.is_(None),
            requests.c.outcome.is_(None),
        )
        .values(asked_at=now)
    )


def note_proven(connection: Connection, case: Case, company: CompanySettings, now: dt.datetime) -> None:
    """Write that the answer to our question was sufficient, and the date that is shown since then.

    Only requests whose level is reached now are answered; the hard date never moves (law.md 3.1 rule 9).
    """
    reached = reached_level(evidence_on_case(connection, case))
    reason = _reason(connection, case)
    for one in case.requests:
        if one.asked_at is None or one.answered_at is not None or needed_level(one.kind).act > reached:
            continue
        paused = paused_date(
            legal_date(one.received_at, company.zone),
            company.zone,
            asked_at=one.asked_at,
            answered_at=now,
            reason=reason,
        )
        values = {"answered_at": now, "due_paused": paused.due_on}
        connection.execute(update(requests).where(requests.c.id == one.id).values(**values))


def _reason(connection: Connection, case: Case) -> str:
    """Return the coded doubt of the newest question that was sent, or "" when none was recorded."""
    sent = load_drafts(connection, case_ids=[case.id], states=[DraftState.SENT])
    asked = [grounds_of(one.facts) for one in sent if grounds_of(one.facts).asks]
    return (asked[-1].identity_reason or ("clarification" if not asked[-1].code_kind else "code")) if asked else ""


def extend(
    connection: Connection, case: Case, company: CompanySettings, draft: Draft, *, actor: Actor, now: dt.datetime
) -> Case:
    """Move the hard date after an extension notice went out inside month one; a late one moves nothing."""
    for one in _of(case, draft):
        valid = told_in_time(now, one.received_at, company.zone)
        if valid:
            due = legal_date(one.received_at, company.zone, extended=True).due_on
            values = {"extended_on": now.astimezone(company.zone).date(), "due_hard": due, "due_paused": due}
            connection.execute(update(requests).where(requests.c.id == one.id).values(**values))
        detail = {"kind": one.kind.value, "draft": draft.id, "valid": int(valid)}
        case = record(
            connection, load_case(connection, case.id), CaseEvent.EXTENDED, actor=actor, at=now, detail=detail
        )
    return case


def _of(case: Case, draft: Draft) -> list[Request]:
    kinds = grounds_of(draft.facts).kinds
    return [one for one in case.requests if one.kind.value in kinds and one.outcome is None]
