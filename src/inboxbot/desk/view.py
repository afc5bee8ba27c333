"""What people and programs are shown of cases and letters: plain data, the same for every door."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection

from inboxbot.cases.checklist import About, steps, undecided
from inboxbot.cases.identity import needed_level, reached_level
from inboxbot.cases.legal_date import breach_due, explain, legal_date
from inboxbot.cases.personal_numbers import mask_personal_numbers
from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import LIVE, Case, Request
from inboxbot.desk.closing import lines_of
from inboxbot.desk.context import Desk
from inboxbot.desk.evidence import evidence_on_case
from inboxbot.desk.letters import Finding, check_draft, finish
from inboxbot.store.cases import case_id_of, load_case
from inboxbot.store.checklists import load_attachments, load_identity
from inboxbot.store.drafts import Draft, load_draft, load_drafts
from inboxbot.store.history import load_history
from inboxbot.store.mails import mails_of

_SOMEBODY, _SOME_CODE = "Anna Andersson", "2345-6789"  # stand-ins: a proposal is checked before anybody signs it
_SIGNER = {"sv": "(namnet på den som godkänner)", "en": "(the name of who approves)"}
_FAR = dt.datetime.max.replace(tzinfo=dt.UTC)


def utc(moment: dt.datetime | None) -> str | None:
    """Return a moment as ISO 8601 UTC, or None."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if moment else None


def urgency(case: Case, now: dt.datetime) -> tuple[int, dt.datetime, int]:
    """Return a sort key: live cases first, then by what falls due next, then by age."""
    _, shown = promise_status(case.promises, now)
    moments = [shown.due_at] if shown and shown.answered_at is None and shown.excused is None else []
    moments += [
        dt.datetime.combine(one.due_hard, dt.time(23), dt.UTC)
        for one in case.requests
        if one.due_hard and not one.outcome
    ]
    live = case.state in LIVE
    return (0 if live else 1, min(moments, default=_FAR), case.id)


def case_json(case: Case, draft_ids: list[int], now: dt.datetime) -> dict[str, Any]:
    """Return a case as the contract names it."""
    status, shown = promise_status(case.promises, now)
    return {
        "reference": case.reference,
        "state": case.state.value,
        "mailbox": case.mailbox,
        "requester": case.requester,
        "language": case.language,
        "opened_at": utc(case.opened_at),
        "requests": [
            {
                "kind": one.kind.value,
                "outcome": one.outcome.value if one.outcome else None,
                "due_hard": one.due_hard.isoformat() if one.due_hard else None,
                "due_paused": one.due_paused.isoformat() if one.due_paused else None,
            }
            for one in case.requests
        ],
        "promise": {
            "due_at": utc(shown.due_at) if shown else None,
            "status": status.value,
            "first_answer_at": utc(shown.answered_at) if shown else None,
        },
        "drafts": draft_ids,
        "held_reason": case.held_reason,
        "assignee": case.assignee,
    }


def draft_json(draft: Draft) -> dict[str, Any]:
    """Return a letter as the contract names it."""
    return {
        "id": draft.id,
        "case": draft.reference,
        "state": draft.state.value,
        "template": draft.template,
        "language": draft.language,
        "to": draft.recipient,
        "subject": draft.subject,
        "approver": draft.approver,
        "approved_at": utc(draft.approved_at),
        "sent_at": utc(draft.sent_at),
        "waits_because": draft.waits_because,
    }


def draft_with_checks(desk: Desk, draft_id: int, *, now: dt.datetime) -> tuple[Draft, list[Finding]]:
    """Return a letter and what the letter check says of it as it would go out now."""
    with desk.store.read() as connection:
        draft = load_draft(connection, draft_id)
        case = load_case(connection, draft.case_id)
        company, mailbox = desk.of_mailbox(case.mailbox)
        if draft.final is not None:
            return draft, []
        files = load_attachments(connection, draft_id)
        finished = finish(draft, company, approver=_SOMEBODY, now=now, files=files, code=_SOME_CODE)
        findings = check_draft(connection, company, mailbox, case, finished, now=now)
    name = _SIGNER["sv" if draft.language == "sv" else "en"]
    return finish(draft, company, approver=name, now=now, files=files, code="····-····"), findings


