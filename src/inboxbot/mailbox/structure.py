"""BODYSTRUCTURE into the leaves of a message, with the same numbers and containers that `reading.mime` gives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from inboxbot.mailbox.responses import Value
from inboxbot.reading import bounds
from inboxbot.reading.charsets import decode_text
from inboxbot.reading.content_type import join_pieces
from inboxbot.reading.encoded_words import decode_words
from inboxbot.reading.values import RawPart

_SPOKEN: Final = frozenset(
    {
        "text/plain",
        "text/html",
        "text/rfc822-headers",
        "message/delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
    }
)


def read_structure(value: Value) -> tuple[RawPart, ...] | None:
    """Return the leaves of a parsed BODYSTRUCTURE without bodies, or None when it cannot be understood."""
    if not isinstance(value, list) or not value:
        return None
    try:
        leaves = list(_leaves(value, "", (), 0))
    except (ValueError, IndexError, TypeError):
        return None
    return tuple(leaves[: bounds.PARTS + 1]) or None


def wanted(part: RawPart) -> bool:
    """Whether a part's words are needed for reading (the rest stays in the mailbox)."""
    if part.content_type == "message/rfc822":
        return True
    return part.content_type in _SPOKEN and part.disposition != "attachment"


def section(part: RawPart) -> str:
    """Return the name under which the server gives what reading needs of the part."""
    return f"{part.number}.HEADER" if part.content_type == "message/rfc822" else part.number


def _leaves(value: list[Value], number: str, path: tuple[str, ...], depth: int) -> Iterator[RawPart]:
    if depth > bounds.MIME_DEPTH:
        yield RawPart(number or "1", "application/octet-stream", None, "", None, None, 0, container=path)
        return
    if isinstance(value[0], list):
        children = list(takewhile(lambda item: isinstance(item, list), value))
        subtype = _text(value[len(children)]).lower() if len(children) < len(value) else "mixed"
        for place, child in enumerate(children, 1):
            if isinstance(child, list) and child:
                below = f"{number}.{place}" if number else str(place)
                yield from _leaves(child, below, (*path, f"{subtype}@{number}"), depth + 1)
        return
    yield from _single(value, number or "1", path, depth)


def _single(value: list[Value], number: str, path: tuple[str, ...], depth: int) -> Iterator[RawPart]:
    kind = f"{_text(value[0]).lower() or 'text'}/{_text(value[1]).lower() or 'plain'}"
    parameters = _pairs(value[2])
    size = value[6] if isinstance(value[6], int) else 0
    extension = 8 if kind.startswith("text/") else 10 if kind == "message/rfc822" else 7
    disposition, given = _disposition(value[extension + 1] if len(value) > extension + 1 else None)
    yield RawPart(
        number=number,
        content_type=kind,
        charset=parameters.get("charset"),
        encoding=_text(value[5]).lower(),
        name=given.get("filename") or parameters.get("name"),
        disposition=disposition,
        size=size,
        container=path,
        flowed=parameters.get("format", "").lower() == "flowed",
        delsp=parameters.get("delsp", "").lower() == "yes",
    )
    inner = value[8] if kind == "message/rfc822" and len(value) > 8 else None
    if isinstance(inner, list) and inner:
        below = number if isinstance(inner[0], list) else f"{number}.1"
        yield from _leaves(inner, below, (*path, f"rfc822@{number}"), depth + 1)


def _disposition(value: Value) -> tuple[str | None, dict[str, str]]:
    if not isinstance(value, list) or not value:
        return None, {}
    name = _text(value[0]).lower()
    return ("inline" if name == "inline" else "attachment"), _pairs(value[1] if len(value) > 1 else None)


def _pairs(value: Value) -> dict[str, str]:
    """Return body parameters by lower-case name, RFC 2231 pieces joined and encoded words decoded."""
    if not isinstance(value, list):
        return {}
    found: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, text in zip(value[: 2 * bounds.PARAMETERS : 2], value[1 : 2 * bounds.PARAMETERS : 2], strict=False):
        key, star, rest = _text(name).lower().partition("*")
        if not star:
            found[key] = decode_words(_text(text))
        else:
            place = rest.rstrip("*")
            coded = not rest or rest.endswith("*")
            pieces.setdefault(key, {}).setdefault(int(place) if place.isdigit() else 0, (_text(text), coded))
    return found | {key: join_pieces(parts) for key, parts in pieces.items()}


def _text(value: Value) -> str:
    if isinstance(value, bytes):
        return decode_text(value[: bounds.HEADER_PARSED_BYTES])
    return str(value) if isinstance(value, int) else ""
