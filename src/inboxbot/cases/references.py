"""Case references for people (``AO-2026-0001``) and tokens for machines (in our Message-IDs).

A reference can be guessed and gives no right by itself; a token is a keyed digest nobody outside can make.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

_REFERENCE = re.compile(r"(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9]{0,7})-(20\d{2})-(\d{4,9})(?![A-Za-z0-9]|-\d)", re.ASCII)
_PREFIX = re.compile(r"[A-Z][A-Z0-9]{0,7}")
_NONCE = re.compile(r"[a-z0-9]{1,16}")
_TOKEN = re.compile(r"ib\.([0-9a-z]{1,13})\.([a-z0-9]{1,16})\.([a-z2-7]{20})", re.ASCII)
_MESSAGE_ID = re.compile(r"<(ib\.[0-9a-z]{1,13}\.[a-z0-9]{1,16}\.[a-z2-7]{20})@[^<>\s@]{1,255}>", re.ASCII)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
NO_CASE = 0
_LONGEST_MESSAGE_ID = 77  # longer ones are folded or mangled by some senders (promises.md 0.6)


@dataclass(frozen=True, slots=True)
class Reference:
    """A case reference in its parts; ``str()`` writes it out."""

    prefix: str
    year: int
    number: int

    def __str__(self) -> str:
        """Return the reference as people write it."""
        return f"{self.prefix}-{self.year:04d}-{self.number:04d}"


def make_reference(prefix: str, year: int, number: int) -> str:
    """Return the reference of the ``number``-th case (from 1) of a company in a local year."""
    if not _PREFIX.fullmatch(prefix) or number < 1 or not 2000 <= year <= 2099:
        raise ValueError(f"no case reference can be made of {prefix!r}, {year}, {number}")
    return str(Reference(prefix, year, number))


def find_references(text: str) -> tuple[str, ...]:
    """Return the references that occur in a subject or a text, each once, in order, written in capitals."""
    return tuple(dict.fromkeys(str(_reference(found)) for found in _REFERENCE.finditer(text)))


def make_token(secret: bytes, case_id: int, nonce: str) -> str:
    """Return an unguessable token for a case. ``nonce`` is 1–16 of a–z and 0–9, new for every letter.

    `NO_CASE` stands for a mail of ours that belongs to no case, such as an alarm.
    """
    if case_id < NO_CASE or not _NONCE.fullmatch(nonce):
        raise ValueError("a token needs a case id from 0 and a nonce of 1 to 16 characters a-z, 0-9")
    head = f"ib.{_base36(case_id)}.{nonce}"
    return f"{head}.{_seal(secret, head)}"


def make_message_id(secret: bytes, case_id: int, nonce: str, domain: str) -> str:
    """Return a Message-ID with a token, ``<token@domain>``, at most 77 characters.

    A domain that is too long is replaced by a digest of itself under ``.invalid``; nothing is ever sent there.
    """
    token = make_token(secret, case_id, nonce)
    if len(token) + len(domain) + 3 > _LONGEST_MESSAGE_ID:
        domain = f"{hashlib.sha256(domain.encode()).hexdigest()[:12]}.invalid"
    return f"<{token}@{domain}>"


def token_of(secret: bytes, message_id: str) -> int | None:
    """Return the case id that a Message-ID of ours names (`NO_CASE`: none), or None when it is not one of ours.

    The seal is compared in constant time; letter case is ignored, for some servers change it.
    """
    found = _MESSAGE_ID.fullmatch(message_id.strip().lower())
    token = _TOKEN.fullmatch(found.group(1)) if found else None
    if token is None:
        return None
    number, nonce, seal = token.groups()
    good = hmac.compare_digest(_seal(secret, f"ib.{number}.{nonce}").encode(), seal.encode())
    return int(number, 36) if good else None


def _reference(found: re.Match[str]) -> Reference:
    return Reference(found.group(1).upper(), int(found.group(2)), int(found.group(3)))


def _base36(number: int) -> str:
    text = "" if number else "0"
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text


def _seal(secret: bytes, head: str) -> str:
    digest = hmac.new(secret, b"inboxbot message-id " + head.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:20].decode().lower()  # 100 bits
