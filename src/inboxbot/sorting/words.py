"""Words and sentences of folded text, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inboxbot.sorting.fold import Folded

# A word, or the end of a sentence: a stop followed by a blank, or a line end before an empty line or a list mark.
# Bounded repeats only: time stays linear on any text.
_TOKEN = re.compile(
    r"([^\W_]+(?:'[^\W_]+)?)|([,:()])|[.!?;](?=\s|$)|\n(?=[ ]{0,8}(?:[\n\-*•·>☐☑✓★→▪]|[0-9a-z][.)] ))"
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a stretch: parallel lists of words, their places in the given text, and their numbers.

    ``sentences`` and ``clauses`` hold the number of the sentence, and of the stretch between commas, a word is in.
    """

    words: list[str]
    starts: list[int]
    ends: list[int]
    sentences: list[int]
    clauses: list[int]


def split_words(folded: Folded, offset: int = 0, limit: int = 1_000_000, sentence: int = 0) -> Words:
    """Split folded text into at most ``limit`` words; ``offset`` is where the text begins in what was given."""
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    sentences: list[int] = []
    clauses: list[int] = []
    clause = 0
    fresh = False
    plain = not folded.cuts
    origin = folded.origin
    for hit in _TOKEN.finditer(folded.text):
        word = hit[1]
        if word is None:
            clause += 1
            if fresh and hit[2] is None:
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
        clauses.append(clause)
        if len(words) >= limit:
            break
    return Words(words, starts, ends, sentences, clauses)
