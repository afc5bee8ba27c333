"""Content-Type and Content-Disposition: a value and its parameters, RFC 2231 included, in one linear pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from inboxbot.reading import bounds
from inboxbot.reading.charsets import decode_text
from inboxbot.reading.encoded_words import decode_words
from inboxbot.reading.headers import Field

_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
_PARAMETER: Final = re.compile(
    r";[ \t]*([A-Za-z0-9!#$&^_.+*-]{1,80})[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.){0,4096})\"?|([^;\"]{0,4096}))"
)
_NUMBERED: Final = re.compile(r"([a-z0-9!#$&^_.+-]{1,60})\*(?:([0-9]{1,3})(\*?))?")
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Described:
    """A value in lower case (``"text/plain"``, ``"attachment"``) and its decoded parameters by lower-case name."""

    value: str
    parameters: dict[str, str]


def described(field: Field | None) -> Described:
    """Read a header of this shape; what is over the caps or senseless is left out."""
    if field is None:
        return Described("", {})
    raw = field.raw[: bounds.HEADER_PARSED_BYTES]
    value = raw.partition(";")[0].strip().lower()
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, found in enumerate(_PARAMETER.finditer(raw)):
        if count >= bounds.PARAMETERS:
            break
        name = found[1].lower()
        text = _ESCAPED.sub(r"\1", found[2]) if found[2] is not None else found[3].strip()
        numbered = _NUMBERED.fullmatch(name)
        if numbered is None:
            plain.setdefault(name, text)
        else:
            place = int(numbered[2]) if numbered[2] else 0
            coded = numbered[2] is None or numbered[3] == "*"
            pieces.setdefault(numbered[1], {}).setdefault(place, (text, coded))
    decoded = {name: decode_words(text) for name, text in plain.items()}
    return Described(value, decoded | {name: join_pieces(parts) for name, parts in pieces.items()})


def join_pieces(parts: dict[int, tuple[str, bool]]) -> str:
    """Join RFC 2231 pieces in the order of their numbers; the first coded one names the charset."""
    charset = ""
    data = bytearray()
    for index, place in enumerate(sorted(parts)):
        text, coded = parts[place]
        if coded and index == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if coded else text.encode("utf-8", "surrogateescape")
    return decode_text(bytes(data), charset or "utf-8")


def media_type(content_type: Described, default: str = "text/plain") -> str:
    """Return the media type, or ``default`` when none is plainly given."""
    if _TYPE.fullmatch(content_type.value):
        return content_type.value
    return "text/plain" if content_type.value in ("text", "") and default == "text/plain" else default
