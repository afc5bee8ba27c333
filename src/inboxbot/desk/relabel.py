"""Correcting the kinds of a case: the requests change, the first answer is drafted anew, the judge may learn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import Case, CaseState, DraftState, Outcome
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.drafting import Occasion, draft_first_answer
from inboxbot.desk.followup import add_draft
from inboxbot.desk.opening import new_request, request_row
from inboxbot.desk.record import record, record_draft
from inboxbot.errors import UsageError
from inboxbot.reading.values import Address, SegmentKind
from inboxbot.replies.facts import signed_name
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import load_case, mailbox_id_of
from inboxbot.store.corrections import save_correction
from inboxbot.store.drafts import load_drafts, void_approvals
from inboxbot.store.mails import mails_of
from inboxbot.store.numbers import claim_id
from inboxbot.store.tables import drafts, requests

_BEFORE_LEAVING = (DraftState.PROPOSED, DraftState.APPROVED)


def relabel(desk: Desk, case_id: int, kinds: Sequence[Kind], *, actor: Actor, now: dt.datetime) -> Case:
    """Make the undecided requests of a case exactly ``kinds``, confirm it if it was held, and draft its answer anew.

    Requests that have an outcome stay. The correction is kept for `learn`, as indices of features, not as words.
    Raises UsageError when ``other`` is given beside a right.
    """
    wanted = list(dict.fromkeys(kinds))
    if not wanted or (Kind.OTHER in wanted and len(wanted) > 1):
        raise UsageError("give one or more kinds; `other` stands alone")
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        company, mailbox = desk.of_mailbox(case.mailbox)
        mailbox_id = mailbox_id_of(connection, case_id)
        served = Served(company, mailbox, mailbox_id, (mailbox_id,))
        before = [one.kind.value for one in case.requests if one.outcome is None]
        _change_requests(connection, served, case, wanted, now)
        incoming = [mail for mail in mails_of(connection, case.id) if mail["direction"] == "in"]
        if incoming:
            save_correction(connection, case.id, incoming[0], [kind.value for kind in wanted], now=now)
        detail = {"before": ",".join(before), "after": ",".join(kind.value for kind in wanted)}
        case = record(connection, case, CaseEvent.RELABELLED, actor=actor, at=now, detail=detail)
        if case.state is CaseState.HELD:
            case = record(connection, case, CaseEvent.CONFIRMED, actor=actor, at=now, values={"held_reason": None})
        return _draft_anew(desk, served, connection, case, incoming, actor, now)


def _change_requests(connection: Connection, served: Served, case: Case, wanted: list[Kind], now: dt.datetime) -> None:
    received_at = min((one.received_at for one in case.requests), default=case.opened_at)
    known = {one.kind: one for one in case.requests}
    gone = [one.id for one in case.requests if one.kind not in wanted and one.outcome is None]
    if gone:
        ended = {"outcome": Outcome.NOT_A_REQUEST.value, "outcome_at": now}
        connection.execute(update(requests).where(requests.c.id.in_(gone)).values(**ended))
    for kind in wanted:
        if kind not in known:
            row = request_row(case.id, new_request(claim_id(connection, "requests"), kind, received_at, served))
            connection.execute(insert(requests).values(**row))
        elif known[kind].outcome is Outcome.NOT_A_REQUEST:
            again = {"outcome": None, "outcome_at": None}
            connection.execute(update(requests).where(requests.c.id == known[kind].id).values(**again))


def _draft_anew(
    desk: Desk,
    served: Served,
    connection: Connection,
    case: Case,
    incoming: list[dict[str, Any]],
    actor: Actor,
    now: dt.datetime,
) -> Case:
    """Replace a first answer that has not left by one for the corrected kinds."""
    live = load_drafts(connection, case_ids=[case.id], states=_BEFORE_LEAVING)
    sent = connection.execute(
        select(drafts.c.id).where(drafts.c.case_id == case.id, drafts.c.state == DraftState.SENT.value)
    ).first()
    if sent is not None and not live:
        return case
    for draft in live:
        void_approvals(connection, draft.id, at=now)
        record_draft(connection, draft, DraftEvent.SUPERSEDED)
        detail: dict[str, Any] = {"draft": draft.id}
        case = record(connection, case, CaseEvent.DRAFT_SUPERSEDED, actor=actor, at=now, detail=detail)
    if case.requester is None:
        return case
    letter = draft_first_answer(served, case, occasion_of(case, incoming[-1] if incoming else None))
    return add_draft(desk, served, connection, case, letter, now=now, actor=actor)


def occasion_of(case: Case, mail: dict[str, Any] | None) -> Occasion:
    """Return what a letter of this case answers: its newest incoming mail, or the entry by hand."""
    if mail is None:
        return Occasion(received_at=case.opened_at, message_id=None, references=())
    verdict = mail["detail"].get("verdict", {})
    words = "\n".join(
        mail["text"][start:end]
        for kind, start, end in mail["detail"].get("segments", [])
        if kind in (SegmentKind.NEW, SegmentKind.SIGNATURE)
    )
    sender = Address(mail["sender"] or "", mail["sender_name"])
    return Occasion(
        received_at=mail["received_at"],
        message_id=mail["message_id"],
        references=tuple(mail["detail"].get("references", [])),
        flags=frozenset(verdict.get("flags", [])),
        reminder=bool(verdict.get("reminder")),
        greeting=signed_name(sender.name, words) if sender.address == case.requester else "",
    )
