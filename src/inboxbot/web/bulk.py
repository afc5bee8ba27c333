"""Many cases at once: dismiss, no answer needed, assign; and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import select

from inboxbot.cases.promise import Excuse
from inboxbot.cases.values import Case
from inboxbot.desk.annotate import assign
from inboxbot.desk.settle import dismiss, no_answer_needed
from inboxbot.desk.undo import take_back_ending
from inboxbot.errors import RefusedError
from inboxbot.store.people import change_session
from inboxbot.store.tables import cases
from inboxbot.web.render import goto, own_path
from inboxbot.web.visit import ForbiddenError, NotFoundError, Visit, Visited

router = APIRouter()
MOST = 200
EXCUSES = (Excuse.NO_ANSWER_NEEDED, Excuse.THANKS, Excuse.DUPLICATE)


@router.post("/bulk")
def bulk(visit: Visited) -> Response:
    """Do one thing to every chosen case; those it is not possible for are named and left as they are."""
    back = own_path(visit.text("back") or "/")
    chosen = list(dict.fromkeys(visit.texts("reference")))[:MOST]
    if not chosen:
        visit.tell(visit.words("bulk.none"), level="warn")
        return goto(back)
    what = visit.text("what")
    verb = _verb(visit, what)
    done: list[dict[str, Any]] = []
    refused: list[str] = []
    # All are looked up before any is changed: one that is not shown to this account ends the whole.
    for case in [visit.case(reference) for reference in chosen]:
        before = {"reference": case.reference, "assignee": case.assignee, "held_reason": case.held_reason}
        try:
            verb(case)
        except RefusedError:
            refused.append(case.reference)
        else:
            done.append(before)
    text = visit.words(f"bulk.{what}", number=len(done)) if done else ""
    if refused:
        text = f"{text} {visit.words('bulk.refused', names=', '.join(refused))}".strip()
    visit.tell(text, level="warn" if refused else "ok", undo={"what": what, "cases": done} if done else None)
    return goto(back)


def _verb(visit: Visit, what: str) -> Callable[[Case], Any]:
    actor, now, desk = visit.actor, visit.now, visit.desk
    if what == "dismiss":
        return lambda case: dismiss(desk, case.id, actor=actor, now=now)
    if what == "no_answer":
        reason = next((one for one in EXCUSES if one.value == visit.text("reason")), Excuse.NO_ANSWER_NEEDED)
        return lambda case: no_answer_needed(desk, case.id, actor=actor, now=now, reason=reason)
    if what == "assign":
        to = visit.text("to") or None
        return lambda case: assign(desk, case.id, to, actor=actor, now=now)
    raise NotFoundError


@router.post("/undo")
def undo(visit: Visited) -> Response:
    """Take back what was done last, as far as nobody changed it since."""
    back = own_path(visit.text("back") or "/")
    if visit.session is None:
        raise ForbiddenError
    kept = visit.session.undo
    if not kept:
        return goto(back)
    with visit.desk.store.write() as connection:
        change_session(connection, visit.session.digest, undo=None)
    number = 0
    for one in kept["cases"]:
        case = visit.case(one["reference"])
        if kept["what"] == "assign":
            assign(visit.desk, case.id, one["assignee"], actor=visit.actor, now=visit.now)
        elif not _ended(visit, case.id):
            continue
        else:
            take_back_ending(visit.desk, case.id, actor=visit.actor, now=visit.now, held_reason=one["held_reason"])
        number += 1
    visit.tell(visit.words("bulk.undone", number=number))
    return goto(back)


def _ended(visit: Visit, case_id: int) -> bool:
    with visit.desk.store.read() as connection:
        return connection.execute(select(cases.c.closed_at).where(cases.c.id == case_id)).scalar() is not None
