"""When what others did not take is tried again: ever more slowly, and not for ever."""

from __future__ import annotations

import datetime as dt
from typing import Final

RETRY_FIRST: Final = dt.timedelta(minutes=5)
RETRY_MOST: Final = dt.timedelta(hours=1)
MOST_ATTEMPTS: Final = 48


def next_try(now: dt.datetime, attempts: int, *, most: int = MOST_ATTEMPTS) -> dt.datetime | None:
    """Return when to try again after ``attempts`` tries: 5 minutes on, doubling to an hour; None when it is enough."""
    if attempts >= most:
        return None
    return now + min(RETRY_FIRST * (1 << min(max(0, attempts - 1), 10)), RETRY_MOST)
