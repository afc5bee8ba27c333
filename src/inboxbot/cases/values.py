"""The values of the cases room: states, requests, promises, drafts as plain frozen data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from inboxbot.sorting.kinds import Kind


class CaseState(StrEnum):
    """Where a case stands (`docs/architecture.md` prints the table of moves)."""

    HELD = "held"
    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"
    DISMISSED = "dismissed"


LIVE = (CaseState.HELD, CaseState.OPEN, CaseState.WAITING)
ENDED = (CaseState.CLOSED, CaseState.DISMISSED)


class DraftState(StrEnum):
    """Where a letter stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    TRANSMITTING = "transmitting"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DECLINED = "declined"
    SUPERSEDED = "superseded"


class Outcome(StrEnum):
    """What became of one request."""

    GRANTED = "granted"
    PARTLY_GRANTED = "partly_granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NOT_A_REQUEST = "not_a_request"


class LedgerState(StrEnum):
    """What became of one message in a mailbox."""

    CASE = "case"
    FOLLOWUP = "followup"
    IGNORED = "ignored"
    HELD = "held"
    ORDINARY = "ordinary"
    BASELINE = "baseline"


class PromiseStatus(StrEnum):
    """How a promise stands at a moment; computed, never stored."""

    NONE = "none"
    RUNNING = "running"
    MET = "met"
    LATE = "late"
    OVERDUE = "overdue"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class Promise:
    """One mail's right to an answer: moments in UTC. ``excused`` is the code why no answer is needed."""

    received_at: dt.datetime
    due_at: dt.datetime
    answered_at: dt.datetime | None = None
    excused: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One kind asked for in a case, with its own dates and outcome. Legal dates are None for ``other``."""

    id: int
    kind: Kind
    received_at: dt.datetime
    due_hard: dt.date | None
    due_paused: dt.date | None
    outcome: Outcome | None = None
    outcome_at: dt.datetime | None = None
    told_at: dt.datetime | None = None
    asked_at: dt.datetime | None = None
    answered_at: dt.datetime | None = None
    extended_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One matter with one requester."""

    id: int
    reference: str
    company: str
    mailbox: str
    state: CaseState
    requester: str | None
    requester_name: str
    language: str
    subject: str
    opened_at: dt.datetime
    version: int
    held_reason: str | None = None
    assignee: str | None = None
    requests: tuple[Request, ...] = ()
    promises: tuple[Promise, ...] = ()
