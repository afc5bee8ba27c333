"""The figures of the SLA report, from what is known of each mail's promise and each request's legal date.

One population: the mails received in the period (both days included, local days). A mail that nobody answered counts
as overdue or running, never as nothing, so the parts always add up to what came.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from inboxbot.cases.legal_date import in_utc
from inboxbot.cases.promise import status_of
from inboxbot.cases.values import Outcome, Promise, PromiseStatus
from inboxbot.sorting.kinds import Kind


@dataclass(frozen=True, slots=True)
class PromiseFact:
    """A promise with what it is counted by: its mailbox and the kinds of its case."""

    promise: Promise
    mailbox: str
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class LegalFact:
    """A request with a legal date: when it came, its hard date, and when the person was told the outcome."""

    mailbox: str
    kind: Kind
    received_at: dt.datetime
    due_hard: dt.date
    outcome: Outcome | None
    told_on: dt.date | None


@dataclass(frozen=True, slots=True)
class BlindFact:
    """A time in which a mailbox was not read for longer than it promises an answer."""

    mailbox: str
    since: dt.datetime
    until: dt.datetime


@dataclass(slots=True)
class Counts:
    """How the promises of one group stand."""

    parts: Counter[PromiseStatus] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)

    def add(self, promise: Promise, now: dt.datetime) -> None:
        """Count one promise."""
        self.parts[status_of(promise, now)] += 1
        if promise.answered_at is not None:
            self.waits.append((promise.answered_at - promise.received_at).total_seconds())

    @property
    def received(self) -> int:
        """All mails that started a promise."""
        return sum(self.parts.values())

    @property
    def share(self) -> float | None:
        """Answered within the promise, of those whose promise is not running or excused; None when there are none."""
        settled = self.received - self.parts[PromiseStatus.RUNNING] - self.parts[PromiseStatus.EXCUSED]
        return round(self.parts[PromiseStatus.MET] / settled, 4) if settled else None

    def as_json(self) -> dict[str, Any]:
        """Return the counts under the names of the report."""
        return {
            "received": self.received,
            "answered_within_promise": self.parts[PromiseStatus.MET],
            "answered_late": self.parts[PromiseStatus.LATE],
            "unanswered_overdue": self.parts[PromiseStatus.OVERDUE],
            "running": self.parts[PromiseStatus.RUNNING],
            "excused": self.parts[PromiseStatus.EXCUSED],
            "share_within_promise": self.share,
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """A report: its days, and its figures under the names of the contract."""

    first_day: dt.date
    last_day: dt.date
    made_at: dt.datetime
    values: dict[str, Any]


def make_figures(
    promises: Iterable[PromiseFact],
    legal: Iterable[LegalFact],
    *,
    without_promise: int,
    first_day: dt.date,
    last_day: dt.date,
    now: dt.datetime,
    blind: Iterable[BlindFact] = (),
) -> Figures:
    """Return the figures of a period. The facts are those of the mails received in it; ``now`` settles what runs.

    ``blind`` are the times in which nobody could have seen what came.
    """
    facts = list(promises)
    total = Counts()
    by_kind: dict[str, Counts] = {kind.value: Counts() for kind in Kind}
    by_mailbox: dict[str, Counts] = {}
    excused: Counter[str] = Counter()
    for fact in facts:
        total.add(fact.promise, now)
        by_mailbox.setdefault(fact.mailbox, Counts()).add(fact.promise, now)
        for kind in fact.kinds:
            by_kind[kind.value].add(fact.promise, now)
        if status_of(fact.promise, now) is PromiseStatus.EXCUSED:
            excused[fact.promise.excused or ""] += 1
    within = total.parts[PromiseStatus.MET]
    values = {
        "from": first_day.isoformat(),
        "to": last_day.isoformat(),
        **{key: value for key, value in total.as_json().items() if key not in {"excused", "share_within_promise"}},
        "excused": dict(sorted(excused.items())),
        "without_promise": without_promise,
        "share_within_promise": total.share,
        "share_of_all": round(within / total.received, 4) if total.received else None,
        "median_first_answer_s": quantile(total.waits, 0.5),
        "p90_first_answer_s": quantile(total.waits, 0.9),
        "by_kind": {kind: counts.as_json() for kind, counts in by_kind.items() if counts.received},
        "by_mailbox": {mailbox: counts.as_json() for mailbox, counts in sorted(by_mailbox.items())},
        "legal": legal_figures(legal, now.date()),
        "blind": [{"mailbox": one.mailbox, "since": _moment(one.since), "until": _moment(one.until)} for one in blind],
    }
    return Figures(first_day, last_day, now, values)


def _moment(at: dt.datetime) -> str:
    return in_utc(at).isoformat(timespec="seconds").replace("+00:00", "Z")


def legal_figures(facts: Iterable[LegalFact], today: dt.date) -> dict[str, int]:
    """Return how the legal dates of the requests stand: due = met + missed + running.

    Met means that the person was told the outcome on the hard date at the latest. What turned out to be no request, or
    was withdrawn, had no date to keep.
    """
    counted = {"due": 0, "met": 0, "missed": 0, "running": 0}
    for fact in facts:
        if fact.outcome in (Outcome.NOT_A_REQUEST, Outcome.WITHDRAWN):
            continue
        counted["due"] += 1
        if fact.told_on is not None:
            counted["met" if fact.told_on <= fact.due_hard else "missed"] += 1
        else:
            counted["missed" if today > fact.due_hard else "running"] += 1
    return counted


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which ``share`` of them lie (nearest rank), in whole seconds; None when there are none."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)])
