"""What one installation learns from the corrections of its staff: a small layer on top of the shipped model.

A correction holds no words, only numbers of features that the shipped model knows (and the scores it gave). The
layer is a few weights on such features and a bias for each kind, held close to zero; it is refitted from all
corrections each time, so that a correction that is purged is also unlearned. Everything here is pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inboxbot.errors import RefusedError
from inboxbot.sorting.evaluation import Figures, GoldMail, measure
from inboxbot.sorting.judge import Judge
from inboxbot.sorting.kinds import RIGHTS, Kind
from inboxbot.sorting.language import SMALL_WORDS
from inboxbot.sorting.model import ANY, TARGETS, Scores, sigmoid
from inboxbot.sorting.values import Verdict

ROUNDS = 120  # passes over the corrections
STEP = 1.0
HOLD = 0.003  # how strongly weights are drawn to zero each pass
MARGIN = 3.0  # log odds by which a corrected mail shall come out right
LARGEST = 8.0  # log odds that a kind's weights may add or take away in one mail
SHORTEST = 4  # letters of a word that a weight may stand on


@dataclass(frozen=True, slots=True)
class Correction:
    """A mail that staff relabelled: its features (`Verdict.features`), what was judged, what is right.

    ``scores`` are `Verdict.scores` of that judgement; without them the layer assumes that the judged kinds were
    given with little to spare.
    """

    features: tuple[int, ...]
    judged: tuple[Kind, ...]
    right: tuple[Kind, ...]
    scores: tuple[float, ...] = ()

    @classmethod
    def of(cls, verdict: Verdict, right: tuple[Kind, ...]) -> Correction:
        """Make the correction of a verdict."""
        return cls(verdict.features, verdict.kinds, right, verdict.scores)


@dataclass(frozen=True, slots=True)
class LocalLayer:
    """Weights to add: ``bias`` for each of `TARGETS`, and for some features a weight for each of them."""

    bias: tuple[float, ...] = (0.0,) * len(TARGETS)
    weights: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    learned_from: int = 0
    model: str = ""  # digest of the model the feature numbers belong to

    def apply(self, scores: Scores, features: Sequence[int]) -> Scores:
        """Return the scores of a mail with what was learned added to them."""
        added = list(self.bias)
        for number in features:
            row = self.weights.get(number)
            if row is not None:
                for place, weight in enumerate(row):
                    added[place] += weight
        bounded = [max(min(extra, LARGEST), -LARGEST) for extra in added]
        return Scores(
            *(
                [score + extra for score, extra in zip(row, bounded, strict=True)]
                for row in (scores.whole, scores.best, scores.deep)
            )
        )

    def to_json(self) -> str:
        """Return the layer as JSON text."""
        rows = {str(number): list(row) for number, row in sorted(self.weights.items())}
        data = {"bias": list(self.bias), "weights": rows, "learned_from": self.learned_from, "model": self.model}
        return json.dumps(data, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> LocalLayer:
        """Read `to_json`; ValueError when the text is something else."""
        data = json.loads(text)
        try:
            weights = {int(number): tuple(map(float, row)) for number, row in data["weights"].items()}
            layer = cls(tuple(map(float, data["bias"])), weights, int(data["learned_from"]), str(data["model"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a local layer") from error
        if {len(layer.bias), *map(len, weights.values())} != {len(TARGETS)}:
            raise ValueError("a local layer of another model")
        return layer


def _assumed(judged: Sequence[Kind]) -> list[float]:
    """Scores that would have led to the judged kinds, with little to spare."""
    asks = any(kind.is_right for kind in judged)
    rows = [1.0 if kind in judged else -1.5 for kind in RIGHTS]
    return [*rows, 1.0 if asks else -1.0, 0.0]


def learnable(judge: Judge) -> set[int]:
    """Return the features that a layer may use: words that say something.

    Weights on common meanings would change the verdict of every mail, those on rarer words only that of like ones.
    """
    base = judge.model.base["w"]
    return {
        base + place
        for place, word in enumerate(judge.model.names["w"])
        if len(word) >= SHORTEST and word not in SMALL_WORDS
    }


def fit(corrections: Sequence[Correction], judge: Judge) -> LocalLayer:
    """Fit a layer for a judge to all corrections."""
    seen = {number for item in corrections for number in item.features}
    used = seen & learnable(judge)
    bias = [0.0] * len(TARGETS)
    weights = {number: [0.0] * len(TARGETS) for number in sorted(used)}
    rows = [
        (
            sorted(set(item.features) & used),
            item.scores[: len(TARGETS)] or _assumed(item.judged),
            [float(kind in item.right) for kind in RIGHTS] + [float(any(kind.is_right for kind in item.right))],
        )
        for item in corrections
    ]
    for _ in range(ROUNDS):
        for features, scores, right in rows:
            share = STEP / max(len(features), 1) ** 0.5
            for target in range(ANY + 1):
                total = scores[target] + bias[target] + sum(weights[number][target] for number in features)
                error = right[target] - sigmoid(total - MARGIN * (2 * right[target] - 1))
                bias[target] += STEP * error * 0.02
                for number in features:
                    weights[number][target] += share * error
        bias = [value * (1.0 - HOLD) for value in bias]
        for row in weights.values():
            for target in range(ANY + 1):
                row[target] *= 1.0 - HOLD
    rounded = {number: tuple(round(value, 4) for value in row) for number, row in weights.items()}
    kept = {number: row for number, row in rounded.items() if any(abs(value) >= 0.002 for value in row)}
    return LocalLayer(tuple(round(value, 4) for value in bias), kept, len(corrections), judge.model.inputs)


@dataclass(frozen=True, slots=True)
class Learned:
    """The outcome of learning: the layer, and figures before and after on the shipped set and the corrections."""

    layer: LocalLayer
    before: Figures
    after: Figures
    corrections: int
    right_before: int
    right_after: int


def _right(judge: Judge, corrections: Sequence[Correction]) -> int:
    """How many corrections a judge now gets right (by the kept scores and features)."""
    right = 0
    for item in corrections:
        assumed = _assumed(item.judged)
        scores = Scores.of(item.scores if len(item.scores) == 3 * len(TARGETS) else assumed * 3)
        if judge.local is not None:
            scores = judge.local.apply(scores, item.features)
        kinds, _ = judge.model.decide(judge.model.chances(scores))
        right += set(kinds) == set(item.right)
    return right


def learn(judge: Judge, corrections: Sequence[Correction], shipped: Sequence[GoldMail]) -> Learned:
    """Refit the local layer from all corrections and measure it.

    Weaker and weaker layers are tried; one is taken when it gets more corrections right and the shipped evaluation
    set (``shipped``) no worse: no more requests missed, and at most 1 in 250 fewer exact sets. When none is,
    `RefusedError` is raised and nothing changes.
    """
    if not corrections:
        raise RefusedError("there is nothing to learn from", cure="relabel a mail first")
    plain = judge.with_local(None)
    before = measure(plain, shipped)
    right_before = _right(plain, corrections)
    full = fit(corrections, judge)
    for strength in (1.0, 0.5, 0.25):
        layer = LocalLayer(
            tuple(round(value * strength, 4) for value in full.bias),
            {number: tuple(round(value * strength, 4) for value in row) for number, row in full.weights.items()},
            full.learned_from,
            full.model,
        )
        candidate = judge.with_local(layer)
        after = measure(candidate, shipped)
        right_after = _right(candidate, corrections)
        worse = after.missed > before.missed or after.exact < before.exact - max(before.mails // 250, 1)
        if right_after > right_before and not worse:
            return Learned(layer, before, after, len(corrections), right_before, right_after)
    raise RefusedError(
        "the corrections would make the judge no better, or worse on the shipped mails",
        cure="nothing was changed; correct more mails and try again",
    )
