"""The promise clock: the table of law.md 4.1, statuses, and the steps of a request."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inboxbot.cases.promise import (
    Excuse,
    Step,
    excuse_rule,
    legal_light,
    legal_milestones,
    new_promise,
    promise_due,
    promise_status,
    status_of,
)
from inboxbot.cases.values import PromiseStatus

STOCKHOLM = ZoneInfo("Europe/Stockholm")
START = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
FIRST, LAST = dt.datetime.fromisoformat("2024-01-01"), dt.datetime.fromisoformat("2030-12-31")

TABLE = [
    ("H01", "2026-11-22T06:04+01:00", "2026-11-23T06:04+01:00"),
    ("H02", "2026-12-24T16:00+01:00", "2026-12-25T16:00+01:00"),
    ("H03", "2026-04-02T17:45+02:00", "2026-04-03T17:45+02:00"),
    ("H04", "2026-06-19T11:11+02:00", "2026-06-20T11:11+02:00"),
    ("H05", "2026-03-28T10:00+01:00", "2026-03-29T11:00+02:00"),
    ("H06", "2026-03-28T02:30+01:00", "2026-03-29T03:30+02:00"),
    ("H07", "2026-03-29T01:59+01:00", "2026-03-30T02:59+02:00"),
    ("H08", "2026-03-29T03:00+02:00", "2026-03-30T03:00+02:00"),
    ("H09", "2027-03-27T23:15+01:00", "2027-03-29T00:15+02:00"),
    ("H10", "2024-03-30T12:00+01:00", "2024-03-31T13:00+02:00"),
    ("H11", "2026-10-24T10:00+02:00", "2026-10-25T09:00+01:00"),
    ("H12", "2026-10-25T01:30+02:00", "2026-10-26T00:30+01:00"),
    ("H13", "2026-10-25T02:30+02:00", "2026-10-26T01:30+01:00"),
    ("H14", "2026-10-25T02:30+01:00", "2026-10-26T02:30+01:00"),
]


@pytest.mark.parametrize(("row", "received", "due"), TABLE, ids=[row[0] for row in TABLE])
def test_the_table_of_promises(row: str, received: str, due: str) -> None:
    start = dt.datetime.fromisoformat(received)
    for given_as in (start, start.astimezone(STOCKHOLM)):
        found = promise_due(given_as, 24)
        assert found.tzinfo is dt.UTC
        assert found.astimezone(STOCKHOLM).isoformat(timespec="minutes") == due


@given(st.datetimes(FIRST, LAST, timezones=st.just(STOCKHOLM)), st.integers(1, 744))
def test_hours_are_elapsed_hours(received: dt.datetime, hours: int) -> None:
    """F91."""
    assert promise_due(received, hours).timestamp() - received.timestamp() == hours * 3600


def test_exactly_24_hours_is_kept_and_a_second_more_is_not() -> None:
    promise = new_promise(START, 24)
    on_time, late = START + 24 * HOUR, START + 24 * HOUR + dt.timedelta(seconds=1)
    assert status_of(promise, on_time) is PromiseStatus.RUNNING
    assert status_of(promise, late) is PromiseStatus.OVERDUE
    assert status_of(replace(promise, answered_at=on_time), late) is PromiseStatus.MET
    assert status_of(replace(promise, answered_at=late), late) is PromiseStatus.LATE


def test_the_earliest_unanswered_promise_is_shown_else_the_last() -> None:
    first, second = new_promise(START, 24), new_promise(START + 5 * HOUR, 24)
    assert promise_status([], START) == (PromiseStatus.NONE, None)
    assert promise_status([second, first], START + 6 * HOUR) == (PromiseStatus.RUNNING, first)
    half = [replace(first, answered_at=START + 2 * HOUR), second]
    assert promise_status(half, START + 30 * HOUR) == (PromiseStatus.OVERDUE, second)
    whole = [half[0], replace(second, answered_at=START + 6 * HOUR)]
    status, shown = promise_status(whole, START + 90 * HOUR)
    assert status is PromiseStatus.MET
    assert shown is not None
    assert shown.received_at == second.received_at


def test_an_excused_promise_runs_no_longer() -> None:
    excused = replace(new_promise(START, 24), excused=Excuse.NO_ANSWER_NEEDED)
    assert promise_status([excused], START + 99 * HOUR)[0] is PromiseStatus.EXCUSED


@pytest.mark.parametrize("text", ["Tack!", "Tack så mycket :)", "  tack för hjälpen. ", "Thanks!", "OK, tack"])
def test_listed_words_of_thanks_need_no_answer(text: str) -> None:
    assert excuse_rule(text) is Excuse.THANKS


@pytest.mark.parametrize("text", ["Tack, men radera mig", "Tack för svaret, när kommer det?", "", "tack " * 40])
def test_one_word_more_and_a_person_looks(text: str) -> None:
    assert excuse_rule(text) is None


def test_naive_moments_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        promise_due(dt.datetime(2026, 1, 1), 24)  # noqa: DTZ001 - that is the fault


def test_the_steps_of_a_request() -> None:
    received = dt.datetime(2026, 9, 1, 9, tzinfo=STOCKHOLM)
    steps = legal_milestones(received, STOCKHOLM)
    local = [(one.step, one.at.astimezone(STOCKHOLM).date().isoformat()) for one in steps]
    assert local == [
        (Step.GATHERED, "2026-09-08"),
        (Step.DRAFTED, "2026-09-15"),
        (Step.DECIDED, "2026-09-21"),
        (Step.YELLOW, "2026-09-24"),
        (Step.RED, "2026-09-29"),
        (Step.PASSED, "2026-10-02"),
    ]
    lights = {
        day: legal_light(received, STOCKHOLM, dt.datetime.fromisoformat(f"{day}T12:00+02:00"))
        for day in ("2026-09-23", "2026-09-24", "2026-09-29", "2026-10-01", "2026-10-02")
    }
    assert list(lights.values()) == ["green", "yellow", "red", "red", "passed"]


def test_yellow_comes_two_working_days_earlier_near_a_holiday() -> None:
    received = dt.datetime(2026, 11, 24, 10, tzinfo=STOCKHOLM)  # due on Christmas Eve
    yellow = next(one for one in legal_milestones(received, STOCKHOLM) if one.step is Step.YELLOW)
    assert yellow.at.astimezone(STOCKHOLM).date() == dt.date(2026, 12, 15)
