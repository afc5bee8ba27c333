"""Many messages in few round trips: the first 64 KiB of each, and of the longer ones their structure and text parts.

Attachments stay in the mailbox. Nothing here sets a flag: every section is peeked at (promises.md A7).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from inboxbot.mailbox.responses import EPOCH, Value, read_moment
from inboxbot.mailbox.structure import read_structure, section, wanted
from inboxbot.reading import bounds
from inboxbot.reading.headers import read_part_fields, split_header
from inboxbot.reading.mime import walk
from inboxbot.reading.values import RawMail, RawPart, UnreadableError

Answer = dict[bytes, list[Value]]
# Asks the server for items of some UIDs; gives every value it told of each, or None for a refusal of the command.
Ask = Callable[[Sequence[int], str], dict[int, Answer] | None]

_ENVELOPE: Final = "UID RFC822.SIZE INTERNALDATE"
_MOST_TEXTS: Final = 20


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much is fetched: ``first`` bytes of every message, ``text`` of each text part, ``batch`` UIDs a command."""

    first: int = 64 * 1024
    text: int = bounds.TEXT_BYTES
    batch: int = 500


@dataclass(frozen=True, slots=True)
class Fetched:
    """One message as brought: its UID, INTERNALDATE in UTC (`EPOCH` when not told), RFC822.SIZE and bytes."""

    uid: int
    internaldate: dt.datetime
    size: int
    raw: RawMail


