"""Approving a letter, taking an approval back, and settling letters whose sending went wrong."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from inboxbot.cases.codes import StoredCode, hash_code, make_code
from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import Case, CaseState, DraftState
from inboxbot.config.model import MailboxSettings
from inboxbot.crash import crash_here
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.followup import UNAPPROVED
from inboxbot.desk.letters import Finding, check_draft, digest_of, finish
from inboxbot.desk.optout import opt_out
from inboxbot.desk.record import record, record_draft
from inboxbot.errors import RefusedError
from inboxbot.reading.charsets import clean_line
from inboxbot.store.cases import load_case, settle_promises
from inboxbot.store.checklists import load_attachments, save_code
from inboxbot.store.drafts import Draft, add_approval, load_draft, void_approvals
from inboxbot.store.people import may_approve

# Rules that a second person may set aside with a reason (law.md 6.3); every other blocking rule holds.
_OVERRIDABLE = frozenset({"identity_not_proven", "no_address_on_file", "not_the_address_on_file", "recipient"})
_TWO_PEOPLE = frozenset({"excessive"})  # law.md T11


@dataclass(frozen=True, slots=True)
class Seen:
    """A letter as somebody had it before their eyes: its version, and the digest of its words and files.

    The terminal quotes the beginning of the digest alone: then the same words and files are enough.
    """

    version: int | None
    digest: str

    def is_still(self, now: Seen) -> bool:
        """Whether what was seen is what there is now."""
        return now.digest.startswith(self.digest) if self.version is None else now == self


class ChangedError(RefusedError):
    """The letter is not the one that was looked at."""


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval: the digest of exactly what will be sent, and the warnings it was given in spite of.

    ``needs_second`` says that another person has to approve as well before the letter may leave.
    """

    draft_id: int
    digest: str
    warnings: tuple[Finding, ...]
    needs_second: bool = False


def approve(
    desk: Desk,
    draft_id: int,
    *,
    actor: Actor,
    now: dt.datetime,
    hold: dt.timedelta = dt.timedelta(),
    override: str | None = None,
    seen: Seen | None = None,
) -> Approved:
    """Approve a letter: fill in who signs it, check it, and fix the digest of what will be sent.

    It may leave after ``hold``. With ``override`` (a reason) a letter that discloses data to an unproven address is
    put before a second person, whose approval sends it. Raises RefusedError when the letter check finds something that
    must not go out, when the letter is not a proposal (approving twice sends nothing more), when the account may not
    approve, and ChangedError when it is not what was ``seen`` any more.
    """
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        case = load_case(connection, draft.case_id)
        _refuse_unless_ready(draft)
        _refuse_unless_as_seen(connection, draft, seen)
        company, mailbox = desk.of_mailbox(case.mailbox)
        _refuse_unless_allowed(connection, actor, company.name, mailbox)
        code = make_code(secrets.token_bytes(16)) if draft.template == "code" else ""
        files = load_attachments(connection, draft_id)
        finished = finish(draft, company, approver=actor.name, now=now, files=files, code=code)
        findings = check_draft(connection, company, mailbox, case, finished, now=now)
        first = draft.facts.get("first_approver", "")
        seconded = bool(first) and first != actor.name
        blocking = [one for one in findings if one.blocks and not (seconded and one.rule in _OVERRIDABLE)]
        if override and blocking and all(one.rule in _OVERRIDABLE for one in blocking):
            return _ask_second(connection, case, draft, findings, actor=actor, now=now, reason=override)
        if blocking:
            raise RefusedError(
                "the letter may not go out: " + "; ".join(one.text for one in blocking),
                where=f"draft {draft_id}",
                cure=_cure(blocking, draft_id),
            )
        if draft.template in _TWO_PEOPLE and not seconded:
            return _ask_second(connection, case, draft, findings, actor=actor, now=now, reason="two_people")
        if code:
            kind = str(draft.facts.get("code_kind") or "access")
            save_code(connection, StoredCode(hash_code(desk.secret, code, case.id, kind), case.id, kind, now), draft_id)
        weaker = {"weaker": 1} if actor.door == "drafts" else {}
        digest = fix(desk, connection, case, finished, findings, actor=actor, now=now, hold=hold, more=weaker)
        crash_here("approve_in_transaction")
    crash_here("approve_committed")
    return Approved(draft_id, digest, tuple(findings))


def _refuse_unless_allowed(connection: Connection, actor: Actor, company: str, mailbox: MailboxSettings) -> None:
    """Refuse a door that the mailbox does not open, and a name that is no account's, once there are accounts.

    Who moves a draft in the mailbox has no account.
    """
    if actor.door not in mailbox.approval:
        raise RefusedError(
            f"letters of this mailbox are not approved through {actor.door}",
            where=mailbox.address,
            cure=f"use {' or '.join(mailbox.approval)}, or add it to mailbox.approval",
        )
    if actor.door != "drafts" and not may_approve(connection, actor.name, company):
        raise RefusedError(
            "this name may not approve letters",
            where=actor.name,
            cure="`inboxbot user list` shows who may: an approver or admin of the company",
        )


def seen_now(connection: Connection, draft: Draft) -> Seen:
    """Return what somebody sees who looks at a proposal now."""
    return Seen(draft.version, digest_of(draft, load_attachments(connection, draft.id)))


