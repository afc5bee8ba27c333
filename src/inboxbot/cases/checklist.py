"""The checklist of a request: one line per system, data category and recipient, each with its answer.

A request cannot be closed, and its letter not approved, while a line is undecided; the letter is made of these answers
and so says only what is true of this case (law.md A-01, A-08, T4-T8). Data is kept only on a coded ground.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from inboxbot.cases.identity import Level
from inboxbot.cases.legal_date import bookkeeping_until
from inboxbot.cases.values import Outcome, Request
from inboxbot.config.model import CompanySettings, KeepGround
from inboxbot.sorting.kinds import Kind

EVERYWHERE = "*"  # the one system line of a company that has configured none


class About(StrEnum):
    """What a line is about."""

    SYSTEM = "system"
    CATEGORY = "category"
    RECIPIENT = "recipient"


class LineAnswer(StrEnum):
    """What was found or done."""

    FOUND = "found"
    NOTHING = "nothing"
    WITHHELD = "withheld"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"
    ERASED = "erased"
    KEPT = "kept"
    STOPPED = "stopped"
    CONTINUES = "continues"
    RESTRICTED = "restricted"
    TOLD = "told"
    NOT_TOLD = "not_told"


class Lack(StrEnum):
    """Why a line is not decided yet."""

    NO_ANSWER = "no_answer"
    NOT_ALLOWED = "answer_not_for_this_kind"
    NO_GROUND = "no_ground"
    NO_DATE = "no_date"
    NO_DETAIL = "no_detail"


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One line. ``name`` is the system, category or recipient as configured (`EVERYWHERE` without any system).

    ``until`` is the last day something is kept, ``ground`` why, ``detail`` staff's own words (which law, which order,
    why withheld, why not told).
    """

    about: About
    name: str
    answer: LineAnswer | None = None
    until: dt.date | None = None
    ground: KeepGround | None = None
    detail: str = ""

    @property
    def key(self) -> str:
        """The line's name in commands: ``system:Webshop``."""
        return f"{self.about.value}:{self.name}"


