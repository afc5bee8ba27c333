"""What is on its way to listeners: requests to webhooks, and mails to staff with the events they tell of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from inboxbot.cases.alarms import Channel, DeliveryState, EventKind
from inboxbot.store.tables import alarm_mails, deliveries, events

_WAITING, _SENDING = DeliveryState.WAITING.value, DeliveryState.SENDING.value
# No pause is longer than an hour: what should wait beyond two was written before the clock was set back.
_CLOCK_SET_BACK = dt.timedelta(hours=2)
_WEBHOOK, _MAIL = Channel.WEBHOOK.value, Channel.MAIL.value


@dataclass(frozen=True, slots=True)
class Telling:
    """One event for one listener; ``id`` is that of the delivery."""

    id: int
    event_id: int
    kind: EventKind
    at: dt.datetime
    detail: dict[str, Any]
    company: str
    target: str
    attempts: int


@dataclass(frozen=True, slots=True)
class AlarmMail:
    """A mail to staff. ``phase`` is how far its last try came, ``unsure`` how often nobody could know the end."""

    id: int
    company: str
    target: str
    message_id: str
    made_at: dt.datetime
    state: DeliveryState
    phase: str
    attempts: int
    unsure: int


def _tellings() -> Select[Any]:
    return select(
        deliveries.c.id,
        deliveries.c.event_id,
        events.c.kind,
        events.c.at,
        events.c.detail,
        deliveries.c.company,
        deliveries.c.target,
        deliveries.c.attempts,
    ).join(events, events.c.id == deliveries.c.event_id)


def _telling(row: Row[Any]) -> Telling:
    return Telling(**{**row._mapping, "kind": EventKind(row.kind)})


def _is_due(column: Any, now: dt.datetime) -> Any:
    return (column <= now) | (column > now + _CLOCK_SET_BACK)


# --- webhooks -----------------------------------------------------------------------------------------------------


def due_hooks(connection: Connection, now: dt.datetime, *, most: int) -> list[Telling]:
    """Return the requests that may be made now, oldest first."""
    query = (
        _tellings()
        .where(
            deliveries.c.channel == _WEBHOOK,
            deliveries.c.state == _WAITING,
            _is_due(deliveries.c.next_try_at, now),
        )
        .order_by(deliveries.c.id)
        .limit(most)
    )
    return [_telling(row) for row in connection.execute(query)]


def end_delivery(
    connection: Connection, delivery_id: int, state: DeliveryState, *, result: str, at: dt.datetime
) -> None:
    """Write how a request ended."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id)
        .values(state=state.value, result=result, ended_at=at, next_try_at=None, attempts=deliveries.c.attempts + 1)
    )


