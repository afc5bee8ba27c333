"""Mail addresses by a strict grammar of our own: what is not plainly one address is told as ambiguous or invalid.

Parsers disagree about crafted From headers (promises.md C4 to C9), and whoever sends the answer must not be one of
those who guess. Read in one pass over the raw value, before encoded words are decoded, so that no decoded character is
ever syntax.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import idna

from inboxbot.reading import bounds
from inboxbot.reading.encoded_words import decode_words
from inboxbot.reading.headers import Field
from inboxbot.reading.values import Address

_ATEXT: Final = "A-Za-z0-9!#$%&'*+/=?^_`{|}~-"
_LOCAL: Final = re.compile(rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ADDRESS_LIKE: Final = re.compile(r"[^\s<>()\"',;:@\uff20]{1,64}[@\uff20][^\s<>()\"',;:@]{1,255}")
_TOKEN: Final = re.compile(r"[ \t]+|[^\s\"(),:;<>\\]+|.", re.DOTALL)
# Characters that hide or turn text: zero-width, bidirectional controls, tags, soft hyphen.
_UNSEEN: Final = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
# Letters of other scripts that look like Latin ones (the common ones of look-alike domains).
_TWINS: Final = frozenset("аеорсухіјѕһԁԛԝькмнтвгαοενικρτυχγωѵӏ")


@dataclass(frozen=True, slots=True)
class Written:
    """One entry of an address header: the address (None when it is not strictly one) and the words beside it."""

    address: Address | None
    group: bool = False


def parse_addresses(value: str, limit: int = bounds.ADDRESSES) -> list[Written] | None:
    """Read an address header's raw value into at most ``limit`` entries; None when comments nest too deeply."""
    entries: list[Written] = []
    entry = _Entry()
    tokens = _TOKEN.finditer(value)
    for found in tokens:
        mark = found[0]
        if mark == "," and not entry.in_angle:
            if not entry.blank:
                entries.append(entry.close())
            entry = _Entry(group=entry.group)
            if len(entries) >= limit:
                return entries
        elif mark in (":", ";"):
            entry.group = True
        elif mark == '"':
            entry.quoted(_until(tokens, '"'))
        elif mark == "(":
            comment = _comment(tokens)
            if comment is None:
                return None
            entry.comments.append(comment)
        else:
            entry.take(mark)
    if not entry.blank:
        entries.append(entry.close())
    return entries


def _until(tokens: Iterable[re.Match[str]], end: str) -> str | None:
    """Return the text of a quoted string up to its end, or None when it does not end."""
    pieces: list[str] = []
    escaped = False
    for found in tokens:
        if escaped:
            pieces.append(found[0])
            escaped = False
        elif found[0] == "\\":
            escaped = True
        elif found[0] == end:
            return "".join(pieces)
        else:
            pieces.append(found[0])
    return None


def _comment(tokens: Iterable[re.Match[str]]) -> str | None:
    """Return the text of a comment, or None when it nests deeper than the cap."""
    depth = 1
    pieces: list[str] = []
    for found in tokens:
        if found[0] == "(":
            depth += 1
            if depth > bounds.COMMENT_DEPTH:
                return None
        elif found[0] == ")":
            depth -= 1
            if depth == 0:
                break
        else:
            pieces.append(found[0])
    return "".join(pieces)


class _Entry:
    """The pieces of one list entry while it is read."""

    def __init__(self, group: bool = False) -> None:
        self.group = group
        self.words: list[str] = []
        self.comments: list[str] = []
        self.angle: list[str] | None = None
        self.in_angle = False
        self.broken = False
        self.was_quoted = False

    @property
    def blank(self) -> bool:
        return self.angle is None and not self.was_quoted and not "".join(self.words).strip()

    def quoted(self, text: str | None) -> None:
        if text is None or self.in_angle or self.angle is not None:
            self.broken = True
        else:
            self.was_quoted = True
            self.words.append(text)

    def take(self, mark: str) -> None:
        if mark == "<":
            self.broken = self.broken or self.angle is not None
            self.angle, self.in_angle = [] if self.angle is None else self.angle, True
        elif mark == ">":
            self.broken = self.broken or not self.in_angle
            self.in_angle = False
        elif self.in_angle and self.angle is not None:
            self.angle.append(mark)
        elif self.angle is not None and mark.strip():
            self.broken = True
        else:
            self.words.append(mark)

    def close(self) -> Written:
        words = "".join(self.words).strip()
        if self.angle is None:
            bare = None if self.was_quoted or self.broken else strict_address(words)
            name = decode_words(" ".join(self.comments))
        else:
            bare = None if self.broken or self.in_angle else strict_address("".join(self.angle).strip())
            name = decode_words(words or " ".join(self.comments))
            # An unquoted "@" before the angle bracket is read as the address by some programs.
            if "@" in words and not self.was_quoted and words.lower() != bare:
                bare = None
        return Written(Address(bare, name[: bounds.NAME_CHARACTERS]) if bare else None, self.group)


