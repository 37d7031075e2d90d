"""How well a trace score tells right from wrong traces, and whether it follows their length.

Pure functions of small arrays. A trace is *wrong* (True) or right; scores are higher for better traces. Every figure
carries a bootstrap interval over problems (`bootstrap`).
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap, auroc, spearman
from irl_core.evaluation.calibration_metrics import BINS, bin_numbers

LENGTH_BINS = 10


def trace_auroc(scores: np.ndarray, wrong: np.ndarray, bootstrap: ProblemBootstrap) -> Figure | None:
    """Probability that a right trace outscores a wrong one, over all pairs of the file; arrays (N,).

    It mixes ranking with difficulty: a critic that scores easy problems higher gains. See `within_problem_auroc`.
    """
    return bootstrap.figure(auroc(scores, ~wrong), len(scores))


def within_problem_auroc(
    scores: np.ndarray, wrong: np.ndarray, problems: np.ndarray, *, resamples: int = 1000, seed: int = 0
) -> Figure | None:
    """Macro mean of each problem's AUROC over the problems that have right and wrong traces; `n` counts those.

    What reranking needs: can the critic tell candidates of the same problem apart?
    """
    order = np.argsort(problems, kind="stable")
    _, starts = np.unique(problems[order], return_index=True)
    values = [
        auroc(scores[items], ~wrong[items])(np.ones((1, len(items))))[0]
        for items in np.split(order, starts[1:])
        if wrong[items].any() and not wrong[items].all()
    ]
    per_problem = np.array(values)
    return ProblemBootstrap(np.arange(len(values)), resamples=resamples, seed=seed).mean(per_problem)


class LengthBin(TypedDict):
    """Traces of [low, high] characters: their mean score, the share that is right, and their number."""

    low: int
    high: int
    score: float
    right: float
    n: int


def score_by_length(
    scores: np.ndarray, lengths: np.ndarray, wrong: np.ndarray, bins: int = LENGTH_BINS
) -> list[LengthBin]:
    """Mean score of as many traces each from the shortest to the longest: does a critic reward length? Arrays (N,)."""
    groups = [g for g in np.array_split(np.argsort(lengths, kind="stable"), bins) if len(g)]
    return [
        {
            "low": int(lengths[g].min()),
            "high": int(lengths[g].max()),
            "score": float(scores[g].mean()),
            "right": float((~wrong[g]).mean()),
            "n": len(g),
        }
        for g in groups
    ]


def length_correlation(scores: np.ndarray, lengths: np.ndarray, bootstrap: ProblemBootstrap) -> Figure | None:
    """Spearman correlation of the trace score with the length of the solution in characters."""
    return bootstrap.figure(spearman(scores, lengths), len(scores))


def error_auroc(probability: np.ndarray, wrong: np.ndarray, bootstrap: ProblemBootstrap) -> Figure | None:
    """Probability that a wrong trace has a higher P(error) than a right one; arrays (N,)."""
    return bootstrap.figure(auroc(probability, wrong), len(probability))


def ece_floor(probability: np.ndarray, *, simulations: int = 1000, seed: int = 0, bins: int = BINS) -> Figure | None:
    """The calibration error of a perfect predictor that states these very probabilities (N,) of N items.

    Chance alone makes a bin's frequency miss its mean: outcomes are drawn from the probabilities, independently, and
    the value is the mean over the simulations; `low` and `high` hold 95 % of them. An error within these is what a
    perfect predictor shows.
    """
    if not len(probability):
        return None
    bin_of, rng = bin_numbers(probability, bins), np.random.default_rng(seed)
    errors = np.empty(simulations)
    for i in range(simulations):
        gaps = probability - (rng.random(len(probability)) < probability)
        errors[i] = np.abs(np.bincount(bin_of, weights=gaps, minlength=bins)).sum() / len(probability)
    low, high = np.percentile(errors, [2.5, 97.5])
    return {"value": float(errors.mean()), "low": float(low), "high": float(high), "n": len(probability)}
