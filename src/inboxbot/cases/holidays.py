"""The days on which a period cannot end: Saturdays, Sundays and Swedish public holidays.

The holidays are those of lag (1989:253) § 1 (Art. 2 of Regulation 1182/71 leaves the choice to the Member State),
taken from the `holidays` library and held against the table of `law.md` 3.2 by a test. The three eves are no public
holidays, so a period may end on them (law.md 3.1 rule 7).
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

_SATURDAY, _SUNDAY = 5, 6
_WEEKDAYS = {
    "sv": ("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_ONE_DAY = dt.timedelta(days=1)


@lru_cache(maxsize=64)
def public_holidays(year: int, language: str = "sv") -> dict[dt.date, str]:
    """Return the public holidays of Sweden in ``year`` with their names in ``language`` (``sv`` or ``en``)."""
    import holidays  # noqa: PLC0415 - 0.1 s, only when a date is asked for

    return dict(holidays.country_holidays("SE", years=year, language="sv" if language == "sv" else "en_US").items())


def weekday_name(day: dt.date, language: str = "sv") -> str:
    """Return the weekday in Swedish (``sv``) or English (anything else)."""
    return _WEEKDAYS["sv" if language == "sv" else "en"][day.weekday()]


def day_off(day: dt.date, language: str = "sv") -> str | None:
    """Return why ``day`` is no working day (the holiday's name, or the weekday), or None when it is one."""
    holiday = public_holidays(day.year, language).get(day)
    if holiday:
        return holiday
    return weekday_name(day, language) if day.weekday() in (_SATURDAY, _SUNDAY) else None


def is_working_day(day: dt.date) -> bool:
    """Return whether ``day`` is neither a Saturday, a Sunday nor a public holiday."""
    return day_off(day) is None


def is_eve(day: dt.date) -> bool:
    """Return whether ``day`` is Midsummer, Christmas or New Year's Eve: working days by law, closed in practice."""
    if (day.month, day.day) in ((12, 24), (12, 31)):
        return True
    return day.month == 6 and day.weekday() == 4 and 19 <= day.day <= 25


def working_days_before(day: dt.date, count: int) -> dt.date:
    """Return the working day that lies ``count`` working days before ``day``."""
    while count:
        day -= _ONE_DAY
        count -= is_working_day(day)
    return day


def holiday_in_week(day: dt.date) -> bool:
    """Return whether a public holiday or an eve falls on Monday to Friday of the week of ``day``."""
    monday = day - dt.timedelta(days=day.weekday())
    week = [monday + dt.timedelta(days=number) for number in range(5)]
    return any(one in public_holidays(one.year) or is_eve(one) for one in week)


def working_days_after(day: dt.date, count: int) -> dt.date:
    """Return the working day that lies ``count`` working days after ``day``."""
    while count:
        day += _ONE_DAY
        count -= is_working_day(day)
    return day
