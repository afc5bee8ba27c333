"""From a letter in the database to the words a person approves and the bytes that go out; the same both times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from sqlalchemy import Connection

from inboxbot.cases.checklist import ChecklistLine, mark_of, undecided
from inboxbot.cases.identity import Level, disclosure_faults, needed_level, reached_level
from inboxbot.cases.legal_date import notice_by
from inboxbot.cases.values import Case, Outcome, Request
from inboxbot.config.model import CompanySettings, MailboxSettings
from inboxbot.desk.closing import NOTHING_DONE, lines_of
from inboxbot.desk.drafting import Grounds, facts_for, grounds_of
from inboxbot.desk.evidence import evidence_on_case
from inboxbot.replies.check import check_letter
from inboxbot.replies.check_rules import Weight
from inboxbot.replies.compose import LetterHeaders, OutAttachment, compose, digest
from inboxbot.replies.render import Letter, finish_letter
from inboxbot.sorting.kinds import Kind
from inboxbot.store.checklists import Identity, load_attachments, load_identity
from inboxbot.store.drafts import Draft, voided_approval


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the letter check found: the rule, its source, whether it stops the approval, and what it says."""

    rule: str
    blocks: bool
    text: str
    source: str


def words_of(draft: Draft) -> Letter:
    """Return the words of a letter: those that were approved, else as they stand."""
    return Letter(draft.template, draft.language, draft.subject, draft.final or draft.body)


def finish(
    draft: Draft,
    company: CompanySettings,
    *,
    approver: str,
    now: dt.datetime,
    files: Sequence[OutAttachment],
    code: str = "",
) -> Draft:
    """Return the letter with its signature, day, one-time code and the names of its files filled in."""
    letter = Letter(draft.template, draft.language, draft.subject, draft.body)
    day, names = now.astimezone(company.zone).date(), [one.name for one in files]
    return replace(draft, final=finish_letter(letter, approver, day, code, names).body)


def digest_of(draft: Draft, files: Sequence[OutAttachment]) -> str:
    """Return the digest of exactly what a person approves."""
    return digest(draft.recipient or "", draft.subject, draft.final or draft.body, files)


def bytes_to_send(
    company: CompanySettings, mailbox: MailboxSettings, draft: Draft, files: Sequence[OutAttachment]
) -> bytes:
    """Return the mail as it goes out; always the same bytes, for its date is that of the approval."""
    headers = LetterHeaders(
        from_name=company.name,
        from_address=mailbox.address,
        to_address=draft.recipient or "",
        message_id=draft.message_id,
        date=(draft.approved_at or draft.created_at).astimezone(company.zone),
        in_reply_to=draft.in_reply_to,
        references=draft.references,
    )
    return compose(words_of(draft), headers, files)


def check_draft(
    connection: Connection,
    company: CompanySettings,
    mailbox: MailboxSettings,
    case: Case,
    finished: Draft,
    *,
    now: dt.datetime,
) -> list[Finding]:
    """Return what keeps a finished letter from going out, and what is worth a look, gravest first."""
    grounds = grounds_of(finished.facts)
    request = next((one for one in case.requests if one.kind.value == grounds.request), None)
    lines = lines_of(connection, company, request) if request else ()
    files = load_attachments(connection, finished.id)
    identity = load_identity(connection, case.id)
    found = check_letter(
        words_of(finished),
        facts_for(company, mailbox, case, grounds, finished.language, lines),
        to=finished.recipient or "",
        allowed_to=[one for one in (case.requester, identity.address_on_file) if one],
        attachments=[one.name for one in files],
        today=now.astimezone(company.zone).date(),
        notice_by=min(
            (notice_by(one.received_at, company.zone) for one in case.requests if one.due_hard), default=None
        ),
    )
    listed = [
        Finding(
            one.rule,
            one.weight is Weight.BLOCKING,
            one.message + (f": {one.excerpt}" if one.excerpt else ""),
            one.source,
        )
        for one in found
    ]
    extra = chain(
        _undecided(request, lines),
        _stale(grounds, lines),
        _disclosure(connection, case, grounds, finished, files),
        _proposal(identity, grounds),
        _other_person(connection, case, grounds),
        _identity(connection, case, request),
        _approved_before(connection, company, finished),
    )
    return sorted([*listed, *extra], key=lambda one: not one.blocks)


