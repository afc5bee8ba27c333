"""Words and sentences of folded text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from inboxbot.sorting.fold import Folded

# A word, a comma or the like, or the end of a sentence: a stop followed by a blank, or a line end before an empty
# line or a list mark. Bounded repeats only: time stays linear on any text.
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[,:()]|[.!?;](?=\s|$)|\n(?=[ ]{0,8}(?:[\n\-*•·>☐☑✓★→▪]|[0-9a-z][.)] ))")
_ENDS = frozenset(".!?;\n")
_QUESTIONS = frozenset("?")
_PAUSES = frozenset(",:()")

Hit = tuple[int, int, int]  # a meaning: number of the concept, first and last word (both included)


@dataclass(slots=True)
class Sentence:
    """The folded words of a sentence; before the words numbered in ``pauses`` stands a comma or the like."""

    words: list[str]
    pauses: list[int]
    asks: bool = False  # it ends in a question mark
    hits: list[Hit] = field(default_factory=list)


def split_sentences(text: str, limit: int = 1_000_000) -> list[Sentence]:
    """Split folded text into sentences, of at most ``limit`` words and marks together."""
    found: list[Sentence] = []
    words: list[str] = []
    pauses: list[int] = []
    for token in _TOKEN.findall(text)[:limit]:
        if token in _ENDS:
            if words:
                found.append(Sentence(words, pauses, asks=token in _QUESTIONS))
                words, pauses = [], []
        elif token in _PAUSES:
            pauses.append(len(words))
        else:
            words.append(token)
    if words:
        found.append(Sentence(words, pauses))
    return found


def word_places(folded: Folded, sentences: Sequence[Sentence], number: int, first: int, last: int) -> tuple[int, int]:
    """Return where the words ``first`` to ``last`` of a sentence begin and end in the text that was folded.

    Between two words there are no letters, so that each is found where the one before it ended.
    """
    place = start = 0
    text = folded.text
    for count, sentence in enumerate(sentences[: number + 1]):
        for position, word in enumerate(sentence.words):
            place = text.find(word, place)
            if count == number and position == first:
                start = place
            place += len(word)
            if count == number and position == last:
                return folded.origin(start), folded.origin(place - 1) + 1
    raise IndexError(number)


def plain_words(text: str) -> list[str]:
    """Return the words of a folded text, without sentences."""
    return [word for sentence in split_sentences(text) for word in sentence.words]
