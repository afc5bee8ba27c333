"""A header block, read tolerantly from raw bytes: split, unfolded and capped before anything parses a value.

The standard library's header objects are not used: 32 kB of semicolons or 530 parentheses hang or overflow them
(promises.md 0.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from inboxbot.reading import bounds
from inboxbot.reading.charsets import decode_text
from inboxbot.reading.encoded_words import decode_words
from inboxbot.reading.values import UnreadableError

_EMPTY_LINE: Final = re.compile(rb"\n\r{0,2}\n")
_NAME: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")


@dataclass(frozen=True, slots=True)
class Field:
    """One header as it stands: its name in lower case and its unfolded bytes, cut at the cap."""

    name: str
    data: bytes

    @property
    def raw(self) -> str:
        """The value as text, its encoded words still encoded (most headers are never asked, so this is not stored)."""
        return decode_text(self.data).strip()

    @property
    def text(self) -> str:
        """The decoded value on one line."""
        return decode_words(self.raw)


def split_header(data: bytes) -> tuple[bytes, int]:
    """Return the header block with the empty line that ends it, and where the body begins.

    A message without an empty line is all header. One that starts with an empty line has an empty header block.
    """
    if data.startswith((b"\r\n", b"\n")):
        end = 2 if data.startswith(b"\r\n") else 1
        return data[:end], end
    found = _EMPTY_LINE.search(data)
    end = found.end() if found else len(data)
    if found is None and b"\n" not in data and b"\r\r" in data:
        end = data.index(b"\r\r") + 2
    return data[:end], end


def first_words(block: bytes) -> int:
    """Return where words of the body begin in a header block; ``len(block)`` when it holds headers only.

    Some programs leave out the empty line, or the headers with it: what people wrote must not be passed over as headers
    that make no sense. In a block that an empty line ends, words are all of it or nothing, for stray lines among
    headers are no words.
    """
    lines = block.splitlines(keepends=True)
    if lines and not lines[-1].strip(b"\r\n"):
        return len(block) if any(map(_is_header, lines)) else 0
    place = 0
    for number, line in enumerate(lines):
        if not _is_header(line) and not (number and line[:1] in (b" ", b"\t")):
            break
        place += len(line)
    return place


def _is_header(line: bytes) -> bool:
    return _NAME.match(line.removeprefix(b"\xef\xbb\xbf")) is not None or line.startswith(b"From ")


def read_fields(block: bytes) -> tuple[Field, ...]:
    """Read a header block. A line that is no header belongs to the one before it when folded, else it is passed over.

    Raises UnreadableError ``headers_too_large`` above the caps.
    """
    if len(block) > bounds.HEADER_BLOCK_BYTES:
        raise UnreadableError("headers_too_large")
    fields = _fields(block)
    if len(fields) > bounds.HEADERS:
        raise UnreadableError("headers_too_large")
    return fields


def read_part_fields(block: bytes) -> tuple[Field, ...]:
    """Read the header block of an inner part: what is over the caps is left out instead of refused."""
    return _fields(block[: bounds.PART_HEADER_BYTES])[: bounds.HEADERS]


def _fields(block: bytes) -> tuple[Field, ...]:
    block = block.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in block:
        block = block.replace(b"\r", b"\n")
    fields: list[Field] = []
    name: str | None = None
    lines: list[bytes] = []
    for ended in block.split(b"\n"):
        line = ended.rstrip(b"\r")
        if line[:1] in (b" ", b"\t"):
            lines.append(line)
            continue
        found = _NAME.match(line)
        if found is None:
            continue
        if name is not None:
            fields.append(_field(name, lines))
        name, lines = found[1].decode("ascii").lower(), [line[found.end() :]]
    if name is not None:
        fields.append(_field(name, lines))
    return tuple(fields)


def _field(name: str, lines: list[bytes]) -> Field:
    data = b" ".join(line.strip() for line in lines) if len(lines) > 1 else lines[0]
    return Field(name, data[: bounds.HEADER_KEPT_BYTES])


def first(fields: tuple[Field, ...], name: str) -> Field | None:
    """Return the first header of this lower-case name, or None."""
    return next((field for field in fields if field.name == name), None)


def every(fields: tuple[Field, ...], name: str) -> list[Field]:
    """Return all headers of this lower-case name, in message order."""
    return [field for field in fields if field.name == name]
