"""Opting out of marketing: entered on the suppression list when a person approves the letter that says so.

Marketing systems are told by webhook, or ticked by staff; the letter says "done" only of what was done when it was
written, and the case does not close before every one of them is.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from sqlalchemy import Connection, update

from inboxbot.cases.checklist import About, LineAnswer
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import Case, Outcome
from inboxbot.desk.closing import close_if_done, lines_of
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.record import record
from inboxbot.desk.retry import next_try
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import load_case
from inboxbot.store.checklists import save_lines
from inboxbot.store.drafts import Draft
from inboxbot.store.suppressions import CHANNELS, address_digest, suppress
from inboxbot.store.tables import requests
from inboxbot.store.webhooks import Told, end_webhook, queue_webhook, retry_webhook


def opt_out(desk: Desk, connection: Connection, case: Case, draft: Draft, *, actor: Actor, now: dt.datetime) -> Case:
    """Grant the case's undecided opt-out when ``draft`` tells it, for every channel (law.md A-04), and return the case.

    The objection is absolute (Art. 21(3)): nothing is checked and nothing is weighed.
    """
    asked = [one for one in case.requests if one.kind is Kind.UNSUBSCRIBE and one.outcome is None]
    if not asked or Kind.UNSUBSCRIBE.value not in draft.facts.get("tells", []) or case.requester is None:
        return case
    digest = address_digest(desk.secret, case.company, case.requester)
    suppress(
        connection,
        company=case.company,
        digest=digest,
        channels=CHANNELS,
        since=now,
        reason="opt_out",
        case_id=case.id,
    )
    company, _ = desk.of_mailbox(case.mailbox)
    for system in company.systems:
        if system.marketing and system.webhook is not None:
            queue_webhook(connection, case.id, system.name, case.requester, now=now)
    connection.execute(
        update(requests).where(requests.c.id == asked[0].id).values(outcome=Outcome.GRANTED.value, outcome_at=now)
    )
    detail = {"kind": Kind.UNSUBSCRIBE.value, "outcome": Outcome.GRANTED.value, "suppression": digest[:16]}
    return record(connection, case, CaseEvent.OUTCOME_RECORDED, actor=actor, at=now, detail=detail)


def system_answered(desk: Desk, told: Told, *, result: str, now: dt.datetime) -> None:
    """Tick the system that took an opt-out, and close the case when nothing else is left."""
    with desk.store.write() as connection:
        end_webhook(connection, told.id, result=result, now=now)
        case = load_case(connection, told.case_id)
        company, _ = desk.of_mailbox(case.mailbox)
        request = next((one for one in case.requests if one.kind is Kind.UNSUBSCRIBE), None)
        if request is None:
            return
        lines = [
            replace(line, answer=LineAnswer.STOPPED)
            if line.about is About.SYSTEM and line.name == told.system
            else line
            for line in lines_of(connection, company, request)
        ]
        save_lines(connection, request.id, lines)
        detail = {"kind": Kind.UNSUBSCRIBE.value, "webhook": told.id, "answer": LineAnswer.STOPPED.value}
        if case.state.value not in {"closed", "dismissed"}:
            case = record(connection, case, CaseEvent.LINE_RECORDED, actor=_SYSTEM, at=now, detail=detail)
            close_if_done(connection, company, case, actor=_SYSTEM, now=now)


def system_failed(desk: Desk, told: Told, *, result: str, now: dt.datetime) -> None:
    """Note that a system did not take an opt-out; it is tried again, and after two days a person has to tick it."""
    again = next_try(now, told.attempts + 1) if result != "not_configured" else None
    with desk.store.write() as connection:
        retry_webhook(connection, told.id, result=result, at=again)


_SYSTEM = Actor("inboxbot", "webhook")
