"""A further mail on a case: it is appended, its promise runs, what was approved but not sent is looked at again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert

from inboxbot.cases.alarms import About
from inboxbot.cases.promise import present, promise_due
from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import Case, CaseState, DraftState
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.drafting import Occasion, try_draft
from inboxbot.desk.events import raise_held, raise_sent
from inboxbot.desk.identity import take_code
from inboxbot.desk.opening import draft_row, new_request, our_message_id, request_row
from inboxbot.desk.record import record, record_draft
from inboxbot.desk.requester import evidence_of, greeting_of
from inboxbot.reading.values import Mail, SegmentKind
from inboxbot.sorting.values import Verdict
from inboxbot.store.cases import load_case, reopen_promises, settle_promises
from inboxbot.store.drafts import load_drafts, void_approvals
from inboxbot.store.mails import save_mails
from inboxbot.store.numbers import claim_id
from inboxbot.store.tables import drafts, promises, requests

_LIVE_DRAFTS = (DraftState.PROPOSED, DraftState.APPROVED)
_SETTLED = (CaseState.OPEN, CaseState.WAITING, CaseState.CLOSED)


@dataclass(frozen=True, slots=True)
class Followup:
    """A mail that joins a case. ``excuse`` is the code of a strict rule by which it needs no answer."""

    case_id: int
    event: CaseEvent
    mail: Mail
    verdict: Verdict
    received_at: dt.datetime
    promised: bool
    drafts: bool
    excuse: str | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """What a further mail led to: the case's state and the number of letters drafted (0 or 1)."""

    state: CaseState
    drafted: int


def append_mail(
    desk: Desk,
    served: Served,
    connection: Connection,
    followup: Followup,
    *,
    row: dict[str, Any],
    now: dt.datetime,
    actor: Actor,
) -> Appended:
    """Append a mail to its case and do what follows from it, inside the caller's transaction."""
    case = load_case(connection, followup.case_id)
    mail_id = claim_id(connection, "mails")
    save_mails(connection, [{**row, "id": mail_id}])
    if followup.event is CaseEvent.BOUNCED:
        bounced = _bounced(connection, case, followup, mail_id, now, actor)
        _held_again(connection, desk, case, bounced, now)
        return Appended(bounced.state, 0)
    if followup.event is CaseEvent.NOTED:
        detail: dict[str, Any] = {"mail": mail_id, "code": "staff_wrote_inside"}
        return Appended(record(connection, case, CaseEvent.NOTED, actor=actor, at=now, detail=detail).state, 0)
    if followup.event is CaseEvent.ANSWERED:
        latest = present(now, case.promises)
        answered_at = latest if latest > now else followup.received_at  # cut to a clock that was set back
        case = answered_outside(connection, case, mail_id, answered_at, now, actor)
        raise_sent(connection, desk, case.id, About.CASE, case.id, mark=f"mail {mail_id}", door="mailbox", now=now)
        return Appended(case.state, 0)
    if followup.excuse is not None and case.state in _SETTLED:
        _promise(connection, served, case, followup, mail_id)
        return Appended(
            record(
                connection,
                case,
                CaseEvent.EXCUSED,
                actor=actor,
                at=now,
                detail={"mail": mail_id, "rule": followup.excuse},
            ).state,
            0,
        )
    return _wrote_again(desk, served, connection, case, followup, mail_id, now, actor)


def _wrote_again(
    desk: Desk,
    served: Served,
    connection: Connection,
    case: Case,
    followup: Followup,
    mail_id: int,
    now: dt.datetime,
    actor: Actor,
) -> Appended:
    if followup.promised:
        _promise(connection, served, case, followup, mail_id)
    known = {request.kind for request in case.requests}
    added = [
        new_request(claim_id(connection, "requests"), kind, followup.received_at, served)
        for kind in followup.verdict.kinds
        if kind.is_right and kind not in known
    ]
    if added:
        connection.execute(insert(requests), [request_row(case.id, request) for request in added])
    detail: dict[str, Any] = {"mail": mail_id, "unsure": int(followup.verdict.unsure)}
    if added:
        detail["added"] = ",".join(request.kind.value for request in added)
    before, case = (
        case,
        record(
            connection,
            case,
            CaseEvent.REQUESTER_WROTE,
            actor=actor,
            at=now,
            detail=detail,
            values=taken_up(case, "followup_on_dismissed"),
        ),
    )
    _held_again(connection, desk, before, case, now)
    # What is in transmission cannot be called back; should it fail, it must not leave later on the old approval.
    for draft in load_drafts(connection, case_ids=[case.id], states=[DraftState.TRANSMITTING]):
        void_approvals(connection, draft.id, at=now)
    words = followup.mail.words(SegmentKind.NEW) or followup.mail.subject
    case = take_code(desk, connection, case, words, actor=actor, now=now)
    live = load_drafts(connection, case_ids=[case.id], states=_LIVE_DRAFTS)
    for draft in live:
        if draft.state is DraftState.APPROVED:
            void_approvals(connection, draft.id, at=now)
            record_draft(connection, draft, DraftEvent.MAIL_CAME, values=UNAPPROVED)
            case = record(
                connection,
                case,
                CaseEvent.DRAFT_CALLED_BACK,
                actor=actor,
                at=now,
                detail={"draft": draft.id, "mail": mail_id},
            )
    if live or not followup.drafts or case.requester is None:
        return Appended(case.state, 0)
    letter = try_draft(served, case, _occasion(served, followup))
    if letter is None:
        return Appended(case.state, 0)
    return Appended(add_draft(desk, served, connection, case, letter, now=now, actor=actor).state, 1)


