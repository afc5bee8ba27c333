"""The linear model: weights of features, and how a sum of weights becomes a probability.

The ten weights of a feature (eight kinds, "asks for any right", "is a reminder") are packed into one whole number,
so that adding up a mail's features is one addition each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from inboxbot.sorting.features import GROUPS, Features, letter_groups
from inboxbot.sorting.kinds import RIGHTS, Kind

TARGETS = (*(kind.value for kind in RIGHTS), "any", "reminder")
KINDS, ANY, REMINDER = slice(0, len(RIGHTS)), len(RIGHTS), len(RIGHTS) + 1
UNIT = 1_000  # weights are whole thousandths
_BITS = 40
_OFFSET = 1 << 15  # makes every packed weight positive; weights beyond ±32 are cut
_FINE = 256  # a group's scale is a whole number of 1/256
_MASK = (1 << _BITS) - 1
_MEMO_LIMIT = 60_000

Scores = list[float]  # one for each of TARGETS, in log odds


def scale_of(scale: Sequence[float], count: int) -> float:
    """Return what a feature counts for when ``count`` of its group are there: less, the more there are."""
    whole: int = round(_FINE * scale[0] / max(count, 1) ** scale[1])
    return whole / _FINE


def _pack(weights: Sequence[int]) -> int:
    value = 0
    for place, weight in enumerate(weights):
        value |= (max(min(weight, _OFFSET - 1), -_OFFSET) + _OFFSET) << (_BITS * place)
    return value


def sigmoid(value: float) -> float:
    """Return the logistic function."""
    return 1.0 / (1.0 + math.exp(-max(min(value, 40.0), -40.0)))


class Letters(dict[str, tuple[int, int]]):
    """The packed weights of a word's letter groups, added up, and how many they are; worked out once a word."""

    def __init__(self, names: Sequence[str], packed: Sequence[int]) -> None:
        super().__init__()
        self._packed = dict(zip(names, packed, strict=True))

    def __missing__(self, word: str) -> tuple[int, int]:
        """Add up a word that was not met before."""
        if len(self) >= _MEMO_LIMIT:
            self.clear()
        found = [self._packed[group] for group in letter_groups(word) if group in self._packed]
        value = self[word] = (sum(found), len(found))
        return value


def evidence_for(target: int, whole: Sequence[float], best: Sequence[float]) -> tuple[float, float, float, float]:
    """Return what a probability is made of: the target's score of the mail and of its best sentence, and of "any".

    For "any" itself the second pair is the best kind's.
    """
    if target == ANY:
        return whole[ANY], best[ANY], max(whole[KINDS]), max(best[KINDS])
    return whole[target], best[target], whole[ANY], best[ANY]


@dataclass(frozen=True, slots=True)
class Rules:
    """How probabilities become a verdict; chosen in training from judgements of mails that were left out."""

    thresholds: tuple[float, ...]  # a kind is given from this probability on
    request: float  # from this probability of "asks for any right" on, the likeliest kind is given at least
    unsure_low: float  # ordinary mail with a higher probability of being a request is unsure
    unsure_high: float  # a request with a lower one is unsure
    reminder: float  # from this probability on a mail is a reminder