def _refuse_unless_ready(draft: Draft) -> None:
    where = f"draft {draft.id}"
    if draft.state is not DraftState.PROPOSED:
        raise RefusedError(f"the letter is {draft.state.value}", where=where, cure="only a proposed letter is approved")
    if draft.recipient is None:
        cure = f"set an address with `inboxbot drafts edit {draft.id} --to ADDRESS`"
        raise RefusedError("nobody knows whom this letter goes to", where=where, cure=cure)


def _refuse_unless_as_seen(connection: Connection, draft: Draft, seen: Seen | None) -> None:
    if seen is not None and not seen.is_still(seen_now(connection, draft)):
        raise ChangedError("the letter was changed meanwhile", where=f"draft {draft.id}", cure="read it again")


def _cure(blocking: list[Finding], draft_id: int) -> str:
    if all(one.rule in _OVERRIDABLE for one in blocking):
        return "record the proof with `cases identity`, or let two people approve with --override REASON"
    if any(one.rule == "stale" for one in blocking):
        return "let it be made anew with `cases outcome`"
    if any(one.rule in {"checklist", "outcome"} for one in blocking):
        return "decide the lines with `cases line` and the outcome with `cases outcome`"
    return f"mend it with `inboxbot drafts edit {draft_id}`"


def fix(
    desk: Desk,
    connection: Connection,
    case: Case,
    finished: Draft,
    findings: list[Finding],
    *,
    actor: Actor,
    now: dt.datetime,
    hold: dt.timedelta,
    more: Mapping[str, int] | None = None,
) -> str:
    """Write the approval and everything that follows from it at once; return the digest.

    ``more`` is added to the history row.
    """
    digest = digest_of(finished, load_attachments(connection, finished.id))
    record_draft(
        connection,
        finished,
        DraftEvent.APPROVED,
        values={
            "final": finished.final,
            "digest": digest,
            "approver": actor.name,
            "approved_at": now,
            "next_try_at": now + hold,
            "waits_because": None,
            "attempts": 0,
        },
    )
    add_approval(connection, finished.id, digest=digest, actor=actor.name, door=actor.door, at=now)
    if case.state is CaseState.HELD:
        case = record(connection, case, CaseEvent.CONFIRMED, actor=actor, at=now, values={"held_reason": None})
    case = opt_out(desk, connection, case, finished, actor=actor, now=now)
    rules = ",".join(one.rule for one in findings)
    policy = desk.of_mailbox(case.mailbox)[0].policy_version or ""
    detail = {"draft": finished.id, "digest": desk.salted(digest), "findings": rules, "policy": policy, **(more or {})}
    record(connection, case, CaseEvent.DRAFT_APPROVED, actor=actor, at=now, detail=detail)
    return digest


def _ask_second(
    connection: Connection,
    case: Case,
    draft: Draft,
    findings: list[Finding],
    *,
    actor: Actor,
    now: dt.datetime,
    reason: str,
) -> Approved:
    """Note the first of two people; nothing leaves before the second approves."""
    if draft.facts.get("first_approver") == actor.name:
        raise RefusedError("a second person has to approve", where=f"draft {draft.id}", cure="let a colleague do it")
    facts = {**draft.facts, "first_approver": actor.name, "override_reason": clean_line(reason)}
    record_draft(connection, draft, DraftEvent.EDITED, values={"facts": facts})
    detail = {"draft": draft.id, "first_of_two": 1, "rules": ",".join(one.rule for one in findings if one.blocks)}
    record(connection, case, CaseEvent.DRAFT_EDITED, actor=actor, at=now, detail=detail)
    return Approved(draft.id, "", tuple(replace(one, blocks=False) for one in findings), needs_second=True)


def call_back(desk: Desk, draft_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Take an approval back while the letter has not left."""
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        record_draft(connection, draft, DraftEvent.CALLED_BACK, values=UNAPPROVED)
        void_approvals(connection, draft_id, at=now)
        case = load_case(connection, draft.case_id)
        record(connection, case, CaseEvent.DRAFT_CALLED_BACK, actor=actor, at=now, detail={"draft": draft_id})


def decline(desk: Desk, draft_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Put a letter aside for good; the case stays as it is."""
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        record_draft(connection, draft, DraftEvent.DECLINED)
        case = load_case(connection, draft.case_id)
        record(connection, case, CaseEvent.DRAFT_DECLINED, actor=actor, at=now, detail={"draft": draft_id})


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
            # It was drafted after the mail it answers, whatever a clock said that was set back before the approval.
            at = max(draft.approved_at or now, draft.created_at)
            settle_promises(connection, case.id, at=at, by=f"draft:{draft_id}")
            detail = {"draft": draft_id, "code": "said_by_person"}
            record(connection, case, CaseEvent.LETTER_SENT, actor=actor, at=now, detail=detail)
        else:
            record_draft(connection, draft, DraftEvent.TAKEN_UP, values=UNAPPROVED)
            void_approvals(connection, draft_id, at=now)
            record(connection, case, CaseEvent.DRAFT_CALLED_BACK, actor=actor, at=now, detail={"draft": draft_id})
