"""Staff: their accounts, who is signed in, and tokens for the API. Secrets are kept as digests only."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from inboxbot.errors import UsageError
from inboxbot.store.tables import api_tokens, sessions, users

EVERY_COMPANY = "*"
MAX_NAME = 60
MAX_OIDC = 255


class Role(StrEnum):
    """What an account may do: work on cases, approve letters too, manage people too."""

    STAFF = "staff"
    APPROVER = "approver"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """A named account. ``name`` signs letters; ``companies`` are those it sees, ``*`` stands for all."""

    id: int
    name: str
    role: Role
    companies: tuple[str, ...]
    language: str
    password: str
    totp_secret: str | None
    totp_used: int
    disabled_at: dt.datetime | None
    oidc: str | None

    @property
    def may_approve(self) -> bool:
        """Whether letters may go out in this name."""
        return self.role is not Role.STAFF and self.disabled_at is None

    def sees(self, company: str) -> bool:
        """Whether the cases of a company are shown to this account."""
        return EVERY_COMPANY in self.companies or company in self.companies


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in. ``notice`` is told once by the next page, ``undo`` can be taken back."""

    digest: str
    csrf: str
    created_at: dt.datetime
    seen_at: dt.datetime
    notice: dict[str, Any] | None
    undo: dict[str, Any] | None
    user: User


def folded(name: str) -> str:
    """Return a name as it is compared: without letter case and doubled spaces."""
    return " ".join(name.split()).casefold()


def token_digest(token: str) -> str:
    """Return the digest under which a random token is kept. It is long, so it needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _user(row: Row[Any]) -> User:
    values = {name: getattr(row, name) for name in User.__slots__}
    return User(**{**values, "role": Role(row.role), "companies": tuple(row.companies)})


def add_user(
    connection: Connection, name: str, *, role: Role, companies: list[str], password: str, now: dt.datetime
) -> User:
    """Insert an account; ``password`` is its slow hash. Raises UsageError for a name that is taken or unfit."""
    plain = " ".join(name.split())
    if not 0 < len(plain) <= MAX_NAME or not plain.isprintable():
        raise UsageError(f"a name has between 1 and {MAX_NAME} characters", where=name)
    if find_user(connection, plain) is not None:
        raise UsageError("there is an account of this name already", where=plain, cure="choose another name")
    values = {"name": plain, "folded": folded(plain), "role": role.value, "companies": companies}
    connection.execute(insert(users).values(**values, language="", password=password, created_at=now))
    added = find_user(connection, plain)
    assert added is not None  # noqa: S101  (it was inserted a line above)
    return added


def find_user(connection: Connection, name: str) -> User | None:
    """Return the account of this name, disabled or not, or None."""
    row = connection.execute(select(users).where(users.c.folded == folded(name))).first()
    return _user(row) if row else None


def oidc_name(told: str) -> str:
    """Return what a sign-in service calls somebody, as it is kept and compared: addresses without letter case."""
    name = told.strip()
    return name.casefold() if "@" in name else name


def user_of_oidc(connection: Connection, name: str) -> User | None:
    """Return the account, disabled or not, that a sign-in service calls ``name`` (see `oidc_name`), or None."""
    row = connection.execute(select(users).where(users.c.oidc == name)).first()
    return _user(row) if row else None


def set_oidc(connection: Connection, user: User, told: str | None) -> None:
    """Write what the sign-in service calls an account (None: nothing). Raises UsageError when another one has it."""
    name = oidc_name(told) if told is not None else None
    if name is not None:
        if not 0 < len(name) <= MAX_OIDC or not name.isprintable():
            raise UsageError(f"what a service calls somebody has between 1 and {MAX_OIDC} characters", where="--oidc")
        other = user_of_oidc(connection, name)
        if other is not None and other.id != user.id:
            raise UsageError("another account has this name at the service", where=other.name)
    change_user(connection, user.id, oidc=name)


def load_user(connection: Connection, name: str) -> User:
    """Return the account of this name. Raises UsageError when there is none."""
    found = find_user(connection, name)
    if found is None:
        raise UsageError("there is no account of this name", where=name, cure="`inboxbot user list` shows them")
    return found


def list_users(connection: Connection) -> list[User]:
    """Return every account by name."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.folded))]


def change_user(connection: Connection, user_id: int, **values: Any) -> None:
    """Write values on an account."""
    connection.execute(update(users).where(users.c.id == user_id).values(**values))


