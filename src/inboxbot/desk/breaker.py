"""The breaker: what smells of a loop or a fault stops all sending by itself, and a person is called (promise S8).

A letter over a limit only waits. It counts here when it was *asked for* after the limit was full: letters approved in
one go are much work, a letter that answers an answer is a conversation that should have ended. What a person released
is not counted again.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from typing import Any, Final

from sqlalchemy import Connection

from inboxbot.desk.context import DAEMON, Desk
from inboxbot.desk.events import event_of_stop
from inboxbot.logs import get_logger
from inboxbot.store.drafts import Draft, approvals_since, last_results, sends_since
from inboxbot.store.events import raise_once
from inboxbot.store.stops import Stop, add_stop, last_release

OVER_RECIPIENT: Final = "over_recipient"
OVER_HOUR: Final = "over_hour"
FAILURES: Final = "failures"
HOUR: Final = dt.timedelta(hours=1)
DAY: Final = dt.timedelta(days=1)
WEEK: Final = dt.timedelta(days=7)
_NEVER: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FAILED: Final = frozenset({"refused", "unknown"})
log = get_logger()


def breaker_tripped(connection: Connection, desk: Desk, stop: Stop) -> None:
    """Call a person: sending stopped by itself. In the transaction of the stop, so that no call is lost."""
    raise_once(connection, event_of_stop(desk, stop, now=stop.at))
    log.error("sending_stopped", why=stop.why, stop=stop.id, cure="see `inboxbot sending show`", **stop.detail)


def trip(connection: Connection, desk: Desk, why: str, *, now: dt.datetime, detail: dict[str, Any]) -> None:
    """Stop all sending for a reason, unless it stopped for that reason already."""
    stop = add_stop(connection, why, actor=DAEMON.name, door=DAEMON.door, at=now, detail=detail)
    if stop is not None:
        breaker_tripped(connection, desk, stop)


def look_at_recipient(connection: Connection, desk: Desk, draft: Draft, digest: str, *, now: dt.datetime) -> None:
    """Look at a letter that its recipient's daily limit holds; ``digest`` is that of the recipient."""
    limits = desk.settings.limits
    asked = _asked_when_full(connection, draft, DAY, limits.per_recipient_per_day, now - WEEK, digest)
    if asked >= limits.stop_after_over_recipient:
        trip(connection, desk, OVER_RECIPIENT, now=now, detail={"letters": asked, "draft": draft.id})


def look_at_hour(connection: Connection, desk: Desk, draft: Draft, *, now: dt.datetime) -> None:
    """Look at a letter that the hourly limit holds."""
    limits = desk.settings.limits
    asked = _asked_when_full(connection, draft, HOUR, limits.per_hour, now - DAY, None)
    if asked >= limits.stop_after_over_hour:
        trip(connection, desk, OVER_HOUR, now=now, detail={"letters": asked})


def look_at_failures(connection: Connection, desk: Desk, *, now: dt.datetime) -> None:
    """Look at the tries that ended last: so many refused or unclear in a row are no matter of single letters."""
    limit = desk.settings.limits.stop_after_failures
    results = last_results(connection, last_release(connection) or _NEVER, limit)
    if len(results) == limit and set(results) <= _FAILED:
        trip(connection, desk, FAILURES, now=now, detail={"letters": limit})


def _asked_when_full(
    connection: Connection, draft: Draft, span: dt.timedelta, limit: int, since: dt.datetime, digest: str | None
) -> int:
    """Return how many letters were approved after ``since`` when ``limit`` had gone out in the ``span`` before."""
    since = max(since, last_release(connection) or _NEVER)
    asked = approvals_since(connection, since, draft.recipient if digest is not None else None)
    if not asked:
        return 0
    sent = sends_since(connection, asked[0] - span, digest)
    return sum(bisect_right(sent, at) - bisect_right(sent, at - span) >= limit for at in asked)
