"""Accounts of staff, who is signed in, and tokens of programs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint
from sqlmodel import Field, SQLModel

from inboxbot.store.types import UtcMoment


class UserRow(SQLModel, table=True):
    """A named account of staff. ``folded`` is its name for signing in, ``companies`` those it sees (``*``: all).

    ``totp_used`` is the last half-minute whose one-time password was taken, so that none is taken twice. ``oidc`` is
    what the sign-in service of the company calls the person.
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
    oidc: str | None = Field(default=None, index=True, unique=True)


class SessionRow(SQLModel, table=True):
    """Somebody who is signed in to the web desk. ``digest`` is that of the cookie, which is kept nowhere.

    ``notice`` is what the next page tells once, ``undo`` what can be taken back. ``origin`` is the digest of what
    came from a sign-in service, so that none of it opens two sessions.
    """

    __tablename__ = "sessions"
    digest: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    csrf: str
    created_at: dt.datetime = Field(sa_type=UtcMoment)
    seen_at: dt.datetime = Field(sa_type=UtcMoment)
    notice: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    undo: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    origin: str | None = Field(default=None, index=True, unique=True)


class ApiTokenRow(SQLModel, table=True):
    """A token for the JSON API, as a digest; it may do what its account may."""

    __tablename__ = "api_tokens"
    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    name: str
    digest: str = Field(unique=True)
    created_at: dt.datetime = Field(sa_type=UtcMoment)


users = SQLModel.metadata.tables["users"]
sessions = SQLModel.metadata.tables["sessions"]
api_tokens = SQLModel.metadata.tables["api_tokens"]
