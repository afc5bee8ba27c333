"""The case file for the authority: everything about one case as plain data. `export_pages` makes it readable.

It holds what came, how each clock was counted and why, how the person was identified, what was decided line by line,
every letter as it was sent with who approved exactly these words and when, and whether the history is whole.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from inboxbot import __version__
from inboxbot.cases.identity import reached_level
from inboxbot.cases.legal_date import explain, legal_date
from inboxbot.cases.promise import status_of
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import Case, DraftState, Request
from inboxbot.desk.chain import check_chains
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.evidence import evidence_on_case
from inboxbot.desk.record import record
from inboxbot.desk.retention import identity_method
from inboxbot.desk.view import utc
from inboxbot.store.cases import case_id_of, load_case
from inboxbot.store.checklists import attachment_names, load_identity, load_lines
from inboxbot.store.drafts import Draft, load_drafts
from inboxbot.store.history import load_history
from inboxbot.store.mails import mails_of
from inboxbot.store.tables import approvals, attempts, cases

_LEFT = (DraftState.SENT, DraftState.UNKNOWN, DraftState.TRANSMITTING)


def export_case(desk: Desk, reference: str, *, actor: Actor, now: dt.datetime) -> dict[str, Any]:
    """Return the file of a case and note in its history that it was made. Raises UsageError when there is none."""
    with desk.store.write() as connection:
        case = load_case(connection, case_id_of(connection, reference))
        case = record(connection, case, CaseEvent.EXPORTED, actor=actor, at=now, detail={"format": "case_file"})
        return case_record(desk, connection, case, now=now)


def case_record(desk: Desk, connection: Connection, case: Case, *, now: dt.datetime) -> dict[str, Any]:
    """Return the file of a case: plain data, unmasked, moments as ISO 8601 UTC."""
    place = desk.find_mailbox(case.mailbox)
    company = place[0] if place else None
    zone: dt.tzinfo = company.zone if company else dt.UTC
    language = "sv" if company is None or company.language == "sv" else "en"
    kept = mails_of(connection, case.id)
    past = _history(connection, case.id)
    purged = connection.execute(select(cases.c.purged_at).where(cases.c.id == case.id)).scalar()
    return {
        "made_at": utc(now),
        "made_by": f"inboxbot {__version__}",
        "language": language,
        "zone": str(zone),
        "company": {
            "name": case.company,
            "organisation_number": company.organisation_number if company else None,
            "policy_version": company.policy_version if company else None,
            "authority": company.authority.name if company else None,
        },
        "reference": case.reference,
        "state": case.state.value,
        "mailbox": case.mailbox,
        "requester": case.requester,
        "requester_name": case.requester_name,
        "subject": case.subject,
        "opened_at": utc(case.opened_at),
        "purged_at": utc(purged),
        "requests": [_request(connection, one, zone, language) for one in case.requests],
        "promises": [
            {
                "received_at": utc(one.received_at),
                "due_at": utc(one.due_at),
                "answered_at": utc(one.answered_at),
                "status": status_of(one, now).value,
                "excused": one.excused,
            }
            for one in case.promises
        ],
        "identity": _identity(connection, case, past["entries"]),
        "mails": [_mail(one) for one in kept],
        "letters": [_letter(connection, one) for one in load_drafts(connection, case_ids=[case.id])],
        "history": past,
    }


def _request(connection: Connection, request: Request, zone: dt.tzinfo, language: str) -> dict[str, Any]:
    legal = legal_date(request.received_at, zone, extended=request.extended_on is not None)
    return {
        "kind": request.kind.value,
        "received_at": utc(request.received_at),
        "due_on": request.due_hard.isoformat() if request.due_hard else None,
        "due_paused": request.due_paused.isoformat() if request.due_paused else None,
        "explained": explain(legal, language) if request.due_hard else None,
        "extended_on": request.extended_on.isoformat() if request.extended_on else None,
        "outcome": request.outcome.value if request.outcome else None,
        "outcome_at": utc(request.outcome_at),
        "told_at": utc(request.told_at),
        "asked_at": utc(request.asked_at),
        "answered_at": utc(request.answered_at),
        "checklist": [
            {
                "about": line.about.value,
                "name": line.name,
                "answer": line.answer.value if line.answer else None,
                "until": line.until.isoformat() if line.until else None,
                "ground": line.ground.value if line.ground else None,
                "detail": line.detail,
            }
            for line in load_lines(connection, request.id)
        ],
    }


def _identity(connection: Connection, case: Case, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how the person was identified; of a purged case the codes that its history kept."""
    kept = next((one["detail"] for one in reversed(entries) if one["event"] == CaseEvent.PURGED.value), None)
    if kept is not None and case.requester is None:
        return {"method": kept.get("identity"), "level": kept.get("level"), "address_on_file": None, "found_in": None}
    evidence = evidence_on_case(connection, case)
    known = load_identity(connection, case.id)
    return {
        "method": identity_method(evidence),
        "level": reached_level(evidence).name,
        "address_on_file": known.address_on_file,
        "found_in": known.found_in,
    }


def _mail(mail: dict[str, Any]) -> dict[str, Any]:
    verdict = mail["detail"].get("verdict", {})
    return {
        "direction": mail["direction"],
        "received_at": utc(mail["received_at"]),
        "sender": mail["sender"],
        "recipients": mail["recipients"],
        "message_id": mail["message_id"],
        "subject": mail["subject"],
        "text": mail["text"],
        "judged": verdict.get("kinds", []),
        "attachments": mail["detail"].get("attachments", []),
    }


def _letter(connection: Connection, draft: Draft) -> dict[str, Any]:
    given = connection.execute(select(approvals).where(approvals.c.draft_id == draft.id).order_by(approvals.c.id))
    tried = connection.execute(select(attempts).where(attempts.c.draft_id == draft.id).order_by(attempts.c.id))
    return {
        "id": draft.id,
        "template": draft.template,
        "language": draft.language,
        "state": draft.state.value,
        "left": draft.state in _LEFT,
        "to": draft.recipient,
        "subject": draft.subject,
        "text": draft.final or draft.body,
        "files": attachment_names(connection, draft.id),
        "digest": draft.digest,
        "sent_at": utc(draft.sent_at),
        "approvals": [
            {"by": one.actor, "at": utc(one.at), "door": one.door, "digest": one.digest, "void_at": utc(one.void_at)}
            for one in given
        ],
        "attempts": [
            {"started_at": utc(one.started_at), "ended_at": utc(one.ended_at), "result": one.result} for one in tried
        ],
    }


def _history(connection: Connection, case_id: int) -> dict[str, Any]:
    """Return a case's history and whether it is whole; entries that cannot be read are left out and told."""
    _, broken = check_chains(connection, [case_id])
    try:
        entries = load_history(connection, case_id)
    except (ValueError, TypeError, DBAPIError):
        entries = []
    return {
        "whole": not broken,
        "broken_at": broken[0].sequence if broken else None,
        "what": broken[0].what if broken else None,
        "entries": [
            {
                "sequence": one["sequence"],
                "at": utc(one["at"]),
                "event": one["event"],
                "actor": one["actor"],
                "door": one["door"],
                "detail": one["detail"],
                "hash": one["hash"],
            }
            for one in entries
        ],
    }