def case_file(desk: Desk, connection: Connection, reference: str, now: dt.datetime) -> dict[str, Any]:
    """Return everything about a case. Raises UsageError when there is none."""
    case = load_case(connection, case_id_of(connection, reference))
    letters = load_drafts(connection, case_ids=[case.id])
    kept = shown_mails(connection, case.id)
    place = desk.find_mailbox(case.mailbox)
    zone: dt.tzinfo = place[0].zone if place else dt.UTC
    shown = case_json(case, [one.id for one in letters], now)
    for one, request in zip(shown["requests"], case.requests, strict=True):
        one["received_at"] = utc(request.received_at)
        one["explained"] = _explained(request, zone)
    return {
        **shown,
        "subject": case.subject,
        "breach_due_at": _breach_due(kept),
        "identity": identity_json(connection, case),
        "mails": [_mail_json(mail) for mail in kept],
        "drafts": [draft_json(one) for one in letters],
        "history": [
            {
                key: (utc(value) if key == "at" else value)
                for key, value in entry.items()
                if key not in {"id", "case_id"}
            }
            for entry in load_history(connection, case.id)
        ],
    }


def identity_json(connection: Connection, case: Case) -> dict[str, Any]:
    """Return what is known about who asks: the level that is reached, and the address on file with its source."""
    known = load_identity(connection, case.id)
    return {
        "level": int(reached_level(evidence_on_case(connection, case))),
        "address_on_file": known.address_on_file,
        "found_in": known.found_in,
        "looked_up": known.looked_up,
        "proposed": known.proposed,
        "searched": known.searched,
        "facts": sorted(name for name, value in known.facts.items() if value),
    }


def checklist_json(desk: Desk, connection: Connection, case_id: int) -> list[dict[str, Any]]:
    """Return each request of a case with the state of its steps and every line of its checklist."""
    case = load_case(connection, case_id)
    company, _ = desk.of_mailbox(case.mailbox)
    reached = reached_level(evidence_on_case(connection, case))
    who = {one.name: one.looked_after_by for one in company.systems}
    shown = []
    for request in case.requests:
        lines = lines_of(connection, company, request)
        lacks = {one.key: one.lack.value for one in undecided(request.kind, lines)}
        walk = steps(request, lines, needed=needed_level(request.kind).act, reached=reached)
        shown.append(
            {
                "kind": request.kind.value,
                "outcome": request.outcome.value if request.outcome else None,
                "steps": {name.value: state.value for name, state in walk},
                "lines": [
                    {
                        "key": line.key,
                        "answer": line.answer.value if line.answer else None,
                        "ground": line.ground.value if line.ground else None,
                        "until": line.until.isoformat() if line.until else None,
                        "detail": line.detail,
                        "lack": lacks.get(line.key),
                        "looked_after_by": who.get(line.name, "") if line.about is About.SYSTEM else "",
                    }
                    for line in lines
                ],
            }
        )
    return shown


def _explained(request: Request, zone: dt.tzinfo) -> str | None:
    """Return why the legal date of a request is what it is."""
    if request.due_hard is None:
        return None
    return explain(legal_date(request.received_at, zone, extended=request.extended_on is not None), "en")


def _breach_due(incoming: list[dict[str, Any]]) -> str | None:
    """Return by when a possible breach would have to be notified (Art. 33), counted from the first mail about it."""
    told = [mail["received_at"] for mail in incoming if "breach" in mail["detail"].get("verdict", {}).get("flags", [])]
    return utc(breach_due(min(told))) if told else None


def shown_mails(connection: Connection, case_id: int) -> list[dict[str, Any]]:
    """Return a case's mails as people may see them: personal numbers masked, offsets unchanged (law.md 5.5)."""
    return [_masked(mail) for mail in mails_of(connection, case_id)]


def _masked(mail: dict[str, Any]) -> dict[str, Any]:
    subject = mask_personal_numbers(mail["subject"], same_length=True)
    text = mask_personal_numbers(mail["text"], same_length=True)
    detail = dict(mail["detail"])
    if "verdict" in detail:
        parts = {"subject": subject, "body": text}
        evidence = [
            {**one, "text": parts[one["part"]][one["start"] : one["end"]]} for one in detail["verdict"]["evidence"]
        ]
        detail["verdict"] = {**detail["verdict"], "evidence": evidence}
    return {**mail, "subject": subject, "text": text, "detail": detail}


def _mail_json(mail: dict[str, Any]) -> dict[str, Any]:
    verdict = mail["detail"].get("verdict", {})
    return {
        "direction": mail["direction"],
        "received_at": utc(mail["received_at"]),
        "sender": mail["sender"],
        "subject": mail["subject"],
        "text": mail["text"],
        "size": mail["size"],
        "fault": mail["detail"].get("fault"),
        "evidence": verdict.get("evidence", []),
        "confidence": verdict.get("confidence", {}),
        "unsure": verdict.get("unsure", False),
        "attachments": mail["detail"].get("attachments", []),
    }
