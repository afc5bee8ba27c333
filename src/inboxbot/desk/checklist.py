"""Walking a request to its outcome: one answer a line, then the decision, then the letter that tells it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, update

from inboxbot.cases.checklist import (
    About,
    ChecklistLine,
    LineAnswer,
    allowed_answers,
    holds_back,
    kept_for_bookkeeping,
    nothing_found,
    proposed_outcome,
    undecided,
)
from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import Case, DraftState, Outcome, Request
from inboxbot.config.model import CompanySettings, KeepGround
from inboxbot.desk.arrivals import Served
from inboxbot.desk.closing import close_if_done, lines_of
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.drafting import Grounds, draft_letter
from inboxbot.desk.followup import UNAPPROVED, add_draft
from inboxbot.desk.record import record, record_draft
from inboxbot.desk.relabel import occasion_of
from inboxbot.errors import RefusedError, UsageError
from inboxbot.reading.charsets import clean_text
from inboxbot.replies.choose import TEXTS, choose_outcome_letter
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import load_case, mailbox_id_of
from inboxbot.store.checklists import load_identity, save_lines
from inboxbot.store.drafts import load_drafts, void_approvals
from inboxbot.store.mails import mails_of
from inboxbot.store.tables import requests

DISCLOSING = frozenset({"access", "portability"})
_LIVE = (DraftState.PROPOSED, DraftState.APPROVED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What staff found or did at one line. ``purchase_on`` gives the bookkeeping date instead of ``until``.

    Without a ``ground`` something is kept on the one that the settings name for its system.
    """

    name: str
    answer: LineAnswer
    until: dt.date | None = None
    ground: KeepGround | None = None
    detail: str = ""
    purchase_on: dt.date | None = None


def request_of(case: Case, kind: Kind) -> Request:
    """Return the request of this kind. Raises UsageError when the case has none."""
    found = next((one for one in case.requests if one.kind is kind), None)
    if found is None:
        kinds = ", ".join(one.kind.value for one in case.requests)
        raise UsageError(f"{case.reference} does not ask for {kind.value}", cure=f"it asks for {kinds}")
    return found


def answer_line(desk: Desk, case_id: int, kind: Kind, given: Answer, *, actor: Actor, now: dt.datetime) -> Case:
    """Record what was found or done at one line; an approval that rested on the old answer is void.

    Raises UsageError for a line that does not exist or an answer that does not fit, with those that do.
    """
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        company, _ = desk.of_mailbox(case.mailbox)
        request = request_of(case, kind)
        lines = lines_of(connection, company, request)
        index = _find(lines, given.name)
        lines = tuple(
            _answered(line, given, request, company) if place == index else line for place, line in enumerate(lines)
        )
        save_lines(connection, request.id, lines)
        case = _void(connection, case, kind, actor, now)
        detail = {
            "kind": kind.value,
            "line": index + 1,
            "about": lines[index].about.value,
            "answer": given.answer.value,
        }
        case = record(connection, case, CaseEvent.LINE_RECORDED, actor=actor, at=now, detail=detail)
        return close_if_done(connection, company, case, actor=actor, now=now)


def _find(lines: Sequence[ChecklistLine], name: str) -> int:
    for place, line in enumerate(lines):
        if name.casefold() in {line.name.casefold(), line.key.casefold()}:
            return place
    known = ", ".join(line.key for line in lines) or "none"
    raise UsageError(f"there is no line {name!r}", cure=f"the lines are: {known}")


def _answered(line: ChecklistLine, given: Answer, request: Request, company: CompanySettings) -> ChecklistLine:
    allowed = allowed_answers(request.kind, line.about)
    if given.answer not in allowed:
        raise UsageError(
            f"{given.answer.value} is no answer for {line.key}", cure=f"give {', '.join(one.value for one in allowed)}"
        )
    detail = clean_text(given.detail).strip()
    if given.purchase_on is not None:
        return replace(kept_for_bookkeeping(line, given.purchase_on, company), detail=detail)
    ground = given.ground
    if ground is None and given.answer is LineAnswer.KEPT and line.about is About.SYSTEM:
        ground = next((one.keep_ground for one in company.systems if one.name == line.name), None)
    return replace(line, answer=given.answer, until=given.until, ground=ground, detail=detail)


