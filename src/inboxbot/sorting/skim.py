"""Telling words in the part of a very long mail that the model does not look at."""

from __future__ import annotations

from collections.abc import Sequence

import ahocorasick

from inboxbot.sorting.fold import fold
from inboxbot.sorting.vocabulary import Vocabulary

_TELLING = ("pdata", "gdpr", "unsub", "erase")
_SHORTEST = 7  # letters: shorter words occur in any long text


class Skimmer:
    """Looks for the longer phrases of the telling meanings, folded or not, anywhere in a text, in one pass."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._automaton: ahocorasick.Automaton | None = None

    def _build(self) -> ahocorasick.Automaton:
        automaton = ahocorasick.Automaton()
        for name in _TELLING:
            for phrase in self._vocabulary.phrases(name):
                plain = phrase.rstrip("*")
                if len(plain) >= _SHORTEST and "_" not in plain and "*" not in plain:
                    for form in (plain.lower(), fold(plain).text):
                        automaton.add_word(form, len(form))
        automaton.make_automaton()
        return automaton

    def finds(self, text: str, stretches: Sequence[tuple[int, int]]) -> bool:
        """Whether a telling phrase begins a word in one of the stretches."""
        if self._automaton is None:
            self._automaton = self._build()
        for start, end in stretches:
            part = text[start:end].lower()
            for last, length in self._automaton.iter(part):
                before = last - length
                if before < 0 or not part[before].isalnum():
                    return True
        return False
