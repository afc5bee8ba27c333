"""What happens in a case, or to the installation, that others are told of; and when a clock says so.

A step is a moment before a promise or a legal date (or the first second after it), in minutes before; 0 is overdue. Of
several steps that passed unseen, in a machine that slept, only the most urgent one is raised.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from inboxbot.cases.legal_date import in_utc
from inboxbot.cases.values import Promise

MINUTES_A_DAY: Final = 24 * 60
OVERDUE: Final = 0
JUMP: Final = dt.timedelta(minutes=1)
_MORNING: Final = dt.time(8, 0)


class EventKind(StrEnum):
    """What others are told of: five about a case, two about the installation."""

    OPENED = "opened"
    HELD = "held"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    SENT = "sent"
    SENDING_STOPPED = "sending_stopped"
    MAILBOX_BLIND = "mailbox_blind"


class About(StrEnum):
    """What an event is about; its id is that of the row of this name (0: the installation)."""

    CASE = "case"
    PROMISE = "promise"
    REQUEST = "request"
    LETTER = "letter"
    MAILBOX = "mailbox"
    INSTALLATION = "installation"


class Channel(StrEnum):
    """How somebody is told."""

    WEBHOOK = "webhook"
    MAIL = "mail"


class DeliveryState(StrEnum):
    """Where a telling stands. ``unknown``: twice nobody could know whether the mail arrived."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


# What staff are told of by mail; a webhook chooses for itself.
ALARMS: Final = (
    EventKind.HELD,
    EventKind.DUE_SOON,
    EventKind.OVERDUE,
    EventKind.SENDING_STOPPED,
    EventKind.MAILBOX_BLIND,
)


def promise_step(promise: Promise, now: dt.datetime, hours_before: Iterable[int]) -> int | None:
    """Return the most urgent step (minutes before) of an unanswered promise that has come, or None.

    A step that would lie before the mail itself is none: with a promise of 4 hours nobody is warned 4 hours before.
    """
    if promise.answered_at is not None or promise.excused is not None:
        return None
    moment = in_utc(now)
    if moment > promise.due_at:
        return OVERDUE
    ahead = [hours * 60 for hours in hours_before]
    come = [step for step in ahead if promise.received_at < promise.due_at - dt.timedelta(minutes=step) <= moment]
    return min(come, default=None)


def legal_step(
    received_at: dt.datetime, due_hard: dt.date, now: dt.datetime, zone: dt.tzinfo, days_before: Iterable[int]
) -> int | None:
    """Return the most urgent step (minutes before) of a request's hard legal date that has come, or None.

    A step of days begins at eight in the morning there; overdue is the first moment of the next day.
    """
    moment = in_utc(now)
    if moment >= dt.datetime.combine(due_hard + dt.timedelta(days=1), dt.time(), zone).astimezone(dt.UTC):
        return OVERDUE
    mornings = {
        days: dt.datetime.combine(due_hard - dt.timedelta(days=days), _MORNING, zone).astimezone(dt.UTC)
        for days in days_before
    }
    come = [days * MINUTES_A_DAY for days, at in mornings.items() if received_at < at <= moment]
    return min(come, default=None)


def clock_jump(before: dt.datetime, now: dt.datetime, elapsed_s: float) -> dt.timedelta:
    """Return by how much the clock was set between two looks, when ``elapsed_s`` really went by; zero when by little.

    ``elapsed_s`` counts the time in which the machine slept, so that a sleep is no jump.
    """
    jump = (now - before) - dt.timedelta(seconds=elapsed_s)
    return jump if abs(jump) > JUMP else dt.timedelta()
