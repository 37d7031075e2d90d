"""Whether stated probabilities mean what they say: calibration error, reliability, Brier score.

Pure functions of probabilities (N,) and of what happened (N,), True or False. Bins are those of `bin_numbers`.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap

BINS = 10


def bin_numbers(probability: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Which of `bins` bins of equal width each probability (N,) falls into, from 0; shape (N,).

    An edge belongs to the bin below it, as in Guo et al. 2017 (arXiv 1706.04599) and in scikit-learn's
    `calibration_curve`: of ten bins 0.1 falls into the first, (0, 0.1], 0.2 into the second and 1 into the last. The
    first also holds 0.
    """
    return np.asarray(np.searchsorted(_edges(bins)[1:-1], probability, side="left"))


def _edges(bins: int) -> np.ndarray:
    return np.linspace(0, 1, bins + 1)


def expected_calibration_error(
    probability: np.ndarray, happened: np.ndarray, bootstrap: ProblemBootstrap, bins: int = BINS
) -> Figure | None:
    """Mean |stated probability - frequency| over the bins, weighted by size (Guo et al. 2017, equation 3).

    Biased upwards for few items: noise in a bin counts as miscalibration.
    """
    bin_of, ones = bin_numbers(probability, bins), np.ones(len(probability))
    gaps = [bootstrap.ratio(np.where(bin_of == b, probability - happened, 0.0), ones) for b in range(bins)]
    return bootstrap.interval(np.abs(gaps).sum(axis=0), len(probability))


class ReliabilityBin(TypedDict):
    """Items whose stated probability lies in (low, high]: its mean, the share that happened, and their number.

    The first bin also holds a probability of 0.
    """

    low: float
    high: float
    stated: float
    observed: float
    n: int


def reliability_curve(probability: np.ndarray, happened: np.ndarray, bins: int = BINS) -> list[ReliabilityBin]:
    """The bins that are not empty, for a reliability diagram; arrays (N,)."""
    bin_of, edges = bin_numbers(probability, bins), _edges(bins)
    return [
        {
            "low": float(edges[b]),
            "high": float(edges[b + 1]),
            "stated": float(probability[bin_of == b].mean()),
            "observed": float(happened[bin_of == b].mean()),
            "n": int((bin_of == b).sum()),
        }
        for b in np.unique(bin_of)
    ]


def brier_score(probability: np.ndarray, happened: np.ndarray, bootstrap: ProblemBootstrap) -> Figure | None:
    """Mean squared difference between stated probability and outcome (0 or 1)."""
    return bootstrap.mean((probability - happened) ** 2)
