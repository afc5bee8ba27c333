"""One-time codes mailed to the address on file: kept only as keyed digests, single use, five tries (law.md 6.1)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

from inboxbot.cases.legal_date import in_utc

CODE_HOURS, CODE_TRIES, CODE_LENGTH = 72, 5, 8
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_CODE = re.compile(r"(?<![0-9A-Z])([2-9A-HJKMNP-Z]{4})[ -]?([2-9A-HJKMNP-Z]{4})(?![0-9A-Z])", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredCode:
    """A code as it is kept: only its keyed digest, bound to a case and a kind. Moments are UTC."""

    hash: str
    case_id: int
    kind: str
    sent_at: dt.datetime
    tries: int = 0
    used_at: dt.datetime | None = None


class CodeAnswer(StrEnum):
    """What became of an answer with a code."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    USED = "used"
    TOO_MANY = "too_many_tries"


def make_code(random: bytes) -> str:
    """Return a code such as ``K7PM-2XWQ`` from at least 16 random bytes; no letter looks like a digit."""
    if len(random) < 16:
        raise ValueError("a code needs at least 16 random bytes")
    number, letters = int.from_bytes(random, "big"), ""
    while len(letters) < CODE_LENGTH:
        number, place = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[place]
    return f"{letters[:4]}-{letters[4:]}"


def hash_code(secret: bytes, code: str, case_id: int, kind: str) -> str:
    """Return the keyed digest of a code (spaces, hyphens and letter case aside), bound to its case and kind."""
    plain = re.sub(r"[\s-]", "", code).upper()
    return hmac.new(secret, f"inboxbot code {case_id} {kind} {plain}".encode(), hashlib.sha256).hexdigest()


def check_code(secret: bytes, answer: str, stored: StoredCode, now: dt.datetime) -> CodeAnswer:
    """Return whether ``answer`` is the code: single use, 72 h, five tries, compared in constant time.

    The caller counts a try for every WRONG and stores the moment of a RIGHT one.
    """
    if stored.used_at is not None:
        return CodeAnswer.USED
    if stored.tries >= CODE_TRIES:
        return CodeAnswer.TOO_MANY
    if in_utc(now) > stored.sent_at + dt.timedelta(hours=CODE_HOURS):
        return CodeAnswer.EXPIRED
    given = hash_code(secret, answer, stored.case_id, stored.kind)
    return CodeAnswer.RIGHT if hmac.compare_digest(given.encode(), stored.hash.encode()) else CodeAnswer.WRONG


def code_in(new_words: str) -> str | None:
    """Return the first thing in a mail's new words that has the shape of a code, as ``XXXX-XXXX``.

    Words of eight letters have that shape too, so a digit is asked for, or the hyphen of a code as it was sent.
    """
    for found in _CODE.finditer(new_words[:20_000]):
        text = found.group().upper()
        if any(letter.isdigit() for letter in text) or (text[4] == "-" and found.group().isupper()):
            return f"{found.group(1)}-{found.group(2)}".upper()
    return None
