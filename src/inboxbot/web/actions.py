"""What is done with a case: relabel, decide, note, assign, identity, merge, split, end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response

from inboxbot.cases.checklist import LineAnswer
from inboxbot.cases.values import Case, Outcome
from inboxbot.config.model import KeepGround
from inboxbot.desk.annotate import assign, note
from inboxbot.desk.checklist import Answer, answer_line, decide
from inboxbot.desk.identity import FACTS, record_identity
from inboxbot.desk.lookup import look_up
from inboxbot.desk.merge import merge, split
from inboxbot.desk.relabel import relabel
from inboxbot.desk.settle import close, confirm, dismiss, no_answer_needed, reopen
from inboxbot.desk.write import write_letter
from inboxbot.errors import InboxbotError, StoreError, UsageError
from inboxbot.replies.choose import TEXTS
from inboxbot.sorting.kinds import Kind
from inboxbot.web.bulk import EXCUSES
from inboxbot.web.casepage import CHOOSABLE, case_page
from inboxbot.web.refusals import in_words
from inboxbot.web.render import goto
from inboxbot.web.visit import NotFoundError, Visit, Visited

router = APIRouter(prefix="/cases/{reference}")


def _do(visit: Visit, reference: str, told: str, act: Callable[[Case], Any], anchor: str = "") -> Response:
    """Do one thing to a case and show it again; what is refused is said on the page itself."""
    case = visit.case(reference)
    try:
        act(case)
    except StoreError:
        raise
    except InboxbotError as error:
        return case_page(visit, visit.case(reference), fault=in_words(error, visit.words), status=409)
    visit.tell(visit.words(told))
    return goto(f"/cases/{case.reference}{anchor}")


def _kinds(visit: Visit) -> list[Kind]:
    return [Kind(one) for one in visit.texts("kind") if one in set(Kind)]


def _kind(text: str) -> Kind:
    if text not in set(Kind):
        raise UsageError("there is no such kind")
    return Kind(text)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError("write the day like 2026-03-05") from None


def _texts(visit: Visit) -> dict[str, str]:
    return {name: words for name in TEXTS if (words := visit.text(f"text_{name}").strip())}


@router.post("/relabel")
def correct(visit: Visited, reference: str) -> Response:
    """Correct what the case asks for; the judge may learn from it."""
    kinds = _kinds(visit)
    return _do(
        visit,
        reference,
        "case.relabelled",
        lambda case: relabel(visit.desk, case.id, kinds, actor=visit.actor, now=visit.now),
    )


@router.post("/confirm")
def confirm_guess(visit: Visited, reference: str) -> Response:
    """Say that a held case is what it was taken for."""
    return _do(
        visit,
        reference,
        "case.confirmed",
        lambda case: confirm(visit.desk, case.id, actor=visit.actor, now=visit.now),
    )


@router.post("/dismiss")
def put_aside(visit: Visited, reference: str) -> Response:
    """Put a held case aside: it asks for nothing."""
    case = visit.case(reference)
    kept = {"reference": case.reference, "assignee": case.assignee, "held_reason": case.held_reason}
    answer = _do(
        visit, reference, "case.dismissed", lambda one: dismiss(visit.desk, one.id, actor=visit.actor, now=visit.now)
    )
    if answer.status_code == 303:
        visit.tell(visit.words("case.dismissed"), undo={"what": "dismiss", "cases": [kept]})
    return answer


@router.post("/no-answer")
def needs_no_answer(visit: Visited, reference: str) -> Response:
    """Say that nobody waits for an answer."""
    case = visit.case(reference)
    kept = {"reference": case.reference, "assignee": case.assignee, "held_reason": case.held_reason}
    reason = next((one for one in EXCUSES if one.value == visit.text("reason")), EXCUSES[0])
    answer = _do(
        visit,
        reference,
        "case.excused",
        lambda one: no_answer_needed(visit.desk, one.id, actor=visit.actor, now=visit.now, reason=reason),
    )
    if answer.status_code == 303:
        visit.tell(visit.words("case.excused"), undo={"what": "no_answer", "cases": [kept]})
    return answer


@router.post("/close")
def end(visit: Visited, reference: str) -> Response:
    """Close a case in which everything is decided and told."""
    return _do(
        visit, reference, "case.closed", lambda case: close(visit.desk, case.id, actor=visit.actor, now=visit.now)
    )


@router.post("/reopen")
def take_up(visit: Visited, reference: str) -> Response:
    """Take a closed or dismissed case up again."""
    return _do(
        visit, reference, "case.reopened", lambda case: reopen(visit.desk, case.id, actor=visit.actor, now=visit.now)
    )


@router.post("/note")
def keep_note(visit: Visited, reference: str) -> Response:
    """Keep a note, or what was said on the phone."""
    words, phone = visit.text("words").replace("\r\n", "\n"), visit.text("phone") == "1"
    return _do(
        visit,
        reference,
        "case.noted",
        lambda case: note(visit.desk, case.id, words, actor=visit.actor, now=visit.now, phone=phone),
    )


@router.post("/assign")
def give_to(visit: Visited, reference: str) -> Response:
    """Say who looks after the case."""
    to = visit.text("to").strip() or None
    return _do(
        visit,
        reference,
        "case.assigned",
        lambda case: assign(visit.desk, case.id, to, actor=visit.actor, now=visit.now),
    )


@router.post("/identity")
def keep_identity(visit: Visited, reference: str) -> Response:
    """Record what was looked up or checked about who asks."""
    facts = {name: name in visit.texts("fact") for name in FACTS}
    return _do(
        visit,
        reference,
        "case.identity",
        lambda case: record_identity(
            visit.desk,
            case.id,
            actor=visit.actor,
            now=visit.now,
            address_on_file=visit.text("address_on_file").strip() or None,
            found_in=visit.text("found_in").strip() or None,
            not_found=visit.text("not_found") == "1",
            facts=facts,
        ),
        "#identity",
    )


@router.post("/look-up")
def search_systems(visit: Visited, reference: str) -> Response:
    """Look the address on file up in the systems that the settings let inboxbot search."""
    return _do(
        visit,
        reference,
        "case.identity",
        lambda case: look_up(visit.desk, case.id, actor=visit.actor, now=visit.now),
        "#identity",
    )


@router.post("/letter")
def write(visit: Visited, reference: str) -> Response:
    """Draft a letter of one's choice, such as a question about identity."""
    template, kind, texts = visit.text("template"), visit.text("kind"), _texts(visit)

    def act(case: Case) -> None:
        if template not in CHOOSABLE:
            raise UsageError("there is no such letter")
        chosen = _kind(kind) if kind else None
        write_letter(visit.desk, case.id, template, actor=visit.actor, now=visit.now, kind=chosen, texts=texts)

    return _do(visit, reference, "case.written", act)