def mark_of(lines: Iterable[ChecklistLine]) -> str:
    """Return a mark of everything that was answered; it is another as soon as one answer is (16 hex digits)."""
    answered = [
        [one.key, one.answer, str(one.until), one.ground, one.detail] for one in lines if one.answer is not None
    ]
    return hashlib.sha256(json.dumps(sorted(answered)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Undecided:
    """A line that still needs something."""

    key: str
    lack: Lack


class StepName(StrEnum):
    """The walk of a request."""

    IDENTITY = "identity"
    SEARCH = "search"
    DECIDE = "decide"
    ACT = "act"
    TELL = "tell"


class StepState(StrEnum):
    """How a step stands."""

    OPEN = "open"
    DONE = "done"
    NOT_NEEDED = "not_needed"


_A = LineAnswer
_SYSTEM_ANSWERS: Final[Mapping[Kind, tuple[LineAnswer, ...]]] = MappingProxyType(
    {
        Kind.ACCESS: (_A.FOUND, _A.NOTHING, _A.WITHHELD),
        Kind.PORTABILITY: (_A.FOUND, _A.NOTHING, _A.WITHHELD),
        Kind.ERASURE: (_A.ERASED, _A.NOTHING, _A.KEPT),
        Kind.RECTIFICATION: (_A.CORRECTED, _A.NOTHING, _A.UNCHANGED),
        Kind.OBJECTION: (_A.STOPPED, _A.NOTHING, _A.CONTINUES),
        Kind.RESTRICTION: (_A.RESTRICTED, _A.NOTHING, _A.CONTINUES),
        Kind.UNSUBSCRIBE: (_A.STOPPED, _A.NOTHING),
    }
)
_CATEGORY_ANSWERS = (_A.FOUND, _A.NOTHING, _A.WITHHELD)
_RECIPIENT_ANSWERS = (_A.TOLD, _A.NOT_TOLD, _A.NOTHING)
_TELLS_RECIPIENTS = (Kind.RECTIFICATION, Kind.ERASURE, Kind.RESTRICTION)  # Art. 19
_FULL = frozenset({_A.FOUND, _A.ERASED, _A.CORRECTED, _A.STOPPED, _A.RESTRICTED})
_HELD_BACK = frozenset({_A.WITHHELD, _A.KEPT, _A.UNCHANGED, _A.CONTINUES})
_NEEDS_DETAIL = frozenset({_A.WITHHELD, _A.UNCHANGED, _A.CONTINUES, _A.NOT_TOLD})
_DATED = (KeepGround.BOOKKEEPING, KeepGround.LEGAL_DUTY)


def lines_for(kind: Kind, company: CompanySettings) -> tuple[ChecklistLine, ...]:
    """Return the undecided lines of a new request of this kind.

    Systems (for an opt-out the marketing ones, for complaints and ordinary mail none), for access also the configured
    data categories, and where Art. 19 asks for it the recipients. A company without systems gets one line for all.
    """
    if kind not in _SYSTEM_ANSWERS:
        return ()
    systems = [system.name for system in company.systems if system.marketing or kind is not Kind.UNSUBSCRIBE]
    if not systems and kind is not Kind.UNSUBSCRIBE:
        systems = [EVERYWHERE]
    lines = [ChecklistLine(About.SYSTEM, name) for name in systems]
    if kind is Kind.ACCESS:
        lines += [ChecklistLine(About.CATEGORY, name) for name in company.data_categories]
    if kind in _TELLS_RECIPIENTS:
        lines += [ChecklistLine(About.RECIPIENT, one.name) for one in company.recipients]
    return tuple(lines)


def allowed_answers(kind: Kind, about: About) -> tuple[LineAnswer, ...]:
    """Return the answers a line may have."""
    if about is About.CATEGORY:
        return _CATEGORY_ANSWERS
    return _RECIPIENT_ANSWERS if about is About.RECIPIENT else _SYSTEM_ANSWERS.get(kind, ())


def undecided(kind: Kind, lines: Iterable[ChecklistLine]) -> tuple[Undecided, ...]:
    """Return what still keeps the request from its letter, in the order of the lines; empty when all is decided."""
    found = ((line.key, _lack(kind, line)) for line in lines)
    return tuple(Undecided(key, lack) for key, lack in found if lack)


def _lack(kind: Kind, line: ChecklistLine) -> Lack | None:
    if line.answer is None:
        return Lack.NO_ANSWER
    if line.answer not in allowed_answers(kind, line.about):
        return Lack.NOT_ALLOWED
    if line.answer is _A.KEPT:
        if line.ground is None:
            return Lack.NO_GROUND
        if line.ground in _DATED and line.until is None:
            return Lack.NO_DATE
        # "commitments" alone are no ground: the concrete order, subscription, claim or law has to be named
        return Lack.NO_DETAIL if line.ground is not KeepGround.BOOKKEEPING and not line.detail.strip() else None
    return Lack.NO_DETAIL if line.answer in _NEEDS_DETAIL and not line.detail.strip() else None


def kept_for_bookkeeping(line: ChecklistLine, purchase_on: dt.date, company: CompanySettings) -> ChecklistLine:
    """Return the line as kept for bookkeeping: until 31 December of the seventh year after the financial year's end."""
    until = bookkeeping_until(purchase_on, company.financial_year_end)
    return ChecklistLine(line.about, line.name, _A.KEPT, until, KeepGround.BOOKKEEPING, line.detail)


def nothing_found(lines: Sequence[ChecklistLine]) -> bool:
    """Return whether systems were searched and all of them held nothing."""
    systems = [line for line in lines if line.about is About.SYSTEM]
    return bool(systems) and all(line.answer is _A.NOTHING for line in systems)


def holds_back(lines: Iterable[ChecklistLine]) -> bool:
    """Return whether anything was kept, withheld, left unchanged or goes on: a refusal in part (Art. 12(4))."""
    return any(line.answer in _HELD_BACK for line in lines)


def proposed_outcome(kind: Kind, lines: Sequence[ChecklistLine]) -> Outcome | None:
    """Return the outcome that follows from the lines, or None while any is undecided or the kind has no lines."""
    if not lines or undecided(kind, lines):
        return None
    if not holds_back(lines):
        return Outcome.GRANTED
    return Outcome.PARTLY_GRANTED if any(line.answer in _FULL for line in lines) else Outcome.REFUSED


def steps(
    request: Request, lines: Sequence[ChecklistLine], *, needed: Level, reached: Level
) -> tuple[tuple[StepName, StepState], ...]:
    """Return the walk of a request with the state of each step."""
    lacks = {one.key for one in undecided(request.kind, lines)}
    own = [line for line in lines if line.about is not About.RECIPIENT]
    told = [line for line in lines if line.about is About.RECIPIENT]

    def of(group: Sequence[ChecklistLine]) -> StepState:
        if not group:
            return StepState.NOT_NEEDED
        return StepState.OPEN if any(line.key in lacks for line in group) else StepState.DONE

    def done(*, when: bool) -> StepState:
        return StepState.DONE if when else StepState.OPEN

    return (
        (StepName.IDENTITY, StepState.NOT_NEEDED if needed is Level.L0 else done(when=reached >= needed)),
        (StepName.SEARCH, of(own)),
        (StepName.DECIDE, done(when=request.outcome is not None)),
        (StepName.ACT, of(told) if of(own) is not StepState.OPEN else StepState.OPEN),
        (StepName.TELL, done(when=request.told_at is not None)),
    )
