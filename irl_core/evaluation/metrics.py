"""How well a critic tells right from wrong traces, and where it puts the first error.

Pure functions of small arrays. A trace is *wrong* (True) or right; probabilities are of being wrong, scores are higher
for better traces. Every figure carries a bootstrap interval over problems (`bootstrap`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from sklearn.calibration import calibration_curve

from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap, auroc, spearman

ECE_BINS = 10


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


def expected_calibration_error(
    probability: np.ndarray, wrong: np.ndarray, bootstrap: ProblemBootstrap, bins: int = ECE_BINS
) -> Figure | None:
    """Mean |stated probability - frequency| over `bins` bins of equal width, weighted by size (Guo et al. 2017).

    Biased upwards for few items: noise in a bin counts as miscalibration.
    """
    bin_of = np.minimum((probability * bins).astype(int), bins - 1)
    ones = np.ones(len(probability))
    gaps = [bootstrap.ratio(np.where(bin_of == b, probability - wrong, 0.0), ones) for b in range(bins)]
    return bootstrap.interval(np.abs(gaps).sum(axis=0), len(probability))


class ReliabilityBin(TypedDict):
    """Items whose stated probability lies in (low, high]: its mean, how often they came true, and their number."""

    low: float
    high: float
    stated: float
    observed: float
    n: int


def reliability_curve(probability: np.ndarray, happened: np.ndarray, bins: int = ECE_BINS) -> list[ReliabilityBin]:
    """The bins of equal width that are not empty, for a reliability diagram; arrays (N,), N at least 1."""
    edges = np.linspace(0, 1, bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], probability), minlength=bins)
    observed, stated = calibration_curve(happened, probability, n_bins=bins)
    return [
        {"low": float(edges[b]), "high": float(edges[b + 1]), "stated": float(x), "observed": float(y), "n": int(n)}
        for b, n, x, y in zip(np.flatnonzero(counts), counts[counts > 0], stated, observed, strict=True)
    ]


def brier_score(probability: np.ndarray, wrong: np.ndarray, bootstrap: ProblemBootstrap) -> Figure | None:
    """Mean squared difference between stated probability and outcome (0 or 1)."""
    return bootstrap.mean((probability - wrong) ** 2)


class LengthBin(TypedDict):
    """Traces of [low, high] characters: their mean score, the share that is right, and their number."""

    low: int
    high: int
    score: float
    right: float
    n: int


def score_by_length(
    scores: np.ndarray, lengths: np.ndarray, wrong: np.ndarray, bins: int = ECE_BINS
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


def trace_error_probability(step_probability: Sequence[float]) -> float:
    """Probability that a trace is wrong, from the probability of each step that it is the *first* wrong one.

    First errors exclude each other, so the probabilities add up; what a calibration that treats steps one by one
    leaves above 1 is cut off.
    """
    return min(1.0, float(sum(step_probability)))


@dataclass(frozen=True)
class StepLabels:
    """Step probabilities of N labelled traces as one ragged array.

    `probability` and `reward` (S,) hold all steps in order, `starts` (N + 1,) where each trace's begin, and
    `first_error` (N,) the labels (-1: no error).
    """

    probability: np.ndarray
    reward: np.ndarray
    starts: np.ndarray
    first_error: np.ndarray

    @classmethod
    def of(
        cls, probability: Sequence[np.ndarray], reward: Sequence[np.ndarray], first_error: Sequence[int]
    ) -> StepLabels:
        starts = np.cumsum([0, *map(len, probability)])
        flat = [np.concatenate(parts) if parts else np.array([]) for parts in (list(probability), list(reward))]
        return cls(*flat, starts=starts, first_error=np.array(first_error, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.first_error)

    @property
    def erroneous(self) -> np.ndarray:
        """Which traces hold an error (N,)."""
        return self.first_error >= 0

    @property
    def n_steps(self) -> np.ndarray:
        return np.diff(self.starts)

    @property
    def is_first_error(self) -> np.ndarray:
        """Which steps are the first wrong one of their trace (S,)."""
        position = np.arange(len(self.probability)) - np.repeat(self.starts[:-1], self.n_steps)
        return position == np.repeat(self.first_error, self.n_steps)

    def trace_probability(self) -> np.ndarray:
        """Probability that each trace holds an error (N,): its steps' probabilities of being the first, added up."""
        return np.minimum(1.0, np.add.reduceat(self.probability, self.starts[:-1]))

    def most_suspect(self) -> np.ndarray:
        """The most probable first error of each trace (N,); among equals the lowest reward, then the earliest."""
        trace_of = np.repeat(np.arange(len(self)), self.n_steps)
        order = np.lexsort((self.reward, -self.probability, trace_of))
        return order[self.starts[:-1]] - self.starts[:-1]


