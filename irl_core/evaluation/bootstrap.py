"""Statistics with bootstrap intervals, resampling whole problems: candidates of one problem are not independent.

Every statistic is written once, for a matrix of weights: a row says how often each item counts. The row of ones gives
the value and the rows of resampled counts its interval, so value and interval cannot drift apart. scikit-learn and
scipy compute the same values one weighting at a time (the tests compare); a thousand calls of them would take minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypedDict

import numpy as np

Statistic = Callable[[np.ndarray], np.ndarray]

_WEIGHTS_AT_ONCE = 2_000_000
_COUNTS_KEPT = 10_000_000


class Figure(TypedDict):
    """A value with its 95 % bootstrap interval over problems; `n` counts the items that the value averages."""

    value: float
    low: float
    high: float
    n: int


class ProblemBootstrap:
    """The same resamples of P problems for every figure made from them, so that differences are paired.

    Of very many problems they are drawn again from the seed for each figure: kept, they would fill the memory.
    `problems` (N,) says which problem each item belongs to, by any integers.
    """

    def __init__(self, problems: np.ndarray, *, resamples: int = 1000, seed: int = 0) -> None:
        _, self._problem_of = np.unique(problems, return_inverse=True)
        self.n_problems = int(self._problem_of.max()) + 1 if len(problems) else 0
        self._resamples, self._seed = resamples, seed
        self._kept: np.ndarray | None = None
        if (resamples + 1) * self.n_problems <= _COUNTS_KEPT:
            (counts,) = self._draw(resamples + 1)
            self._kept = counts.astype(np.uint16)

    def figure(self, statistic: Statistic, n: int) -> Figure | None:
        """Value and interval of `statistic`, a function of item weights (B, N) to (B,); None where undefined."""
        return _figure(np.concatenate([statistic(weights) for weights in self._weights()]), n)

    def ratio(self, numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
        """Weighted sum (N,) over weighted sum (N,) for every row: means, rates; shape (resamples + 1,)."""
        return _divide(self._totals(numerator), self._totals(denominator))

    def mean(self, values: np.ndarray, where: np.ndarray | None = None) -> Figure | None:
        """Mean of `values` (N,) over the items that `where` (N,) marks."""
        mask = np.ones(len(values), dtype=bool) if where is None else where
        return self.interval(self.ratio(np.where(mask, values, 0.0), mask.astype(float)), int(mask.sum()))

    def median(self, values: np.ndarray, where: np.ndarray) -> Figure | None:
        """Median of `values` (N,) over the items that `where` (N,) marks."""
        statistic = median(values[where])
        return self.figure(lambda weights: statistic(weights[:, where]), int(where.sum()))

    @staticmethod
    def interval(values: np.ndarray, n: int) -> Figure | None:
        """A figure from the value (row 0) and its resamples (the other rows)."""
        return _figure(values, n)

    def _totals(self, values: np.ndarray) -> np.ndarray:
        totals = np.bincount(self._problem_of, weights=values, minlength=self.n_problems)
        return np.concatenate([counts @ totals for counts in self._counts(self.n_problems)])

    def _weights(self) -> Iterator[np.ndarray]:
        for counts in self._counts(len(self._problem_of)):
            yield counts[:, self._problem_of]

    def _counts(self, width: int) -> Iterator[np.ndarray]:
        """How often each problem counts, in chunks (rows, P) that suit rows of `width`; the first row is all ones."""
        rows = max(1, _WEIGHTS_AT_ONCE // max(1, width))
        if self._kept is None:
            yield from self._draw(rows)
        else:
            yield from (self._kept[i : i + rows].astype(float) for i in range(0, len(self._kept), rows))

    def _draw(self, rows: int) -> Iterator[np.ndarray]:
        generator = np.random.default_rng(self._seed)
        for start in range(0, self._resamples + 1, rows):
            counts = np.ones((min(rows, self._resamples + 1 - start), self.n_problems))
            for row in counts[start == 0 :]:
                draws = generator.integers(self.n_problems, size=self.n_problems)
                row[:] = np.bincount(draws, minlength=self.n_problems)
            yield counts


def _figure(values: np.ndarray, n: int) -> Figure | None:
    if n == 0 or not np.isfinite(values[0]):
        return None
    resampled = values[1:][np.isfinite(values[1:])]
    low, high = np.percentile(resampled, [2.5, 97.5]) if len(resampled) else (values[0], values[0])
    return {"value": float(values[0]), "low": float(low), "high": float(high), "n": n}


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    quotient = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def auroc(scores: np.ndarray, positive: np.ndarray) -> Statistic:
    """Probability that a positive item outscores a negative one, ties counting one half (Mann-Whitney).

    Takes scores (N,) and labels (N,); gives a function of weights (B, N) to (B,), NaN where a class is missing.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0]) if len(scores) else np.array([], dtype=int)
    is_positive = positive[order].astype(float)

    def statistic(weights: np.ndarray) -> np.ndarray:
        if not len(starts):
            return np.full(len(weights), np.nan)
        ordered = weights[:, order]
        positives = np.add.reduceat(ordered * is_positive, starts, axis=1)
        negatives = np.add.reduceat(ordered * (1 - is_positive), starts, axis=1)
        below = np.cumsum(negatives, axis=1) - negatives / 2
        return _divide((positives * below).sum(axis=1), positives.sum(axis=1) * negatives.sum(axis=1))

    return statistic


