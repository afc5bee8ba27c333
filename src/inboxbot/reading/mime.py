"""The parts of a whole message, found in one pass over its lines: linear in bytes, whatever the nesting.

Part numbers are those of IMAP (RFC 9051 6.4.5), so that an attachment can be fetched later by its number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from inboxbot.reading import bounds
from inboxbot.reading.content_type import Described, described, media_type
from inboxbot.reading.headers import Field, first, first_words, read_part_fields, split_header
from inboxbot.reading.values import RawPart, UnreadableError

_DASHES: Final = re.compile(rb"^--[^\r\n]*", re.MULTILINE)
_BREAK: Final = re.compile(rb"\r{0,2}\n|\r")
_LINE_END: Final = re.compile(rb"\r?\n\Z|\r\Z")
_PLAIN_ENCODINGS: Final = frozenset({"", "7bit", "8bit", "binary", "8-bit", "7-bit"})
_WITH_BODY: Final = ("text/", "message/delivery-status", "message/disposition-notification", "message/feedback-report")


@dataclass(slots=True)
class _Level:
    """A multipart or an attached message that is being read."""

    boundary: bytes | None
    path: tuple[str, ...]
    number: str
    kind: str
    count: int = 0
    start: int = 0
    place: int = -1  # of an attached message in the leaves, whose size is known only at its end


@dataclass(slots=True)
class _Leaf:
    """A part whose end is not yet known."""

    number: str
    fields: tuple[Field, ...]
    kind: str
    start: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The leaves of a message in order; ``too_deep`` tells that nesting beyond the cap was left unread."""

    leaves: tuple[RawPart, ...]
    too_deep: bool


def walk(data: bytes, fields: tuple[Field, ...], start: int, *, complete: bool = True) -> Parts:
    """Find the leaves of a message whose header was read into ``fields`` and whose body begins at ``start``.

    With ``complete`` false, ``data`` is only the beginning of the message and the last leaf is marked cut.
    Raises UnreadableError ``too_many_parts``.
    """
    return _Walk(data, complete).run(fields, start)


