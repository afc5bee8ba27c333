"""Train the judge: ``python -m training.train`` writes ``src/inboxbot/sorting/model.json``.

Twice the same inputs give the same bytes: nothing is random, weights are rounded to thousandths. What probabilities
mean and where "unsure" begins is chosen from judgements of mails whose author batch was left out of training.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression

from inboxbot.reading.segments import segment
from inboxbot.sorting.features import GROUPS, Features, Index, features_of, letter_groups, read_mail
from inboxbot.sorting.model import ANY, KINDS, REMINDER, TARGETS, UNIT, evidence_for, scale_of
from inboxbot.sorting.vocabulary import Vocabulary
from training.corpus import SORTING, Example, digest_of_inputs, read_lines, read_mails

SCALES = {
    "w": (0.4, 0.3),
    "g": (0.5, 0.3),
    "c": (1.0, 0.3),
    "s": (0.5, 0.3),
    "q": (0.3, 0.3),
    "p": (0.5, 0.3),
    "a": (1.0, 0.0),
    "z": (0.4, 0.3),
    "r": (1.0, 0.2),
}
LEAST = {"w": 3, "g": 5, "c": 2, "s": 2, "q": 3, "p": 3, "a": 1, "z": 2, "r": 1}  # mails a feature is in
STRENGTH = 5.0  # inverse of the penalty on weights
DIVIDED = "d"
PRUNE = 15  # thousandths: features whose every weight is smaller are left out
MAIL_WEIGHT = 3.0  # a whole mail counts as much as so many single wishes
# A missed request is worse than a look too many. Shares that may be unsure:
UNSURE_ORDINARY = 0.10  # ordinary mail rightly left alone, …
UNSURE_FALSE = 0.05  # … ordinary mail taken for a request, …
UNSURE_REQUEST = 0.115  # … and requests

Floats = npt.NDArray[np.float64]
Fitted = tuple[Floats, Floats]  # weights (targets × features) and biases


@dataclass(slots=True)
class Data:
    """Features of all examples (numbers by group), and gold answers (a column for each target)."""

    features: list[Features]
    sentences: list[list[Features]]
    names: dict[str, list[str]]
    letters: dict[str, list[int]]  # the numbers of each word's letter groups
    answers: npt.NDArray[np.bool_]


def extract(examples: Sequence[Example]) -> Data:
    """Read all examples with an index that grows."""
    vocabulary = Vocabulary.load()
    index = Index.growing(vocabulary)
    pairs = [
        features_of(read_mail(vocabulary, item.subject, item.body, segment(item.body)), index) for item in examples
    ]
    table = index.tables["g"]
    words = sorted({word for whole, _ in pairs for word in whole.words})
    letters = {word: sorted(table[name] for name in letter_groups(word)) for word in words}
    names = {group: list(table) for group, table in index.tables.items()}
    answers = np.array(
        [
            [target in item.labels for target in TARGETS[KINDS]] + ["other" not in item.labels, item.reminder]
            for item in examples
        ]
    )
    return Data(
        [whole for whole, _ in pairs],
        [[part for part in parts if part is not None] for _, parts in pairs],
        names,
        letters,
        answers,
    )


def numbers_of(features: Features, group: str, letters: Mapping[str, Sequence[int]]) -> list[int]:
    """Return the numbers of a group's features; letter groups stand once for each word they are in."""
    if group != "g":
        return sorted(features.groups.get(group, ()))
    return sorted(number for word in features.words for number in letters[word])


def choose(data: Data, rows: Sequence[int]) -> dict[str, dict[int, int]]:
    """Which features are used: those in enough of the examples ``rows``, in the order of their names."""
    chosen: dict[str, dict[int, int]] = {}
    for group in GROUPS:
        counts = np.zeros(len(data.names[group]), dtype=int)
        for row in rows:
            counts[list(dict.fromkeys(numbers_of(data.features[row], group, data.letters)))] += 1
        kept = sorted((data.names[group][number], number) for number in np.flatnonzero(counts >= LEAST[group]))
        chosen[group] = {int(number): place for place, (_, number) in enumerate(kept)}
    return chosen


def matrix(data: Data, examples: Sequence[Features], chosen: Mapping[str, Mapping[int, int]]) -> csr_matrix:
    """Return the scaled features of mails or sentences, the groups side by side."""
    blocks = []
    for group in GROUPS:
        table = chosen[group]
        indices: list[int] = []
        values: list[float] = []
        ends = [0]
        for features in examples:
            columns = [table[number] for number in numbers_of(features, group, data.letters) if number in table]
            indices += columns
            values += [scale_of(SCALES[group], len(columns))] * len(columns)
            ends.append(len(indices))
        shape = (len(examples), len(table))
        block = csr_matrix((np.array(values), np.array(indices, dtype=int), np.array(ends)), shape=shape)
        block.sum_duplicates()
        blocks.append(block)
    return csr_matrix(hstack(blocks))


def fit(features: csr_matrix, answers: npt.NDArray[np.bool_], mails: int) -> Fitted:
    """Return weights and biases of one logistic regression a target; the first ``mails`` rows are whole mails."""
    importance = np.where(np.arange(len(answers)) < mails, MAIL_WEIGHT, 1.0)
    weights, biases = [], []
    for column in range(answers.shape[1]):
        model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=0, max_iter=200, tol=1e-3)
        model.fit(features, answers[:, column], sample_weight=importance)
        weights.append(model.coef_[0])
        biases.append(model.intercept_[0])
    return np.array(weights), np.array(biases)


