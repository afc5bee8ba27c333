"""Train the judge: ``python -m training.train`` writes ``src/inboxbot/sorting/model.json``.

Twice the same inputs give the same bytes (`training.fitting`); weights are rounded to bytes. What probabilities mean
and where "unsure" begins is chosen from judgements of mails whose author batch was left out of training.
"""

from __future__ import annotations

import json
import string
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression

from inboxbot.reading.segments import segment
from inboxbot.sorting.features import Features, features_of, letter_groups, note_meanings, read_mail
from inboxbot.sorting.index import GROUPS, MEANING_POWER, WORD_POWER, Index
from inboxbot.sorting.model import (
    ANY,
    KINDS,
    REMINDER,
    TARGETS,
    ZERO,
    Scores,
    evidence_for,
)
from inboxbot.sorting.packed import pack_lanes, pack_names
from inboxbot.sorting.vocabulary import Vocabulary
from training.corpus import SORTING, Example, digest_of_inputs, read_lines, read_mails
from training.fitting import Bools, Deep, Floats, Plain, fit_deep, fit_plain

# What a feature of each group counts for, before it is divided by a power of their number; and the mails it must be in.
SCALES = {"w": 0.4, "g": 0.31, "b": 0.35, "c": 1.1, "s": 0.5, "q": 0.3, "p": 0.45, "o": 0.6, "k": 0.35, "m": 0.5}
SCALES |= {"a": 0.8, "z": 0.5, "r": 1.0}
LEAST = {"w": 4, "g": 30, "b": 9, "c": 2, "s": 2, "q": 3, "p": 5, "o": 5, "k": 10, "m": 3, "a": 1, "z": 2, "r": 1}
MAIL_WEIGHT = 3.0  # a whole mail counts as much as so many single wishes
PRUNE = 3  # features none of whose bytes is further from nothing are left out
# Author batches that are left out together: the letters before the number name the writer. Two wrote one side each
# (requests, ordinary mail) and one the languages with few mails, so that these three are left out half and half. The
# others are left out some at a time, about a tenth of all mails.
HALVED = ("a", "b", "d")
TOGETHER = (
    ("c", "f", "q"),
    ("e", "g", "r"),
    ("h", "l", "s"),
    ("k", "m", "t", "u"),
    ("i", "v"),
    ("j", "w"),
    ("o", "p", "xa"),
    ("xb", "xc", "xd", "xe"),
    ("xf", "xg", "xh", "xi"),
    ("xj", "xk", "xl", "xm"),
    ("ya", "yb", "yc", "yd", "ye"),
)
# A missed request is worse than a look too many. Shares that may be unsure:
UNSURE_ORDINARY = 0.08  # ordinary mail rightly left alone, …
UNSURE_FALSE = 0.02  # … ordinary mail taken for a request, …
UNSURE_REQUEST = 0.115  # … and requests


@dataclass(slots=True)
class Data:
    """Features of all examples and their sentences, as matrices (a column a feature), and gold answers."""

    names: list[tuple[str, str]]  # group and name of each column
    mails: csr_matrix
    sentences: csr_matrix
    owner: npt.NDArray[np.int64]  # the example of each sentence
    answers: Bools  # a column for each of TARGETS


def _rows(features: Sequence[Features], index: Index) -> csr_matrix:
    """Return scaled features, a row each; letter groups count once for each word they are in."""
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    for item in features:
        word = max(len(item.words), 1) ** -WORD_POWER
        meaning = max(item.meanings, 1) ** -MEANING_POWER
        numbers: list[int] = []
        for text in sorted(item.words):
            numbers.append(index.words[text])
            numbers += [index.letters[letters] for letters in sorted(letter_groups(text))]
        numbers += sorted(item.bigrams)
        values += [word] * len(numbers) + [meaning] * len(item.meant)
        indices += numbers + sorted(item.meant)
        ends.append(len(indices))
    width = max(indices, default=-1) + 1
    rows = csr_matrix(
        (np.array(values), np.array(indices, dtype=np.int64), np.array(ends)), shape=(len(features), width)
    )
    rows.sum_duplicates()
    return rows