def retry_delivery(connection: Connection, delivery_id: int, *, result: str, at: dt.datetime) -> None:
    """Write that a request was not taken and is made again ``at``."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id)
        .values(result=result, next_try_at=at, attempts=deliveries.c.attempts + 1)
    )


# --- mails to staff -----------------------------------------------------------------------------------------------


def waiting_targets(connection: Connection) -> list[tuple[str, str, dt.datetime]]:
    """Return (company, target, since when) of every address for which events wait that no mail tells of yet."""
    query = (
        select(deliveries.c.company, deliveries.c.target, func.min(deliveries.c.next_try_at).label("since"))
        .where(deliveries.c.channel == _MAIL, deliveries.c.state == _WAITING, deliveries.c.mail_id.is_(None))
        .group_by(deliveries.c.company, deliveries.c.target)
        .order_by(deliveries.c.company, deliveries.c.target)
    )
    return [(row.company, row.target, row.since) for row in connection.execute(query)]


def make_mail(connection: Connection, company: str, target: str, *, message_id: str, now: dt.datetime) -> None:
    """Make one mail of all events that wait for an address."""
    values = {"company": company, "target": target, "message_id": message_id, "made_at": now, "next_try_at": now}
    made = connection.execute(
        insert(alarm_mails).values(**values, state=_WAITING, phase="", attempts=0, unsure=0, result="")
    )
    key = made.inserted_primary_key
    if key is None:
        raise ValueError("the database gave the mail no id")
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.channel == _MAIL,
            deliveries.c.company == company,
            deliveries.c.target == target,
            deliveries.c.state == _WAITING,
            deliveries.c.mail_id.is_(None),
        )
        .values(mail_id=key[0])
    )


def load_mails_to_staff(
    connection: Connection, state: DeliveryState, *, due: dt.datetime | None = None
) -> list[AlarmMail]:
    """Return the mails to staff in a state, oldest first; of those that wait only what is ``due``."""
    query = select(alarm_mails).where(alarm_mails.c.state == state.value).order_by(alarm_mails.c.id)
    if due is not None:
        query = query.where(_is_due(alarm_mails.c.next_try_at, due))
    return [
        AlarmMail(
            row.id, row.company, row.target, row.message_id, row.made_at, DeliveryState(row.state), row.phase,
            row.attempts, row.unsure,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def told_by(connection: Connection, mail_id: int) -> list[Telling]:
    """Return the events that a mail tells of, oldest first."""
    query = _tellings().where(deliveries.c.mail_id == mail_id).order_by(deliveries.c.event_id)
    return [_telling(row) for row in connection.execute(query)]


def mails_begun(connection: Connection, target: str, since: dt.datetime, until: dt.datetime) -> int:
    """Return how many mails to an address were last tried between these moments."""
    query = select(func.count()).select_from(alarm_mails)
    return int(
        connection.execute(
            query.where(alarm_mails.c.target == target, alarm_mails.c.started_at.between(since, until))
        ).scalar_one()
    )


def change_mail(connection: Connection, mail_id: int, **values: Any) -> None:
    """Write values on a mail to staff."""
    connection.execute(update(alarm_mails).where(alarm_mails.c.id == mail_id).values(**values))


def end_mail(connection: Connection, mail_id: int, state: DeliveryState, *, result: str, at: dt.datetime) -> None:
    """Write how a mail to staff ended, on it and on everything that it told of."""
    ended = {"state": state.value, "result": result, "ended_at": at, "next_try_at": None}
    connection.execute(update(alarm_mails).where(alarm_mails.c.id == mail_id).values(**ended))
    connection.execute(
        update(deliveries).where(deliveries.c.mail_id == mail_id).values(**ended, attempts=deliveries.c.attempts + 1)
    )


# --- how it stands ------------------------------------------------------------------------------------------------


def count_deliveries(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many deliveries stand in each (channel, state)."""
    query = select(deliveries.c.channel, deliveries.c.state, func.count()).group_by(
        deliveries.c.channel, deliveries.c.state
    )
    return {(str(channel), str(state)): int(count) for channel, state, count in connection.execute(query)}


def undelivered(connection: Connection, states: Sequence[DeliveryState]) -> list[dict[str, Any]]:
    """Return what did not reach its listener, oldest first: kind, case, channel, listener, state, result, next try."""
    query = (
        select(
            events.c.kind,
            events.c.detail,
            events.c.at,
            deliveries.c.channel,
            deliveries.c.company,
            deliveries.c.target,
            deliveries.c.state,
            func.coalesce(alarm_mails.c.result, deliveries.c.result).label("result"),
            func.coalesce(alarm_mails.c.attempts, deliveries.c.attempts).label("attempts"),
            func.coalesce(alarm_mails.c.next_try_at, deliveries.c.next_try_at).label("next_try_at"),
        )
        .join(events, events.c.id == deliveries.c.event_id)
        .outerjoin(alarm_mails, alarm_mails.c.id == deliveries.c.mail_id)
        .where(deliveries.c.state.in_([one.value for one in states]))
        .order_by(deliveries.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def last_event(
    connection: Connection, kinds: Sequence[EventKind]
) -> tuple[EventKind, dt.datetime, dict[str, Any]] | None:
    """Return (kind, moment, detail) of the newest event of these kinds, or None."""
    query = (
        select(events.c.kind, events.c.at, events.c.detail)
        .where(events.c.kind.in_([one.value for one in kinds]))
        .order_by(events.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return (EventKind(row.kind), row.at, row.detail) if row else None
