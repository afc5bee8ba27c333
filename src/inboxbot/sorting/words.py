"""Words and sentences of folded text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from inboxbot.sorting.fold import Folded

# A word, a comma or the like, or the end of a sentence: a stop followed by a blank, or a line end before an empty
# line or a list mark. Bounded repeats only: time stays linear on any text.
LIST_MARKS = "-*•·>☐☑✓★→▪"
# Every mark begins with one of a few letters, and that is said first: what is no mark is then passed over quickly.
_LINE_END = rf"(?<=\n)(?=[ ]{{0,8}}(?:[\n{re.escape(LIST_MARKS)}]|[0-9a-z][.)] ))"
_MARK = rf"[,:().!?;\n](?:(?<=[,:()])|(?<=[.!?;])(?=\s|$)|{_LINE_END})"
_TOKEN = re.compile(rf"[^\W_]+(?:'[^\W_]+)?|{_MARK}")
_MARKS_ONLY = re.compile(_MARK)
_PAUSES = frozenset(",:()")
_MARKS = _PAUSES | frozenset(".!?;\n")

Hit = tuple[int, int, int]  # a meaning: number of the concept, first and last word (both included)


@dataclass(slots=True)
class Sentence:
    """The folded words of a sentence; before the words numbered in ``pauses`` stands a comma or the like."""

    words: list[str]
    pauses: list[int]
    asks: bool = False  # it ends in a question mark
    marks: int = 0  # commas, stops and the like in the text before it
    start: int = field(default=-1, compare=False)  # where it begins in the text (-1: the splitter did not note that)
    hits: Sequence[Hit] = ()  # what it means, when that was noted (`features.note_meanings`)


def split_sentences(text: str, limit: int = 1_000_000) -> list[Sentence]:
    """Split folded text into sentences, of at most ``limit`` words and marks together."""
    found: list[Sentence] = []
    words: list[str] = []
    pauses: list[int] = []
    tokens = _TOKEN.findall(text)
    del tokens[limit:]
    after = 0  # the token behind the last mark
    marks = 0  # before the sentence
    for number, place in enumerate([place for place, token in enumerate(tokens) if token in _MARKS], 1):
        words += tokens[after:place]
        after = place + 1
        if tokens[place] in _PAUSES:
            pauses.append(len(words))
        elif words:
            found.append(Sentence(words, pauses, asks=tokens[place] == "?", marks=marks))
            words, pauses, marks = [], [], number
    words += tokens[after:]
    if words:
        found.append(Sentence(words, pauses, marks=marks))
    return found


def word_places(folded: Folded, sentence: Sentence, first: int, last: int) -> tuple[int, int]:
    """Return where the words ``first`` to ``last`` of a sentence begin and end in the text that was folded.

    Between two words of a sentence there are no letters, so that each is found where the one before it ended.
    """
    start = 0
    place = max(sentence.start, 0)
    text = folded.text
    if sentence.start < 0 and sentence.marks:
        place = next(islice(_MARKS_ONLY.finditer(text), sentence.marks - 1, None)).end()
    for position, word in enumerate(sentence.words[: last + 1]):
        place = text.find(word, place)
        if position == first:
            start = place
        place += len(word)
    return folded.origin(start), folded.origin(place - 1) + 1


def plain_words(text: str) -> list[str]:
    """Return the words of a folded text, without sentences."""
    return [word for sentence in split_sentences(text) for word in sentence.words]
