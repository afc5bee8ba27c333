"""Words and sentences of folded text, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inboxbot.sorting.fold import Folded

# A word, or the end of a sentence: a stop followed by a blank, or a line end before an empty line or a list mark.
# Bounded repeats only: time stays linear on any text.
_TOKEN = re.compile(r"([^\W_]+(?:'[^\W_]+)?)|[.!?;](?=\s|$)|\n(?=[ ]{0,8}(?:[\n\-*•·>]|[0-9a-z][.)] ))")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a stretch: parallel tuples of words, their places in the given text, and their sentence number."""

    words: list[str]
    starts: list[int]
    ends: list[int]
    sentences: list[int]


def split_words(folded: Folded, offset: int = 0, limit: int = 1_000_000, sentence: int = 0) -> Words:
    """Split folded text into at most ``limit`` words; ``offset`` is where the text begins in what was given."""
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    sentences: list[int] = []
    fresh = False
    plain = not folded.cuts
    origin = folded.origin
    for hit in _TOKEN.finditer(folded.text):
        word = hit[1]
        if word is None:
            if fresh:
                sentence += 1
                fresh = False
            continue
        fresh = True
        words.append(word)
        start, end = hit.span()
        if not plain:
            start, end = origin(start), origin(end - 1) + 1
        starts.append(start + offset)
        ends.append(end + offset)
        sentences.append(sentence)
        if len(words) >= limit:
            break
    return Words(words, starts, ends, sentences)