@dataclass(frozen=True, slots=True)
class Missing:
    """The UID is not in the folder any more: another client removed it between the listing and the fetch."""

    uid: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The server would not give the message, or contradicted itself about it; ``code`` is what it is held with."""

    uid: int
    code: str


@dataclass(frozen=True, slots=True)
class FetchedHeader:
    """A message's header block (with the empty line that ends it) and what the server tells of it."""

    uid: int
    internaldate: dt.datetime
    size: int
    flags: frozenset[str]
    header: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 hex of the header block, equal to `Mail.digest` of the same message."""
        return hashlib.sha256(self.header).hexdigest()


def fetch_messages(ask: Ask, uids: Sequence[int], limits: FetchLimits) -> Iterator[Fetched | Missing | Refused]:
    """Yield each of ``uids`` once, in order, as fetched, missing or refused."""
    for start in range(0, len(uids), limits.batch):
        batch = uids[start : start + limits.batch]
        found: dict[int, Fetched | Missing | Refused] = {item.uid: item for item in _first_look(ask, batch, limits)}
        long = [item for item in found.values() if isinstance(item, Fetched) and _is_cut(item, limits)]
        for item in _with_parts(ask, long, limits):
            found[item.uid] = item
        for uid in batch:
            yield found.pop(uid) if uid in found else Missing(uid)


def fetch_header_blocks(ask: Ask, uids: Sequence[int], batch: int = 500) -> Iterator[FetchedHeader | Missing | Refused]:
    """Yield the header blocks of ``uids`` in order."""
    limit = bounds.HEADER_BLOCK_BYTES + 1
    for start in range(0, len(uids), batch):
        some = uids[start : start + batch]
        answers = _patiently(ask, some, f"({_ENVELOPE} FLAGS BODY.PEEK[HEADER]<0.{limit}>)")
        for uid in some:
            answer = answers.get(uid, {})
            if answer is None:
                yield Refused(uid, "server_refuses")
            elif not answer:
                yield Missing(uid)
            else:
                block = _bytes(answer, b"BODY[HEADER]")
                if block is None:
                    yield Refused(uid, "no_header")
                    continue
                moment = read_moment(_last(answer, b"INTERNALDATE"))
                yield FetchedHeader(uid, moment, _size(answer), _flags(answer), block)


def _first_look(ask: Ask, uids: Sequence[int], limits: FetchLimits) -> Iterator[Fetched | Missing | Refused]:
    answers = _patiently(ask, uids, f"({_ENVELOPE} BODY.PEEK[]<0.{limits.first}>)")
    for uid in uids:
        answer = answers.pop(uid, {})
        if answer is None:
            yield Refused(uid, "server_refuses")
        elif not answer:
            yield Missing(uid)
        else:
            yield _fetched(uid, answer, limits)


def _fetched(uid: int, answer: Answer, limits: FetchLimits) -> Fetched | Refused:
    bodies = {value for value in _values(answer, b"BODY[]") if isinstance(value, bytes)}
    if not bodies:
        return Refused(uid, "no_body")
    if len(bodies) > 1:
        return Refused(uid, "inconsistent_answer")
    body = bodies.pop()
    size = _size(answer)
    # Some servers estimate RFC822.SIZE; half a message, or none, is no estimate.
    if len(body) < limits.first and len(body) * 2 < size:
        return Refused(uid, "inconsistent_answer")
    moment = read_moment(_last(answer, b"INTERNALDATE"))
    block, _ = split_header(body)
    return Fetched(uid, moment, max(size, len(body)), RawMail(header=block, size=max(size, len(body)), whole=body))


def _is_cut(item: Fetched, limits: FetchLimits) -> bool:
    return item.raw.whole is not None and len(item.raw.whole) == limits.first and item.size > limits.first


def _with_parts(ask: Ask, items: list[Fetched], limits: FetchLimits) -> Iterator[Fetched | Refused | Missing]:
    """Complete messages of which only the beginning came: structure for all, then the text that is still wanting."""
    if not items:
        return
    structures = _patiently(ask, [item.uid for item in items], "(UID BODYSTRUCTURE)")
    groups: dict[tuple[str, ...], list[tuple[Fetched, tuple[RawPart, ...]]]] = {}
    for item in items:
        answer = structures.get(item.uid, {})
        if answer is not None and not answer:
            yield Missing(item.uid)
            continue
        told = read_structure(_last(answer, b"BODYSTRUCTURE")) if answer else None
        parts = _from_beginning(item, told)
        groups.setdefault(_wanting(item, parts, limits, structure_told=told is not None), []).append((item, parts))
    for sections, members in groups.items():
        answers = _patiently(ask, [item.uid for item, _ in members], f"(UID {' '.join(sections)})") if sections else {}
        for item, parts in members:
            answer = answers.get(item.uid, {}) if sections else {}
            if answer is None:
                yield Refused(item.uid, "server_refuses")
            elif sections and not answer:
                yield Missing(item.uid)
            else:
                yield _completed(item, parts, answer)


def _from_beginning(item: Fetched, told: tuple[RawPart, ...] | None) -> tuple[RawPart, ...]:
    """Give the parts the server told of the bodies that the first bytes of the message already hold."""
    beginning = item.raw.whole or b""
    block, start = split_header(beginning)
    try:
        seen = walk(beginning, read_part_fields(block), start, complete=False).leaves
    except UnreadableError:
        seen = ()
    if told is None:
        return seen
    known = {(part.number, part.content_type): part for part in seen if part.body is not None and not part.cut}
    return tuple(_filled(part, known.get((part.number, part.content_type))) for part in told)


def _filled(part: RawPart, seen: RawPart | None) -> RawPart:
    if seen is None or not wanted(part):
        return part
    if part.content_type != "message/rfc822" and seen.size != part.size:
        return part
    return replace(part, body=seen.body)


def _wanting(
    item: Fetched, parts: tuple[RawPart, ...], limits: FetchLimits, *, structure_told: bool
) -> tuple[str, ...]:
    """Return the sections that must still be fetched of a message."""
    sections: list[str] = []
    if len(item.raw.header) == len(item.raw.whole or b""):
        sections.append(f"BODY.PEEK[HEADER]<0.{bounds.HEADER_BLOCK_BYTES + 1}>")
    if structure_told:
        missing = [part for part in parts if part.body is None and wanted(part)]
        sections.extend(f"BODY.PEEK[{section(part)}]<0.{limits.text}>" for part in missing[:_MOST_TEXTS])
    return tuple(sections)


def _completed(item: Fetched, parts: tuple[RawPart, ...], answer: Answer) -> Fetched:
    header = _bytes(answer, b"BODY[HEADER]") or item.raw.header
    filled = []
    for part in parts:
        body = _bytes(answer, f"BODY[{section(part)}]".encode()) if part.body is None else None
        filled.append(part if body is None else replace(part, body=body, cut=len(body) < part.size and _is_words(part)))
    return replace(item, raw=RawMail(header=header, size=item.size, parts=tuple(filled)))


def _is_words(part: RawPart) -> bool:
    return part.content_type != "message/rfc822"


def _patiently(ask: Ask, uids: Sequence[int], items: str) -> dict[int, Answer | None]:
    """Ask for all at once; when the server refuses, halve until the one it refuses is alone (None)."""
    if not uids:
        return {}
    answers = ask(uids, items)
    if answers is not None:
        return dict(answers)
    if len(uids) == 1:
        return {uids[0]: None}
    middle = len(uids) // 2
    return _patiently(ask, uids[:middle], items) | _patiently(ask, uids[middle:], items)


def _values(answer: Answer, name: bytes) -> list[Value]:
    """Return every value told under a section's name, with or without its partial origin."""
    return [value for key, values in answer.items() if key.partition(b"<")[0] == name for value in values]


def _last(answer: Answer | None, name: bytes) -> Value:
    values = answer.get(name) if answer else None
    return values[-1] if values else None


def _bytes(answer: Answer, name: bytes) -> bytes | None:
    return next((value for value in _values(answer, name) if isinstance(value, bytes)), None)


def _size(answer: Answer) -> int:
    value = _last(answer, b"RFC822.SIZE")
    return value if isinstance(value, int) else 0


def _flags(answer: Answer) -> frozenset[str]:
    value = _last(answer, b"FLAGS")
    return frozenset(_flag(item) for item in value) if isinstance(value, list) else frozenset()


def _flag(item: Value) -> str:
    return item.decode("ascii", "replace") if isinstance(item, bytes) else str(item)


__all__ = [
    "EPOCH",
    "FetchLimits",
    "Fetched",
    "FetchedHeader",
    "Missing",
    "Refused",
    "fetch_header_blocks",
    "fetch_messages",
]
