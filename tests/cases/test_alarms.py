"""When a clock says so: steps before promises and legal dates, and clocks that were set."""

from __future__ import annotations

import datetime as dt
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from inboxbot.cases.alarms import MINUTES_A_DAY, OVERDUE, EventKind, clock_jump, legal_step, promise_step
from inboxbot.cases.values import Promise
from inboxbot.config.telling import Event

STOCKHOLM = ZoneInfo("Europe/Stockholm")
CAME = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
DUE = CAME + dt.timedelta(hours=24)
LATER = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("moment", "step"),
    [
        (CAME, None),
        (DUE - dt.timedelta(hours=4) - LATER, None),
        (DUE - dt.timedelta(hours=4), 240),
        (DUE - dt.timedelta(hours=1) - LATER, 240),
        (DUE - dt.timedelta(hours=1), 60),
        (DUE, 60),
        (DUE + LATER, OVERDUE),
        (DUE + dt.timedelta(days=400), OVERDUE),
    ],
)
def test_a_promise_has_its_steps(moment: dt.datetime, step: int | None) -> None:
    assert promise_step(Promise(CAME, DUE), moment, [4, 1]) == step


def test_an_answered_or_excused_promise_has_none() -> None:
    after = DUE + dt.timedelta(days=1)
    assert promise_step(Promise(CAME, DUE, answered_at=DUE), after, [4]) is None
    assert promise_step(Promise(CAME, DUE, excused="thanks"), after, [4]) is None


def test_nobody_is_warned_before_the_mail_came() -> None:
    short = Promise(CAME, CAME + dt.timedelta(hours=4))
    assert promise_step(short, CAME, [24, 4, 1]) is None
    assert promise_step(short, CAME + dt.timedelta(hours=3), [24, 4, 1]) == 60


@pytest.mark.parametrize(
    ("moment", "step"),
    [
        ("2026-12-14T07:59:59+01:00", None),
        ("2026-12-14T08:00:00+01:00", 7 * MINUTES_A_DAY),
        ("2026-12-18T08:00:00+01:00", 3 * MINUTES_A_DAY),
        ("2026-12-20T08:00:00+01:00", 1 * MINUTES_A_DAY),
        ("2026-12-21T23:59:59+01:00", 1 * MINUTES_A_DAY),
        ("2026-12-22T00:00:00+01:00", OVERDUE),
    ],
)
def test_a_legal_date_has_its_steps(moment: str, step: int | None) -> None:
    due = dt.date(2026, 12, 21)
    assert legal_step(CAME, due, dt.datetime.fromisoformat(moment), STOCKHOLM, [7, 3, 1]) == step


def test_a_sleep_is_no_jump_and_a_set_clock_is_one() -> None:
    assert clock_jump(CAME, DUE, 86_400.0) == dt.timedelta()
    assert clock_jump(CAME, DUE, 86_430.0) == dt.timedelta()
    assert clock_jump(CAME, DUE, 0.0) == dt.timedelta(days=1)
    assert clock_jump(DUE, CAME, 30.0) == -dt.timedelta(days=1, seconds=30)


def test_the_settings_know_the_same_events() -> None:
    assert set(get_args(Event)) == {one.value for one in EventKind}
