"""The legal date: the last day to tell a person what was done with a request (Art. 12(3) GDPR).

The arithmetic is that of Regulation (EEC, Euratom) No 1182/71, Art. 3, as `law.md` section 3 sets it out: the same
day number one month (extended: three months) after the day of receipt in the company's zone, the month's last day where
that number does not exist, moved to the next working day when it falls on a Saturday, Sunday or public holiday.
Nothing here reads a clock; every moment is an argument.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from inboxbot.cases.holidays import day_off, is_working_day, public_holidays, weekday_name
from inboxbot.errors import UsageError

ORDINARY_MONTHS = 1
EXTENDED_MONTHS = 3
ASK_WITHIN_DAYS = 3
BREACH_HOURS = 72
BOOKKEEPING_YEARS = 7
_ONE_DAY = dt.timedelta(days=1)
_MONTHS = {
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "en": "January February March April May June July August September October November December",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "no": "januar februar mars april mai juni juli august september oktober november desember",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fi": "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta "
    "lokakuuta marraskuuta joulukuuta",
}


@dataclass(frozen=True, slots=True)
class LegalDate:
    """One legal date with how it came about.

    ``received_at`` and ``due_at`` are UTC; ``due_at`` is 23:59:59 of ``due_on`` in the company's zone, and an answer
    sent at that second is in time. ``rolled_because`` names each day that was passed over: ``"2026-04-05 Påskdagen"``,
    ``"2025-04-05 Saturday"``.
    """

    received_at: dt.datetime
    received_on: dt.date
    unrolled: dt.date
    due_on: dt.date
    due_at: dt.datetime
    rolled_because: tuple[str, ...]
    months: int = ORDINARY_MONTHS


class NoPause(StrEnum):
    """Why a question to the person does not move the shown date (law.md 3.1 rule 9)."""

    NO_REASON = "no_reasonable_doubt_recorded"
    ASKED_LATE = "asked_later_than_three_days"
    NOT_ANSWERED = "not_answered"


@dataclass(frozen=True, slots=True)
class PausedDate:
    """The date shown to staff when a question was put; alarms never run on it.

    Without an accepted pause ``due_on`` is the hard date and ``refused`` says why.
    """

    due_on: dt.date
    unrolled: dt.date
    paused_days: int
    refused: NoPause | None
    rolled_because: tuple[str, ...]


def in_utc(moment: dt.datetime) -> dt.datetime:
    """Return an aware moment in UTC. Raises ValueError for a naive one, which has no meaning here."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(dt.UTC)


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day number ``months`` later, or that month's last day where there is no such number."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def end_of_day(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """Return 23:59:59 of ``day`` in ``zone`` as UTC (Art. 3(2)(c): the last hour of the day counts in full)."""
    return dt.datetime.combine(day, dt.time(23, 59, 59), zone).astimezone(dt.UTC)


def legal_date(received_at: dt.datetime, zone: dt.tzinfo, *, extended: bool = False) -> LegalDate:
    """Return the legal date of a request received at ``received_at`` (aware) by a company in ``zone``.

    ``extended`` counts three months from the receipt, not two from the ordinary date (law.md 3.1 rule 8).
    Raises UsageError for moments so far out that the calendar ends.
    """
    received_at = in_utc(received_at)
    months = EXTENDED_MONTHS if extended else ORDINARY_MONTHS
    try:
        received_on = received_at.astimezone(zone).date()
        unrolled = add_months(received_on, months)
        due_on, passed = _rolled(unrolled)
        due_at = end_of_day(due_on, zone)
    except (OverflowError, ValueError):
        raise UsageError("the moment lies outside the calendar", where=received_at.isoformat()) from None
    return LegalDate(received_at, received_on, unrolled, due_on, due_at, passed, months)


def paused_date(
    legal: LegalDate,
    zone: dt.tzinfo,
    *,
    asked_at: dt.datetime,
    answered_at: dt.datetime | None,
    reason: str | None,
) -> PausedDate:
    """Return the shown date after a question for identity or clarification.

    ``reason`` is the coded reasonable doubt. The days between the local day of the question and that of the sufficient
    answer are added to the unrolled date, which is then rolled. The hard date is never moved by this.
    """
    asked_on = in_utc(asked_at).astimezone(zone).date()
    refused: NoPause | None = None
    if not reason:
        refused = NoPause.NO_REASON
    elif (asked_on - legal.received_on).days > ASK_WITHIN_DAYS:
        refused = NoPause.ASKED_LATE
    elif answered_at is None:
        refused = NoPause.NOT_ANSWERED
    if refused or answered_at is None:
        return PausedDate(legal.due_on, legal.unrolled, 0, refused, legal.rolled_because)
    days = max(0, (in_utc(answered_at).astimezone(zone).date() - asked_on).days)
    unrolled = legal.unrolled + dt.timedelta(days=days)
    due_on, passed = _rolled(unrolled)
    return PausedDate(due_on, unrolled, days, None, passed)


