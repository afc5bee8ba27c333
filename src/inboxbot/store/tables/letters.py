"""A letter from proposal to what became of it, with everything that hangs on it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from inboxbot.cases.values import DraftState
from inboxbot.store.tables.columns import big_id, one_of
from inboxbot.store.types import UtcMoment


class DraftRow(SQLModel, table=True):
    """A letter from proposal to what became of it. ``message_id`` is fixed when it is drafted.

    ``body`` are its words with the places for name and day, ``final`` those that were approved, filled in.
    """

    __tablename__ = "drafts"
    __table_args__ = (
        one_of("state", DraftState),
        Index(
            "drafts_due",
            "next_try_at",
            sqlite_where=text("state = 'approved'"),
            postgresql_where=text("state = 'approved'"),
        ),
    )
    id: int = Field(sa_column=big_id())
    case_id: int = Field(foreign_key="cases.id", index=True)
    state: str = Field(index=True)
    template: str
    language: str
    recipient: str | None
    subject: str
    body: str = Field(sa_type=Text)
    final: str | None = Field(default=None, sa_type=Text)
    in_reply_to: str | None = None
    references: list[str] = Field(default_factory=list, sa_type=JSON)
    message_id: str = Field(unique=True)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    created_at: dt.datetime = Field(sa_type=UtcMoment)
    approver: str | None = None
    approved_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    digest: str | None = None
    next_try_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    attempts: int = 0
    waits_because: str | None = None
    sent_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    filed_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    version: int = 1


class DraftWords(SQLModel, table=True):
    """The words a draft had before an edit."""

    __tablename__ = "draft_words"
    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = Field(foreign_key="drafts.id", index=True)
    at: dt.datetime = Field(sa_type=UtcMoment)
    actor: str
    recipient: str | None
    subject: str
    body: str = Field(sa_type=Text)


class AttachmentRow(SQLModel, table=True):
    """A file that goes with a letter; its bytes are purged a fortnight after it went out."""

    __tablename__ = "attachments"
    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = Field(foreign_key="drafts.id", index=True, sa_type=BigInteger)
    name: str
    content_type: str
    size: int = Field(sa_type=BigInteger)
    data: bytes | None = Field(default=None, sa_type=LargeBinary)
    added_at: dt.datetime = Field(sa_type=UtcMoment)
    purged_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


class CodeRow(SQLModel, table=True):
    """A one-time code as a keyed digest, bound to a case and kind."""

    __tablename__ = "codes"
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="cases.id", index=True, sa_type=BigInteger)
    draft_id: int = Field(foreign_key="drafts.id", unique=True, sa_type=BigInteger)
    kind: str
    hash: str
    sent_at: dt.datetime = Field(sa_type=UtcMoment)
    tries: int = 0
    used_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


class Approval(SQLModel, table=True):
    """Who approved exactly which bytes, when, and through which door. ``void_at`` is set when it no longer counts."""

    __tablename__ = "approvals"
    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = Field(foreign_key="drafts.id", index=True)
    digest: str
    actor: str
    door: str
    at: dt.datetime = Field(sa_type=UtcMoment)
    void_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


class Attempt(SQLModel, table=True):
    """One try to give an approved letter to the SMTP server, with the last phase that is known for certain."""

    __tablename__ = "attempts"
    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = Field(foreign_key="drafts.id", index=True)
    digest: str
    started_at: dt.datetime = Field(sa_type=UtcMoment, index=True)
    recipient_digest: str
    phase: str
    ended_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    result: str | None = None
    server_text: str | None = None


class PlacedRow(SQLModel, table=True):
    """A letter in the mailbox's drafts folder. ``words`` is the keyed digest of what was put there, at ``placed_at``.

    ``note`` is the code of why it is not there, or what became of it; ``missing_since`` when it was first looked for in
    vain. ``uid`` is empty when the server does not tell it.
    """

    __tablename__ = "placed"
    __table_args__ = (
        CheckConstraint("state IN ('absent', 'standing', 'edited', 'removing', 'ended')", name="state_known"),
        Index("placed_live", "mailbox_id", "state"),
    )
    draft_id: int = Field(foreign_key="drafts.id", primary_key=True, sa_type=BigInteger)
    mailbox_id: int = Field(foreign_key="mailboxes.id")
    state: str
    note: str = ""
    words: str = ""
    placed_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    uidvalidity: int = Field(default=0, sa_type=BigInteger)
    uid: int | None = Field(default=None, sa_type=BigInteger)
    missing_since: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


drafts = SQLModel.metadata.tables["drafts"]
draft_words = SQLModel.metadata.tables["draft_words"]
approvals = SQLModel.metadata.tables["approvals"]
attempts = SQLModel.metadata.tables["attempts"]
placed = SQLModel.metadata.tables["placed"]
codes = SQLModel.metadata.tables["codes"]
attachments = SQLModel.metadata.tables["attachments"]
