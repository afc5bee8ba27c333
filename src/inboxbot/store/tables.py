"""Every table, as SQLModel classes. Rows are written and read through the functions of this room only.

Ids of the busy tables come in blocks from `counters`, so that a batch of mails is written with one statement a table
on SQLite and PostgreSQL alike. Table classes do not validate; the values are checked before they come here, and CHECK
constraints hold the states.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from inboxbot.cases.values import CaseState, DraftState, LedgerState, Outcome
from inboxbot.sorting.kinds import Kind
from inboxbot.store.types import UtcMoment


def one_of(column: str, values: type[StrEnum], *, optional: bool = False) -> CheckConstraint:
    """Return a CHECK that ``column`` holds one of the enum's values (or NULL)."""
    allowed = ", ".join(f"'{value}'" for value in values)
    empty = f"{column} IS NULL OR " if optional else ""
    return CheckConstraint(f"{empty}{column} IN ({allowed})", name=f"{column}_known")


def big_id() -> Any:
    """Return a primary key that the program hands out itself."""
    return Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False)


class Installation(SQLModel, table=True):
    """One row: the secret that keys tokens and digests, and the generation that tells a restored database."""

    __tablename__ = "installation"
    id: int = Field(primary_key=True)
    secret: bytes = Field(sa_type=LargeBinary)
    created_at: dt.datetime = Field(sa_type=UtcMoment)


class Counter(SQLModel, table=True):
    """The next free number of each kind: row ids by table, case numbers by prefix and year."""

    __tablename__ = "counters"
    name: str = Field(primary_key=True)
    value: int


class MailboxRow(SQLModel, table=True):
    """A configured mailbox that was served at least once."""

    __tablename__ = "mailboxes"
    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    company: str
    served_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


class Folder(SQLModel, table=True):
    """How far a folder was taken.

    ``uid_mark`` is the highest UID of a complete round; mails below ``baseline_uid`` came before the start.
    """

    __tablename__ = "folders"
    __table_args__ = (UniqueConstraint("mailbox_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = Field(foreign_key="mailboxes.id")
    name: str
    role: str
    uidvalidity: int = Field(sa_type=BigInteger)
    uidnext: int = Field(default=0, sa_type=BigInteger)
    uid_mark: int = Field(default=0, sa_type=BigInteger)
    baseline_uid: int = Field(default=0, sa_type=BigInteger)
    baseline_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    round_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    reconciled_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


class LedgerRow(SQLModel, table=True):
    """One message seen in a folder, with what became of it and why. Never removed while the message lies there."""

    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("folder_id", "uidvalidity", "uid"),
        one_of("state", LedgerState),
        Index("ledger_digest", "folder_id", "digest"),
        Index("ledger_fetched", "fetched_at"),
    )
    id: int = Field(sa_column=big_id())
    folder_id: int = Field(foreign_key="folders.id")
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    digest: str
    size: int = Field(sa_type=BigInteger)
    received_at: dt.datetime = Field(sa_type=UtcMoment)
    fetched_at: dt.datetime = Field(sa_type=UtcMoment)
    state: str
    reason: str
    case_id: int | None = Field(default=None, foreign_key="cases.id", index=True)


class CaseRow(SQLModel, table=True):
    """A case. ``version`` grows with every change; ``look_at`` is the next moment somebody must look.

    ``hold`` is why retention leaves it alone; ``purged_at`` when its content went, ``proof_gone_at`` when the rest did.
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
        Index("cases_mailbox_state", "mailbox_id", "state"),
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
    """What is known about who writes in a case: what staff looked up, and which proof came."""

    __tablename__ = "identities"
    case_id: int = Field(foreign_key="cases.id", primary_key=True, sa_type=BigInteger)
    address_on_file: str | None = None
    found_in: str | None = None
    looked_up: bool = False
    facts: dict[str, bool] = Field(default_factory=dict, sa_type=JSON)


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


class Anchor(SQLModel, table=True):
    """The head of a case's history on some day: a chain that was cut at its end no longer holds it."""

    __tablename__ = "anchors"
    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="cases.id", index=True, sa_type=BigInteger)
    sequence: int
    hash: str
    at: dt.datetime = Field(sa_type=UtcMoment)


class UserRow(SQLModel, table=True):
    """A named account of staff. ``folded`` is its name for signing in, ``companies`` those it sees (``*``: all).

    ``totp_used`` is the last half-minute whose one-time password was taken, so that none is taken twice.
    """

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('staff', 'approver', 'admin')", name="role_known"),)
    id: int | None = Field(default=None, primary_key=True)
    name: str
    folded: str = Field(unique=True)
    role: str
    companies: list[str] = Field(default_factory=list, sa_type=JSON)
    language: str = ""
    password: str
    totp_secret: str | None = None
    totp_used: int = Field(default=0, sa_type=BigInteger)
    created_at: dt.datetime = Field(sa_type=UtcMoment)
    disabled_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


class SessionRow(SQLModel, table=True):
    """Somebody who is signed in to the web desk. ``digest`` is that of the cookie, which is kept nowhere.

    ``notice`` is what the next page tells once, ``undo`` what can be taken back.
    """

    __tablename__ = "sessions"
    digest: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    csrf: str
    created_at: dt.datetime = Field(sa_type=UtcMoment)
    seen_at: dt.datetime = Field(sa_type=UtcMoment)
    notice: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    undo: dict[str, Any] | None = Field(default=None, sa_type=JSON)


class ApiTokenRow(SQLModel, table=True):
    """A token for the JSON API, as a digest; it may do what its account may."""

    __tablename__ = "api_tokens"
    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    name: str
    digest: str = Field(unique=True)
    created_at: dt.datetime = Field(sa_type=UtcMoment)


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


_tables = SQLModel.metadata.tables
installation = _tables["installation"]
counters = _tables["counters"]
mailboxes = _tables["mailboxes"]
folders = _tables["folders"]
ledger = _tables["ledger"]
cases = _tables["cases"]
case_addresses = _tables["case_addresses"]
mails = _tables["mails"]
requests = _tables["requests"]
promises = _tables["promises"]
drafts = _tables["drafts"]
draft_words = _tables["draft_words"]
approvals = _tables["approvals"]
attempts = _tables["attempts"]
placed = _tables["placed"]
history = _tables["history"]
suppressions = _tables["suppressions"]
corrections = _tables["corrections"]
learned = _tables["learned"]
checklist = _tables["checklist"]
identities = _tables["identities"]
codes = _tables["codes"]
attachments = _tables["attachments"]
webhooks = _tables["webhooks"]
retention_runs = _tables["retention_runs"]
anchors = _tables["anchors"]
users = _tables["users"]
sessions = _tables["sessions"]
api_tokens = _tables["api_tokens"]
