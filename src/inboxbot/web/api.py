"""The JSON API: the same verbs for programs, with a token that may do what its account may.

Shapes are those of `contract.md`. There are no cookies here, so no other site can use a browser's rights.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from inboxbot.desk.annotate import note
from inboxbot.desk.approve import ChangedError, Seen, approve, call_back, decline, seen_now
from inboxbot.desk.context import Actor
from inboxbot.desk.edit import edit
from inboxbot.desk.view import case_file, case_json, draft_json, draft_with_checks
from inboxbot.store.cases import load_cases
from inboxbot.store.drafts import Draft, load_drafts
from inboxbot.store.people import EVERY_COMPANY
from inboxbot.store.queue import VIEWS, Wanted, mailboxes_of, queue_page
from inboxbot.web.queue import cursor, place_of
from inboxbot.web.visit import ByApprover, NotFoundError, Visit, Visited

router = APIRouter(prefix="/api")
PAGE = 100


class Body(BaseModel):
    """What is sent: nothing unknown."""

    model_config = ConfigDict(extra="forbid")


class Words(Body):
    """A note."""

    words: str = Field(max_length=20_000)
    phone: bool = False


class Edited(Body):
    """New words of a letter; what is left out stays."""

    version: int
    subject: str | None = None
    body: str | None = None
    to: str | None = None


class Approval(Body):
    """What was looked at: ``version`` and ``digest`` as the letter was shown."""

    version: int
    digest: str
    override: str | None = None


def _actor(visit: Visit) -> Actor:
    return Actor(visit.user.name, "web")


def _draft(visit: Visit, draft_id: int) -> Draft:
    with visit.desk.store.read() as connection:
        found = load_drafts(connection, draft_ids=[draft_id])
    if not found:
        raise NotFoundError
    visit.case(found[0].reference)
    return found[0]


@router.get("/openapi.json", include_in_schema=False)
def describe(visit: Visited, request: Request) -> dict[str, Any]:
    """Return the description of this API."""
    del visit
    described = get_openapi(title="inboxbot", version=request.app.version, routes=router.routes)
    described["components"] = {
        **described.get("components", {}),
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }
    described["security"] = [{"token": []}]
    return described


@router.get("/cases")
def list_cases(visit: Visited, view: str = "todo", after: str = "") -> dict[str, Any]:
    """Return a page of cases, most urgent first, and where the next page begins (null: this was the last)."""
    with visit.desk.store.read() as connection:
        companies = None if EVERY_COMPANY in visit.user.companies else visit.user.companies
        ids = tuple(one for one, _, _ in mailboxes_of(connection, companies))
        wanted = Wanted(view if view in VIEWS else "todo", ids)
        found = queue_page(connection, wanted, after=place_of(after), limit=PAGE + 1)
        shown = [one.case_id for one in found[:PAGE]]
        by_id = {case.id: case for case in load_cases(connection, shown)}
        letters: dict[int, list[int]] = {}
        for one in load_drafts(connection, case_ids=shown):
            letters.setdefault(one.case_id, []).append(one.id)
    return {
        "cases": [case_json(by_id[one], letters.get(one, []), visit.now) for one in shown],
        "next": cursor(found[PAGE - 1]) if len(found) > PAGE else None,
    }


@router.get("/cases/{reference}")
def show_case(visit: Visited, reference: str) -> dict[str, Any]:
    """Return everything about a case."""
    case = visit.case(reference)
    with visit.desk.store.read() as connection:
        return case_file(visit.desk, connection, case.reference, visit.now)


@router.post("/cases/{reference}/notes", status_code=201)
def add_note(visit: Visited, reference: str, sent: Words) -> dict[str, str]:
    """Keep a note."""
    case = visit.case(reference)
    note(visit.desk, case.id, sent.words, actor=_actor(visit), now=visit.now, phone=sent.phone)
    return {"reference": case.reference}


@router.get("/drafts/{draft_id}")
def show_draft(visit: Visited, draft_id: int) -> dict[str, Any]:
    """Return a letter with its words, what the letter check says, and what an approval of it must quote."""
    kept = _draft(visit, draft_id)
    finished, findings = draft_with_checks(visit.desk, draft_id, now=visit.now)
    with visit.desk.store.read() as connection:
        seen = seen_now(connection, kept)
    return {
        **draft_json(kept),
        "body": finished.final or finished.body,
        "checks": [{"rule": one.rule, "blocks": one.blocks, "text": one.text} for one in findings],
        "version": seen.version,
        "digest": seen.digest,
    }


@router.post("/drafts/{draft_id}/edit")
def edit_draft(visit: Visited, draft_id: int, sent: Edited) -> dict[str, Any]:
    """Change a letter that is still as it was read."""
    kept = _draft(visit, draft_id)
    if kept.version != sent.version:
        raise ChangedError("the letter was changed meanwhile", where=f"draft {draft_id}", cure="read it again")
    return draft_json(
        edit(
            visit.desk,
            draft_id,
            actor=_actor(visit),
            now=visit.now,
            subject=sent.subject,
            body=sent.body,
            recipient=sent.to,
        )
    )


@router.post("/drafts/{draft_id}/approve")
def approve_draft(visit: ByApprover, draft_id: int, sent: Approval) -> dict[str, Any]:
    """Approve exactly what was shown; it leaves after the hold of the web desk."""
    _draft(visit, draft_id)
    approved = approve(
        visit.desk,
        draft_id,
        actor=_actor(visit),
        now=visit.now,
        hold=visit.site.hold,
        override=sent.override,
        seen=Seen(sent.version, sent.digest),
    )
    return {
        "id": draft_id,
        "digest": approved.digest,
        "warnings": [one.text for one in approved.warnings],
        "needs_second": approved.needs_second,
    }


@router.post("/drafts/{draft_id}/recall")
def recall_draft(visit: Visited, draft_id: int) -> dict[str, Any]:
    """Take an approval back while the letter has not left."""
    _draft(visit, draft_id)
    call_back(visit.desk, draft_id, actor=_actor(visit), now=visit.now)
    return draft_json(_draft(visit, draft_id))


@router.post("/drafts/{draft_id}/decline")
def decline_draft(visit: Visited, draft_id: int) -> dict[str, Any]:
    """Put a letter aside for good."""
    _draft(visit, draft_id)
    decline(visit.desk, draft_id, actor=_actor(visit), now=visit.now)
    return draft_json(_draft(visit, draft_id))
