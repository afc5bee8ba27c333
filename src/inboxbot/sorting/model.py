"""The model: weights of features, and how sums of weights become probabilities.

Two layers of weights stand on the same features. The *plain* one (a logistic regression for each of `TARGETS`) scores a
mail and each of its sentences. The *deep* one scores the whole mail once more, through a few hidden units, and so sees
what features mean together. All weights of a feature are packed into one whole number, so that adding up a mail's
features is one addition each (`_core.pyx`, where it was built, adds them up natively).
"""

from __future__ import annotations

import functools
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from operator import add
from typing import Any

from inboxbot.sorting.features import Features, letter_groups
from inboxbot.sorting.index import GROUPS, MEANING_POWER, WORD_POWER
from inboxbot.sorting.kinds import RIGHTS, Kind
from inboxbot.sorting.packed import unpack_lanes, unpack_names
from inboxbot.sorting.vocabulary import LONGEST

TARGETS = (*(kind.value for kind in RIGHTS), "any", "reminder")
KINDS, ANY, REMINDER = slice(0, len(RIGHTS)), len(RIGHTS), len(RIGHTS) + 1
ZERO = 128  # the byte that stands for a weight of nothing
LANE = 24  # bits
ROOM = 1_200  # words (each of at most 46 rows) whose rows can be added, with all others, before a lane overflows
_MEMO_LIMIT = 50_000  # words remembered

Sums = list[float]  # one for each of TARGETS, in log odds, not yet calibrated


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model says of a mail: the plain layer of the whole and of its best sentence, and the deep layer."""

    whole: Sums
    best: Sums
    deep: Sums

    def flat(self) -> tuple[float, ...]:
        """Return all sums in one row."""
        return (*self.whole, *self.best, *self.deep)

    @classmethod
    def of(cls, row: Sequence[float]) -> Scores:
        """Read `flat`."""
        size = len(TARGETS)
        return cls(list(row[:size]), list(row[size : 2 * size]), list(row[2 * size :]))


def sigmoid(value: float) -> float:
    """Return the logistic function."""
    if -40.0 < value < 40.0:
        return 1.0 / (1.0 + math.exp(-value))
    return 0.0 if value < 0 else 1.0


def evidence_for(scores: Scores) -> tuple[list[list[float]], list[float]]:
    """Return what probabilities are made of: for each target a few sums, and for all of them every sum as a chance.

    A target's own sums are those of the mail, of its best sentence and of the deep layer, and the same three of "any"
    (for "any" itself: of the best kind).
    """
    rows = (scores.whole, scores.best, scores.deep)
    own = [[*(row[target] for row in rows), *(row[ANY] for row in rows)] for target in range(len(TARGETS))]
    own[ANY][3:] = [max(row[KINDS]) for row in rows]
    return own, list(map(sigmoid, chain(*rows)))


@dataclass(frozen=True, slots=True)
class Rules:
    """How probabilities become a verdict; chosen in training from judgements of mails that were left out."""

    thresholds: tuple[float, ...]  # a kind is given from this probability on
    request: float  # from this probability of "asks for any right" on, the likeliest kind is given at least
    unsure_low: float  # ordinary mail with a higher probability of being a request is unsure
    unsure_high: float  # a request with a lower one is unsure
    reminder: float  # from this probability on a mail is a reminder


class _Layer:
    """The weights of one layer: a row of bytes for each feature, and what a step of a byte is worth in each lane."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.steps: tuple[float, ...] = tuple(data["steps"])
        self.bias: tuple[float, ...] = tuple(data["bias"])
        self.size = len(self.steps)
        self.rows = unpack_lanes(data["lanes"], self.size)

    def row(self, number: int) -> bytes:
        """Return the bytes of a feature."""
        return self.rows[number * self.size : (number + 1) * self.size]

    def weight(self, number: int, lane: int) -> float:
        """Return one weight of a feature."""
        return (self.rows[number * self.size + lane] - ZERO) * self.steps[lane]

    def sums(self, words: Sequence[int], meanings: Sequence[int], word: float, meaning: float, rows: float) -> Sums:
        """Return each lane's sum; ``words`` and ``meanings`` are bytes added up, with their factors."""
        less = ZERO * rows
        return [
            bias + step * (one * word + other * meaning - less)
            for bias, step, one, other in zip(self.bias, self.steps, words, meanings, strict=True)
        ]