def median(values: np.ndarray) -> Statistic:
    """Median of the values (N,), each repeated by its weight; of an even number the mean of the middle two.

    Gives a function of weights (B, N) to (B,), NaN where nothing counts.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]

    def statistic(weights: np.ndarray) -> np.ndarray:
        if not len(ordered):
            return np.full(len(weights), np.nan)
        running = np.cumsum(weights[:, order], axis=1)
        half = running[:, -1:] / 2
        lower = (running < half).sum(axis=1)
        upper = np.minimum((running <= half).sum(axis=1), len(ordered) - 1)
        return np.where(half[:, 0] > 0, (ordered[lower] + ordered[upper]) / 2, np.nan)

    return statistic


def spearman(x: np.ndarray, y: np.ndarray) -> Statistic:
    """Spearman's rank correlation of x (N,) and y (N,), mid-ranks for ties; NaN where one of them is constant."""
    ranks_of_x, ranks_of_y = _mid_ranks(x), _mid_ranks(y)

    def statistic(weights: np.ndarray) -> np.ndarray:
        if not len(x):
            return np.full(len(weights), np.nan)
        total = weights.sum(axis=1, keepdims=True)
        a, b = ranks_of_x(weights), ranks_of_y(weights)
        a -= (weights * a).sum(axis=1, keepdims=True) / total
        b -= (weights * b).sum(axis=1, keepdims=True) / total
        covariance = (weights * a * b).sum(axis=1)
        spread = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
        correlation = np.full(len(spread), np.nan)
        np.divide(covariance, spread, out=correlation, where=spread > 1e-9 * total[:, 0])
        return correlation

    return statistic


def _mid_ranks(values: np.ndarray) -> Statistic:
    """Weights (B, N) to mid-ranks (B, N) up to a constant, as if each item were repeated by its weight."""
    order = np.argsort(values, kind="stable")
    new_level = np.r_[False, np.diff(values[order]) > 0]
    level_of = np.empty(len(values), dtype=np.int64)
    level_of[order] = np.cumsum(new_level)
    starts = np.flatnonzero(np.r_[True, new_level[1:]])

    def ranks(weights: np.ndarray) -> np.ndarray:
        sizes = np.add.reduceat(weights[:, order], starts, axis=1)
        return (np.cumsum(sizes, axis=1) - sizes / 2)[:, level_of]

    return ranks
