"""The page of one case: everything a person needs to decide, and the forms to do it with."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response
from sqlalchemy import Connection, select

from inboxbot.cases.checklist import About, allowed_answers, proposed_outcome
from inboxbot.cases.identity import Evidence, doubts, needed_level, propose_step, reached_level
from inboxbot.cases.legal_date import breach_due, explain, legal_date
from inboxbot.cases.promise import promise_status, status_of
from inboxbot.cases.values import LIVE, Case, DraftState, Outcome, PromiseStatus
from inboxbot.config.model import CompanySettings, KeepGround
from inboxbot.desk.approve import Seen, seen_now
from inboxbot.desk.closing import lines_of
from inboxbot.desk.evidence import evidence_on_case
from inboxbot.desk.identity import FACTS
from inboxbot.desk.letters import Finding
from inboxbot.desk.originals import files_of, lies_in_mailbox
from inboxbot.desk.view import checklist_json, draft_with_checks, shown_mails
from inboxbot.replies.compose import digest
from inboxbot.sorting.kinds import Kind
from inboxbot.store.checklists import attachment_names, load_identity
from inboxbot.store.drafts import Draft, load_drafts
from inboxbot.store.history import load_history
from inboxbot.store.people import list_users
from inboxbot.store.tables import draft_words
from inboxbot.web.bulk import EXCUSES
from inboxbot.web.marks import gaps_marked, marked, stretches
from inboxbot.web.queue import law_of, promise_light
from inboxbot.web.refusals import finding_in_words
from inboxbot.web.render import page
from inboxbot.web.visit import Visit, Visited

router = APIRouter()
_MAYBE_HTML = re.compile(rb"^content-type:\s*(?:text/html|multipart/)", re.IGNORECASE | re.MULTILINE)
_AT_HAND = (
    DraftState.PROPOSED, DraftState.APPROVED, DraftState.TRANSMITTING, DraftState.FAILED, DraftState.UNKNOWN,
)  # fmt: skip
# Fields of `cases.identity.Evidence` that the page tells when they hold.
_SIGNS = ("reply_to_differs", "name_looks_like_address", "lookalike", "on_behalf", "other_person", "shared_address")
_PROOFS = (
    "address_changed_recently", "mandate_checked", "code_confirmed", "facts_confirmed", "strong", "trivial",
)  # fmt: skip
# Letters that staff choose by name; the others follow from the first mail or from an outcome.
CHOOSABLE = (
    "identity", "code", "clarification", "extension", "ordinary", "receipt", "complaint", "representative",
    "cannot_identify", "not_for_us", "refusal", "consent_withdrawn",
)  # fmt: skip
_CHOICES: Mapping[str, Any] = {
    "kinds": [one.value for one in Kind],
    "outcomes": [one.value for one in Outcome],
    "grounds": [one.value for one in KeepGround],
    "excuses": [one.value for one in EXCUSES],
    "facts": FACTS,
    "choosable": CHOOSABLE,
}


@router.get("/cases/{reference}")
def show(visit: Visited, reference: str) -> Response:
    """Show a case."""
    return case_page(visit, visit.case(reference))


@router.get("/cases/{reference}/letters/{draft_id}/state")
def letter_state(visit: Visited, reference: str, draft_id: int) -> Response:
    """Show what became of a letter, for the page that waits for it to leave."""
    case = visit.case(reference)
    with visit.desk.store.read() as connection:
        found = load_drafts(connection, case_ids=[case.id], draft_ids=[draft_id])
    return page(visit, "letter_state.html", case=case, letters=[_waiting(visit, one) for one in found])


def case_page(
    visit: Visit,
    case: Case,
    *,
    fault: str = "",
    edited: Mapping[str, str] | None = None,
    changed: tuple[int, Seen, str] | None = None,
    status: int = 200,
) -> Response:
    """Return the page. ``edited`` are words that were not taken, so that nobody types them twice.

    ``changed`` is (letter, what was seen, digest of its words) when an old text was approved: what changed is shown.
    """
    place = visit.desk.find_mailbox(case.mailbox)
    company = place[0] if place else None
    zone = company.zone if company else ZoneInfo("UTC")
    with visit.desk.store.read() as connection:
        letters = load_drafts(connection, case_ids=[case.id])
        seen = {one.id: seen_now(connection, one) for one in letters if one.state is DraftState.PROPOSED}
        files = {one.id: attachment_names(connection, one.id) for one in letters}
        before = _before(connection, changed) if changed else None
        on_record = _on_record(visit, connection, case, company)
    at_hand = [
        _letter(visit, case.mailbox, one, seen.get(one.id), files[one.id]) for one in letters if one.state in _AT_HAND
    ]
    return page(
        visit,
        "case.html",
        status=status,
        case=case,
        zone=zone,
        today=visit.now.astimezone(zone).date(),
        fault=fault,
        edited=edited or {},
        changed=_changes(before, at_hand, changed) if changed else None,
        live=case.state in LIVE,
        letters=at_hand,
        past=[one for one in letters if one.state not in _AT_HAND],
        clocks=_clocks(visit, case),
        law=law_of(case, zone, visit.now),
        asked={one.kind.value for one in case.requests if one.outcome is not Outcome.NOT_A_REQUEST},
        searchable=company is not None and any(one.can_be_searched for one in company.systems),
        unasked=not any(one.kind.is_right and one.outcome is None for one in case.requests),
        **on_record,
        **_CHOICES,
    )


def _on_record(visit: Visit, connection: Connection, case: Case, company: CompanySettings | None) -> dict[str, Any]:
    """Return what came, what is asked for, who asks, what happened, and who there is to do something."""
    kept = shown_mails(connection, case.id)
    told = [mail["received_at"] for mail in kept if "breach" in mail["detail"].get("verdict", {}).get("flags", [])]
    identity = load_identity(connection, case.id)
    lists = checklist_json(visit.desk, connection, case.id) if company else []
    history = load_history(connection, case.id)
    return {
        "mails": [_mail(mail) for mail in kept],
        "breach": breach_due(min(told)) if told else None,
        "requests": [_request(visit, connection, case, one["kind"], one, company) for one in lists],
        "identity": _identity(case, evidence_on_case(connection, case), identity),
        "recorded": identity,
        "history": [{**one, "told": _told(visit, one["detail"])} for one in history[::-1]],
        "people": [one.name for one in list_users(connection) if one.disabled_at is None],
    }


def _mail(mail: dict[str, Any]) -> dict[str, Any]:
    """Return a mail as it is shown: its words in pieces, and who it says it is from."""
    detail = mail["detail"]
    spans = [
        (one["part"], (one["start"], one["end"], one["kind"])) for one in detail.get("verdict", {}).get("evidence", [])
    ]
    return {
        **{name: mail[name] for name in ("id", "direction", "received_at", "sender", "sender_name", "subject", "size")},
        "title": marked(mail["subject"], [span for part, span in spans if part == "subject"]),
        "stretches": stretches(
            mail["text"], detail.get("segments", []), [span for part, span in spans if part == "body"]
        ),
        "files": files_of(mail),
        "in_mailbox": lies_in_mailbox(mail),
        "page": _may_have_page(mail),
        "fault": detail.get("fault"),
        "by": detail.get("by", ""),
        "phone": mail["direction"] == "note" and mail["subject"] == "phone",
        "reply_to": [one for one in detail.get("reply_to", []) if one and one != mail["sender"]],
        "confidence": detail.get("verdict", {}).get("confidence", {}),
        "unsure": detail.get("verdict", {}).get("unsure", False),
    }


def _may_have_page(mail: dict[str, Any]) -> bool:
    """Return whether a mail came as HTML too; of those taken before that was written down, whether it may have."""
    known = mail["detail"].get("page")
    return lies_in_mailbox(mail) and bool(_MAYBE_HTML.search(mail["header"]) if known is None else known)


def _clocks(visit: Visit, case: Case) -> list[dict[str, Any]]:
    """Return the promises of a case, the one that counts first."""
    _, shown = promise_status(case.promises, visit.now)
    ordered = sorted(case.promises, key=lambda one: (one is not shown, one.received_at))
    found = []
    for one in ordered:
        status = status_of(one, visit.now)
        running = status in (PromiseStatus.RUNNING, PromiseStatus.OVERDUE)
        found.append(
            {
                "promise": one,
                "status": status.value,
                "light": promise_light(one.due_at, visit.now) if running else "",
                "hours": round((one.due_at - one.received_at).total_seconds() / 3600),
            }
        )
    return found


def _request(
    visit: Visit,
    connection: Connection,
    case: Case,
    kind: str,
    shown: dict[str, Any],
    company: CompanySettings | None,
) -> dict[str, Any]:
    """Return a request with its date in words, its checklist, and the answers each line may have."""
    request = next(one for one in case.requests if one.kind.value == kind)
    zone = company.zone if company else dt.UTC
    extended = request.extended_on is not None
    lines = lines_of(connection, company, request) if company else ()
    proposal = proposed_outcome(request.kind, lines)
    return {
        **shown,
        "request": request,
        "explained": explain(legal_date(request.received_at, zone, extended=extended), visit.words.language)
        if request.due_hard
        else "",
        "lines": [
            {
                **line,
                "name": line["key"].partition(":")[2],
                "about": line["key"].partition(":")[0],
                "answers": [one.value for one in allowed_answers(request.kind, About(line["key"].partition(":")[0]))],
            }
            for line in shown["lines"]
        ],
        "decided": sum(1 for line in shown["lines"] if line["lack"] is None),
        "proposal": proposal.value if proposal else "",
        "need": int(needed_level(request.kind).act),
    }


def _letter(visit: Visit, mailbox: str, draft: Draft, seen: Seen | None, files: list[str]) -> dict[str, Any]:
    """Return a letter that waits for a person or for its way out."""
    finished: Draft = draft
    findings: list[Finding] = []
    if visit.desk.find_mailbox(mailbox) is not None:  # else it cannot be sent any more, and is shown as it lies there
        finished, findings = draft_with_checks(visit.desk, draft.id, now=visit.now)
    return {
        **_waiting(visit, draft),
        "body": gaps_marked(finished.final or draft.body),
        "findings": [(one.blocks, *finding_in_words(one, visit.words)) for one in findings],
        "blocked": any(one.blocks for one in findings),
        "seen": seen,
        "words": digest(draft.recipient or "", draft.subject, draft.body),
        "files": files,
        "first_approver": draft.facts.get("first_approver", ""),
    }


def _waiting(visit: Visit, draft: Draft) -> dict[str, Any]:
    """Return a letter with how long it can still be called back."""
    left = (draft.next_try_at - visit.now).total_seconds() if draft.next_try_at else 0.0
    return {
        "draft": draft,
        "state": draft.state.value,
        "hold_left": max(0, round(left)) if draft.state is DraftState.APPROVED else 0,
    }


def _identity(case: Case, evidence: Evidence, recorded: Any) -> dict[str, Any]:
    """Return what is known about who writes, as codes that the page has words for."""
    undecided = [one.kind for one in case.requests if one.outcome is None] or [one.kind for one in case.requests]
    need = max((needed_level(kind).act for kind in undecided), default=needed_level(Kind.OTHER).act)
    step, _ = propose_step(need, evidence)
    signs = [{True: "authenticated", False: "not_authenticated", None: "not_checked"}[evidence.authenticated]]
    signs += [name for name in _SIGNS if getattr(evidence, name)]
    if recorded.looked_up:
        signs.append("on_file" if recorded.address_on_file else "not_on_file")
    signs += [name for name in _PROOFS if getattr(evidence, name)]
    return {
        "reached": int(reached_level(evidence)),
        "need": int(need),
        "step": step.value,
        "signs": signs,
        "doubts": [one.value for one in doubts(evidence)],
        "evidence": evidence,
    }


def _before(connection: Connection, changed: tuple[int, Seen, str]) -> tuple[str, str, str] | None:
    """Return (recipient, subject, words) of a letter as somebody saw it, when they were kept at an edit."""
    draft_id, _, words = changed
    query = select(draft_words.c.recipient, draft_words.c.subject, draft_words.c.body).where(
        draft_words.c.draft_id == draft_id
    )
    for row in connection.execute(query):
        if digest(row.recipient or "", row.subject, row.body) == words:
            return row.recipient or "", row.subject, row.body
    return None


def _changes(
    before: tuple[str, str, str] | None, letters: list[dict[str, Any]], changed: tuple[int, Seen, str]
) -> dict[str, Any]:
    """Return what is different from what was seen: lines taken out and put in."""
    now = next((one["draft"] for one in letters if one["draft"].id == changed[0]), None)
    lines: list[tuple[str, str]] = []
    if before is not None and now is not None:
        old = [f"{before[0]}", before[1], *before[2].splitlines()]
        new = [f"{now.recipient or ''}", now.subject, *now.body.splitlines()]
        lines = [(line[0], line[2:]) for line in difflib.ndiff(old, new) if line[0] in "+-" and line[2:].strip()]
    return {"letter": changed[0], "lines": lines, "gone": now is None}


_TOLD = {
    "kinds": "kind", "kind": "kind", "before": "kind", "after": "kind", "outcome": "outcome", "template": "template",
    "answer": "answer", "to": "", "into": "", "from": "",
}  # fmt: skip


def _told(visit: Visit, detail: Mapping[str, Any]) -> str:
    """Return what a history entry tells beside its event, in words; ids and digests are left out."""
    found = []
    for name, value in detail.items():
        if name in _TOLD and value:
            codes = str(value).split(",") if _TOLD[name] else [str(value)]
            found.append(", ".join(visit.words.of(_TOLD[name], code) if _TOLD[name] else code for code in codes))
    return " → ".join(found)
