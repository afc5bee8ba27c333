"""Opting out of marketing: entered on the suppression list when a person approves the letter that says so."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, update

from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import Case, Outcome
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.record import record
from inboxbot.sorting.kinds import Kind
from inboxbot.store.drafts import Draft
from inboxbot.store.suppressions import CHANNELS, address_digest, suppress
from inboxbot.store.tables import requests


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
    connection.execute(
        update(requests).where(requests.c.id == asked[0].id).values(outcome=Outcome.GRANTED.value, outcome_at=now)
    )
    detail = {"kind": Kind.UNSUBSCRIBE.value, "outcome": Outcome.GRANTED.value, "suppression": digest[:16]}
    return record(connection, case, CaseEvent.OUTCOME_RECORDED, actor=actor, at=now, detail=detail)