class _Walk:
    def __init__(self, data: bytes, complete: bool) -> None:
        self.data = data
        self.complete = complete
        self.levels: list[_Level] = []
        self.places: dict[bytes, list[int]] = {}
        self.leaf: _Leaf | None = None
        self.found: list[RawPart] = []
        self.too_deep = False

    def run(self, fields: tuple[Field, ...], start: int) -> Parts:
        position = self.enter(fields, start, "", (), "text/plain")
        while self.places and (line := _DASHES.search(self.data, position)) is not None:
            position = line.end()
            level, last = self.match(line[0])
            if level is None:
                continue
            self.close(line.start())
            self.drop_above(level, line.start())
            if last:
                self.drop_above(level - 1, line.start())
            else:
                position = self.next_part(level, self.after_line(position))
        self.close(len(self.data), at_end=True)
        self.drop_above(-1, len(self.data))
        if not self.found:  # declared multipart, and no part was there
            self.leaf = _Leaf("1", (), "text/plain", start, ())
            self.close(len(self.data), at_end=True)
        return Parts(tuple(self.found), self.too_deep)

    def match(self, line: bytes) -> tuple[int | None, bool]:
        """Return the level whose boundary this line is, and whether it is the closing one."""
        text = line[2 : bounds.BOUNDARY_BYTES + 8].rstrip()
        if text in self.places:
            return self.places[text][-1], False
        if text.endswith(b"--") and text[:-2] in self.places:
            return self.places[text[:-2]][-1], True
        return None, False

    def after_line(self, position: int) -> int:
        found = _BREAK.match(self.data, position)
        return found.end() if found else position

    def drop_above(self, level: int, end: int) -> None:
        while len(self.levels) > level + 1:
            dropped = self.levels.pop()
            if dropped.boundary is None:
                size = self.before_break(dropped.start, end) - dropped.start
                self.found[dropped.place] = replace(self.found[dropped.place], size=size)
                continue
            self.places[dropped.boundary].pop()
            if not self.places[dropped.boundary]:
                del self.places[dropped.boundary]

    def next_part(self, level: int, position: int) -> int:
        """Read the header of the next part of a multipart; return where to look on."""
        holder = self.levels[level]
        holder.count += 1
        number = f"{holder.number}.{holder.count}" if holder.number else str(holder.count)
        end = self.header_end(position)
        fields = read_part_fields(self.data[position:end])
        default = "message/rfc822" if holder.kind == "digest" else "text/plain"
        return self.enter(fields, end, number, holder.path, default)

    def header_end(self, position: int) -> int:
        """Return where a part's header ends: after the empty line, or before a boundary that comes earlier."""
        at = position
        stop = min(len(self.data), position + bounds.PART_HEADER_BYTES)
        while at < stop:
            line_end = self.data.find(b"\n", at, stop)
            after = stop if line_end < 0 else line_end + 1
            line = self.data[at:after]
            if not line.strip(b"\r\n"):
                return after
            if line.startswith(b"--") and self.match(line)[0] is not None:
                return at
            at = after
        return at

    def enter(self, fields: tuple[Field, ...], start: int, number: str, path: tuple[str, ...], default: str) -> int:
        """Begin the entity whose body starts at ``start``; return where to look on for boundaries."""
        content_type = described(first(fields, "content-type"))
        kind = media_type(content_type, default)
        deep = len(self.levels) >= bounds.MIME_DEPTH
        boundary = content_type.parameters.get("boundary", "").encode("utf-8", "surrogateescape").rstrip()
        if kind.startswith("multipart/") and 0 < len(boundary) <= bounds.BOUNDARY_BYTES:
            if not deep:
                here = f"{kind.removeprefix('multipart/')}@{number}"
                self.push(_Level(boundary, (*path, here), number, kind.removeprefix("multipart/")))
                return start
            self.too_deep = True
            kind = "application/octet-stream"
        elif kind.startswith("multipart/"):
            kind = "text/plain"
        encoding = _encoding(fields)
        if kind == "message/rfc822" and encoding in _PLAIN_ENCODINGS:
            if not deep:
                return self.enter_message(fields, start, number or "1", path)
            self.too_deep = True
        self.leaf = _Leaf(number or "1", fields, kind, start, path)
        return start

    def enter_message(self, fields: tuple[Field, ...], start: int, number: str, path: tuple[str, ...]) -> int:
        """Begin an attached message: note its header as a part of its own, then read its body."""
        end = self.header_end(start)
        inner = read_part_fields(self.data[start:end])
        holder = _Leaf(number, fields, "message/rfc822", start, path)
        self.add(_raw_part(holder, 0, self.data[start:end]))
        inside = (*path, f"rfc822@{number}")
        self.push(_Level(None, inside, number, "rfc822", start=start, place=len(self.found) - 1))
        content_type = described(first(inner, "content-type"))
        below = number if media_type(content_type).startswith("multipart/") else f"{number}.1"
        return self.enter(inner, end, below, inside, "text/plain")

    def push(self, level: _Level) -> None:
        self.levels.append(level)
        if level.boundary is not None:
            self.places.setdefault(level.boundary, []).append(len(self.levels) - 1)

    def close(self, end: int, *, at_end: bool = False) -> None:
        """End the open leaf before ``end``; the line break before a boundary belongs to the boundary."""
        leaf, self.leaf = self.leaf, None
        if leaf is None:
            return
        end = max(leaf.start, end if at_end else self.before_break(leaf.start, end))
        size = end - leaf.start
        body = None
        if leaf.kind.startswith(_WITH_BODY):
            body = self.data[leaf.start : min(end, leaf.start + bounds.TEXT_BYTES)]
        cut = body is not None and (len(body) < size or (at_end and not self.complete))
        self.add(_raw_part(leaf, size, body, cut=cut))

    def before_break(self, start: int, end: int) -> int:
        """Return ``end`` without the line break before a boundary (there is none at the end of the message)."""
        if end >= len(self.data):
            return max(start, end)
        line_end = _LINE_END.search(self.data, max(start, end - 2), end)
        return max(start, line_end.start() if line_end else end)

    def add(self, part: RawPart) -> None:
        if len(self.found) >= bounds.PARTS:
            raise UnreadableError("too_many_parts")
        self.found.append(part)


def _raw_part(leaf: _Leaf, size: int, body: bytes | None, *, cut: bool = False) -> RawPart:
    fields = leaf.fields
    content_type = described(first(fields, "content-type"))
    disposition = described(first(fields, "content-disposition"))
    return RawPart(
        number=leaf.number,
        content_type=leaf.kind,
        charset=content_type.parameters.get("charset"),
        encoding=_encoding(fields),
        name=disposition.parameters.get("filename") or content_type.parameters.get("name"),
        disposition=_disposition(disposition),
        size=size,
        body=body,
        cut=cut,
        container=leaf.path,
        flowed=content_type.parameters.get("format", "").lower() == "flowed",
        delsp=content_type.parameters.get("delsp", "").lower() == "yes",
    )


def _disposition(disposition: Described) -> str | None:
    if not disposition.value:
        return None
    return "inline" if disposition.value == "inline" else "attachment"


def _encoding(fields: tuple[Field, ...]) -> str:
    field = first(fields, "content-transfer-encoding")
    return field.raw[:40].partition(";")[0].strip().lower() if field else ""


def whole_message(data: bytes) -> tuple[bytes, int]:
    """Return the header block of a whole message and where its body begins, past empty lines at the very beginning."""
    skipped = len(data) - len(data.lstrip(b"\r\n"))
    if skipped and skipped < bounds.HEADER_KEPT_BYTES and _looks_like_header(data[skipped : skipped + 400]):
        block, end = split_header(data[skipped:])
        return block, skipped + end
    return split_header(data)


def words_start(data: bytes) -> int:
    """Return where the body of a whole message begins, also when empty line or headers are missing."""
    block, start = whole_message(data)
    return start - len(block) + first_words(block)


def _looks_like_header(beginning: bytes) -> bool:
    return re.match(rb"(?:From |[!-9;-~]{1,100}[ \t]*:)", beginning) is not None
