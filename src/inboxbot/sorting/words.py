"""Words and sentences of folded text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from inboxbot.sorting.fold import Folded

# A word, a comma or the like, or the end of a sentence: a stop followed by a blank, or a line end before an empty
# line or a list mark. Bounded repeats only: time stays linear on any text.
_TOKEN = re.compile(
    r"[^\W_]+(?:'[^\W_]+)?|[,:()]|[.!?;](?=\s|$)|\n(?=[ ]{0,8}(?:[\n\-*•·>☐☑✓★→▪]|[0-9a-z][.)] ))"
)
_ENDS = frozenset(".!?;\n")
_PAUSES = frozenset(",:()")

Hit = tuple[int, int, int]  # a meaning: number of the concept, first and last word (both included)


@dataclass(slots=True)
class Sentence:
    """The folded words of a sentence; ``pauses`` are the numbers of the words before which a comma or the like stands."""

    words: list[str]
    pauses: list[int]
    hits: list[Hit] = field(default_factory=list)


def split_sentences(text: str, limit: int = 1_000_000) -> list[Sentence]:
    """Split folded text into sentences, of at most ``limit`` words and marks together."""
    found: list[Sentence] = []
    words: list[str] = []
    pauses: list[int] = []
    for token in _TOKEN.findall(text)[:limit]:
        if token in _ENDS:
            if words:
                found.append(Sentence(words, pauses))
                words, pauses = [], []
        elif token in _PAUSES:
            pauses.append(len(words))
        else:
            words.append(token)
    if words:
        found.append(Sentence(words, pauses))
    return found


def word_places(folded: Folded, offset: int, limit: int = 1_000_000) -> list[list[tuple[int, int]]]:
    """Return where the words of `split_sentences` stand in the given text, sentence by sentence."""
    found: list[list[tuple[int, int]]] = []
    places: list[tuple[int, int]] = []
    for number, hit in enumerate(_TOKEN.finditer(folded.text)):
        if number >= limit:
            break
        if hit[0] in _ENDS:
            if places:
                found.append(places)
                places = []
        elif hit[0] not in _PAUSES:
            start, end = hit.span()
            places.append((folded.origin(start) + offset, folded.origin(end - 1) + 1 + offset))
    if places:
        found.append(places)
    return found


def plain_words(text: str) -> list[str]:
    """Return the words of a folded text, without sentences."""
    return [word for sentence in split_sentences(text) for word in sentence.words]
