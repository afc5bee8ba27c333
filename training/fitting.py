"""Fit the two layers of the model. Nothing here knows of mails: matrices in, weights out.

The same matrices give the same weights: the order of examples and what is left out in a step come from a generator with
a fixed seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from scipy.special import expit  # type: ignore[import-untyped]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

STRENGTH = 5.0  # inverse of the penalty on weights of the plain layer
STEPS = 60  # of its optimiser, at most
HIDDEN = 28  # hidden units of the deep layer: with both layers' targets 48 lanes, what the native core adds up
EPOCHS = 20  # passes over the examples
BATCH = 512  # examples a step
RATE = 6e-3  # length of the first step; the last is nothing
LEFT_OUT = 0.3  # share of features and of hidden units that a step does not see
PENALTY = 1e-6
_SPREAD = 0.035  # of the first weights


@dataclass(frozen=True, slots=True)
class Plain:
    """A logistic regression for each target: ``weights`` (features × targets) and ``bias``."""

    weights: Floats
    bias: Floats

    def score(self, rows: csr_matrix) -> Floats:
        """Return log odds, a row an example."""
        return np.asarray(rows @ self.weights + self.bias)


@dataclass(frozen=True, slots=True)
class Deep:
    """Weights of features to targets and to hidden units (side by side), their biases, and hidden units to targets."""

    weights: Floats
    bias: Floats
    out: Floats

    def score(self, rows: csr_matrix) -> Floats:
        """Return log odds, a row an example."""
        lanes = rows @ self.weights + self.bias
        targets = self.out.shape[1]
        return np.asarray(lanes[:, :targets] + np.maximum(lanes[:, targets:], 0.0) @ self.out)


def fit_plain(rows: csr_matrix, answers: Bools, importance: Floats) -> Plain:
    """Fit all targets at once."""
    size, targets = rows.shape[1], answers.shape[1]
    turned = csr_matrix(rows.T)
    gold, weight = answers.astype(float), importance[:, None]

    def loss(values: Floats) -> tuple[float, Floats]:
        weights = values[: size * targets].reshape(size, targets)
        sums = rows @ weights + values[size * targets :]
        error = weight * (expit(sums) - gold)
        total = (weight * (np.logaddexp(0, sums) - gold * sums)).sum() + (weights * weights).sum() / (2 * STRENGTH)
        slope = turned @ error + weights / STRENGTH
        return float(total), np.concatenate([slope.ravel(), error.sum(axis=0)])

    start = np.zeros((size + 1) * targets)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "maxcor": 8}).x
    return Plain(found[: size * targets].reshape(size, targets), found[size * targets :])


class _Adam:
    """Steps of one array of weights, each as long as its slopes were steady."""

    def __init__(self, values: npt.NDArray[np.float32]) -> None:
        self.values = values
        self._mean = np.zeros_like(values)
        self._square = np.zeros_like(values)

    def step(self, slope: npt.NDArray[np.float32], length: float) -> None:
        """Take one step against a slope."""
        self._mean *= 0.9
        self._mean += 0.1 * slope
        self._square *= 0.999
        self._square += 0.001 * slope * slope
        self.values -= np.float32(length) * self._mean / (np.sqrt(self._square) + np.float32(1e-8))


def fit_deep(rows: csr_matrix, answers: Bools, importance: Floats) -> Deep:
    """Fit the deep layer by steps over small batches, with features and hidden units left out by chance."""
    chance = np.random.default_rng(0)
    rows, gold = rows.astype(np.float32), answers.astype(np.float32)
    weight = (importance / importance.mean()).astype(np.float32)[:, None]
    size, targets = rows.shape[1], answers.shape[1]
    first = np.zeros((size, targets + HIDDEN), np.float32)
    first[:, targets:] = chance.normal(0, _SPREAD, (size, HIDDEN))
    lanes = _Adam(first)
    bias = _Adam(np.zeros(targets + HIDDEN, np.float32))
    out = _Adam(chance.normal(0, HIDDEN**-0.5, (HIDDEN, targets)).astype(np.float32))
    count = 0
    for epoch in range(EPOCHS):
        order = chance.permutation(rows.shape[0])
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            part = rows[chosen].copy()
            part.data *= (chance.random(len(part.data)) > LEFT_OUT) / np.float32(1 - LEFT_OUT)
            sums = part @ lanes.values + bias.values
            seen = (chance.random((len(chosen), HIDDEN)) > LEFT_OUT) / np.float32(1 - LEFT_OUT)
            hidden = np.maximum(sums[:, targets:], 0) * seen.astype(np.float32)
            error = (expit(sums[:, :targets] + hidden @ out.values) - gold[chosen]) * weight[chosen] / len(chosen)
            back = (error @ out.values.T) * seen * (sums[:, targets:] > 0)
            slopes = np.hstack([error, back]).astype(np.float32)
            count += 1
            length = (RATE * (1 - epoch / EPOCHS) + 1e-5) * (1 - 0.999**count) ** 0.5 / (1 - 0.9**count)
            turned = csr_matrix(part.T)
            lanes.step(turned @ slopes + np.float32(PENALTY) * lanes.values, length)
            bias.step(slopes.sum(axis=0), length)
            out.step(hidden.T @ error.astype(np.float32) + np.float32(PENALTY) * out.values, length)
    return Deep(lanes.values.astype(float), bias.values.astype(float), out.values.astype(float))
