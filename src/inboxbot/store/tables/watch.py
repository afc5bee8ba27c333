"""What was seen of the watch itself: windows in which a mailbox was not read, and what audits found."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from inboxbot.store.types import UtcMoment


class BlindWindow(SQLModel, table=True):
    """A time in which a mailbox was not read for longer than it promises an answer (promise P7)."""

    __tablename__ = "blind_windows"
    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = Field(foreign_key="mailboxes.id", index=True)
    since: dt.datetime = Field(sa_type=UtcMoment)
    until: dt.datetime = Field(sa_type=UtcMoment)


class AuditRow(SQLModel, table=True):
    """What an audit of database and mailboxes found: promises, codes, ids and references only.

    ``errors`` are mailboxes that could not be looked at.
    """

    __tablename__ = "audits"
    id: int | None = Field(default=None, primary_key=True)
    at: dt.datetime = Field(sa_type=UtcMoment)
    checked: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    findings: list[dict[str, str]] = Field(default_factory=list, sa_type=JSON)
    errors: list[dict[str, str]] = Field(default_factory=list, sa_type=JSON)


blind_windows = SQLModel.metadata.tables["blind_windows"]
audits = SQLModel.metadata.tables["audits"]
