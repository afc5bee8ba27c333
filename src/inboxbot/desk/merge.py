"""Joining two cases that are one matter, and taking one matter out of a case that holds two."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, update

from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import LIVE, Case, CaseState, DraftState
from inboxbot.desk.arrivals import Served
from inboxbot.desk.checklist import request_of
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.opening import NewCase, Opened, Openings, first_look
from inboxbot.desk.record import record, record_draft
from inboxbot.desk.relabel import occasion_of
from inboxbot.errors import UsageError
from inboxbot.reading.values import Address
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import add_address, addresses_of, load_case, mailbox_id_of
from inboxbot.store.drafts import load_drafts, void_approvals
from inboxbot.store.mails import mails_of
from inboxbot.store.tables import case_addresses, checklist, ledger, mails, promises, requests

_BEFORE_LEAVING = (DraftState.PROPOSED, DraftState.APPROVED)


def merge(desk: Desk, from_id: int, into_id: int, *, actor: Actor, now: dt.datetime) -> Case:
    """Move mails, promises and requests of one case into another and close the first; return the second.

    Of a kind that both ask for the earlier date counts (law.md 3.1 rule 12). Letters of the first case that have not
    left are put aside, approvals of the second are void. Raises UsageError for cases of different companies.
    """
    if from_id == into_id:
        raise UsageError("a case cannot be merged with itself")
    with desk.store.write() as connection:
        source, target = load_case(connection, from_id), load_case(connection, into_id)
        if source.company != target.company:
            raise UsageError("the cases belong to different companies")
        _move_requests(connection, source, target)
        for table in (mails, promises):
            connection.execute(update(table).where(table.c.case_id == source.id).values(case_id=target.id))
        connection.execute(update(ledger).where(ledger.c.case_id == source.id).values(case_id=target.id))
        for address in addresses_of(connection, [source.id]).get(source.id, ()):
            add_address(connection, target.id, address)
        connection.execute(delete(case_addresses).where(case_addresses.c.case_id == source.id))
        source = _set_drafts_aside(connection, source, DraftEvent.SUPERSEDED, actor, now)
        target = _set_drafts_aside(connection, target, DraftEvent.MAIL_CAME, actor, now)
        ended = {"closed_at": now, "look_at": None, "merged_into": target.id}
        record(
            connection,
            source,
            CaseEvent.MERGED_AWAY,
            actor=actor,
            at=now,
            detail={"into": target.reference},
            values=ended,
        )
        target = load_case(connection, target.id)
        detail = {"from": source.reference}
        values = {"look_at": first_look(target)}
        return record(connection, target, CaseEvent.MERGED, actor=actor, at=now, detail=detail, values=values)


def _move_requests(connection: Connection, source: Case, target: Case) -> None:
    known = {one.kind: one for one in target.requests}
    for one in source.requests:
        mine = known.get(one.kind)
        if mine is None:
            connection.execute(update(requests).where(requests.c.id == one.id).values(case_id=target.id))
            continue
        if one.received_at < mine.received_at and mine.outcome is None:
            earlier = {"received_at": one.received_at, "due_hard": one.due_hard, "due_paused": one.due_paused}
            connection.execute(update(requests).where(requests.c.id == mine.id).values(**earlier))
        connection.execute(delete(checklist).where(checklist.c.request_id == one.id))
        connection.execute(delete(requests).where(requests.c.id == one.id))


def _set_drafts_aside(connection: Connection, case: Case, event: DraftEvent, actor: Actor, now: dt.datetime) -> Case:
    for draft in load_drafts(connection, case_ids=[case.id], states=_BEFORE_LEAVING):
        if event is DraftEvent.MAIL_CAME and draft.state is DraftState.PROPOSED:
            continue
        void_approvals(connection, draft.id, at=now)
        record_draft(connection, draft, event)
        told = CaseEvent.DRAFT_SUPERSEDED if event is DraftEvent.SUPERSEDED else CaseEvent.DRAFT_CALLED_BACK
        case = record(connection, case, told, actor=actor, at=now, detail={"draft": draft.id})
    return case


def split(desk: Desk, case_id: int, kinds: Sequence[Kind], *, actor: Actor, now: dt.datetime) -> Opened:
    """Make some requests of a case a case of their own, with the same requester, mail and dates; return the new one.

    The promise stays with the first case. Raises UsageError when nothing would be left in it.
    """
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        moved = [request_of(case, kind) for kind in dict.fromkeys(kinds)]
        if not moved or len(moved) == len(case.requests):
            raise UsageError("name some of the case's kinds, not all", where=case.reference)
        if case.state not in LIVE:
            raise UsageError(f"the case is {case.state.value}", where=case.reference)
        company, mailbox = desk.of_mailbox(case.mailbox)
        mailbox_id = mailbox_id_of(connection, case.id)
        served = Served(company, mailbox, mailbox_id, (mailbox_id,))
        incoming = [mail for mail in mails_of(connection, case.id) if mail["direction"] == "in"]
        occasion = occasion_of(case, incoming[0] if incoming else None)
        ids = [one.id for one in moved]
        connection.execute(delete(checklist).where(checklist.c.request_id.in_(ids)))
        connection.execute(delete(requests).where(requests.c.id.in_(ids)))
        openings = Openings(desk, served, connection, now)
        opened = openings.open(
            NewCase(
                event=CaseEvent.OPENED_BY_STAFF,
                state=CaseState.OPEN,
                reason="split",
                requester=Address(case.requester, case.requester_name) if case.requester else None,
                requester_source="split",
                kinds=tuple(one.kind for one in moved),
                language=case.language,
                subject=case.subject,
                message_id=occasion.message_id,
                references=occasion.references,
                greeting=occasion.greeting,
                received_at=min(one.received_at for one in moved),
                flags=occasion.flags,
                promised=False,
                actor=actor,
            ),
            mail_row=_copy(incoming[0]) if incoming else _empty(mailbox_id, case),
        )
        openings.flush_cases()
        openings.flush_rest()
        detail = {"into": opened.reference, "kinds": ",".join(one.kind.value for one in moved)}
        record(connection, load_case(connection, case.id), CaseEvent.SPLIT, actor=actor, at=now, detail=detail)
    return opened


def _copy(mail: dict[str, Any]) -> dict[str, Any]:
    """Return a mail's row for the new case. Its Message-ID stays with the first case, where answers to it belong."""
    return {**{key: value for key, value in mail.items() if key != "id"}, "ledger_id": None, "message_id": None}


def _empty(mailbox_id: int, case: Case) -> dict[str, Any]:
    return {
        "mailbox_id": mailbox_id,
        "direction": "in",
        "subject": case.subject,
        "text": "",
        "header": b"",
        "detail": {},
        "recipients": [],
        "received_at": case.opened_at,
        "size": 0,
    }
