"""The numbers of features: an index that grows in training, and one that is fixed for judging.

Features come in groups, named by the first letter of their names:

``w`` word · ``g`` four or five letters in a row (once for each word they are in) · ``b`` two words in a row ·
``c`` meaning · ``s`` meaning in the subject · ``q`` meaning in quoted or closing words · ``p`` two meanings in one
sentence · ``o`` a meaning close behind another · ``k`` a meaning and a word next to it (``har<erase``,
``erase>ordern``: who does what to what) · ``m`` a meaning in a question, or that opens a sentence · ``a`` article of
the regulation · ``z`` shape of the mail · ``r`` a whole wish (concepts ``ask_…``)

A feature's number is unique among all groups.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inboxbot.sorting.vocabulary import Vocabulary

GROUPS = "wgbcsqpokmazr"
WORD_POWER = 0.3  # features of words are divided by this power of how many words there are, …
MEANING_POWER = 0.4  # … those of meaning by this power of how many meanings


class Growing(dict[Any, int]):
    """Numbers every key it is asked for (training); ``names`` holds the group and the name of every number."""

    def __init__(self, names: list[tuple[str, str]], group: str, name: Callable[[Any], str] = str) -> None:
        super().__init__()
        self._names = names
        self._group = group
        self._name = name

    def __missing__(self, key: Any) -> int:
        """Give the key the next number."""
        number = self[key] = len(self._names)
        self._names.append((self._group, self._name(key)))
        return number

    def get(self, key: Any, default: Any = None) -> Any:  # noqa: ARG002  a key is never missing
        """Return the key's number, a new one the first time."""
        return self[key]


class Index:
    """The numbers of features, found by what they are made of. ``get`` of every table gives a number or None.

    Two words are found by both, meanings by their numbers in the vocabulary, two meanings by ``first << 8 | second``.
    """

    def __init__(self, vocabulary: Vocabulary, table: Callable[[str, Callable[[Any], str]], dict[Any, int]]) -> None:
        names = vocabulary.concepts
        self.vocabulary = vocabulary
        self.words = table("w", str)
        self.letters = table("g", str)
        self.bigrams = table("b", " ".join)
        self.shape = table("z", str)
        self.articles = table("a", str)
        self.concepts, self.titles, self.context, self.wishes = (
            table(group, names.__getitem__) for group in ("c", "s", "q", "r")
        )
        self.pairs = table("p", lambda key: f"{names[key >> 8]}&{names[key & 255]}")
        self.followed = table("o", lambda key: f"{names[key >> 8]}>{names[key & 255]}")
        self.before = [table("k", f"{{}}<{name}".format) for name in names]
        self.behind = [table("k", f"{name}>{{}}".format) for name in names]
        self.asked = table("m", lambda concept: f"?{names[concept]}")
        self.opening = table("m", lambda concept: f"^{names[concept]}")

    @classmethod
    def growing(cls, vocabulary: Vocabulary, names: list[tuple[str, str]]) -> Index:
        """Make an index that takes in every feature it sees, and appends its group and name to ``names``."""
        return cls(vocabulary, lambda group, name: Growing(names, group, name))

    @classmethod
    def fixed(cls, vocabulary: Vocabulary, names: Mapping[str, Sequence[str]]) -> Index:
        """Make an index of exactly these names, for judging: each is numbered by its place, in the order of `GROUPS`.

        Words and groups of letters are left out: `Model` adds them up itself.
        """
        index = cls(vocabulary, lambda group, name: {})  # noqa: ARG005
        start = 0
        for group in GROUPS:
            for number, name in enumerate(names[group] if group in GROUPS[2:] else (), start):
                index._enter(group, name, number)
            start += len(names[group])
        return index

    def _enter(self, group: str, name: str, number: int) -> None:
        """Give a feature its number in the table of its group."""
        concept = self.vocabulary.number
        plain = {"z": self.shape, "a": self.articles}.get(group)
        meant = {"c": self.concepts, "s": self.titles, "q": self.context, "r": self.wishes}.get(group)
        if plain is not None:
            plain[name] = number
        elif meant is not None:
            meant[concept(name)] = number
        elif group == "b":
            first, _, second = name.partition(" ")
            self.bigrams[sys.intern(first), sys.intern(second)] = number
        elif group in "po":
            first, _, second = name.partition("&" if group == "p" else ">")
            (self.pairs if group == "p" else self.followed)[concept(first) << 8 | concept(second)] = number
        elif group == "m":
            (self.asked if name[0] == "?" else self.opening)[concept(name[1:])] = number
        elif "<" in name:
            word, _, meaning = name.partition("<")
            self.before[concept(meaning)][sys.intern(word)] = number
        else:
            meaning, _, word = name.partition(">")
            self.behind[concept(meaning)][sys.intern(word)] = number