def first_error_f1(
    predicted: np.ndarray, first_error: np.ndarray, bootstrap: ProblemBootstrap
) -> dict[str, Figure | None]:
    """ProcessBench's protocol (arXiv 2412.06559): exact match of the first error, -1 meaning none; arrays (N,).

    `accuracy_error` is over erroneous traces, `accuracy_correct` over the others, `f1` their harmonic mean; each is
    None where its traces are missing.
    """
    right, erroneous = predicted == first_error, first_error >= 0
    error = bootstrap.ratio((right & erroneous).astype(float), erroneous.astype(float))
    correct = bootstrap.ratio((right & ~erroneous).astype(float), (~erroneous).astype(float))
    both = error + correct
    f1 = np.divide(2 * error * correct, both, out=np.where(np.isnan(both), np.nan, 0.0), where=both > 0)
    return {
        "f1": bootstrap.interval(f1, len(first_error)),
        "accuracy_error": bootstrap.interval(error, int(erroneous.sum())),
        "accuracy_correct": bootstrap.interval(correct, int((~erroneous).sum())),
    }


def error_detection_mcc(predicted: np.ndarray, first_error: np.ndarray, bootstrap: ProblemBootstrap) -> Figure | None:
    """Matthews correlation of "some step is wrong", said against true; MR-GSM8K's first figure (arXiv 2312.17080).

    Takes first errors (N,), -1 for none; None where the labels or the predictions are of one kind only.
    """
    said, true, ones = predicted >= 0, first_error >= 0, np.ones(len(predicted))
    both, only_said, only_true, neither = (
        bootstrap.ratio(cell.astype(float), ones) for cell in (said & true, said & ~true, ~said & true, ~said & ~true)
    )
    margins = (both + only_said) * (both + only_true) * (neither + only_said) * (neither + only_true)
    top = both * neither - only_said * only_true
    mcc = np.divide(top, np.sqrt(margins), out=np.full(len(top), np.nan), where=margins > 0)
    return bootstrap.interval(mcc, len(predicted))


def suspects_at(steps: StepLabels, threshold: float) -> np.ndarray:
    """The most probable first error of each trace whose error probability reaches `threshold`, else -1; shape (N,)."""
    return np.where(steps.trace_probability() >= threshold, steps.most_suspect(), -1)


def oracle_threshold(steps: StepLabels) -> float | None:
    """The threshold with the best first-error F1 on these very labels; None unless both kinds of trace are there.

    The lowest of equally good ones. A right trace is right above its error probability; an erroneous one at or below
    it, if its most probable step is the one, so counting each kind at every probability seen finds the best.
    """
    if not len(steps) or steps.erroneous.all() or not steps.erroneous.any():
        return None
    probability = steps.trace_probability()
    found = np.sort(probability[steps.erroneous & (steps.most_suspect() == steps.first_error)])
    right = np.sort(probability[~steps.erroneous])
    candidates = np.append(np.unique(probability), np.inf)
    error = (len(found) - np.searchsorted(found, candidates, side="left")) / steps.erroneous.sum()
    correct = np.searchsorted(right, candidates, side="left") / len(right)
    f1 = np.divide(2 * error * correct, error + correct, out=np.zeros(len(candidates)), where=error + correct > 0)
    return float(candidates[np.argmax(f1)])


def step_auroc(steps: StepLabels, problems: np.ndarray, *, resamples: int = 1000, seed: int = 0) -> Figure | None:
    """AUROC of the step-error probability: first errors against the steps before them and those of right traces.

    Steps after a first error carry no label and are left out. `problems` (N,) belongs to the traces; `n` counts steps.
    """
    trace_of = np.repeat(np.arange(len(steps)), steps.n_steps)
    position = np.arange(len(trace_of)) - steps.starts[trace_of]
    error = steps.first_error[trace_of]
    labelled = (error < 0) | (position <= error)
    bootstrap = ProblemBootstrap(problems[trace_of[labelled]], resamples=resamples, seed=seed)
    return bootstrap.figure(auroc(steps.probability[labelled], steps.is_first_error[labelled]), int(labelled.sum()))


def best_constant_top1(steps: StepLabels) -> float | None:
    """How often the best constant guess of the first error is right on erroneous traces."""
    errors = steps.first_error[steps.erroneous]
    return float(np.bincount(errors).max() / len(errors)) if len(errors) else None


def chance_top1(steps: StepLabels) -> float | None:
    """How often a random step of an erroneous trace is its first error: the mean of 1 / steps."""
    return float((1 / steps.n_steps[steps.erroneous]).mean()) if steps.erroneous.any() else None
