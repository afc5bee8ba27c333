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

# Says which of some UIDs are in the folder.
Present = Callable[[Sequence[int]], frozenset[int]]

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


def fetch_messages(
    ask: Ask, present: Present, uids: Sequence[int], limits: FetchLimits
) -> Iterator[Fetched | Missing | Refused]:
    """Yield each of ``uids`` once, in order, as fetched, missing or refused.

    Missing is only what is not in the folder any more; of what is there and was not told, the server is asked no more.
    """
    for start in range(0, len(uids), limits.batch):
        batch = uids[start : start + limits.batch]
        found: dict[int, Fetched | Missing | Refused] = {item.uid: item for item in _first_look(ask, batch, limits)}
        long = [item for item in found.values() if isinstance(item, Fetched) and _is_cut(item, limits)]
        for item in _with_parts(ask, long, limits) if long else ():
            found[item.uid] = item
        silent = [item.uid for item in found.values() if isinstance(item, Missing)]
        there = present(silent) if silent else frozenset()
        for uid in batch:
            yield Refused(uid, "no_answer") if uid in there else found.pop(uid)


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


def fetch_sizes(ask: Ask, uids: Sequence[int], batch: int = 1_000) -> dict[int, int]:
    """Return RFC822.SIZE by UID, of those messages that the server tells it of."""
    found: dict[int, int] = {}
    for start in range(0, len(uids), batch):
        for uid, answer in _patiently(ask, uids[start : start + batch], "(UID RFC822.SIZE)").items():
            if answer and (size := _size(answer)):
                found[uid] = size
    return found


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
    """Whether only the beginning came; a message of just that length is looked at again, for sizes may be untold."""
    return item.raw.whole is not None and len(item.raw.whole) == limits.first


@dataclass(frozen=True, slots=True)
class _Cut:
    """A message of which only the beginning came, its parts so far, and the sections still wanting."""

    item: Fetched
    parts: tuple[RawPart, ...]
    seen: dict[str, RawPart]
    sections: tuple[str, ...]


def _with_parts(ask: Ask, items: list[Fetched], limits: FetchLimits) -> Iterator[Fetched | Refused]:
    """Complete messages of which only the beginning came: structure for all, then the text that is still wanting.

    What the server will not give of them is made good from their beginning, as far as it goes.
    """
    structures = _patiently(ask, [item.uid for item in items], "(UID BODYSTRUCTURE)")
    groups: dict[tuple[str, ...], list[_Cut]] = {}
    for item in items:
        told = read_structure(_last(structures.get(item.uid), b"BODYSTRUCTURE"))
        cut = _look_through(item, told, limits)
        groups.setdefault(cut.sections, []).append(cut)
    for sections, members in groups.items():
        uids = [cut.item.uid for cut in members]
        answers = _patiently(ask, uids, f"(UID {' '.join(sections)})") if sections else {}
        for cut in members:
            yield _completed(cut, answers.get(cut.item.uid) or {})


def _look_through(item: Fetched, told: tuple[RawPart, ...] | None, limits: FetchLimits) -> _Cut:
    """Give the parts the server told of the bodies that the beginning of the message already holds."""
    beginning = item.raw.whole or b""
    block, start = split_header(beginning)
    try:
        leaves = walk(beginning, read_part_fields(block), start, complete=False).leaves
    except UnreadableError:
        leaves = ()
    seen = {_place(part): part for part in leaves if part.body is not None}
    parts = leaves if told is None else tuple(_filled(part, seen.get(_place(part))) for part in told)
    sections: list[str] = []
    if len(block) == len(beginning):
        sections.append(f"BODY.PEEK[HEADER]<0.{bounds.HEADER_BLOCK_BYTES + 1}>")
    missing = [part for part in parts if part.body is None and wanted(part)] if told is not None else []
    sections.extend(f"BODY.PEEK[{section(part)}]<0.{limits.text}>" for part in missing[:_MOST_TEXTS])
    return _Cut(item, parts, seen, tuple(sections))


def _place(part: RawPart) -> str:
    return f"{part.number} {part.content_type}"


def _filled(part: RawPart, seen: RawPart | None) -> RawPart:
    """Take the body from the beginning of the message when it ends there, as long as the server says it is."""
    if seen is None or seen.cut or not wanted(part):
        return part
    if _is_words(part) and seen.size != part.size:
        return part
    return replace(part, body=seen.body)


def _completed(cut: _Cut, answer: Answer) -> Fetched | Refused:
    """Put the message together; words the server withheld are taken as far as its beginning holds them."""
    header = _bytes(answer, b"BODY[HEADER]") or cut.item.raw.header
    filled = []
    for part in cut.parts:
        body = _bytes(answer, f"BODY[{section(part)}]".encode()) if part.body is None else None
        if body is not None:
            filled.append(replace(part, body=body, cut=len(body) < part.size and _is_words(part)))
        elif part.body is None and wanted(part) and part.size:
            seen = cut.seen.get(_place(part))
            filled.append(replace(part, body=seen.body if seen else b"", cut=True))
        else:
            filled.append(part)
    if cut.parts and not any(part.body for part in filled) and any(wanted(part) and part.size for part in filled):
        return Refused(cut.item.uid, "no_body")
    return replace(cut.item, raw=RawMail(header=header, size=cut.item.size, parts=tuple(filled)))


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
    "fetch_sizes",
]