@router.post("/lines")
def answer_lines(visit: Visited, reference: str) -> Response:
    """Record the answers of a request's checklist, those that were changed."""
    kind = visit.text("kind")

    def act(case: Case) -> None:
        for number, key in enumerate(visit.texts("line")[:200]):
            given = {name: visit.text(f"{name}_{number}").strip() for name in _LINE}
            if not given["answer"] or given == {name: visit.text(f"was_{name}_{number}") for name in _LINE}:
                continue
            answer = Answer(
                name=key,
                answer=_code(LineAnswer, given["answer"]),
                until=_day(given["until"]),
                ground=_code(KeepGround, given["ground"]) if given["ground"] else None,
                detail=given["detail"],
                purchase_on=_day(given["purchase"]),
            )
            answer_line(visit.desk, case.id, _kind(kind), answer, actor=visit.actor, now=visit.now)

    return _do(visit, reference, "case.lines", act, f"#request-{kind}" if kind in set(Kind) else "")


_LINE = ("answer", "detail", "until", "ground", "purchase")


def _code(codes: Any, text: str) -> Any:
    try:
        return codes(text)
    except ValueError:
        raise UsageError("there is no such answer") from None


@router.post("/outcome")
def record_outcome(visit: Visited, reference: str) -> Response:
    """Record what became of a request; the letter that tells it is drafted."""
    outcome, texts = visit.text("outcome"), _texts(visit)
    return _do(
        visit,
        reference,
        "case.decided",
        lambda case: decide(
            visit.desk,
            case.id,
            _kind(visit.text("kind")),
            _code(Outcome, outcome) if outcome else None,
            actor=visit.actor,
            now=visit.now,
            texts=texts,
            told=visit.text("told") == "1",
        ),
    )


@router.post("/merge")
def join(visit: Visited, reference: str) -> Response:
    """Join this case into another one of the same company, and show that."""
    case = visit.case(reference)
    try:
        into = visit.case(visit.text("into"))
        merge(visit.desk, case.id, into.id, actor=visit.actor, now=visit.now)
    except NotFoundError:
        return case_page(visit, case, fault=visit.words("case.no_merge_target"), status=422)
    except UsageError as error:
        return case_page(visit, case, fault=in_words(error, visit.words), status=409)
    visit.tell(visit.words("case.merged", reference=case.reference))
    return goto(f"/cases/{into.reference}")


@router.post("/split")
def take_out(visit: Visited, reference: str) -> Response:
    """Make some requests a case of their own."""
    kinds = _kinds(visit)
    return _do(
        visit,
        reference,
        "case.split",
        lambda case: split(visit.desk, case.id, kinds, actor=visit.actor, now=visit.now),
    )
