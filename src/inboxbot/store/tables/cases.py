"""A case with its addresses, mails, requests and promises, and what staff found out for it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from inboxbot.cases.values import CaseState, Outcome
from inboxbot.sorting.kinds import Kind
from inboxbot.store.tables.columns import big_id, one_of
from inboxbot.store.types import UtcMoment


class CaseRow(SQLModel, table=True):
    """A case. ``version`` grows with every change; ``look_at`` is the next moment somebody must look.

    ``hold`` is why retention leaves it alone; ``purged_at`` when its content went, ``proof_gone_at`` when the rest did.

    ``answer_due_at`` is when the first mail that waits for its answer falls due; ``urgent_at`` the moment the queue is
    sorted by: the earlier of that and the evening of the first legal date, year 1 while a letter failed, year 9999 when
    nothing is due. Triggers of the database (migration 0008) keep both, whoever changes promises, requests or letters.
    """

    __tablename__ = "cases"
    __table_args__ = (
        one_of("state", CaseState),
        Index(
            "cases_live",
            "look_at",
            sqlite_where=text("look_at IS NOT NULL"),
            postgresql_where=text("look_at IS NOT NULL"),
        ),
        Index("cases_mailbox_state", "mailbox_id", "state", "answer_due_at"),
        Index("cases_urgent", "state", "urgent_at", "id", "mailbox_id", "assignee"),
        Index("cases_newest", "state", "id", "mailbox_id", "assignee"),
    )
    id: int = Field(sa_column=big_id())
    reference: str = Field(unique=True)
    mailbox_id: int = Field(foreign_key="mailboxes.id")
    state: str
    requester: str | None
    requester_name: str = ""
    requester_source: str = "from"
    language: str
    subject: str
    nonce: str
    opened_at: dt.datetime = Field(sa_type=UtcMoment)
    closed_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    look_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    answer_due_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    urgent_at: dt.datetime = Field(sa_type=UtcMoment)
    held_reason: str | None = None
    assignee: str | None = None
    merged_into: int | None = Field(default=None, sa_type=BigInteger)
    hold: str | None = None
    purged_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    proof_gone_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    version: int = 1


class CaseAddress(SQLModel, table=True):
    """An address whose mail belongs to the case."""

    __tablename__ = "case_addresses"
    case_id: int = Field(foreign_key="cases.id", primary_key=True, sa_type=BigInteger)
    address: str = Field(primary_key=True, index=True)


class CaseWord(SQLModel, table=True):
    """A word that a case is found by: of its number, its requester, a further address or its subject."""

    __tablename__ = "case_words"
    __table_args__ = (Index("case_words_case", "case_id", "word"), {"sqlite_with_rowid": False})
    # Ranges of words are looked up: in the order of their bytes, whatever language the server sorts by.
    word: str = Field(
        sa_column=Column("word", String().with_variant(String(collation="C"), "postgresql"), primary_key=True)
    )
    case_id: int = Field(foreign_key="cases.id", primary_key=True, sa_type=BigInteger)


class MailRow(SQLModel, table=True):
    """A mail's content: of a case, or ordinary without a case. ``direction`` is in, out or note."""

    __tablename__ = "mails"
    id: int = Field(sa_column=big_id())
    case_id: int | None = Field(default=None, foreign_key="cases.id", index=True)
    ledger_id: int | None = Field(default=None, foreign_key="ledger.id", index=True)
    mailbox_id: int = Field(foreign_key="mailboxes.id")
    direction: str
    message_id: str | None = Field(default=None, index=True)
    sender: str | None = None
    sender_name: str = ""
    recipients: list[str] = Field(default_factory=list, sa_type=JSON)
    subject: str = ""
    text: str = Field(default="", sa_type=Text)
    header: bytes = Field(default=b"", sa_type=LargeBinary)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    received_at: dt.datetime = Field(sa_type=UtcMoment)
    size: int = Field(default=0, sa_type=BigInteger)


class RequestRow(SQLModel, table=True):
    """One kind asked for in a case."""

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("case_id", "kind"),
        one_of("kind", Kind),
        one_of("outcome", Outcome, optional=True),
        Index(
            "requests_open_due",
            "due_hard",
            sqlite_where=text("outcome IS NULL"),
            postgresql_where=text("outcome IS NULL"),
        ),
        Index("requests_kind", "kind", "case_id"),
    )
    id: int = Field(sa_column=big_id())
    case_id: int = Field(foreign_key="cases.id")
    kind: str
    received_at: dt.datetime = Field(sa_type=UtcMoment)
    due_hard: dt.date | None = None
    due_paused: dt.date | None = None
    outcome: str | None = None
    outcome_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    told_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    asked_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    answered_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    extended_on: dt.date | None = None


class PromiseRow(SQLModel, table=True):
    """One mail's promise of an answer. ``answered_by`` is the draft or the noticed mail that settled it."""

    __tablename__ = "promises"
    __table_args__ = (
        Index("promises_received", "received_at"),
        Index(
            "promises_open",
            "due_at",
            sqlite_where=text("answered_at IS NULL AND excused IS NULL"),
            postgresql_where=text("answered_at IS NULL AND excused IS NULL"),
        ),
    )
    id: int = Field(sa_column=big_id())
    case_id: int = Field(foreign_key="cases.id", index=True)
    mail_id: int = Field(foreign_key="mails.id")
    received_at: dt.datetime = Field(sa_type=UtcMoment)
    due_at: dt.datetime = Field(sa_type=UtcMoment)
    answered_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    answered_by: str | None = None
    excused: str | None = None


class ChecklistRow(SQLModel, table=True):
    """One line of a request's checklist: a system, data category or recipient, with what was found or done there."""

    __tablename__ = "checklist"
    __table_args__ = (UniqueConstraint("request_id", "about", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="requests.id", sa_type=BigInteger)
    about: str
    name: str
    answer: str | None = None
    until: dt.date | None = None
    ground: str | None = None
    detail: str = Field(default="", sa_type=Text)


class IdentityRow(SQLModel, table=True):
    """What is known about who writes in a case: what staff looked up, and which proof came.

    ``searched`` is what each system answered when inboxbot looked there itself; ``proposed``: the address on file
    comes from that, and nobody has confirmed it yet.
    """

    __tablename__ = "identities"
    case_id: int = Field(foreign_key="cases.id", primary_key=True, sa_type=BigInteger)
    address_on_file: str | None = None
    found_in: str | None = None
    looked_up: bool = False
    facts: dict[str, bool] = Field(default_factory=dict, sa_type=JSON)
    proposed: bool = False
    searched: list[dict[str, str]] = Field(default_factory=list, sa_type=JSON)
    searched_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


cases = SQLModel.metadata.tables["cases"]
case_addresses = SQLModel.metadata.tables["case_addresses"]
case_words = SQLModel.metadata.tables["case_words"]
mails = SQLModel.metadata.tables["mails"]
requests = SQLModel.metadata.tables["requests"]
promises = SQLModel.metadata.tables["promises"]
checklist = SQLModel.metadata.tables["checklist"]
identities = SQLModel.metadata.tables["identities"]
