"""Moments and days as people type them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from inboxbot.errors import UsageError


def parse_moment(text: str, zone: ZoneInfo) -> dt.datetime:
    """Return an aware moment from ISO 8601; without an offset it is in ``zone``. Raises UsageError."""
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is not a moment", cure="write it like 2026-03-05T09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def parse_day(text: str) -> dt.date:
    """Return a date from YYYY-MM-DD. Raises UsageError."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is not a day", cure="write it like 2026-03-05") from None