def extract(examples: Sequence[Example]) -> Data:
    """Read all examples with an index that grows."""
    vocabulary = Vocabulary.load()
    names: list[tuple[str, str]] = []
    index = Index.growing(vocabulary, names)
    readings = [read_mail(item.subject, item.body, segment(item.body)) for item in examples]
    for reading in readings:
        note_meanings(reading, vocabulary)
    found = [features_of(reading, index) for reading in readings]
    mails = _rows([whole for whole, _, _ in found], index)
    parts = [(place, part) for place, (_, parts, _) in enumerate(found) for part in parts if part is not None]
    sentences = _rows([part for _, part in parts], index)
    mails.resize(mails.shape[0], len(names))
    sentences.resize(sentences.shape[0], len(names))
    scale = diags([SCALES[group] for group, _ in names])
    answers = np.array(
        [
            [target in item.labels for target in TARGETS[KINDS]] + ["other" not in item.labels, item.reminder]
            for item in examples
        ]
    )
    owner = np.array([place for place, _ in parts], dtype=np.int64)
    return Data(names, csr_matrix(mails @ scale), csr_matrix(sentences @ scale), owner, answers)


def choose(data: Data, rows: Sequence[int]) -> npt.NDArray[np.int64]:
    """Which features are used: those in enough of the examples ``rows``, in the order of their groups and names."""
    counts = np.asarray((data.mails[rows] != 0).sum(axis=0)).ravel()
    order = {group: place for place, group in enumerate(GROUPS)}
    kept = [column for column, (group, _) in enumerate(data.names) if counts[column] >= LEAST[group]]
    return np.array(
        sorted(kept, key=lambda column: (order[data.names[column][0]], data.names[column][1])), dtype=np.int64
    )


def fit(data: Data, rows: Sequence[int], columns: npt.NDArray[np.int64], mails: int) -> tuple[Plain, Deep]:
    """Fit both layers to the examples ``rows``; those numbered below ``mails`` are whole mails."""
    features = data.mails[rows][:, columns]
    importance = np.where(np.array(rows) < mails, MAIL_WEIGHT, 1.0)
    answers = data.answers[rows]
    return fit_plain(features, answers, importance), fit_deep(features, answers, importance)


def score(data: Data, rows: Sequence[int], columns: npt.NDArray[np.int64], plain: Plain, deep: Deep) -> Floats:
    """Return the sums of mails, side by side: of the plain layer, of its best sentence, and of the deep layer."""
    features = data.mails[rows][:, columns]
    whole = plain.score(features)
    place = np.full(data.mails.shape[0], -1)
    place[rows] = np.arange(len(rows))
    held = place[data.owner] >= 0
    single = plain.score(data.sentences[np.flatnonzero(held)][:, columns])
    best = np.full_like(whole, -np.inf)
    np.maximum.at(best, place[data.owner[held]], single)
    return np.hstack([whole, np.where(np.isinf(best), whole, best), deep.score(features)])


def folds_of(batches: Sequence[str]) -> list[str]:
    """Name for each batch the fold in which it is left out; single wishes are in none (``""``)."""
    groups = {writer: " ".join(group) for group in TOGETHER for writer in group}
    names = []
    for batch in batches:
        writer = batch.rstrip(string.digits)
        if batch.startswith("lines"):
            names.append("")
        elif writer in HALVED:
            names.append(f"half {int(batch[len(writer) :]) % 2}")
        else:
            names.append(groups.get(writer, writer))
    return names


