"""What is kept as proof or told to others: history, opt-outs, corrections, runs of retention."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from inboxbot.store.tables.columns import big_id
from inboxbot.store.types import UtcMoment


class HistoryRow(SQLModel, table=True):
    """One event of a case: codes, ids and digests only, chained by hash. Triggers refuse change and removal."""

    __tablename__ = "history"
    __table_args__ = (UniqueConstraint("case_id", "sequence"),)
    id: int = Field(sa_column=big_id())
    case_id: int = Field(foreign_key="cases.id")
    sequence: int
    at: dt.datetime = Field(sa_type=UtcMoment)
    event: str
    actor: str
    door: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    hash: str


class Anchor(SQLModel, table=True):
    """The head of a case's history on some day: a chain that was cut at its end no longer holds it."""

    __tablename__ = "anchors"
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="cases.id", index=True, sa_type=BigInteger)
    sequence: int
    hash: str
    at: dt.datetime = Field(sa_type=UtcMoment)


class RetentionRun(SQLModel, table=True):
    """A run of retention: counts only. ``wiped_at`` is empty until the space of what was purged is overwritten.

    ``refused`` marks a run that the clock did not allow.
    """

    __tablename__ = "retention_runs"
    id: int | None = Field(default=None, primary_key=True)
    at: dt.datetime = Field(sa_type=UtcMoment)
    refused: bool = False
    counts: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    wiped_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


class Suppression(SQLModel, table=True):
    """An opt-out from marketing: a keyed digest of the address, never the address."""

    __tablename__ = "suppressions"
    __table_args__ = (UniqueConstraint("company", "address_digest"),)
    id: int | None = Field(default=None, primary_key=True)
    company: str
    address_digest: str
    channels: list[str] = Field(default_factory=list, sa_type=JSON)
    since: dt.datetime = Field(sa_type=UtcMoment)
    reason: str
    case_id: int | None = Field(default=None, sa_type=BigInteger)


class WebhookRow(SQLModel, table=True):
    """An opt-out that a marketing system has to be told of. The address is kept only until the system answered."""

    __tablename__ = "webhooks"
    __table_args__ = (UniqueConstraint("case_id", "system"),)
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    system: str
    address: str | None
    since: dt.datetime = Field(sa_type=UtcMoment)
    attempts: int = 0
    next_try_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment, index=True)
    answered_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    result: str | None = None


class CorrectionRow(SQLModel, table=True):
    """What staff made of a judgement: indices of features of the shipped model and kinds, no words of the mail."""

    __tablename__ = "corrections"
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="cases.id", index=True)
    mail_id: int = Field(foreign_key="mails.id", unique=True)
    at: dt.datetime = Field(sa_type=UtcMoment)
    features: list[int] = Field(default_factory=list, sa_type=JSON)
    judged: list[str] = Field(default_factory=list, sa_type=JSON)
    right: list[str] = Field(default_factory=list, sa_type=JSON)
    scores: list[float] = Field(default_factory=list, sa_type=JSON)


class LearnedRow(SQLModel, table=True):
    """A local layer of the judge, newest last; ``learn --undo`` removes the newest."""

    __tablename__ = "learned"
    id: int | None = Field(default=None, primary_key=True)
    at: dt.datetime = Field(sa_type=UtcMoment)
    layer: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


history = SQLModel.metadata.tables["history"]
suppressions = SQLModel.metadata.tables["suppressions"]
corrections = SQLModel.metadata.tables["corrections"]
learned = SQLModel.metadata.tables["learned"]
webhooks = SQLModel.metadata.tables["webhooks"]
retention_runs = SQLModel.metadata.tables["retention_runs"]
anchors = SQLModel.metadata.tables["anchors"]
