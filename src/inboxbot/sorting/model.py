"""The model: weights of features, and how sums of weights become probabilities.

Two layers of weights stand on the same features. The *plain* one (a logistic regression for each of `TARGETS`) scores a
mail and each of its sentences. The *deep* one scores the whole mail once more, through a few hidden units, and so sees
what features mean together. All weights of a feature are packed into one whole number, so that adding up a mail's
features is one addition each.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from inboxbot.sorting.features import Features, letter_groups
from inboxbot.sorting.index import GROUPS, MEANING_POWER, WORD_POWER
from inboxbot.sorting.kinds import RIGHTS, Kind

TARGETS = (*(kind.value for kind in RIGHTS), "any", "reminder")
KINDS, ANY, REMINDER = slice(0, len(RIGHTS)), len(RIGHTS), len(RIGHTS) + 1
ZERO = 128  # the byte that stands for a weight of nothing
_MEMO_LIMIT = 60_000

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
    return 1.0 / (1.0 + math.exp(-max(min(value, 40.0), -40.0)))


def evidence_for(scores: Scores) -> tuple[list[list[float]], list[float]]:
    """Return what probabilities are made of: for each target a few sums, and for all of them every sum as a chance.

    A target's own sums are those of the mail, of its best sentence and of the deep layer, and the same three of "any"
    (for "any" itself: of the best kind).
    """
    rows = (scores.whole, scores.best, scores.deep)
    own = [[*(row[target] for row in rows), *(row[ANY] for row in rows)] for target in range(len(TARGETS))]
    own[ANY][3:] = [max(row[KINDS]) for row in rows]
    return own, [sigmoid(value) for row in rows for value in row]


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
        self.rows = base64.b64decode(data["rows"])
        self.lanes = struct.Struct(f"<{self.size}I")

    def pack(self) -> list[int]:
        """Return each row as a whole number with 32 bits for each weight."""
        size, rows = self.size, self.rows
        found = []
        for start in range(0, len(rows), size):
            wide = bytearray(4 * size)
            wide[::4] = rows[start : start + size]
            found.append(int.from_bytes(wide, "little"))
        return found

    def weight(self, number: int, lane: int) -> float:
        """Return one weight of a feature."""
        return (self.rows[number * self.size + lane] - ZERO) * self.steps[lane]

    def sums(self, of_words: tuple[int, int, float], of_meanings: tuple[int, int, float]) -> Sums:
        """Return each lane's sum; both arguments are packed rows added up, how many, and what each counts for."""
        total, count, factor = of_words
        other, others, times = of_meanings
        read, width = self.lanes.unpack, 4 * self.size
        less = ZERO * (count * factor + others * times)
        return [
            bias + step * (one * factor + two * times - less)
            for bias, step, one, two in zip(
                self.bias,
                self.steps,
                read(total.to_bytes(width, "little")),
                read(other.to_bytes(width, "little")),
                strict=True,
            )
        ]


class _Words(dict[str, tuple[int, int, int]]):
    """The packed rows of a word and its letter groups added up, of both layers, and how many they are."""

    def __init__(
        self, numbers: Mapping[str, int], letters: Mapping[str, int], plain: Sequence[int], deep: Sequence[int]
    ) -> None:
        super().__init__()
        self.numbers = numbers
        self._letters = letters
        self._plain = plain
        self._deep = deep

    def __missing__(self, word: str) -> tuple[int, int, int]:
        """Add up a word that was not met before."""
        if len(self) >= _MEMO_LIMIT:
            self.clear()
        found = [number for number in map(self._letters.get, letter_groups(word)) if number is not None]
        if word in self.numbers:
            found.append(self.numbers[word])
        value = self[word] = (
            sum(map(self._plain.__getitem__, found)),
            sum(map(self._deep.__getitem__, found)),
            len(found),
        )
        return value


class Model:
    """The shipped weights. A feature's number is its place in its group, behind the groups before it in `GROUPS`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.names: dict[str, tuple[str, ...]] = {group: tuple(data["names"][group]) for group in GROUPS}
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
        self._packed = (self.plain.pack(), self.deep.pack())
        self._words = _Words(
            {name: number for number, name in enumerate(self.names["w"], self.base["w"])},
            {name: number for number, name in enumerate(self.names["g"], self.base["g"])},
            *self._packed,
        )
        self._word_factors = [1.0 / max(count, 1) ** WORD_POWER for count in range(2_000)]
        self._meaning_factors = [1.0 / max(count, 1) ** MEANING_POWER for count in range(256)]

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

    def score(self, features: Features) -> Sums:
        """Return the plain layer's sums of a sentence."""
        packed = self._packed[0].__getitem__
        word, meaning = self._factors(features)
        rows = list(map(self._words.__getitem__, features.words))
        total = sum([row[0] for row in rows]) + sum(map(packed, features.bigrams))
        count = sum([row[2] for row in rows]) + len(features.bigrams)
        other = sum(map(packed, features.meant))
        return self.plain.sums((total, count, word), (other, len(features.meant), meaning))

    def scores(self, features: Features, sentences: Sequence[Sums | None]) -> Scores:
        """Return the scores of a mail whose sentences were scored."""
        word, meaning = self._factors(features)
        rows = list(map(self._words.__getitem__, features.words))
        count = sum([row[2] for row in rows]) + len(features.bigrams)
        sums: list[Sums] = []
        for layer, place in ((self.plain, 0), (self.deep, 1)):
            packed = self._packed[place].__getitem__
            total = sum([row[place] for row in rows]) + sum(map(packed, features.bigrams))
            other = sum(map(packed, features.meant))
            sums.append(layer.sums((total, count, word), (other, len(features.meant), meaning)))
        whole, lanes = sums
        deep = lanes[: len(TARGETS)]
        for value, row in zip(lanes[len(TARGETS) :], self.out, strict=True):
            if value > 0.0:
                deep = [total + value * factor for total, factor in zip(deep, row, strict=True)]
        best = [max(column) for column in zip(*filter(None, sentences), strict=True)] or whole
        return Scores(whole, best, deep)

    def chances(self, scores: Scores) -> list[float]:
        """Return the calibrated probability of each target."""
        own, common = evidence_for(scores)
        found = []
        for sums, factors in zip(own, self.calibration, strict=True):
            total = factors[-1]
            for factor, value in zip(factors, (*sums, *common), strict=False):
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
        numbers = self._words.numbers
        return tuple(sorted([numbers[word] for word in features.words if word in numbers]))