def left_out_scores(data: Data, examples: Sequence[Example], measured: int) -> Floats:
    """Return sums of the first ``measured`` examples, each from a model that never saw a mail of its fold."""
    folds = np.array(folds_of([item.batch for item in examples]))
    scores = np.zeros((measured, 3 * len(TARGETS)))
    for fold in sorted(set(folds[:measured])):
        training = np.flatnonzero(folds != fold).tolist()
        testing = np.flatnonzero(folds[:measured] == fold).tolist()
        columns = choose(data, training)
        scores[testing] = score(data, testing, columns, *fit(data, training, columns, measured))
    return scores


def _inputs(scores: Floats) -> list[Floats]:
    """Return what the probability of each target is made of, a row a mail (`model.evidence_for`)."""
    rows = [evidence_for(Scores.of(row.tolist())) for row in scores]
    return [np.array([[*own[target], *common] for own, common in rows]) for target in range(len(TARGETS))]


def calibrate(scores: Floats, answers: Bools) -> list[list[float]]:
    """Return what scores mean: factors and a bias for each target."""
    rows = []
    for target, inputs in enumerate(_inputs(scores)):
        model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-6, max_iter=200)
        model.fit(inputs, answers[:, target])
        rows.append([round(float(value), 4) for value in (*model.coef_[0], model.intercept_[0])])
    return rows


def probabilities(scores: Floats, calibration: Sequence[Sequence[float]]) -> Floats:
    """Calibrated probabilities, a column a target."""
    columns = []
    for inputs, factors in zip(_inputs(scores), calibration, strict=True):
        columns.append(1.0 / (1.0 + np.exp(-(inputs @ np.array(factors[:-1]) + factors[-1]))))
    return np.column_stack(columns)


def left_out_chances(scores: Floats, answers: Bools, examples: Sequence[Example]) -> Floats:
    """Return probabilities of mails, each by a calibration that never saw a mail of its fold."""
    folds = np.array(folds_of([item.batch for item in examples[: len(scores)]]))
    chances = np.zeros((len(scores), len(TARGETS)))
    for fold in sorted(set(folds)):
        chances[folds == fold] = probabilities(
            scores[folds == fold], calibrate(scores[folds != fold], answers[folds != fold])
        )
    return chances


def choose_rules(chances: Floats, answers: Bools) -> dict[str, Any]:
    """Thresholds: of each kind by its best F1, of "any" by exact sets, of unsure by the shares that may be unsure."""
    grid = np.arange(0.46, 0.64, 0.02)
    thresholds = []
    for column in (*range(ANY), REMINDER):
        gold = answers[:, column]
        given = chances[:, column][:, None] >= grid
        hits = (given & gold[:, None]).sum(axis=0)
        # A little smoothing keeps rare kinds from an extreme choice.
        f1 = 2 * hits / (given.sum(axis=0) + gold.sum()) - 0.05 * np.abs(grid - 0.54)
        thresholds.append(round(float(grid[int(np.argmax(f1))]), 2))
    reminder = thresholds.pop()
    kinds = chances[:, KINDS] >= np.array(thresholds)
    asks = chances[:, ANY]
    best_request, best_share = 0.5, -1.0
    for request in np.arange(0.44, 0.55, 0.02):
        guess = kinds.copy()
        empty = ~guess.any(axis=1) & (asks >= request)
        guess[empty, chances[empty, KINDS].argmax(axis=1)] = True
        share = float((guess == answers[:, KINDS]).all(axis=1).mean())
        if share > best_share + 1e-9:
            best_request, best_share = round(float(request), 2), share
    given_any = kinds.any(axis=1) | (asks >= best_request)
    ordinary, requests = ~answers[:, ANY], answers[:, ANY]
    low = np.sort(asks[ordinary & ~given_any])[::-1]
    room = int(UNSURE_ORDINARY * ordinary.sum())
    unsure_low = float(low[min(room, len(low) - 1)])
    high = np.sort(asks[requests & given_any])
    room = int(UNSURE_REQUEST * requests.sum()) - int((asks[requests & ~given_any] >= unsure_low).sum())
    unsure_high = float(high[min(max(room, 0), len(high) - 1)])
    false = np.sort(asks[ordinary & given_any])
    if len(false):
        unsure_high = min(unsure_high, float(false[min(int(UNSURE_FALSE * ordinary.sum()), len(false) - 1)]))
    return {
        "thresholds": thresholds,
        "request": best_request,
        "unsure_low": round(unsure_low, 4),
        "unsure_high": round(unsure_high, 4),
        "reminder": reminder,
    }