class _Packed:
    """The rows of both layers side by side, each packed into one whole number: adding features up is one sum.

    A weight has a lane of 24 bits (enough for `ROOM` words and all else that is added at once). First come the plain
    layer's lanes and one that holds a one, so that a sum also tells how many rows it is of; then the deep layer's.
    Half of a layer's lanes stand at even places and half at odd ones, so that they can be read as overlapping words of
    32 bits.
    """

    def __init__(self, plain: _Layer, deep: _Layer) -> None:
        near, far = plain.size + 1, deep.size
        self._near, self._far = _Lanes(near), _Lanes(far)
        self._shift = LANE * near
        self.rows = [
            self._near.pack(plain.row(number) + b"\x01") | self._far.pack(deep.row(number)) << self._shift
            for number in range(len(plain.rows) // plain.size)
        ]

    def near(self, total: int) -> list[int]:
        """Return the plain layer's lanes of a sum, and how many rows it is of."""
        return self._near.read(total)

    def both(self, total: int) -> list[int]:
        """Return the same, and the deep layer's lanes behind it."""
        return self._near.read(total) + self._far.read(total >> self._shift)


class _Lanes:
    """Lanes of 24 bits, the first half of them at even places."""

    def __init__(self, count: int) -> None:
        self._half = (count + 1) // 2
        self._even = struct.Struct("<" + "2x".join("I" * self._half)).unpack_from
        self._odd = struct.Struct("<" + "2x".join("I" * (count - self._half))).unpack_from
        self._size = LANE // 8 * (count + 2)  # two lanes more than there are: the words overlap
        self._mask = (1 << LANE * count) - 1

    def pack(self, values: bytes) -> int:
        """Return one number that holds these bytes, each in its lane."""
        spread = bytearray(self._size)
        spread[0 : 6 * self._half : 6] = values[: self._half]
        spread[3 : 3 + 6 * (len(values) - self._half) : 6] = values[self._half :]
        return int.from_bytes(spread, "little")

    def read(self, total: int) -> list[int]:
        """Return the lanes of a number."""
        found = (total & self._mask).to_bytes(self._size, "little")
        return [value & 0xFFFFFF for value in self._even(found) + self._odd(found, 3)]


class _Words(dict[str, int]):
    """The packed rows of a word and of its letter groups added up, each reckoned the first time it is met."""

    def __init__(self, numbers: Mapping[str, int], letters: Mapping[str, int], rows: Sequence[int]) -> None:
        super().__init__()
        self._numbers = numbers
        self._letters = letters
        self._rows = rows

    def __missing__(self, word: str) -> int:
        """Add up a word that was not met before."""
        found = [number for number in map(self._letters.get, letter_groups(word)) if number is not None]
        if word in self._numbers:
            found.append(self._numbers[word])
        value = sum(map(self._rows.__getitem__, found))
        if len(word) <= LONGEST:
            if len(self) >= _MEMO_LIMIT:
                self.clear()
            self[word] = value
        return value


class Model:
    """The shipped weights. A feature's number is its place in its group, behind the groups before it in `GROUPS`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.names: dict[str, tuple[str, ...]] = {group: unpack_names(data["names"][group]) for group in GROUPS}
        self.base: dict[str, int] = {}
        total = 0
        for group in GROUPS:
            self.base[group] = total
            total += len(self.names[group])
        self.plain = _Layer(data["plain"])
        self.deep = _Layer(data["deep"])
        self.out: tuple[tuple[float, ...], ...] = tuple(tuple(row) for row in data["out"])  # a row a hidden unit
        self.calibration: tuple[tuple[float, ...], ...] = tuple(tuple(row) for row in data["calibration"])
        rules = dict(data["rules"])
        self.rules = Rules(tuple(rules.pop("thresholds")), **rules)
        self.inputs: str = data["inputs"]  # digest of what it was trained from
        self._numbers = {name: number for number, name in enumerate(self.names["w"], self.base["w"])}
        self._word_factors = [1.0 / max(count, 1) ** WORD_POWER for count in range(2_000)]
        self._meaning_factors = [1.0 / max(count, 1) ** MEANING_POWER for count in range(256)]

    @functools.cached_property
    def _packed(self) -> _Packed:
        return _Packed(self.plain, self.deep)

    @functools.cached_property
    def _words(self) -> _Words:
        letters = {name: number for number, name in enumerate(self.names["g"], self.base["g"])}
        return _Words(self._numbers, letters, self._packed.rows)

    @classmethod
    def load(cls) -> Model:
        """Read the model that is shipped with the package."""
        text = resources.files("inboxbot.sorting").joinpath("model.json").read_text(encoding="utf-8")
        return cls(json.loads(text))

    def _factors(self, features: Features) -> tuple[float, float]:
        """Return what a feature of words and a feature of meaning count for."""
        count = len(features.words)
        word = self._word_factors[count] if count < len(self._word_factors) else 1.0 / count**WORD_POWER
        return word, self._meaning_factors[features.meanings]

    def _lanes(self, features: Features, read: Callable[[int], list[int]]) -> tuple[list[int], list[int]]:
        """Return the lanes of the rows of words and of two words in a row added up, and those of meanings."""
        row = self._packed.rows.__getitem__
        words = list(map(self._words.__getitem__, features.words))
        lanes = read(sum(words[:ROOM]) + sum(map(row, features.bigrams)))
        for start in range(ROOM, len(words), ROOM):
            lanes = list(map(add, lanes, read(sum(words[start : start + ROOM]))))
        return lanes, read(sum(map(row, features.meant)))

    def score(self, features: Features) -> Sums:
        """Return the plain layer's sums of a sentence."""
        words, meanings = self._lanes(features, self._packed.near)
        word, meaning = self._factors(features)
        rows = words.pop() * word + meanings.pop() * meaning
        return self.plain.sums(words, meanings, word, meaning, rows)

    def scores(self, features: Features, sentences: Sequence[Sums | None]) -> Scores:
        """Return the scores of a mail whose sentences were scored."""
        words, meanings = self._lanes(features, self._packed.both)
        word, meaning = self._factors(features)
        near = self.plain.size
        rows = words[near] * word + meanings[near] * meaning
        whole = self.plain.sums(words[:near], meanings[:near], word, meaning, rows)
        lanes = self.deep.sums(words[near + 1 :], meanings[near + 1 :], word, meaning, rows)
        deep = lanes[: len(TARGETS)]
        for value, row in zip(lanes[len(TARGETS) :], self.out, strict=True):
            if value > 0.0:
                deep = [total + value * factor for total, factor in zip(deep, row, strict=True)]
        best = [max(column) for column in zip(*filter(None, sentences), strict=True)] or whole
        return Scores(whole, best, deep)

    def weights(self, target: int) -> Callable[[int | None], float]:
        """Return what gives the plain layer's weight for a target of a feature's number (None: unknown)."""
        rows, size, step = self.plain.rows, self.plain.size, self.plain.steps[target]

        def weight(number: int | None) -> float:
            return 0.0 if number is None else (rows[number * size + target] - ZERO) * step

        return weight

    def word_weight(self, word: str, target: int) -> float:
        """Return the plain layer's weight of a word for a target."""
        return self.plain.weight(self._numbers[word], target) if word in self._numbers else 0.0

    def chances(self, scores: Scores) -> list[float]:
        """Return the calibrated probability of each target."""
        own, common = evidence_for(scores)
        found = []
        for sums, factors in zip(own, self.calibration, strict=True):
            total = factors[-1]
            for factor, value in zip(factors, (*sums, *common), strict=False):  # one by one: `sum` differs by version
                total += factor * value
            found.append(sigmoid(total))
        return found

    def decide(self, chances: Sequence[float]) -> tuple[tuple[Kind, ...], bool]:
        """Return the kinds to give and whether a person should look."""
        asks = chances[ANY]
        given = tuple(
            kind for kind, chance, least in zip(RIGHTS, chances, self.rules.thresholds, strict=False) if chance >= least
        )
        if not given and asks >= self.rules.request:  # a right, but which?
            return (max(RIGHTS, key=lambda kind: chances[RIGHTS.index(kind)]),), True
        if not given:
            return (Kind.OTHER,), asks >= self.rules.unsure_low
        return given, asks < self.rules.unsure_high

    def flat(self, features: Features) -> tuple[int, ...]:
        """Return the words of a mail that the model knows, as sorted numbers (what `learning` may keep)."""
        numbers = self._numbers
        return tuple(sorted(map(numbers.__getitem__, features.words & numbers.keys())))
