"""The moves of cases and letters: two tables, and the only two functions that change a state.

`docs/architecture.md` prints the tables; a test there and tests here hold both together. An event that is not listed
for a state is refused with IllegalMoveError, so a forgotten case shows itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inboxbot.cases.values import CaseState, DraftState
from inboxbot.errors import IllegalMoveError


class CaseEvent(StrEnum):
    """What can happen to a case; also the codes of its history rows."""

    REQUEST_RECOGNISED = "request_recognised"
    ORDINARY_PROMISED = "ordinary_promised"
    OPENED_BY_STAFF = "opened_by_staff"
    HELD_FOR_PERSON = "held_for_person"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    QUESTION_SENT = "question_sent"
    ANSWERED = "answered"
    REQUESTER_WROTE = "requester_wrote"
    BOUNCED = "bounced"
    CLOSED = "closed"
    REOPENED = "reopened"
    MERGED_AWAY = "merged_away"
    MERGED = "merged"
    SPLIT = "split"
    NOTED = "noted"
    ASSIGNED = "assigned"
    RELABELLED = "relabelled"
    REQUESTER_SET = "requester_set"
    IDENTITY_RECORDED = "identity_recorded"
    LINE_RECORDED = "line_recorded"
    OUTCOME_RECORDED = "outcome_recorded"
    EXTENDED = "extended"
    EXCUSED = "excused"
    ALARM_RAISED = "alarm_raised"
    EXPORTED = "exported"
    FILE_FETCHED = "file_fetched"
    PURGED = "purged"
    DRAFT_CREATED = "draft_created"
    DRAFT_EDITED = "draft_edited"
    DRAFT_ATTACHED = "draft_attached"
    DRAFT_APPROVED = "draft_approved"
    DRAFT_CALLED_BACK = "draft_called_back"
    DRAFT_DECLINED = "draft_declined"
    DRAFT_SUPERSEDED = "draft_superseded"
    LETTER_CLAIMED = "letter_claimed"
    LETTER_PUT_BACK = "letter_put_back"
    LETTER_SENT = "letter_sent"
    LETTER_FAILED = "letter_failed"
    LETTER_UNKNOWN = "letter_unknown"


class DraftEvent(StrEnum):
    """What can happen to a letter."""

    DRAFTED = "drafted"
    EDITED = "edited"
    ATTACHED = "attached"
    APPROVED = "approved"
    CALLED_BACK = "called_back"
    MAIL_CAME = "mail_came"
    DECLINED = "declined"
    SUPERSEDED = "superseded"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    PUT_BACK = "put_back"
    REFUSED = "refused"
    CUT = "cut"
    FOUND_ARRIVED = "found_arrived"
    TAKEN_UP = "taken_up"


@dataclass(frozen=True, slots=True)
class CaseMove:
    """A row: in each of ``states`` (None: no case yet) ``event`` leads to ``becomes`` (None: it stays as it is)."""

    states: tuple[CaseState | None, ...]
    event: CaseEvent
    becomes: CaseState | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class DraftMove:
    """A row of the letters' table, read as `CaseMove`."""

    states: tuple[DraftState | None, ...]
    event: DraftEvent
    becomes: DraftState
    note: str = ""


_HELD, _OPEN, _WAITING, _CLOSED, _DISMISSED = (
    CaseState.HELD,
    CaseState.OPEN,
    CaseState.WAITING,
    CaseState.CLOSED,
    CaseState.DISMISSED,
)
_LIVE = (_HELD, _OPEN, _WAITING)
_ANY = tuple(CaseState)
_C = CaseEvent

