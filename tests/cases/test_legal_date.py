"""The legal dates of law.md 3: every case of its table, its further assertions, and every day from 2024 to 2030."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from tests.cases.law_tables import DEADLINES, EVES, HOLIDAYS

from inboxbot.cases.holidays import day_off, is_eve, is_working_day, public_holidays
from inboxbot.cases.legal_date import (
    NoPause,
    add_months,
    bookkeeping_until,
    breach_due,
    explain,
    legal_date,
    notice_by,
    paused_date,
    told_in_time,
    written_date,
    years_after,
)
from inboxbot.errors import UsageError

STOCKHOLM = ZoneInfo("Europe/Stockholm")
PAUSES = {"D43": ("2026-03-06", "2026-03-16"), "D44": ("2026-09-02", "2026-09-09"), "D45": ("2026-11-24", "2026-12-01")}
HARD = {"D43": "2026-04-07", "D44": "2026-10-01", "D45": "2026-12-24"}


def moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=STOCKHOLM)


def noon(day: str) -> dt.datetime:
    return moment(f"{day}T12:00")


@pytest.mark.parametrize(("row", "received", "mode", "unrolled", "falls_on", "due"), DEADLINES, ids=lambda value: value)
def test_the_table_of_deadlines(*, row: str, received: str, mode: str, unrolled: str, falls_on: str, due: str) -> None:
    """F93."""
    legal = legal_date(moment(received), STOCKHOLM, extended=mode == "ext")
    if row in PAUSES:
        asked, answered = PAUSES[row]
        paused = paused_date(
            legal, STOCKHOLM, asked_at=noon(asked), answered_at=noon(answered), reason="address_not_on_file"
        )
        assert (paused.unrolled.isoformat(), paused.due_on.isoformat()) == (unrolled, due)
        assert f"+{paused.paused_days}" in mode
        assert paused.refused is None
        assert legal.due_on.isoformat() == HARD[row]
        return
    assert (legal.unrolled.isoformat(), legal.due_on.isoformat()) == (unrolled, due)
    assert legal.due_at.astimezone(STOCKHOLM).isoformat()[:19] == f"{due}T23:59:59"
    assert legal.due_at.tzinfo is dt.UTC
    if falls_on == "-" or is_eve(legal.unrolled):
        assert legal.rolled_because == ()
    else:
        assert legal.rolled_because[0] == f"{unrolled} {falls_on}"


@pytest.mark.parametrize("year", HOLIDAYS)
def test_the_holidays_are_those_of_the_law(year: int) -> None:
    found = {day.strftime("%m-%d"): name for day, name in public_holidays(year).items()}
    assert found == HOLIDAYS[year]
    eves = {dt.date.fromisoformat(f"{year}-{eve}") for eve in EVES[year]}
    days = [dt.date(year, 1, 1) + dt.timedelta(days=number) for number in range(365)]
    assert {day for day in [*days, dt.date(year, 12, 31)] if is_eve(day)} == eves
    assert not eves & set(public_holidays(year))


def test_a_question_late_unanswered_or_without_reason_pauses_nothing() -> None:
    legal = legal_date(moment("2026-03-05T09:00"), STOCKHOLM)
    late = paused_date(legal, STOCKHOLM, asked_at=noon("2026-03-25"), answered_at=noon("2026-03-30"), reason="doubt")
    assert (late.refused, late.due_on) == (NoPause.ASKED_LATE, dt.date(2026, 4, 7))
    waiting = paused_date(legal, STOCKHOLM, asked_at=noon("2026-03-06"), answered_at=None, reason="doubt")
    assert (waiting.refused, waiting.due_on) == (NoPause.NOT_ANSWERED, dt.date(2026, 4, 7))
    idle = paused_date(legal, STOCKHOLM, asked_at=noon("2026-03-06"), answered_at=noon("2026-03-16"), reason=None)
    assert (idle.refused, idle.paused_days) == (NoPause.NO_REASON, 0)


def test_asked_on_the_third_day_still_counts_and_on_the_fourth_not() -> None:
    legal = legal_date(moment("2026-03-05T23:59"), STOCKHOLM)
    asked = {
        day: paused_date(legal, STOCKHOLM, asked_at=noon(day), answered_at=noon("2026-03-20"), reason="doubt")
        for day in ("2026-03-08", "2026-03-09")
    }
    assert asked["2026-03-08"].paused_days == 12
    assert asked["2026-03-09"].refused is NoPause.ASKED_LATE


def test_asked_and_answered_the_same_day_pauses_no_day() -> None:
    legal = legal_date(moment("2026-03-05T09:00"), STOCKHOLM)
    same = paused_date(
        legal, STOCKHOLM, asked_at=moment("2026-03-06T08:00"), answered_at=moment("2026-03-06T23:30"), reason="doubt"
    )
    assert (same.paused_days, same.due_on, same.refused) == (0, dt.date(2026, 4, 7), None)


def test_the_last_day_for_a_notice_is_the_ordinary_date() -> None:
    assert notice_by(moment("2026-11-02T10:00"), STOCKHOLM) == dt.date(2026, 12, 2)
    received = moment("2026-01-31T10:00")
    assert notice_by(received, STOCKHOLM) == dt.date(2026, 3, 2)
    assert told_in_time(moment("2026-03-02T23:59:59"), received, STOCKHOLM)
    assert not told_in_time(moment("2026-03-03T00:00:00"), received, STOCKHOLM)
    assert legal_date(received, STOCKHOLM, extended=True).due_on == dt.date(2026, 4, 30)


def test_the_examples_both_authorities_use() -> None:
    assert add_months(dt.date(2026, 3, 5), 1) == dt.date(2026, 4, 5)
    assert add_months(dt.date(2026, 8, 31), 1) == dt.date(2026, 9, 30)


def test_every_day_from_2024_to_2030() -> None:
    """F93."""
    day, last = dt.date(2024, 1, 1), dt.date(2030, 12, 31)
    for extended, months in ((False, 1), (True, 3)):
        dues = []
        one = day
        while one <= last:
            legal = legal_date(dt.datetime.combine(one, dt.time(12), STOCKHOLM), STOCKHOLM, extended=extended)
            assert legal.received_on == one
            assert is_working_day(legal.due_on)
            assert dt.timedelta() <= legal.due_on - legal.unrolled <= dt.timedelta(days=4)
            assert (legal.unrolled.year * 12 + legal.unrolled.month) - (one.year * 12 + one.month) == months
            assert legal.unrolled.day == one.day or (legal.unrolled + dt.timedelta(days=1)).day == 1
            assert len(legal.rolled_because) == (legal.due_on - legal.unrolled).days
            dues.append(legal.due_on)
            one += dt.timedelta(days=1)
        assert all(before <= after for before, after in pairwise(dues))
        assert len(dues) == 2557


@pytest.mark.parametrize(
    ("purchase", "year_end", "until"),
    [
        ("2019-12-31", "12-31", "2026-12-31"),
        ("2020-06-30", "06-30", "2027-12-31"),
        ("2020-03-10", "12-31", "2027-12-31"),
        ("2020-07-15", "04-30", "2028-12-31"),
        ("2026-12-31", "12-31", "2033-12-31"),
        ("2024-05-02", "08-31", "2031-12-31"),
        ("2024-02-29", "02-28", "2031-12-31"),
        ("2024-03-01", "02-29", "2032-12-31"),
        ("2024-09-30", "09-31", "2031-12-31"),
    ],
)
def test_bookkeeping_ends_with_the_seventh_year(purchase: str, year_end: str, until: str) -> None:
    assert bookkeeping_until(dt.date.fromisoformat(purchase), year_end).isoformat() == until


def test_years_and_hours() -> None:
    assert years_after(dt.date(2024, 2, 29), 3) == dt.date(2027, 2, 28)
    assert years_after(dt.date(2024, 2, 29), 4) == dt.date(2028, 2, 29)
    breach = breach_due(dt.datetime.fromisoformat("2026-03-28T10:20+01:00"))
    assert breach.astimezone(STOCKHOLM).isoformat() == "2026-03-31T11:20:00+02:00"


def test_a_date_explains_itself() -> None:
    legal = legal_date(moment("2026-03-05T09:00"), STOCKHOLM)
    assert legal.rolled_because == ("2026-04-05 Påskdagen", "2026-04-06 Annandag påsk")
    assert explain(legal, "sv") == (
        "Begäran kom 5 mars 2026. Tiden är en månad från den dagen och slutar 5 april 2026. Den flyttas förbi "
        "5 april 2026 (Påskdagen) och 6 april 2026 (Annandag påsk), som inte är arbetsdagar. "
        "Sista dag är tisdag 7 april 2026."
    )
    clamped = explain(legal_date(moment("2028-08-31T12:00"), STOCKHOLM), "en")
    assert clamped == (
        "The request came on 31 August 2028. The period is one month from that day and ends on 30 September 2028, as "
        "that month has no day 31. It moves past 30 September 2028 (Saturday) and 1 October 2028 (Sunday), which are "
        "no working days. The last day is Monday 2 October 2028."
    )


def test_dates_are_written_in_the_language_of_the_letter() -> None:
    written = {
        language: written_date(dt.date(2026, 3, 5), language) for language in ("sv", "en", "da", "no", "fi", "de")
    }
    assert written == {
        "sv": "5 mars 2026",
        "en": "5 March 2026",
        "da": "5. marts 2026",
        "no": "5. mars 2026",
        "fi": "5. maaliskuuta 2026",
        "de": "5. März 2026",
    }


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        legal_date(dt.datetime(2026, 3, 5, 9), STOCKHOLM)  # noqa: DTZ001 - that is the fault
    with pytest.raises(UsageError, match="outside the calendar"):
        legal_date(dt.datetime(9999, 12, 20, tzinfo=dt.UTC), STOCKHOLM)


def test_every_day_off_is_named() -> None:
    assert day_off(dt.date(2026, 4, 5)) == "Påskdagen"
    assert day_off(dt.date(2026, 4, 4), "en") == "Saturday"
    assert day_off(dt.date(2026, 6, 19)) is None