def _undecided(request: Request | None, lines: Sequence[ChecklistLine]) -> list[Finding]:
    if request is None:
        return []
    left = undecided(request.kind, lines) if request.outcome not in NOTHING_DONE else []
    found = [
        _blocking("checklist", f"{one.key} is not decided: {one.lack.value.replace('_', ' ')}", "law.md A-01")
        for one in left
    ]
    if request.outcome is None:
        found.append(_blocking("outcome", f"{request.kind.value} has no outcome", "law.md 2.1"))
    return found


def _stale(grounds: Grounds, lines: Sequence[ChecklistLine]) -> list[Finding]:
    """Stop a letter that tells what the checklist does not say any more."""
    if not grounds.lines or grounds.lines == mark_of(lines):
        return []
    return [_blocking("stale", "the checklist was changed after this letter was made from it", "law.md A-01")]


def _disclosure(
    connection: Connection, case: Case, grounds: Grounds, finished: Draft, files: Sequence[OutAttachment]
) -> list[Finding]:
    """Stop data on its way to an address that is not proven; nobody can see what a file holds, so it counts as data."""
    kinds = [Kind(grounds.request)] if grounds.discloses else [one.kind for one in case.requests if files]
    needs = [needed_level(kind) for kind in kinds if kind.is_right]
    need = max(needs, key=lambda one: one.disclose, default=None)
    if need is None or need.disclose is Level.L0:
        return []
    faults = disclosure_faults(need, evidence_on_case(connection, case), finished.recipient or "")
    texts = {
        "identity_not_proven": "it is not proven who asks; data goes only to a proven address",
        "mandate_not_checked": "the power of attorney is not checked",
        "no_address_on_file": "nobody recorded the address on file (`cases identity`)",
        "not_the_address_on_file": "data goes only to the address on file",
    }
    return [_blocking(fault, texts.get(fault, fault), "law.md 6.2") for fault in faults]


def _proposal(identity: Identity, grounds: Grounds) -> list[Finding]:
    """Warn when data or a code goes to an address that inboxbot looked up and nobody has confirmed."""
    if not identity.proposed or not (grounds.discloses or grounds.code_kind):
        return []
    text = f"the address on file was looked up by inboxbot in {identity.found_in}; nobody has confirmed it"
    return [Finding("address_proposed", blocks=False, text=text, source="law.md 6.1")]


def _other_person(connection: Connection, case: Case, grounds: Grounds) -> list[Finding]:
    """Warn when data goes out on a mail that speaks of somebody else, until staff say for whom it asks."""
    if not grounds.discloses:
        return []
    evidence = evidence_on_case(connection, case)
    if not evidence.other_person or evidence.on_behalf or evidence.mandate_checked:
        return []
    text = "the mail speaks of a relative or a child: see that what is disclosed is the requester's own"
    return [Finding("other_person", blocks=False, text=text, source="law.md 6.1")]


def _identity(connection: Connection, case: Case, request: Request | None) -> list[Finding]:
    """Warn when something was done for a request without the proof that its kind needs (law.md 6.2)."""
    if request is None or request.outcome in (None, Outcome.REFUSED, Outcome.WITHDRAWN):
        return []
    need, reached = needed_level(request.kind).act, reached_level(evidence_on_case(connection, case))
    if reached >= need:
        return []
    text = f"{request.kind.value} needs identity level L{int(need)}, L{int(reached)} is reached"
    return [Finding("identity_level", blocks=False, text=text, source="law.md 6.2")]


def _approved_before(connection: Connection, company: CompanySettings, finished: Draft) -> list[Finding]:
    """Say that somebody approved this letter as it was before: that approval does not count any more."""
    before = voided_approval(connection, finished.id)
    if before is None:
        return []
    at = before.void_at.astimezone(company.zone)
    text = f"{before.actor} approved it before it was changed or called back ({at:%Y-%m-%d %H:%M}): read it again"
    return [Finding("approved_before", blocks=False, text=text, source="promises.md S4")]


def _blocking(rule: str, text: str, source: str) -> Finding:
    return Finding(rule, blocks=True, text=text, source=source)


def questions_in(draft: Draft) -> bool:
    """Return whether a letter asks the requester something that the case then waits for."""
    return grounds_of(draft.facts).asks
