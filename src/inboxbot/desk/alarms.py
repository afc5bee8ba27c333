"""What the clocks say is raised here: promises and legal dates that come near or have passed, and what stands still.

An event and the row of history that tells of it are written in one transaction; what was raised stays raised when the
clock is set back, and is not raised again (promises.md P4, P5). A machine that slept raises each clock once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from inboxbot.cases.alarms import OVERDUE, About, EventKind, legal_step, promise_step
from inboxbot.cases.transitions import CaseEvent
from inboxbot.crash import crash_here
from inboxbot.desk.context import DAEMON, Desk
from inboxbot.desk.events import event_of_stop, listeners_of, moment_text, what_is_told
from inboxbot.desk.record import record
from inboxbot.errors import StoreError
from inboxbot.logs import get_logger
from inboxbot.store.cases import load_case
from inboxbot.store.events import (
    DuePromise,
    DueRequest,
    Event,
    blind_since,
    due_promises,
    due_requests,
    raise_once,
    served_rows,
    was_raised,
)
from inboxbot.store.stops import standing_stops

log = get_logger()
_BATCH: Final = 100
_TOLD_WITHIN: Final = dt.timedelta(days=7)  # a window that ended longer ago is no news
_NO_JUMP: Final = dt.timedelta()


def raise_due(desk: Desk, *, now: dt.datetime, jump: dt.timedelta = _NO_JUMP) -> int:
    """Raise every step that has come and was not raised, and return how many.

    ``jump`` is by how much the clock was set since the last look; it is noted with what it brought about.
    """
    with desk.store.read() as connection:
        promised = [one.id for one in _promises(desk, connection, now) if _promise_step(desk, one, now) is not None]
        asked = [one.id for one in _requests(desk, connection, now) if _request_step(desk, one, now) is not None]
        seen = [one for one in _installation(desk, connection, now, jump) if not was_raised(connection, one)]

    def promises_of(connection: Connection, ids: list[int]) -> int:
        rows = _promises(desk, connection, now, ids)
        return sum(_raise_promise(desk, connection, one, now, jump) for one in rows)

    def requests_of(connection: Connection, ids: list[int]) -> int:
        rows = _requests(desk, connection, now, ids)
        return sum(_raise_request(desk, connection, one, now, jump) for one in rows)

    raised = _in_batches(desk, promised, promises_of) + _in_batches(desk, asked, requests_of)
    if seen:
        with desk.store.write() as connection:
            raised += sum(raise_once(connection, one) for one in seen)
    if raised:
        crash_here("alarm_raised")
        log.info("alarms_raised", count=raised, jumped_s=int(jump.total_seconds()))
    return raised


def _in_batches(desk: Desk, ids: list[int], work: Callable[[Connection, list[int]], int]) -> int:
    """Do the work in transactions of many; where one row makes that impossible, each alone, and that one is logged."""
    raised = 0
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        try:
            raised += _commit(desk, batch, work)
        except StoreError:
            raise  # no row is to blame
        except Exception as error:  # noqa: BLE001  (a broken case must not keep the alarms of all others back)
            log.error("alarm_not_raised", first=batch[0], rows=len(batch), error=error)
            raised += _in_batches(desk, batch[: len(batch) // 2], work) if len(batch) > 1 else 0
            raised += _in_batches(desk, batch[len(batch) // 2 :], work) if len(batch) > 1 else 0
    return raised


def _commit(desk: Desk, batch: list[int], work: Callable[[Connection, list[int]], int]) -> int:
    with desk.store.write() as connection:
        done = work(connection, batch)
        crash_here("alarm_in_transaction")
    return done


def _promises(
    desk: Desk, connection: Connection, now: dt.datetime, ids: Sequence[int] | None = None
) -> list[DuePromise]:
    hours = max(desk.settings.alarms.promise_hours_before, default=0)
    return due_promises(connection, until=now + dt.timedelta(hours=hours), ids=ids)


def _requests(
    desk: Desk, connection: Connection, now: dt.datetime, ids: Sequence[int] | None = None
) -> list[DueRequest]:
    days = max(desk.settings.alarms.legal_days_before, default=0)
    return due_requests(connection, until=now.date() + dt.timedelta(days=days + 1), ids=ids)


def _promise_step(desk: Desk, one: DuePromise, now: dt.datetime) -> int | None:
    step = promise_step(one.promise, now, desk.settings.alarms.promise_hours_before)
    return _fresh(step, one.raised)


def _request_step(desk: Desk, one: DueRequest, now: dt.datetime) -> int | None:
    place = desk.find_mailbox(one.mailbox)
    zone = place[0].zone if place else ZoneInfo("UTC")
    step = legal_step(one.received_at, one.due_hard, now, zone, desk.settings.alarms.legal_days_before)
    return _fresh(step, one.raised)


def _fresh(step: int | None, raised: int | None) -> int | None:
    return step if step is not None and (raised is None or step < raised) else None


def _raise_promise(desk: Desk, connection: Connection, one: DuePromise, now: dt.datetime, jump: dt.timedelta) -> bool:
    step = _promise_step(desk, one, now)
    if step is None:
        return False
    due = {"clock": "promise", "due_at": moment_text(one.promise.due_at)}
    return _raise(desk, connection, About.PROMISE, one, step, due, now, jump)


def _raise_request(desk: Desk, connection: Connection, one: DueRequest, now: dt.datetime, jump: dt.timedelta) -> bool:
    step = _request_step(desk, one, now)
    if step is None:
        return False
    due = {"clock": "legal", "due_on": one.due_hard.isoformat()}
    return _raise(desk, connection, About.REQUEST, one, step, due, now, jump, due_on=one.due_hard)


def _raise(
    desk: Desk,
    connection: Connection,
    about: About,
    one: DuePromise | DueRequest,
    step: int,
    due: dict[str, Any],
    now: dt.datetime,
    jump: dt.timedelta,
    *,
    due_on: dt.date | None = None,
) -> bool:
    """Write one step of a clock: the event, who is told of it, and the row of history."""
    case = load_case(connection, one.case_id)
    kind = EventKind.OVERDUE if step == OVERDUE else EventKind.DUE_SOON
    place = desk.find_mailbox(one.mailbox)
    detail = {**due, "minutes_before": step, **_jumped(jump)}
    event = Event(
        kind,
        about,
        one.id,
        now,
        mark=due_on.isoformat() if due_on else "",
        step=step,
        due_on=due_on,
        case_id=case.id,
        detail=what_is_told(desk, case, now=now, more=detail),
        listeners=listeners_of(desk, [place[0]], kind) if place else (),
    )
    if not raise_once(connection, event):
        return False
    told = {"code": kind.value, about.value: one.id, **detail}
    record(connection, case, CaseEvent.ALARM_RAISED, actor=DAEMON, at=now, detail=told)
    return True


def _jumped(jump: dt.timedelta) -> dict[str, int]:
    return {"clock_jumped_s": int(jump.total_seconds())} if jump else {}


def _installation(desk: Desk, connection: Connection, now: dt.datetime, jump: dt.timedelta) -> Iterator[Event]:
    """Yield what stands still: sending that was stopped, mailboxes that are not read, and windows that were blind."""
    for stop in standing_stops(connection):
        yield event_of_stop(desk, stop, now=now)
    for mailbox_id, address, served_at in served_rows(connection):
        place = desk.find_mailbox(address)
        hours = place[1].promise_hours if place else None
        if hours is not None and now - served_at > dt.timedelta(hours=hours):
            yield _blind(desk, mailbox_id, address, served_at, None, now, jump)
    for window in blind_since(connection, now - _TOLD_WITHIN):
        yield _blind(desk, window.mailbox_id, window.mailbox, window.since, window.until, now, jump)


def _blind(
    desk: Desk,
    mailbox_id: int,
    address: str,
    since: dt.datetime,
    until: dt.datetime | None,
    now: dt.datetime,
    jump: dt.timedelta,
) -> Event:
    """Return that a mailbox is not read (step 1), or was not read for a time that has ended (step 0)."""
    place = desk.find_mailbox(address)
    kind = EventKind.MAILBOX_BLIND
    detail = {
        "mailbox": address,
        "since": moment_text(since),
        "until": moment_text(until) if until else None,
        **_jumped(jump),
    }
    return Event(
        kind,
        About.MAILBOX,
        mailbox_id,
        now,
        mark=moment_text(since),
        step=1 if until is None else 0,
        detail=detail,
        listeners=listeners_of(desk, [place[0]], kind) if place else (),
    )