def disable_user(connection: Connection, user_id: int, now: dt.datetime | None) -> None:
    """Close an account (None: open it again) and sign it out everywhere."""
    change_user(connection, user_id, disabled_at=now)
    end_sessions(connection, user_id)


def claim_totp(connection: Connection, user: User, step: int) -> bool:
    """Write that the one-time password of a half-minute was used; False when it, or a later one, was used before."""
    done = connection.execute(
        update(users).where(users.c.id == user.id, users.c.totp_used < step).values(totp_used=step)
    )
    return done.rowcount == 1


def may_approve(connection: Connection, name: str, company: str) -> bool:
    """Return whether letters of a company may go out in this name.

    Free text until the first account is made; from then on an open account of an approver or admin who sees the
    company.
    """
    user = find_user(connection, name)
    if user is not None:
        return user.may_approve and user.sees(company)
    return connection.execute(select(users.c.id).limit(1)).first() is None


# --- who is signed in ---------------------------------------------------------------------------------------------


def open_session(connection: Connection, user_id: int, *, now: dt.datetime, origin: str = "") -> str | None:
    """Start a session and return its token, which goes into the cookie and nowhere else.

    ``origin`` is what a sign-in service sent; None when a session was started from it before.
    """
    token = secrets.token_urlsafe(32)
    came = token_digest(origin) if origin else None
    if came and connection.execute(select(sessions.c.digest).where(sessions.c.origin == came)).first() is not None:
        return None
    values = {"digest": token_digest(token), "user_id": user_id, "csrf": secrets.token_urlsafe(24), "origin": came}
    connection.execute(insert(sessions).values(**values, created_at=now, seen_at=now))
    return token


def load_session(connection: Connection, token: str) -> Session | None:
    """Return the session of a token with its account as it stands now, or None."""
    query = (
        select(
            sessions.c.digest, sessions.c.csrf, sessions.c.created_at.label("began"), sessions.c.seen_at,
            sessions.c.notice, sessions.c.undo, users,
        )
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.digest == token_digest(token), users.c.disabled_at.is_(None))
    )  # fmt: skip
    row = connection.execute(query).first()
    if row is None:
        return None
    return Session(row.digest, row.csrf, row.began, row.seen_at, row.notice, row.undo, _user(row))


def change_session(connection: Connection, digest: str, **values: Any) -> None:
    """Write values on a session."""
    connection.execute(update(sessions).where(sessions.c.digest == digest).values(**values))


def end_session(connection: Connection, digest: str) -> None:
    """Sign out one browser."""
    connection.execute(delete(sessions).where(sessions.c.digest == digest))


def end_sessions(connection: Connection, user_id: int, *, but: str = "") -> None:
    """Sign an account out everywhere, except in the session ``but``."""
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.digest != but))


def drop_stale_sessions(connection: Connection, *, seen_before: dt.datetime, created_before: dt.datetime) -> None:
    """Remove sessions that nobody can use any more."""
    connection.execute(
        delete(sessions).where((sessions.c.seen_at < seen_before) | (sessions.c.created_at < created_before))
    )


# --- tokens for the API -------------------------------------------------------------------------------------------


def add_token(connection: Connection, user_id: int, name: str, *, now: dt.datetime) -> str:
    """Make a token for the API and return it; it is shown once and kept nowhere."""
    token = f"ib_{secrets.token_urlsafe(32)}"
    connection.execute(
        insert(api_tokens).values(user_id=user_id, name=name, digest=token_digest(token), created_at=now)
    )
    return token


def user_of_token(connection: Connection, token: str) -> User | None:
    """Return the open account a token belongs to, or None."""
    row = connection.execute(
        select(users)
        .join(api_tokens, api_tokens.c.user_id == users.c.id)
        .where(api_tokens.c.digest == token_digest(token), users.c.disabled_at.is_(None))
    ).first()
    return _user(row) if row else None


def list_tokens(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return the tokens of an account, oldest first, without their secrets."""
    query = select(api_tokens.c.id, api_tokens.c.name, api_tokens.c.created_at)
    rows = connection.execute(query.where(api_tokens.c.user_id == user_id).order_by(api_tokens.c.id))
    return [dict(row._mapping) for row in rows]


def drop_token(connection: Connection, user_id: int, token_id: int) -> None:
    """Withdraw a token of an account."""
    connection.execute(delete(api_tokens).where(api_tokens.c.id == token_id, api_tokens.c.user_id == user_id))
