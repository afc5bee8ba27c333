"""Approving a letter, taking an approval back, and settling letters whose sending went wrong."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import CaseState, DraftState
from inboxbot.crash import crash_here
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.followup import UNAPPROVED
from inboxbot.desk.letters import Finding, check_draft, digest_of, finish
from inboxbot.desk.optout import opt_out
from inboxbot.desk.record import record, record_draft
from inboxbot.errors import RefusedError
from inboxbot.store.cases import load_case, settle_promises
from inboxbot.store.drafts import add_approval, load_draft, void_approvals


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval: the digest of exactly what will be sent, and the warnings it was given in spite of."""

    draft_id: int
    digest: str
    warnings: tuple[Finding, ...]


def approve(
    desk: Desk, draft_id: int, *, actor: Actor, now: dt.datetime, hold: dt.timedelta = dt.timedelta()
) -> Approved:
    """Approve a letter: fill in who signs it, check it, and fix the digest of what will be sent.

    It may leave after ``hold``. Raises RefusedError when the letter check finds something that must not go out, when
    the case is dismissed, and IllegalMoveError when the letter is not a proposal (approving twice sends nothing more).
    """
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        case = load_case(connection, draft.case_id)
        if draft.state is not DraftState.PROPOSED:
            raise RefusedError(
                f"the letter is {draft.state.value}",
                where=f"draft {draft_id}",
                cure="only a proposed letter is approved",
            )
        if draft.recipient is None:
            raise RefusedError(
                "nobody knows whom this letter goes to",
                where=f"draft {draft_id}",
                cure=f"set an address with `inboxbot drafts edit {draft_id} --to ADDRESS`",
            )
        company, mailbox = desk.of_mailbox(case.mailbox)
        finished = finish(draft, company, approver=actor.name, now=now)
        findings = check_draft(company, mailbox, case, finished)
        blocking = [finding for finding in findings if finding.blocks]
        if blocking:
            raise RefusedError(
                "the letter may not go out: " + "; ".join(finding.text for finding in blocking),
                where=f"draft {draft_id}",
                cure=f"mend it with `inboxbot drafts edit {draft_id}`",
            )
        digest = digest_of(finished)
        record_draft(
            connection,
            draft,
            DraftEvent.APPROVED,
            values={
                "body": finished.body,
                "digest": digest,
                "approver": actor.name,
                "approved_at": now,
                "next_try_at": now + hold,
                "waits_because": None,
                "attempts": 0,
            },
        )
        add_approval(connection, draft_id, digest=digest, actor=actor.name, door=actor.door, at=now)
        if case.state is CaseState.HELD:
            case = record(connection, case, CaseEvent.CONFIRMED, actor=actor, at=now, values={"held_reason": None})
        case = opt_out(desk, connection, case, draft, actor=actor, now=now)
        record(
            connection,
            case,
            CaseEvent.DRAFT_APPROVED,
            actor=actor,
            at=now,
            detail={"draft": draft_id, "digest": digest, "warnings": ",".join(one.rule for one in findings)},
        )
        crash_here("approve_in_transaction")
    crash_here("approve_committed")
    return Approved(draft_id, digest, tuple(findings))


def call_back(desk: Desk, draft_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Take an approval back while the letter has not left."""
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        record_draft(connection, draft, DraftEvent.CALLED_BACK, values=UNAPPROVED)
        void_approvals(connection, draft_id, at=now)
        case = load_case(connection, draft.case_id)
        record(connection, case, CaseEvent.DRAFT_CALLED_BACK, actor=actor, at=now, detail={"draft": draft_id})


def decline(desk: Desk, draft_id: int, *, actor: Actor, now: dt.datetime, reason: str = "") -> None:
    """Put a letter aside for good; the case stays as it is. ``reason`` is kept as its length only, for it may name people."""
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        record_draft(connection, draft, DraftEvent.DECLINED)
        case = load_case(connection, draft.case_id)
        detail = {"draft": draft_id, "reason_given": int(bool(reason))}
        record(connection, case, CaseEvent.DRAFT_DECLINED, actor=actor, at=now, detail=detail)


def settle_unknown(desk: Desk, draft_id: int, *, arrived: bool, actor: Actor, now: dt.datetime) -> None:
    """Write what a person found out about a letter whose sending was cut off or refused.

    ``arrived``: it reached the person, the promise was met when it was tried. Else it is a proposal again and needs a
    new approval before anything is sent.
    """
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        case = load_case(connection, draft.case_id)
        if arrived:
            record_draft(connection, draft, DraftEvent.FOUND_ARRIVED, values={"sent_at": now, "waits_because": None})
            settle_promises(connection, case.id, at=draft.approved_at or now, by=f"draft:{draft_id}")
            record(
                connection,
                case,
                CaseEvent.LETTER_SENT,
                actor=actor,
                at=now,
                detail={"draft": draft_id, "code": "said_by_person"},
            )
        else:
            record_draft(connection, draft, DraftEvent.TAKEN_UP, values=UNAPPROVED)
            void_approvals(connection, draft_id, at=now)
            record(connection, case, CaseEvent.DRAFT_CALLED_BACK, actor=actor, at=now, detail={"draft": draft_id})
