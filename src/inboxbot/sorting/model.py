"""The linear model: weights of features, and how a sum of weights becomes a probability.

The ten weights of a feature (eight kinds, "asks for any right", "is a reminder") are packed into one whole number, so that
adding up a mail's features is one addition each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from inboxbot.sorting.features import GROUPS
from inboxbot.sorting.kinds import RIGHTS, Kind

TARGETS = (*(kind.value for kind in RIGHTS), "any", "reminder")
KINDS, ANY, REMINDER = slice(0, len(RIGHTS)), len(RIGHTS), len(RIGHTS) + 1
UNIT = 1_000  # weights are whole thousandths
_BITS = 40
_OFFSET = 1 << 20  # makes every packed weight positive
_MASK = (1 << _BITS) - 1

Scores = list[float]  # one for each of TARGETS, in log odds


def scale_of(scale: Sequence[float], count: int) -> float:
    """What a feature counts for when ``count`` features of its group are there: less, the more there are."""
    return float(scale[0]) / float(max(count, 1)) ** float(scale[1])


def _pack(weights: Sequence[int]) -> int:
    value = 0
    for place, weight in enumerate(weights):
        value |= (weight + _OFFSET) << (_BITS * place)
    return value


def sigmoid(value: float) -> float:
    """The logistic function."""
    return 1.0 / (1.0 + math.exp(-max(min(value, 40.0), -40.0)))


def evidence_for(target: int, whole: Sequence[float], best: Sequence[float]) -> tuple[float, float, float, float]:
    """What a probability is made of: the target's score of the mail and of its best sentence, and those of "any".

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
            rules=Rules(tuple(rules["thresholds"]), rules["request"], rules["unsure_low"], rules["unsure_high"],
                rules["reminder"]),
            packed=packed,
            base=base,
            inputs=data["inputs"],
        )

    def scores(self, features: Mapping[str, set[int]]) -> Scores:
        """Add up the weights of a mail's features (by group): log odds, not yet calibrated."""
        totals = list(self.bias)
        for group, numbers in features.items():
            count = len(numbers)
            if not count:
                continue
            total = sum(map(self.packed[group].__getitem__, numbers))
            factor = scale_of(self.scales[group], count) / UNIT
            shift = count * _OFFSET
            for place in range(len(TARGETS)):
                totals[place] += factor * ((total & _MASK) - shift)
                total >>= _BITS
        return totals

    def weight(self, group: str, number: int, target: int) -> float:
        """The weight of one feature for one target, before the group's scale."""
        return (((self.packed[group][number] >> (_BITS * target)) & _MASK) - _OFFSET) / UNIT

    def chance(self, target: int, whole: Sequence[float], best: Sequence[float]) -> float:
        """The calibrated probability of a target; ``whole`` scores the mail, ``best`` its best sentences."""
        factors = self.calibration[target]
        total = factors[4]
        for factor, value in zip(factors, evidence_for(target, whole, best), strict=False):
            total += factor * value
        return sigmoid(total)

    def probabilities(self, whole: Sequence[float], best: Sequence[float]) -> tuple[dict[Kind, float], float]:
        """Calibrated probabilities: of each kind (``other`` too), and of any right being asked for."""
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

    def flat(self, features: Mapping[str, set[int]]) -> tuple[int, ...]:
        """The features of a mail as sorted numbers of the whole model."""
        return tuple(sorted(self.base[group] + number for group, numbers in features.items() for number in numbers))

    def grouped(self, flat: Sequence[int]) -> dict[str, set[int]]:
        """Undo `flat`; numbers that the model does not have are left out."""
        found: dict[str, set[int]] = {group: set() for group in GROUPS}
        for number in flat:
            for group in GROUPS:
                place = number - self.base[group]
                if 0 <= place < len(self.names[group]):
                    found[group].add(place)
                    break
        return found
