"""Taking back that a case was ended: what ending it wrote is undone, and its letter drafted anew."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, select, update

from inboxbot.cases.promise import Excuse
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import Case, CaseState, DraftState
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.drafting import draft_first_answer
from inboxbot.desk.followup import add_draft
from inboxbot.desk.opening import first_look
from inboxbot.desk.record import record
from inboxbot.desk.relabel import occasion_of
from inboxbot.desk.settle import REOPENED_BY_STAFF
from inboxbot.store.cases import load_case, mailbox_id_of
from inboxbot.store.drafts import load_drafts
from inboxbot.store.mails import mails_of
from inboxbot.store.tables import cases, promises, requests

_KEEPS_LETTER = frozenset({DraftState.PROPOSED, DraftState.APPROVED, DraftState.TRANSMITTING, DraftState.SENT})
# Said by a person; what the strict rule excused by itself (thanks) stays excused.
_SAID = tuple(one.value for one in Excuse if one is not Excuse.THANKS)


def take_back_ending(
    desk: Desk, case_id: int, *, actor: Actor, now: dt.datetime, held_reason: str | None = None
) -> Case:
    """Make a case that was just dismissed or closed as it was: its state, its requests, its promise, its letter.

    Raises IllegalMoveError when it is neither.
    """
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        company, mailbox = desk.of_mailbox(case.mailbox)
        closed_at = connection.execute(select(cases.c.closed_at).where(cases.c.id == case_id)).scalar_one()
        dismissed = case.state is CaseState.DISMISSED
        values = {"closed_at": None, "held_reason": (held_reason or REOPENED_BY_STAFF) if dismissed else None}
        case = record(connection, case, CaseEvent.REOPENED, actor=actor, at=now, values=values)
        connection.execute(
            update(requests)
            .where(requests.c.case_id == case_id, requests.c.outcome_at == closed_at, requests.c.told_at.is_(None))
            .values(outcome=None, outcome_at=None)
        )
        connection.execute(
            update(promises).where(promises.c.case_id == case_id, promises.c.excused.in_(_SAID)).values(excused=None)
        )
        case = load_case(connection, case_id)
        connection.execute(update(cases).where(cases.c.id == case_id).values(look_at=first_look(case)))
        mailbox_id = mailbox_id_of(connection, case_id)
        served = Served(company, mailbox, mailbox_id, (mailbox_id,))
        return _with_letter(desk, served, connection, case, actor, now)


def _with_letter(
    desk: Desk, served: Served, connection: Connection, case: Case, actor: Actor, now: dt.datetime
) -> Case:
    """Draft the first answer again, unless there is a letter or nobody to write to."""
    letters = load_drafts(connection, case_ids=[case.id])
    if case.requester is None or not letters or any(one.state in _KEEPS_LETTER for one in letters):
        return case
    incoming = [mail for mail in mails_of(connection, case.id) if mail["direction"] == "in"]
    letter = draft_first_answer(served, case, occasion_of(case, incoming[-1] if incoming else None))
    return add_draft(desk, served, connection, case, letter, now=now, actor=actor)