def score(data: Data, rows: Sequence[int], chosen: Mapping[str, Mapping[int, int]], fitted: Fitted) -> Floats:
    """Scores of mails: of the whole (first half of the columns) and of the best sentence for each target."""
    weights, biases = fitted
    whole = matrix(data, [data.features[row] for row in rows], chosen) @ weights.T + biases
    parts = [(place, part) for place, row in enumerate(rows) for part in data.sentences[row]]
    single = matrix(data, [part for _, part in parts], chosen) @ weights.T + biases
    best = np.full_like(whole, -np.inf)
    np.maximum.at(best, [place for place, _ in parts], single)
    return np.hstack([whole, np.where(np.isinf(best), whole, best)])


def left_out_scores(data: Data, examples: Sequence[Example], measured: int) -> Floats:
    """Return scores of the first ``measured`` examples, each from a model that never saw a mail of its writer.

    The first letter of a batch names its writer. The writer of the languages with few mails is divided by batch, for
    without any of these mails nothing could be said of the languages.
    """
    batches = sorted({item.batch for item in examples[:measured]})
    writers = sorted({batch[0] for batch in batches} - {DIVIDED})
    divided = [batch for batch in batches if batch[0] == DIVIDED]
    fold_of = {batch: writers.index(batch[0]) for batch in batches if batch[0] != DIVIDED}
    fold_of |= {batch: len(writers) + place % 2 for place, batch in enumerate(divided)}
    folds = np.array([fold_of.get(item.batch, -1) for item in examples])
    scores = np.zeros((measured, 2 * len(TARGETS)))
    for fold in sorted(set(fold_of.values())):
        training = np.flatnonzero(folds != fold).tolist()
        testing = np.flatnonzero(folds[:measured] == fold).tolist()
        chosen = choose(data, training)
        rows = matrix(data, [data.features[row] for row in training], chosen)
        fitted = fit(rows, data.answers[training], sum(row < measured for row in training))
        scores[testing] = score(data, testing, chosen, fitted)
    return scores


def _inputs(scores: Floats, target: int) -> Floats:
    """Return what the probability of a target is made of, a row a mail (`model.evidence_for`)."""
    half = len(TARGETS)
    return np.array([evidence_for(target, row[:half].tolist(), row[half:].tolist()) for row in scores])


def calibrate(scores: Floats, answers: npt.NDArray[np.bool_]) -> list[list[float]]:
    """Return what scores mean: four factors and a bias for each target."""
    rows = []
    for target in range(len(TARGETS)):
        model = LogisticRegression(C=10.0, solver="lbfgs", tol=1e-8, max_iter=2000)
        model.fit(_inputs(scores, target), answers[:, target])
        rows.append([round(float(value), 4) for value in (*model.coef_[0], model.intercept_[0])])
    return rows


def probabilities(scores: Floats, calibration: Sequence[Sequence[float]]) -> Floats:
    """Calibrated probabilities, a column a target."""
    columns = []
    for target, factors in enumerate(calibration):
        total = _inputs(scores, target) @ np.array(factors[:4]) + factors[4]
        columns.append(1.0 / (1.0 + np.exp(-total)))
    return np.column_stack(columns)


def choose_rules(chances: Floats, answers: npt.NDArray[np.bool_]) -> dict[str, object]:
    """Thresholds: of each kind by its best F1, of "any" by exact sets, of unsure by the shares that may be unsure."""
    grid = np.arange(0.2, 0.62, 0.02)
    thresholds = []
    for column in (*range(ANY), REMINDER):
        gold = answers[:, column]
        given = chances[:, column][:, None] >= grid
        hits = (given & gold[:, None]).sum(axis=0)
        # A little smoothing keeps rare kinds from an extreme choice.
        f1 = 2 * hits / (given.sum(axis=0) + gold.sum()) - 0.05 * np.abs(grid - 0.4)
        thresholds.append(round(float(grid[int(np.argmax(f1))]), 2))
    reminder = thresholds.pop()
    kinds = chances[:, KINDS] >= np.array(thresholds)
    asks = chances[:, ANY]
    best_request, best_share = 0.5, -1.0
    for request in np.arange(0.3, 0.7, 0.02):
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


def train(mails: Sequence[Example], wishes: Sequence[Example], *, say: bool = True) -> dict[str, object]:
    """Train on whole mails and single wishes, and return what `model.json` holds."""
    examples = [*mails, *wishes]
    data = extract(examples)
    scores = left_out_scores(data, examples, len(mails))
    answers = data.answers[: len(mails)]
    calibration = calibrate(scores, answers)
    chances = probabilities(scores, calibration)
    rules = choose_rules(chances, answers)
    rows = list(range(len(examples)))
    chosen = choose(data, rows)
    weights, biases = fit(matrix(data, data.features, chosen), data.answers, len(mails))
    whole = np.rint(weights * UNIT).astype(int)
    groups: dict[str, object] = {}
    start = 0
    for group in GROUPS:
        ordered = sorted(chosen[group], key=lambda number, table=chosen[group]: table[number])  # type: ignore[misc]
        block = whole[:, start : start + len(ordered)]
        start += len(ordered)
        kept = np.flatnonzero(np.abs(block).max(axis=0) >= PRUNE) if ordered else np.array([], dtype=int)
        groups[group] = {
            "scale": SCALES[group],
            "names": [data.names[group][ordered[place]] for place in kept],
            "weights": block[:, kept].tolist(),
        }
    if say:
        kinds = chances[:, KINDS] >= np.array(rules["thresholds"])
        exact = (kinds == answers[:, KINDS]).all(axis=1).mean()
        print(f"{len(mails)} mails, {len(wishes)} wishes; exact sets of batches left out: {exact:.3f}")
        print(json.dumps(rules))
    return {
        "inputs": digest_of_inputs(),
        "targets": TARGETS,
        "bias": [round(float(value), 4) for value in biases],
        "calibration": calibration,
        "rules": rules,
        "groups": groups,
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
