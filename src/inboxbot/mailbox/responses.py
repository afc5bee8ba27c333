"""FETCH responses as imaplib hands them over, read into values by a small reader of our own.

IMAPClient's reader lets the last of two answers for one message win in silence (promises.md F14); here every answer is
kept apart, so that a contradiction is seen.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

# int, bytes, None or a list of these.
Value: TypeAlias = "int | bytes | list[Value] | None"

_TOKEN: Final = re.compile(
    rb'(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"'
    rb"|(?P<section>BODY\[[^\]]*\](?:<\d+>)?)|(?P<atom>[^\s()\"]+)",
    re.IGNORECASE,
)
_LITERAL_TAIL: Final = re.compile(rb"~?\{\d+\+?\}\Z")
_ESCAPED: Final = re.compile(rb"\\(.)")
_DEEPEST: Final = 200
_DATE: Final = re.compile(rb"\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\s*")
_MONTHS: Final = {
    name: place for place, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def read_answers(items: Iterable[object]) -> Iterator[dict[bytes, Value]]:
    """Yield each FETCH answer as a mapping of upper-case item names to values.

    ``items`` is imaplib's list: bytes, or a pair of bytes and a literal that belongs to what follows it.
    An answer that cannot be read is passed over.
    """
    pieces: list[bytes | tuple[bytes, bytes]] = []
    for item in items:
        if isinstance(item, tuple):
            pieces.append((bytes(item[0]), bytes(item[1])))
        elif isinstance(item, bytes):
            pieces.append(item)
            answer = _answer(pieces)
            if answer is not None:
                yield answer
            pieces = []


def _answer(pieces: Sequence[bytes | tuple[bytes, bytes]]) -> dict[bytes, Value] | None:
    tree = read_tree(pieces)
    values = next((value for value in tree if isinstance(value, list)), None) if tree else None
    if values is None or len(values) % 2:
        return None
    return {
        name.upper(): value for name, value in zip(values[::2], values[1::2], strict=True) if isinstance(name, bytes)
    }


def read_tree(pieces: Sequence[bytes | tuple[bytes, bytes]]) -> list[Value] | None:
    """Read parenthesised data without recursion; None when it is not well formed or nests beyond sense."""
    top: list[Value] = []
    stack = [top]
    for piece in pieces:
        text, literal = piece if isinstance(piece, tuple) else (piece, None)
        if literal is not None:
            text = _LITERAL_TAIL.sub(b"", text)
        for found in _TOKEN.finditer(text):
            kind = found.lastgroup
            if kind == "open":
                if len(stack) > _DEEPEST:
                    return None
                inner: list[Value] = []
                stack[-1].append(inner)
                stack.append(inner)
            elif kind == "close":
                if len(stack) == 1:
                    return None
                stack.pop()
            else:
                stack[-1].append(_value(found))
        if literal is not None:
            stack[-1].append(literal)
    return top if len(stack) == 1 else None


def _value(found: re.Match[bytes]) -> Value:
    quoted = found["quoted"]
    if quoted is not None:
        return _ESCAPED.sub(rb"\1", quoted)
    if found["section"] is not None:
        return found["section"]
    atom = found["atom"]
    if atom.upper() == b"NIL":
        return None
    return int(atom) if atom.isdigit() and len(atom) < 20 else atom


def read_moment(value: Value) -> dt.datetime:
    """Return an INTERNALDATE in UTC; `EPOCH` when it makes no sense (receipt time treats that as not told)."""
    found = _DATE.fullmatch(value) if isinstance(value, bytes) else None
    month = _MONTHS.get(found[2].lower()) if found else None
    if found is None or month is None:
        return EPOCH
    offset = dt.timedelta(hours=int(found[8]), minutes=int(found[9])) * (-1 if found[7] == b"-" else 1)
    day, year, hour, minute, second = (int(found[place]) for place in (1, 3, 4, 5, 6))
    try:
        return dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC) - offset
    except (ValueError, OverflowError):
        return EPOCH


def compress(uids: Sequence[int]) -> str:
    """Return UIDs as an IMAP set; only neighbours that were all asked for become a range."""
    pieces: list[str] = []
    start = end = 0
    for uid in [*sorted(set(uids)), 0]:
        if end and uid == end + 1:
            end = uid
            continue
        if end:
            pieces.append(str(start) if start == end else f"{start}:{end}")
        start = end = uid
    return ",".join(pieces)
