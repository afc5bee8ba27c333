"""The promise clock: so many elapsed hours from the receipt of each mail, day and night (law.md section 4).

Statuses are computed from moments that happened and *now*; nobody stores "overdue". `promises.md` A2 is the contract.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from inboxbot.cases.holidays import holiday_in_week, is_eve, working_days_before
from inboxbot.cases.legal_date import in_utc, legal_date
from inboxbot.cases.values import Promise, PromiseStatus


class Excuse(StrEnum):
    """Why a mail needs no answer. Excused promises are counted apart in the report."""

    NO_ANSWER_NEEDED = "no_answer_needed"
    THANKS = "thanks"
    NOT_A_REQUEST = "not_a_request"
    DUPLICATE = "duplicate"


def promise_due(received_at: dt.datetime, hours: int) -> dt.datetime:
    """Return when the promise falls due, in UTC: ``hours`` × 3600 elapsed seconds, across weekends and DST nights."""
    return in_utc(received_at) + dt.timedelta(hours=hours)


def new_promise(received_at: dt.datetime, hours: int) -> Promise:
    """Return the promise that a mail received at ``received_at`` starts."""
    return Promise(in_utc(received_at), promise_due(received_at, hours))


def status_of(promise: Promise, now: dt.datetime) -> PromiseStatus:
    """Return how one promise stands. An answer at the very second it falls due keeps it."""
    if promise.answered_at is not None:
        return PromiseStatus.MET if promise.answered_at <= promise.due_at else PromiseStatus.LATE
    if promise.excused:
        return PromiseStatus.EXCUSED
    return PromiseStatus.RUNNING if in_utc(now) <= promise.due_at else PromiseStatus.OVERDUE


def promise_status(promises: Iterable[Promise], now: dt.datetime) -> tuple[PromiseStatus, Promise | None]:
    """Return a case's status and the promise it shows: the earliest unanswered one, else the last."""
    ordered = sorted(promises, key=lambda one: (one.due_at, one.received_at))
    if not ordered:
        return PromiseStatus.NONE, None
    shown = next((one for one in ordered if is_unanswered(one)), ordered[-1])
    return status_of(shown, now), shown


def is_unanswered(promise: Promise) -> bool:
    """Return whether somebody still waits for an answer."""
    return promise.answered_at is None and promise.excused is None


def present(now: dt.datetime, promises: Iterable[Promise]) -> dt.datetime:
    """Return ``now``, or the newest receipt when a clock that was set back says that it is earlier than that.

    No answer is given before the mail it answers: the receipt is then the earliest moment at which it can have been.
    """
    return max([in_utc(now), *(one.received_at for one in promises)])


_THANKS_LIST = (
    "tack|tackar|stort tack|tusen tack|tack så mycket|tack så jättemycket|tack för hjälpen|tack för svaret|"
    "tack för svar|tack för snabbt svar|tack för snabb hjälp|ok tack|okej tack|perfekt tack|toppen tack|bra tack|"
    "tack detsamma|tack och hej|thanks|thank you|many thanks|thanks a lot|thank you very much|"
    "thanks for your help|thank you for your help|thanks for the quick reply|ok thanks|okay thanks|great thanks"
)
_THANKS = frozenset(_THANKS_LIST.split("|"))


def excuse_rule(new_words: str) -> Excuse | None:
    """Return ``thanks`` when the whole new text of a mail is one of the listed words of thanks, else None.

    Strict on purpose: one word more and a person looks at it.
    """
    if len(new_words) > 60:
        return None
    words = " ".join(re.sub(r"[^\w\s]", " ", new_words.casefold()).split())
    return Excuse.THANKS if words in _THANKS else None


# --- the steps of a request --------------------------------------------------------------------------------------


class Step(StrEnum):
    """A moment at which somebody should look at a case (law.md 3.4; our defaults, not law)."""

    GATHERED = "data_gathered"
    DRAFTED = "draft_ready"
    DECIDED = "decision_taken"
    YELLOW = "legal_yellow"
    RED = "legal_red"
    PASSED = "legal_passed"


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step and its moment in UTC."""

    step: Step
    at: dt.datetime


_DAY_STEPS = ((7, Step.GATHERED), (14, Step.DRAFTED), (20, Step.DECIDED))
_MORNING = dt.time(8, 0)


def legal_milestones(
    received_at: dt.datetime, zone: dt.tzinfo, due_hard: dt.date | None = None
) -> tuple[Milestone, ...]:
    """Return the internal steps of a request in order; ``due_hard`` stands in for an extended date.

    Days 7, 14 and 20 after receipt; yellow five and red two working days before the hard date (yellow two earlier
    when that date is an eve or its week has a holiday); passed one second after its last.
    """
    ordinary = legal_date(received_at, zone)
    due_on = due_hard or ordinary.due_on
    yellow = working_days_before(due_on, 7 if is_eve(due_on) or holiday_in_week(due_on) else 5)
    days = [(ordinary.received_on + dt.timedelta(days=count), step) for count, step in _DAY_STEPS]
    days += [(yellow, Step.YELLOW), (working_days_before(due_on, 2), Step.RED)]
    found = [Milestone(step, dt.datetime.combine(day, _MORNING, zone).astimezone(dt.UTC)) for day, step in days]
    midnight = dt.datetime.combine(due_on + dt.timedelta(days=1), dt.time(0), zone).astimezone(dt.UTC)
    return tuple(sorted([*found, Milestone(Step.PASSED, midnight)], key=lambda one: one.at))


def legal_light(received_at: dt.datetime, zone: dt.tzinfo, now: dt.datetime, due_hard: dt.date | None = None) -> str:
    """Return ``green``, ``yellow``, ``red`` or ``passed`` for an undecided request."""
    lights = {Step.YELLOW: "yellow", Step.RED: "red", Step.PASSED: "passed"}
    light = "green"
    for one in legal_milestones(received_at, zone, due_hard):
        if one.step in lights and one.at <= in_utc(now):
            light = lights[one.step]
    return light
