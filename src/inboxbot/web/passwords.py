"""Passwords (argon2id) and one-time passwords (RFC 6238: HMAC-SHA-1, 30 seconds, six digits)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from inboxbot.errors import UsageError

MIN_PASSWORD, MAX_PASSWORD = 12, 200
STEP_S = 30
# RFC 9106, second recommended option: 64 MiB, three passes.
_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
_nobody = _hasher.hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """Return the slow hash of a password. Raises UsageError when it is too short or too long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UsageError(
            f"a password has between {MIN_PASSWORD} and {MAX_PASSWORD} characters",
            cure="a sentence that nobody else would think of does well",
        )
    return _hasher.hash(password)


def password_fits(password: str, kept: str | None) -> bool:
    """Return whether a password is the one that is kept. Without one the same work is done, and it never fits."""
    try:
        _hasher.verify(kept or _nobody, password[: MAX_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def new_password() -> str:
    """Return a password to hand over."""
    return secrets.token_urlsafe(12)


def new_totp_secret() -> str:
    """Return a secret for one-time passwords, in base32 as apps take it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def totp_uri(secret: str, name: str) -> str:
    """Return the address that apps read from a picture or take by hand."""
    return f"otpauth://totp/inboxbot:{quote(name)}?secret={secret}&issuer=inboxbot"


def totp_step(secret: str, given: str, now: dt.datetime) -> int | None:
    """Return the half-minute that a one-time password belongs to (the last, this or the next), or None when wrong."""
    digits = "".join(given.split()).encode("utf-8", "surrogatepass")
    present = int(now.timestamp()) // STEP_S
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(totp_at(secret, step).encode(), digits):
            return step
    return None


def totp_at(secret: str, step: int) -> str:
    """Return the one-time password of a half-minute."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    place = digest[-1] & 15
    number: int = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
