"""Where the first error of a trace is put, and how often that is right.

Pure functions of small arrays. Every figure carries a bootstrap interval over problems (`bootstrap`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap, auroc


@dataclass(frozen=True)
class StepLabels:
    """The steps of N labelled traces as one ragged array.

    `probability` (that the step is the first wrong one) and `reward` (nats), both (S,), hold all steps in order,
    `starts` (N + 1,) where each trace's begin, and `first_error` (N,) the labels (-1: no error). The probabilities are
    NaN where the critic has no calibration.
    """

    probability: np.ndarray
    reward: np.ndarray
    starts: np.ndarray
    first_error: np.ndarray

    @classmethod
    def of(
        cls, probability: Sequence[np.ndarray], reward: Sequence[np.ndarray], first_error: Sequence[int]
    ) -> StepLabels:
        """From the arrays (K,) of each trace."""
        return cls(
            probability=np.concatenate([np.array([]), *probability]),
            reward=np.concatenate([np.array([]), *reward]),
            starts=np.cumsum([0, *map(len, probability)]),
            first_error=np.array(first_error, dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.first_error)

    @property
    def erroneous(self) -> np.ndarray:
        """Which traces hold an error (N,)."""
        return np.asarray(self.first_error >= 0)

    @property
    def n_steps(self) -> np.ndarray:
        """How many steps each trace has (N,)."""
        return np.diff(self.starts)

    @property
    def has_probabilities(self) -> bool:
        """Whether every step has a probability."""
        return not np.isnan(self.probability).any()

    @property
    def suspicion(self) -> np.ndarray:
        """What orders the steps, the most suspect highest (S,): the probability, or without it minus the reward."""
        return self.probability if self.has_probabilities else -self.reward

    @property
    def is_first_error(self) -> np.ndarray:
        """Which steps are the first wrong one of their trace (S,)."""
        position = np.arange(len(self.probability)) - np.repeat(self.starts[:-1], self.n_steps)
        return np.asarray(position == np.repeat(self.first_error, self.n_steps))

    def trace_probability(self) -> np.ndarray:
        """Probability that each trace holds an error (N,): its steps' probabilities of being the first, added up."""
        return np.minimum(1.0, np.add.reduceat(self.probability, self.starts[:-1]))

    def most_suspect(self) -> np.ndarray:
        """The most suspect step of each trace (N,); among equals the lowest reward, then the earliest."""
        trace_of = np.repeat(np.arange(len(self)), self.n_steps)
        order = np.lexsort((self.reward, -self.suspicion, trace_of))
        return np.asarray(order[self.starts[:-1]] - self.starts[:-1])


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
        bootstrap.ratio(joint.astype(float), ones)
        for joint in (said & true, said & ~true, ~said & true, ~said & ~true)
    )
    margins = (both + only_said) * (both + only_true) * (neither + only_said) * (neither + only_true)
    top = both * neither - only_said * only_true
    mcc = np.divide(top, np.sqrt(margins), out=np.full(len(top), np.nan), where=margins > 0)
    return bootstrap.interval(mcc, len(predicted))


def suspects_at(steps: StepLabels, threshold: float | np.ndarray) -> np.ndarray:
    """The most probable first error of each trace whose error probability reaches `threshold`, else -1; shape (N,).

    `threshold` is one for all traces, or one for each (N,).
    """
    return np.where(steps.trace_probability() >= threshold, steps.most_suspect(), -1)


def oracle_threshold(steps: StepLabels) -> float | None:
    """The threshold with the best first-error F1 on these very labels.

    None unless right and erroneous traces are there and the steps have probabilities.

    The lowest of equally good ones. A right trace is right above its error probability; an erroneous one at or below
    it, if its most probable step is the one, so counting each kind at every probability seen finds the best.
    """
    if steps.erroneous.all() or not steps.erroneous.any() or not steps.has_probabilities:
        return None
    probability = steps.trace_probability()
    located = np.sort(probability[steps.erroneous & (steps.most_suspect() == steps.first_error)])
    right = np.sort(probability[~steps.erroneous])
    candidates = np.append(np.unique(probability), np.inf)
    error = (len(located) - np.searchsorted(located, candidates, side="left")) / steps.erroneous.sum()
    correct = np.searchsorted(right, candidates, side="left") / len(right)
    f1 = np.divide(2 * error * correct, error + correct, out=np.zeros(len(candidates)), where=error + correct > 0)
    return float(candidates[np.argmax(f1)])


class OracleF1(NamedTuple):
    """The best first-error F1 that one threshold reaches on these very labels, and that threshold."""

    f1: Figure | None
    threshold: float | None


def oracle_f1(steps: StepLabels, bootstrap: ProblemBootstrap) -> OracleF1:
    """F1 at `oracle_threshold`, an upper bound and no estimate; its interval holds the threshold fixed."""
    best = oracle_threshold(steps)
    if best is None:
        return OracleF1(None, None)
    return OracleF1(first_error_f1(suspects_at(steps, best), steps.first_error, bootstrap)["f1"], best)


def step_auroc(steps: StepLabels, problems: np.ndarray, *, resamples: int = 1000, seed: int = 0) -> Figure | None:
    """AUROC of `StepLabels.suspicion`: first errors against the steps before them and those of right traces.

    Steps after a first error carry no label and are left out. `problems` (N,) belongs to the traces; `n` counts steps.
    """
    trace_of = np.repeat(np.arange(len(steps)), steps.n_steps)
    position = np.arange(len(trace_of)) - steps.starts[trace_of]
    error = steps.first_error[trace_of]
    labelled = (error < 0) | (position <= error)
    bootstrap = ProblemBootstrap(problems[trace_of[labelled]], resamples=resamples, seed=seed)
    return bootstrap.figure(auroc(steps.suspicion[labelled], steps.is_first_error[labelled]), int(labelled.sum()))


def best_constant_top1(steps: StepLabels) -> float | None:
    """How often the best constant guess of the first error is right on erroneous traces."""
    errors = steps.first_error[steps.erroneous]
    return float(np.bincount(errors).max() / len(errors)) if len(errors) else None


def chance_top1(steps: StepLabels) -> float | None:
    """How often a random step of an erroneous trace is its first error: the mean of 1 / steps."""
    return float((1 / steps.n_steps[steps.erroneous]).mean()) if steps.erroneous.any() else None
