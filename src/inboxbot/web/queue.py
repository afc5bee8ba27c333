"""The queue: what needs a person, most urgent first."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from inboxbot.cases.legal_date import in_utc
from inboxbot.cases.personal_numbers import mask_personal_numbers
from inboxbot.cases.promise import legal_light, promise_status
from inboxbot.cases.values import ENDED, Case, Outcome, PromiseStatus
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import load_cases
from inboxbot.store.people import EVERY_COMPANY, list_users
from inboxbot.store.queue import (
    VIEWS,
    Place,
    Wanted,
    letter_states,
    mailboxes_of,
    openings,
    place_in_queue,
    queue_page,
    standing,
)
from inboxbot.web.render import goto, page
from inboxbot.web.visit import Visit, Visited

router = APIRouter()
PAGE = 40
GIST = 150
SOON = dt.timedelta(hours=6)
_GREETING = re.compile(
    r"^\W*(hej(san)?|hallå|god(dag|morgon)|tjena|hello|hi|dear [\w ]{1,30})\b[^\n.!?]{0,30}[\n,!.]+", re.I
)
_CURSOR = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z\.(\d{1,18})$")


@router.get("/")
def show(
    visit: Visited,
    view: str = "todo",
    kind: str = "",
    mailbox: str = "",
    mine: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    after: str = "",
) -> Response:
    """Show one page of the queue."""
    view = view if view in VIEWS else "todo"
    kind = kind if kind in set(Kind) else ""
    chosen = {"view": view, "kind": kind, "mailbox": mailbox, "mine": mine and "1", "q": " ".join(q.split())}
    with visit.desk.store.read() as connection:
        known = mailboxes_of(connection, None if EVERY_COMPANY in visit.user.companies else visit.user.companies)
        ids = tuple(one for one, _, _ in known)
        narrowed = tuple(one for one, address, _ in known if not mailbox or address == mailbox)
        wanted = Wanted(view, narrowed, kind or None, visit.user.name if mine else None, chosen["q"])
        found = queue_page(connection, wanted, after=place_of(after), limit=PAGE + 1)
        shown = found[:PAGE]
        counted = standing(connection, ids, now=visit.now, soon=visit.now + SOON)
        rows = rows_of(visit, connection, [one.case_id for one in shown])
        people = [one.name for one in list_users(connection) if one.disabled_at is None]
    return page(
        visit,
        "queue_list.html" if visit.request.headers.get("hx-target") == "queue" else "queue.html",
        rows=rows,
        chosen=chosen,
        numbers={name: sum(counted.states.get(state, 0) for state in states) for name, states in VIEWS.items()},
        summary={"late": counted.late, "soon": counted.soon, "held": counted.states.get("held", 0)},
        mailboxes=[address for _, address, _ in known],
        kinds=[one.value for one in Kind],
        people=people,
        more=cursor(shown[-1]) if len(found) > PAGE else "",
        first=not after,
        link=lambda **changes: "/?" + urlencode({k: v for k, v in {**chosen, **changes}.items() if v}),
    )


@router.get("/cases/{reference}/next")
def next_case(visit: Visited, reference: str) -> Response:
    """Lead to the case that stands after this one in the queue; after the last, to the queue."""
    case = visit.case(reference)
    with visit.desk.store.read() as connection:
        known = mailboxes_of(connection, None if EVERY_COMPANY in visit.user.companies else visit.user.companies)
        wanted = Wanted("todo", tuple(one for one, _, _ in known))
        here = place_in_queue(connection, case.id)
        found = [one.case_id for one in queue_page(connection, wanted, after=here, limit=1)]
        following = load_cases(connection, found)
    return goto(f"/cases/{following[0].reference}" if following else "/")


def cursor(place: Place) -> str:
    """Return a place as it stands in an address."""
    moment = place.moment.astimezone(dt.UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}Z.{place.case_id}"


def place_of(text: str) -> Place | None:
    """Return the place that an address names; anything else begins at the first page."""
    found = _CURSOR.match(text)
    if not found:
        return None
    try:
        return Place(dt.datetime.fromisoformat(found[1]).replace(tzinfo=dt.UTC), int(found[2]))
    except ValueError:
        return None


def rows_of(visit: Visit, connection: Connection, ids: list[int]) -> list[dict[str, Any]]:
    """Return what the queue shows of these cases, in their order."""
    if not ids:
        return []
    by_id = {case.id: case for case in load_cases(connection, ids)}
    letters = letter_states(connection, ids)
    begins = openings(connection, ids, 600)
    return [_row(visit, by_id[one], letters.get(one, []), begins.get(one, "")) for one in ids if one in by_id]


def _row(visit: Visit, case: Case, letters: list[str], text: str) -> dict[str, Any]:
    status, promise = promise_status(case.promises, visit.now)
    running = promise is not None and status in (PromiseStatus.RUNNING, PromiseStatus.OVERDUE)
    place = visit.desk.find_mailbox(case.mailbox)
    return {
        "case": case,
        "subject": mask_personal_numbers(case.subject),
        "kinds": [one.kind.value for one in case.requests if one.outcome is not Outcome.NOT_A_REQUEST],
        "due_at": promise.due_at if promise and running else None,
        "promise": status.value,
        "light": promise_light(promise.due_at, visit.now) if promise and running else "",
        "law": law_of(case, place[0].zone if place else ZoneInfo("UTC"), visit.now),
        "letter": letter_word(letters),
        "gist": gist(text),
        "zone": place[0].zone if place else ZoneInfo("UTC"),
    }


def promise_light(due_at: dt.datetime, now: dt.datetime) -> str:
    """Return how urgent a promise is: ``late``, ``soon`` (six hours) or ``calm``."""
    if due_at < in_utc(now):
        return "late"
    return "soon" if due_at - in_utc(now) <= SOON else "calm"


def law_of(case: Case, zone: dt.tzinfo, now: dt.datetime) -> dict[str, Any] | None:
    """Return the earliest legal date that is still to be met, with how urgent it is."""
    open_ones = [one for one in case.requests if one.due_hard and one.outcome is None]
    if not open_ones or case.state in ENDED:
        return None
    first = min(open_ones, key=lambda one: one.due_hard or dt.date.max)
    light = legal_light(first.received_at, zone, now, first.due_hard)
    return {
        "due": first.due_hard,
        "today": now.astimezone(zone).date(),
        "light": {"green": "calm", "yellow": "soon", "red": "soon", "passed": "late"}[light],
    }


def letter_word(states: list[str]) -> str:
    """Return the one thing to know about a case's letters; a fault first, then what waits for a person."""
    order = ("failed", "unknown", "proposed", "approved", "transmitting", "sent")
    return next((one for one in order if one in states), "")


def gist(text: str) -> str:
    """Return what a mail begins with on one line, without its greeting."""
    begins = _GREETING.sub("", mask_personal_numbers(text).strip())
    line = " ".join(begins.split())
    return line if len(line) <= GIST else line[:GIST].rsplit(" ", 1)[0] + " …"