CASE_MOVES: Final[tuple[CaseMove, ...]] = (
    CaseMove((None,), _C.REQUEST_RECOGNISED, _OPEN, "a right is asked for"),
    CaseMove((None,), _C.ORDINARY_PROMISED, _OPEN, "ordinary mail to a mailbox with a promise: one request `other`"),
    CaseMove((None,), _C.OPENED_BY_STAFF, _OPEN, "by phone, letter, or from the ledger"),
    CaseMove((None,), _C.HELD_FOR_PERSON, _HELD, "unsure, unreadable or not to be trusted; the best guess is ready"),
    CaseMove((_HELD,), _C.CONFIRMED, _OPEN, "by staff"),
    CaseMove((_HELD,), _C.DISMISSED, _DISMISSED, "by staff; a copy of our own mail by itself"),
    CaseMove((_OPEN, _WAITING), _C.QUESTION_SENT, _WAITING, "identity or clarification; the promise is met"),
    CaseMove(_ANY, _C.ANSWERED, None, "an answer was accepted or noticed; the promise is met"),
    CaseMove((_WAITING, _OPEN), _C.REQUESTER_WROTE, _OPEN, "a new promise starts"),
    CaseMove((_HELD,), _C.REQUESTER_WROTE, _HELD, "a new promise starts"),
    CaseMove((_CLOSED,), _C.REQUESTER_WROTE, _OPEN, "a new promise starts"),
    CaseMove((_DISMISSED,), _C.REQUESTER_WROTE, _HELD, "a person looks again"),
    CaseMove((_OPEN, _WAITING, _CLOSED), _C.BOUNCED, _OPEN, "our letter came back; the promise reopens"),
    CaseMove((_HELD,), _C.BOUNCED, _HELD, "our letter came back; the promise reopens"),
    CaseMove((_DISMISSED,), _C.BOUNCED, _HELD, "our letter came back; a person looks again"),
    CaseMove((_OPEN, _WAITING), _C.CLOSED, _CLOSED, "every request has an outcome and the person was told"),
    CaseMove((_CLOSED,), _C.REOPENED, _OPEN, "by staff"),
    CaseMove((_DISMISSED,), _C.REOPENED, _HELD, "by staff"),
    CaseMove(_LIVE, _C.MERGED_AWAY, _CLOSED, "its mails and requests moved to another case"),
    CaseMove(_LIVE, _C.MERGED, None, "took over another case"),
    CaseMove(_LIVE, _C.SPLIT, None, "a part became a case of its own"),
    CaseMove(_ANY, _C.NOTED, None),
    CaseMove(_ANY, _C.ASSIGNED, None),
    CaseMove(_LIVE, _C.RELABELLED, None, "kinds corrected by staff"),
    CaseMove(_LIVE, _C.REQUESTER_SET, None, "requester or an alternate address recorded by staff"),
    CaseMove(_LIVE, _C.IDENTITY_RECORDED, None),
    CaseMove(_LIVE, _C.LINE_RECORDED, None, "a checklist line was decided"),
    CaseMove(_LIVE, _C.OUTCOME_RECORDED, None),
    CaseMove((_OPEN, _WAITING), _C.EXTENDED, None, "the extension notice went out inside month one"),
    CaseMove(_ANY, _C.EXCUSED, None, "no answer needed"),
    CaseMove(_ANY, _C.ALARM_RAISED, None),
    CaseMove(_ANY, _C.EXPORTED, None),
    CaseMove(_ANY, _C.FILE_FETCHED, None, "an attachment was brought from the mailbox for a person"),
    CaseMove((_CLOSED, _DISMISSED), _C.PURGED, None, "content gone, proof kept"),
    CaseMove(_LIVE, _C.DRAFT_CREATED, None),
    CaseMove(_ANY, _C.DRAFT_EDITED, None),
    CaseMove(_ANY, _C.DRAFT_ATTACHED, None),
    CaseMove(_LIVE, _C.DRAFT_APPROVED, None),
    CaseMove(_ANY, _C.DRAFT_CALLED_BACK, None),
    CaseMove(_ANY, _C.DRAFT_DECLINED, None),
    CaseMove(_ANY, _C.DRAFT_SUPERSEDED, None, "answered elsewhere, or a newer letter took its place"),
    CaseMove(_ANY, _C.LETTER_CLAIMED, None),
    CaseMove(_ANY, _C.LETTER_PUT_BACK, None, "failed before the final dot; tried again later"),
    CaseMove(_ANY, _C.LETTER_SENT, None),
    CaseMove(_ANY, _C.LETTER_FAILED, None, "refused by the mail server; a person decides"),
    CaseMove(_ANY, _C.LETTER_UNKNOWN, None, "never sent again by itself"),
)

_P, _A, _T, _S, _F, _U = (
    DraftState.PROPOSED,
    DraftState.APPROVED,
    DraftState.TRANSMITTING,
    DraftState.SENT,
    DraftState.FAILED,
    DraftState.UNKNOWN,
)
_D = DraftEvent