def notice_by(received_at: dt.datetime, zone: dt.tzinfo) -> dt.date:
    """Return the last day for an extension notice, a refusal or T19: the ordinary date, never the extended one."""
    return legal_date(received_at, zone).due_on


def told_in_time(told_at: dt.datetime, received_at: dt.datetime, zone: dt.tzinfo) -> bool:
    """Return whether an extension notice or a refusal sent at ``told_at`` is valid: not after the ordinary date."""
    return in_utc(told_at) <= legal_date(received_at, zone).due_at + dt.timedelta(microseconds=999_999)


def breach_due(aware_at: dt.datetime) -> dt.datetime:
    """Return when a breach must be notified (Art. 33): 72 elapsed hours from awareness, in UTC, never rolled."""
    return in_utc(aware_at) + dt.timedelta(hours=BREACH_HOURS)


def years_after(day: dt.date, years: int) -> dt.date:
    """Return the same date ``years`` later; 29 February becomes 28 February (law.md section 7)."""
    return add_months(day, 12 * years)


def financial_year_end_of(day: dt.date, financial_year_end: str) -> dt.date:
    """Return the last day of the financial year that holds ``day``.

    ``financial_year_end`` is ``MM-DD``. Financial years end with a month, so 02-28 and 02-29 both mean
    the last of February.
    """
    month, number = (int(part) for part in financial_year_end.split("-"))
    for year in (day.year, day.year + 1):
        last = calendar.monthrange(year, month)[1]
        end = dt.date(year, month, last if month == 2 and number >= 28 else min(number, last))
        if end >= day:
            return end
    raise AssertionError("a financial year ends within a year of any of its days")


def bookkeeping_until(purchase_on: dt.date, financial_year_end: str) -> dt.date:
    """Return the last day accounting records of a purchase are kept.

    7 kap. 2 § bokföringslagen (1999:1078): 31 December of the seventh year after the calendar year in which the
    financial year ended, which is later than seven years from the purchase (law.md 5.2).
    """
    return dt.date(financial_year_end_of(purchase_on, financial_year_end).year + BOOKKEEPING_YEARS, 12, 31)


def written_date(day: dt.date, language: str) -> str:
    """Return a date written out in a letter's language: ``5 mars 2026``, ``5 March 2026``, ``5. März 2026``."""
    month = _MONTHS.get(language, _MONTHS["en"]).split()[day.month - 1]
    stop = "." if language in ("da", "no", "fi", "de") else ""
    return f"{day.day}{stop} {month} {day.year}"


def explain(legal: LegalDate, language: str = "sv") -> str:
    """Return in words how a legal date came about, for the case page and ``inboxbot deadline``."""
    received, unrolled = written_date(legal.received_on, language), written_date(legal.unrolled, language)
    due = f"{weekday_name(legal.due_on, language)} {written_date(legal.due_on, language)}"
    passed = [
        f"{written_date(day, language)} ({day_off(day, language)})" for day in _days(legal.unrolled, legal.due_on)
    ]
    clamped = legal.unrolled.day != legal.received_on.day
    if language == "sv":
        months = "en månad" if legal.months == ORDINARY_MONTHS else f"{legal.months} månader"
        words = f"Begäran kom {received}. Tiden är {months} från den dagen och slutar {unrolled}"
        words += f", eftersom månaden inte har någon {legal.received_on.day}:e dag." if clamped else "."
        if passed:
            kind = "en arbetsdag" if len(passed) == 1 else "arbetsdagar"
            words += f" Den flyttas förbi {_listed(passed, 'och')}, som inte är {kind}."
        return f"{words} Sista dag är {due}."
    months = "one month" if legal.months == ORDINARY_MONTHS else f"{legal.months} months"
    words = f"The request came on {received}. The period is {months} from that day and ends on {unrolled}"
    words += f", as that month has no day {legal.received_on.day}." if clamped else "."
    if passed:
        kind = "is no working day" if len(passed) == 1 else "are no working days"
        words += f" It moves past {_listed(passed, 'and')}, which {kind}."
    return f"{words} The last day is {due}."


def _rolled(unrolled: dt.date) -> tuple[dt.date, tuple[str, ...]]:
    due_on = unrolled
    passed: list[str] = []
    while not is_working_day(due_on):
        passed.append(f"{due_on.isoformat()} {public_holidays(due_on.year).get(due_on) or weekday_name(due_on, 'en')}")
        due_on += _ONE_DAY
    return due_on, tuple(passed)


def _days(start: dt.date, end: dt.date) -> list[dt.date]:
    return [start + dt.timedelta(days=number) for number in range((end - start).days)]


def _listed(words: list[str], joiner: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joiner} {words[-1]}"