def strict_address(text: str) -> str | None:
    """Return a bare address in lower case with its domain as A-labels, or None when it is not strictly one.

    An ASCII dot-atom of at most 64 characters, one ``@``, and a domain of at least two labels, a letter in the last.
    """
    local, at, domain = text.rpartition("@")
    if not at or len(local) > 64 or len(text) > 320 or _LOCAL.fullmatch(local) is None or "=?" in local:
        return None
    name = strict_domain(domain)
    return f"{local.lower()}@{name}" if name else None


def strict_domain(domain: str) -> str | None:
    """Return a domain in lower case as A-labels, or None."""
    domain = domain.lower()
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError, ValueError):
            return None
    labels = domain.split(".")
    if len(domain) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return domain if any(letter.isalpha() for letter in labels[-1]) else None


def read_sender(fields: list[Field]) -> tuple[Address | None, str | None]:
    """Return the one sender of the From headers, or None with the code of what is wrong."""
    filled = [field for field in fields if field.raw.strip(" <>")]
    if len(filled) != 1:
        return None, "ambiguous_sender" if filled else "no_sender"
    entries = parse_addresses(filled[0].raw) if len(filled[0].raw) <= bounds.HEADER_PARSED_BYTES else None
    if entries is None:
        return None, "invalid_sender"
    if len(entries) > 1 or any(entry.group for entry in entries):
        return None, "ambiguous_sender"
    if not entries:
        return None, "no_sender"
    sender = entries[0].address
    return (sender, None) if sender else (None, "invalid_sender")


def read_recipients(fields: list[Field]) -> tuple[Address, ...]:
    """Return the strictly readable addresses of these headers, at most `bounds.ADDRESSES` in all."""
    found: list[Address] = []
    for field in fields:
        entries = parse_addresses(field.raw, bounds.ADDRESSES - len(found))
        found.extend(entry.address for entry in entries or () if entry.address)
        if len(found) >= bounds.ADDRESSES:
            break
    return tuple(found)


def doubts(sender: Address) -> set[str]:
    """Return the flags a sender's looks deserve: a name that shows another address, letters that imitate others."""
    flags: set[str] = set()
    shown = [item.lower() for item in _ADDRESS_LIKE.findall(unicodedata.normalize("NFKC", sender.name))]
    if any(item.strip(".[]'\"") != sender.address for item in shown):
        flags.add("name_looks_like_address")
    if _UNSEEN.search(sender.name) or any(_mixed(word) for word in sender.name.split()):
        flags.add("lookalike")
    if any(_imitates(label) for label in sender.address.rpartition("@")[2].split(".")):
        flags.add("lookalike")
    return flags


def _imitates(label: str) -> bool:
    """Whether an A-label mixes scripts or is made only of letters that look like Latin ones."""
    if not label.startswith("xn--"):
        return False
    try:
        shown = idna.decode(label)
    except (idna.IDNAError, UnicodeError, ValueError):
        return True
    letters = [letter for letter in shown if letter.isalpha()]
    return _mixed(shown) or (bool(letters) and all(letter in _TWINS for letter in letters))


def _mixed(word: str) -> bool:
    """Whether Latin letters stand beside Cyrillic or Greek ones in one word."""
    scripts = {unicodedata.name(letter, "?").partition(" ")[0] for letter in word[:200] if letter.isalpha()}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1