def given(chances: Floats, rules: Mapping[str, Any]) -> Bools:
    """Return the kinds that are given (`model.decide`)."""
    kinds = chances[:, KINDS] >= np.array(rules["thresholds"])
    empty = ~kinds.any(axis=1) & (chances[:, ANY] >= rules["request"])
    kinds[empty, chances[empty, KINDS].argmax(axis=1)] = True
    return kinds


def _bytes(weights: Floats) -> tuple[npt.NDArray[np.uint8], list[float]]:
    """Round weights (features × lanes) to bytes, and return what a step is worth in each lane."""
    steps = [float(f"{value:.3g}") for value in np.maximum(np.abs(weights).max(axis=0), 1e-6) / (ZERO - 1)]
    return (np.clip(np.rint(weights / steps), 1 - ZERO, ZERO - 1) + ZERO).astype(np.uint8), steps


def _layer(rows: npt.NDArray[np.uint8], steps: Sequence[float], bias: Floats) -> dict[str, object]:
    lanes = pack_lanes(rows.tobytes(), rows.shape[1])
    return {"lanes": lanes, "steps": steps, "bias": [round(float(value), 4) for value in bias]}


def write(data: Data, columns: npt.NDArray[np.int64], plain: Plain, deep: Deep) -> dict[str, object]:
    """Return the weights as `Model` reads them; what a feature of a group counts for is part of them."""
    scale = np.array([SCALES[data.names[column][0]] for column in columns])[:, None]
    flat, flat_steps = _bytes(plain.weights * scale)
    wide, wide_steps = _bytes(deep.weights * scale)
    side_by_side = np.hstack([flat, wide]).astype(int) - ZERO
    kept = np.flatnonzero(np.abs(side_by_side).max(axis=1) > PRUNE)
    names: dict[str, list[str]] = {group: [] for group in GROUPS}
    for column in columns[kept]:
        group, name = data.names[column]
        names[group].append(name)
    return {
        "names": {group: pack_names(found) for group, found in names.items()},
        "plain": _layer(flat[kept], flat_steps, plain.bias),
        "deep": _layer(wide[kept], wide_steps, deep.bias),
        "out": [[round(float(value), 4) for value in row] for row in deep.out],
    }


def train(mails: Sequence[Example], wishes: Sequence[Example], *, say: bool = True) -> dict[str, object]:
    """Train on whole mails and single wishes, and return what `model.json` holds."""
    examples = [*mails, *wishes]
    data = extract(examples)
    scores = left_out_scores(data, examples, len(mails))
    answers = data.answers[: len(mails)]
    chances = left_out_chances(scores, answers, examples)
    rules = choose_rules(chances, answers)
    rows = list(range(len(examples)))
    columns = choose(data, rows)
    if say:
        exact = (given(chances, rules) == answers[:, KINDS]).all(axis=1).mean()
        print(f"{len(mails)} mails, {len(wishes)} wishes; exact sets of batches left out: {exact:.3f}")
        print(json.dumps(rules))
    return {
        "inputs": digest_of_inputs(),
        "targets": TARGETS,
        "calibration": calibrate(scores, answers),
        "rules": rules,
        **write(data, columns, *fit(data, rows, columns, len(mails))),
    }


def main() -> int:
    """Train and write the model."""
    target = SORTING / "model.json"
    text = json.dumps(train(read_mails(), read_lines()), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    target.write_text(text + "\n", encoding="utf-8")
    print(f"{target.name}: {len(text) / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