DRAFT_MOVES: Final[tuple[DraftMove, ...]] = (
    DraftMove((None,), _D.DRAFTED, _P),
    DraftMove((_P,), _D.EDITED, _P, "the old words are kept"),
    DraftMove((_P,), _D.ATTACHED, _P),
    DraftMove((_P,), _D.MAIL_CAME, _P),
    DraftMove((_P,), _D.APPROVED, _A, "who, when, and the digest of exactly these bytes"),
    DraftMove((_A,), _D.EDITED, _P, "the approval is void"),
    DraftMove((_A,), _D.ATTACHED, _P, "the approval is void"),
    DraftMove((_A,), _D.MAIL_CAME, _P, "new mail on the case: the approval is void"),
    DraftMove((_A,), _D.CALLED_BACK, _P, "the approval is void"),
    DraftMove((_P,), _D.DECLINED, DraftState.DECLINED),
    DraftMove((_P, _A), _D.SUPERSEDED, DraftState.SUPERSEDED, "answered elsewhere, or a newer letter took its place"),
    DraftMove((_A,), _D.CLAIMED, _T),
    DraftMove((_T,), _D.ACCEPTED, _S, "250 after the final dot"),
    DraftMove((_T,), _D.PUT_BACK, _A, "failed before the final dot, or 4xx: tried again later"),
    DraftMove((_T,), _D.REFUSED, _F, "5xx: a person decides"),
    DraftMove((_T,), _D.CUT, _U, "cut after the final dot, or a crash: never sent again by itself"),
    DraftMove((_U,), _D.FOUND_ARRIVED, _S, "a person says so, or its copy lies in the sent folder"),
    DraftMove((_F, _U), _D.TAKEN_UP, _P, "a person takes it up again; it needs a new approval"),
    DraftMove((_F, _U), _D.DECLINED, DraftState.DECLINED, "a person lets it be"),
)

_CASES: Final = {(state, row.event): row.becomes or state for row in CASE_MOVES for state in row.states}
_DRAFTS: Final = {(state, row.event): row.becomes for row in DRAFT_MOVES for state in row.states}


def move_case(state: CaseState | None, event: CaseEvent) -> CaseState:
    """Return the state of a case after ``event``; ``None`` means that there is no case yet.

    Raises IllegalMoveError when the table has no such row.
    """
    becomes = _CASES.get((state, event))
    if becomes is None:
        raise _illegal("case", state, event, [row.event for row in CASE_MOVES if state in row.states])
    return becomes


def move_draft(state: DraftState | None, event: DraftEvent) -> DraftState:
    """Return the state of a letter after ``event``; ``None`` means that there is no letter yet.

    Raises IllegalMoveError when the table has no such row.
    """
    becomes = _DRAFTS.get((state, event))
    if becomes is None:
        raise _illegal("letter", state, event, [row.event for row in DRAFT_MOVES if state in row.states])
    return becomes


def tables_markdown() -> str:
    """Return both tables in Markdown, as `docs/architecture.md` prints them."""
    lines = ["| case is | event | becomes | note |", "| --- | --- | --- | --- |"]
    lines += [_row(row.states, row.event, row.becomes, row.note, every=len(CaseState)) for row in CASE_MOVES]
    lines += ["", "| letter is | event | becomes | note |", "| --- | --- | --- | --- |"]
    lines += [_row(row.states, row.event, row.becomes, row.note, every=len(DraftState)) for row in DRAFT_MOVES]
    return "\n".join(lines) + "\n"


def _row(
    states: tuple[CaseState | None, ...] | tuple[DraftState | None, ...],
    event: StrEnum,
    becomes: StrEnum | None,
    note: str,
    *,
    every: int,
) -> str:
    names = "any" if len(states) == every else ", ".join(state.value if state else "–" for state in states)
    return f"| {names} | {event.value.replace('_', ' ')} | {becomes.value if becomes else 'same'} | {note} |"


# What staff can do, of all that can happen: what a refusal offers instead.
_OF_PEOPLE: Final = frozenset(
    {
        *(_C.CONFIRMED, _C.DISMISSED, _C.CLOSED, _C.REOPENED, _C.MERGED, _C.SPLIT, _C.NOTED, _C.ASSIGNED),
        *(_C.RELABELLED, _C.REQUESTER_SET, _C.IDENTITY_RECORDED, _C.LINE_RECORDED, _C.OUTCOME_RECORDED, _C.EXPORTED),
        *(DraftEvent.EDITED, DraftEvent.ATTACHED, DraftEvent.APPROVED, DraftEvent.CALLED_BACK, DraftEvent.DECLINED),
    }
)


def _illegal(
    thing: str, state: StrEnum | None, event: StrEnum, allowed: list[CaseEvent] | list[DraftEvent]
) -> IllegalMoveError:
    now = f"is {state.value}" if state else "does not exist"
    if CaseEvent.REOPENED in allowed:
        cure = "take the case up again first, with `cases reopen`"
    else:
        names = sorted(one.value for one in _OF_PEOPLE.intersection(allowed))
        cure = f"possible now: {', '.join(names) or 'nothing'}"
    return IllegalMoveError(f"{event.value} is not possible: the {thing} {now}", cure=cure)