def _held_again(connection: Connection, desk: Desk, before: Case, case: Case, now: dt.datetime) -> None:
    if case.state is CaseState.HELD and before.state is not CaseState.HELD:
        raise_held(connection, desk, case, now=now)


UNAPPROVED: dict[str, Any] = {
    "approver": None,
    "approved_at": None,
    "digest": None,
    "next_try_at": None,
    "waits_because": None,
    "final": None,
}


def taken_up(case: Case, why: str) -> dict[str, Any]:
    """Return what is written on a case that goes on; one that was dismissed is held again, and says why."""
    return {"closed_at": None} | ({"held_reason": why} if case.state is CaseState.DISMISSED else {})


def _occasion(served: Served, followup: Followup) -> Occasion:
    mail = followup.mail
    return Occasion(
        received_at=followup.received_at,
        message_id=mail.message_id,
        references=mail.references,
        flags=followup.verdict.flags,
        reminder=followup.verdict.reminder,
        greeting=greeting_of(mail, mail.sender),
        evidence=evidence_of(mail, mail.sender, served.mailbox, followup.verdict.flags),
    )


def add_draft(
    desk: Desk,
    served: Served,
    connection: Connection,
    case: Case,
    letter: dict[str, Any],
    *,
    now: dt.datetime,
    actor: Actor,
) -> Case:
    """Add a proposed letter to a case and return the case."""
    draft_id = claim_id(connection, "drafts")
    row = draft_row(letter, draft_id, case.id, our_message_id(desk, case.id, served), now=now)
    connection.execute(insert(drafts), [row])
    detail = {"draft": draft_id, "template": letter["template"]}
    return record(connection, case, CaseEvent.DRAFT_CREATED, actor=actor, at=now, detail=detail)


def _promise(connection: Connection, served: Served, case: Case, followup: Followup, mail_id: int) -> None:
    hours = served.mailbox.promise_hours
    if hours is None:
        return
    connection.execute(
        insert(promises).values(
            id=claim_id(connection, "promises"),
            case_id=case.id,
            mail_id=mail_id,
            received_at=followup.received_at,
            due_at=promise_due(followup.received_at, hours),
            excused=followup.excuse if case.state in _SETTLED else None,
        )
    )


def _bounced(
    connection: Connection, case: Case, followup: Followup, mail_id: int, now: dt.datetime, actor: Actor
) -> Case:
    """Reopen what the letter that came back had answered. A delay notice ("delayed") changes nothing."""
    report = followup.mail.report
    if (
        report is not None
        and report.actions
        and all(action in {"delayed", "delivered", "relayed"} for action in report.actions)
    ):
        return record(
            connection, case, CaseEvent.NOTED, actor=actor, at=now, detail={"mail": mail_id, "code": "delay_notice"}
        )
    ids = set(report.original_ids if report else (*followup.mail.in_reply_to, *followup.mail.references))
    letters = [draft for draft in load_drafts(connection, case_ids=[case.id]) if draft.message_id in ids]
    for draft in letters:
        reopen_promises(connection, case.id, by=f"draft:{draft.id}")
    return record(
        connection,
        case,
        CaseEvent.BOUNCED,
        actor=actor,
        at=now,
        detail={"mail": mail_id, "drafts": ",".join(str(draft.id) for draft in letters)},
        values=taken_up(case, "bounce_of_ours"),
    )


def answered_outside(
    connection: Connection, case: Case, mail_id: int, answered_at: dt.datetime, now: dt.datetime, actor: Actor
) -> Case:
    """Take a reply that staff sent from their own program: it meets the promises, and our proposals step aside."""
    settle_promises(connection, case.id, at=answered_at, by=f"mail:{mail_id}")
    case = record(connection, case, CaseEvent.ANSWERED, actor=actor, at=now, detail={"mail": mail_id})
    for draft in load_drafts(connection, case_ids=[case.id], states=_LIVE_DRAFTS):
        void_approvals(connection, draft.id, at=now)
        record_draft(connection, draft, DraftEvent.SUPERSEDED)
        case = record(
            connection,
            case,
            CaseEvent.DRAFT_SUPERSEDED,
            actor=actor,
            at=now,
            detail={"draft": draft.id, "mail": mail_id},
        )
    return case
