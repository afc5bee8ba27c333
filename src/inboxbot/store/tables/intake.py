"""What was seen: the installation, its mailboxes and folders, and the ledger of every message."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from inboxbot.cases.values import LedgerState
from inboxbot.store.tables.columns import big_id, one_of
from inboxbot.store.types import UtcMoment


class Installation(SQLModel, table=True):
    """One row: the secret that keys tokens and digests, and the generation that tells an older copy of a database.

    ``checked_at`` is when the whole file was last found sound.
    """

    __tablename__ = "installation"
    id: int = Field(primary_key=True)
    secret: bytes = Field(sa_type=LargeBinary)
    created_at: dt.datetime = Field(sa_type=UtcMoment)
    generation: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    checked_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)


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


installation = SQLModel.metadata.tables["installation"]
counters = SQLModel.metadata.tables["counters"]
mailboxes = SQLModel.metadata.tables["mailboxes"]
folders = SQLModel.metadata.tables["folders"]
ledger = SQLModel.metadata.tables["ledger"]
