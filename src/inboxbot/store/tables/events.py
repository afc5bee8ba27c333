"""The outbox of events: what happened, who is told of it, and how far that came."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from inboxbot.cases.alarms import About, Channel, DeliveryState, EventKind
from inboxbot.store.tables.columns import one_of
from inboxbot.store.types import UtcMoment


class EventRow(SQLModel, table=True):
    """Something that happened, once: codes, ids and moments only.

    ``mark`` and ``step`` tell the events of one row apart (a legal date that was extended, minutes before it);
    ``due_on`` is the legal date meant. ``detail`` is what a webhook is told, as it stood then.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("about", "about_id", "mark", "step", "kind"),
        one_of("kind", EventKind),
        one_of("about", About),
    )
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    about: str
    about_id: int = Field(sa_type=BigInteger)
    mark: str = ""
    step: int = 0
    due_on: dt.date | None = None
    case_id: int | None = Field(default=None, foreign_key="cases.id", index=True, sa_type=BigInteger)
    at: dt.datetime = Field(sa_type=UtcMoment)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class AlarmMailRow(SQLModel, table=True):
    """One mail to staff that tells of one or many events. ``target`` is a keyed digest of the address it goes to.

    Date and Message-ID are fixed when it is made. ``unsure`` counts the tries after which nobody could know whether it
    arrived, ``phase`` is how far the last one came.
    """

    __tablename__ = "alarm_mails"
    __table_args__ = (one_of("state", DeliveryState), Index("alarm_mails_target", "target", "started_at"))
    id: int | None = Field(default=None, primary_key=True)
    company: str
    target: str
    message_id: str = Field(unique=True)
    made_at: dt.datetime = Field(sa_type=UtcMoment)
    state: str
    phase: str = ""
    attempts: int = 0
    unsure: int = 0
    started_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    next_try_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    ended_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    result: str = ""


class DeliveryRow(SQLModel, table=True):
    """One event on its way to one listener: a webhook by its name, or an address of staff as a keyed digest.

    A mail tells of many at once: ``mail_id`` is set when it is made, and what became of it is noted here as well.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "channel", "company", "target"),
        one_of("channel", Channel),
        one_of("state", DeliveryState),
        Index(
            "deliveries_due",
            "next_try_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    event_id: int = Field(foreign_key="events.id")
    channel: str
    company: str
    target: str
    mail_id: int | None = Field(default=None, foreign_key="alarm_mails.id", index=True)
    state: str
    attempts: int = 0
    next_try_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    ended_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    result: str = ""


events = SQLModel.metadata.tables["events"]
alarm_mails = SQLModel.metadata.tables["alarm_mails"]
deliveries = SQLModel.metadata.tables["deliveries"]
