"""A mail's text in pieces, so that the page can mark the decisive words and fold away what was quoted."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

FOLDED = frozenset({"quoted", "forwarded", "footer"})
_GAP = re.compile(r"(\[\[[^\]\n]{0,60}\]\])")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; ``kind`` is the request it speaks for, "" for none."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A segment of the mail in pieces; ``folded`` when it is not what the person wrote now."""

    name: str
    folded: bool
    pieces: tuple[Piece, ...]


def marked(text: str, spans: Iterable[tuple[int, int, str]], offset: int = 0) -> tuple[Piece, ...]:
    """Return ``text`` cut at the spans (start, end, kind), whose offsets count from ``offset`` characters before it.

    Of overlapping spans the earlier one marks the words both have. Spans outside the text are left out.
    """
    pieces, done = [], 0
    for start, end, kind in sorted(spans):
        begin, stop = max(done, start - offset), min(len(text), end - offset)
        if begin >= stop:
            continue
        if begin > done:
            pieces.append(Piece(text[done:begin]))
        pieces.append(Piece(text[begin:stop], kind))
        done = stop
    if done < len(text):
        pieces.append(Piece(text[done:]))
    return tuple(pieces)


def stretches(text: str, segments: Sequence[Sequence[Any]], spans: Iterable[tuple[int, int, str]]) -> list[Stretch]:
    """Return a mail's text by segments (kind, start, end), each with its marked pieces; neighbours alike are joined."""
    listed = list(spans)
    if not segments:
        return [Stretch("new", folded=False, pieces=marked(text, listed))] if text else []
    found = []
    for folded, group in itertools.groupby(segments, key=lambda one: one[0] in FOLDED):
        parts = list(group)
        start, end = parts[0][1], parts[-1][2]
        if text[start:end].strip():
            found.append(Stretch(parts[0][0], folded, marked(text[start:end], listed, start)))
    return found


def gaps_marked(body: str) -> tuple[Piece, ...]:
    """Return a letter's words in pieces; what is still to be filled in is marked as ``gap``."""
    return tuple(Piece(part, "gap" if place % 2 else "") for place, part in enumerate(_GAP.split(body)) if part)