def decide(
    desk: Desk,
    case_id: int,
    kind: Kind,
    outcome: Outcome | None,
    *,
    actor: Actor,
    now: dt.datetime,
    texts: dict[str, str] | None = None,
    told: bool = False,
    template: str | None = None,
) -> tuple[Case, int | None]:
    """Record the outcome of a request and draft the letter that tells it; return the case and the letter's id.

    Without ``outcome`` the one that follows from the checklist is taken. ``told``: the person was told already by other
    means. Raises RefusedError while a line is undecided or the outcome contradicts the lines.
    """
    refuse_unknown_texts(texts or ())
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        company, mailbox = desk.of_mailbox(case.mailbox)
        served = Served(company, mailbox, mailbox_id_of(connection, case.id), ())
        request = request_of(case, kind)
        lines = lines_of(connection, company, request)
        chosen = _outcome(case, request, lines, outcome)
        values = {"outcome": chosen.value, "outcome_at": now, "told_at": now if told else None}
        connection.execute(update(requests).where(requests.c.id == request.id).values(**values))
        detail = {"kind": kind.value, "outcome": chosen.value, "told": int(told)}
        case = record(connection, case, CaseEvent.OUTCOME_RECORDED, actor=actor, at=now, detail=detail)
        decided = request_of(case, kind)
        name = template or choose_outcome_letter(
            decided, nothing_found=nothing_found(lines), holds_back=holds_back(lines)
        )
        case = _void(connection, case, kind, actor, now, supersede=True)  # it told another outcome, or is not needed
        if told or name is None:
            return case, None
        grounds = _grounds(decided, name, texts or {})
        incoming = [mail for mail in mails_of(connection, case.id) if mail["direction"] == "in"]
        occasion = occasion_of(case, incoming[-1] if incoming else None)
        identity = load_identity(connection, case.id)
        letter = draft_letter(
            served,
            case,
            name,
            replace(grounds, name=occasion.greeting),
            answers=(occasion.message_id, occasion.references),
            lines=lines,
            recipient=identity.address_on_file if grounds.discloses else None,
        )
        case = add_draft(desk, served, connection, case, letter, now=now, actor=actor)
        newest = load_drafts(connection, case_ids=[case.id])[-1]
        return case, newest.id


def refuse_unknown_texts(texts: Iterable[str]) -> None:
    """Refuse words for a field that no letter has, and say which there are."""
    unknown = set(texts) - set(TEXTS)
    if unknown:
        listed = ", ".join(f"{name} ({what})" for name, what in TEXTS.items())
        raise UsageError(f"{', '.join(sorted(unknown))} is no text of a letter", cure=f"known are {listed}")


def _outcome(case: Case, request: Request, lines: Sequence[ChecklistLine], given: Outcome | None) -> Outcome:
    """Return the outcome to record: it must not say more than the lines do."""
    if given in (Outcome.WITHDRAWN, Outcome.NOT_A_REQUEST):
        return given
    left = undecided(request.kind, lines)
    # A refusal as a whole (manifestly unfounded, not identified) needs no search; everything else does.
    if left and given is not Outcome.REFUSED:
        keys = "; ".join(f"{one.key}: {one.lack.value.replace('_', ' ')}" for one in left)
        raise RefusedError(
            f"not every line is decided: {keys}", where=case.reference, cure="answer them with `cases line`"
        )
    proposed = proposed_outcome(request.kind, lines) if not left else None
    if given is None:
        if proposed is None:
            raise UsageError(
                f"say what the outcome of {request.kind.value} is", cure="granted, partly_granted or refused"
            )
        return proposed
    if proposed is not None and given is not proposed and given is not Outcome.REFUSED:
        raise RefusedError(
            f"the lines say {proposed.value}, not {given.value}", where=case.reference, cure="correct the lines first"
        )
    return given


def _grounds(request: Request, template: str, texts: dict[str, str]) -> Grounds:
    return Grounds(
        kinds=[request.kind.value],
        received_at=request.received_at.isoformat(),
        request=request.kind.value,
        tells=[request.kind.value],
        texts=texts,
        discloses=template in DISCLOSING,
    )


def _void(
    connection: Connection, case: Case, kind: Kind, actor: Actor, now: dt.datetime, *, supersede: bool = False
) -> Case:
    """Void what was approved for this request; with ``supersede`` a newer letter takes the place of proposals too."""
    for draft in load_drafts(connection, case_ids=[case.id], states=_LIVE):
        about = draft.facts.get("request") == kind.value
        if about and supersede:
            void_approvals(connection, draft.id, at=now)
            record_draft(connection, draft, DraftEvent.SUPERSEDED)
            event = CaseEvent.DRAFT_SUPERSEDED
        elif about and draft.state is DraftState.APPROVED:
            void_approvals(connection, draft.id, at=now)
            record_draft(connection, draft, DraftEvent.CALLED_BACK, values=UNAPPROVED)
            event = CaseEvent.DRAFT_CALLED_BACK
        else:
            continue
        case = record(connection, case, event, actor=actor, at=now, detail={"draft": draft.id})
    return case