@dataclass(frozen=True, slots=True)
class Model:
    """The shipped weights. A feature's number is its place in its group plus the group's ``base``."""

    names: Mapping[str, tuple[str, ...]]
    scales: Mapping[str, tuple[float, float]]
    bias: tuple[float, ...]
    calibration: tuple[tuple[float, ...], ...]  # a row a target: four factors (`evidence_for`) and a bias
    rules: Rules
    packed: Mapping[str, tuple[int, ...]]
    base: Mapping[str, int]
    letters: Letters
    factors: Mapping[str, tuple[int, ...]]
    inputs: str  # digest of what it was trained from

    @classmethod
    def load(cls) -> Model:
        """Read the model that is shipped with the package."""
        text = resources.files("inboxbot.sorting").joinpath("model.json").read_text(encoding="utf-8")
        return cls.from_data(json.loads(text))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Model:
        """Build the model from the parsed ``model.json``."""
        names = {group: tuple(data["groups"][group]["names"]) for group in GROUPS}
        packed = {
            group: tuple(_pack(row) for row in zip(*data["groups"][group]["weights"], strict=True)) for group in GROUPS
        }
        base, total = {}, 0
        for group in GROUPS:
            base[group] = total
            total += len(names[group])
        rules = data["rules"]
        return cls(
            names=names,
            scales={group: tuple(data["groups"][group]["scale"]) for group in GROUPS},
            bias=tuple(data["bias"]),
            calibration=tuple(tuple(row) for row in data["calibration"]),
            rules=Rules(
                tuple(rules["thresholds"]),
                rules["request"],
                rules["unsure_low"],
                rules["unsure_high"],
                rules["reminder"],
            ),
            packed=packed,
            base=base,
            letters=Letters(names["g"], packed["g"]),
            factors={
                group: tuple(round(scale_of(data["groups"][group]["scale"], count) * _FINE) for count in range(400))
                for group in GROUPS
            },
            inputs=data["inputs"],
        )

    def scores(self, features: Features) -> Scores:
        """Add up the weights of a mail's or a sentence's features: log odds, not yet calibrated."""
        total = shift = 0
        for group, numbers in features.groups.items():
            count = len(numbers)
            if count:
                factor = self._factor(group, count)
                total += sum(map(self.packed[group].__getitem__, numbers)) * factor
                shift += count * factor
        letters = self.letters
        known = [letters[word] for word in features.words]
        count = sum(number for _, number in known)
        if count:
            factor = self._factor("g", count)
            total += sum(value for value, _ in known) * factor
            shift += count * factor
        shift *= _OFFSET
        unit = UNIT * _FINE
        scores = []
        for bias in self.bias:
            scores.append(bias + ((total & _MASK) - shift) / unit)
            total >>= _BITS
        return scores

    def _factor(self, group: str, count: int) -> int:
        """Return the scale of a group in 1/256."""
        table = self.factors[group]
        return table[count] if count < len(table) else round(scale_of(self.scales[group], count) * _FINE)

    def weight(self, group: str, number: int, target: int) -> float:
        """Return the weight of one feature for one target, before the group's scale."""
        return (((self.packed[group][number] >> (_BITS * target)) & _MASK) - _OFFSET) / UNIT

    def chance(self, target: int, whole: Sequence[float], best: Sequence[float]) -> float:
        """Return the calibrated probability of a target; ``whole`` scores the mail, ``best`` its best sentences."""
        factors = self.calibration[target]
        total = factors[4]
        for factor, value in zip(factors, evidence_for(target, whole, best), strict=False):
            total += factor * value
        return sigmoid(total)

    def probabilities(self, whole: Sequence[float], best: Sequence[float]) -> tuple[dict[Kind, float], float]:
        """Return calibrated probabilities: of each kind (``other`` too), and of any right being asked for."""
        asks = self.chance(ANY, whole, best)
        kinds = {kind: self.chance(place, whole, best) for place, kind in enumerate(RIGHTS)}
        kinds[Kind.OTHER] = 1.0 - asks
        return kinds, asks

    def reminds(self, whole: Sequence[float], best: Sequence[float]) -> bool:
        """Whether the mail reminds of an earlier request."""
        return self.chance(REMINDER, whole, best) >= self.rules.reminder

    def decide(self, kinds: Mapping[Kind, float], asks: float) -> tuple[tuple[Kind, ...], bool]:
        """Return the kinds to give and whether a person should look."""
        given = tuple(
            kind for kind, threshold in zip(RIGHTS, self.rules.thresholds, strict=True) if kinds[kind] >= threshold
        )
        if not given and asks >= self.rules.request:
            given = (max(RIGHTS, key=lambda kind: kinds[kind]),)
        if not given:
            return (Kind.OTHER,), asks >= self.rules.unsure_low
        return given, asks < self.rules.unsure_high

    def flat(self, features: Features) -> tuple[int, ...]:
        """Return the features of a mail (without its letters) as sorted numbers of the whole model."""
        return tuple(
            sorted([self.base[group] + number for group, numbers in features.groups.items() for number in numbers])
        )
