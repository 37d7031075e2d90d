"""Chooses the thresholds of a calibration, and says what they are worth on problems that they were not chosen on.

The best threshold of some predictions looks better on these than on others. So the held-out figures use for each
trace thresholds that were chosen without its problem (nested cross-validation; Varma and Simon 2006, "Bias in error
estimation when using cross-validation for model selection").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from irl_core.evaluation.calibration_data import CalibrationData
from irl_core.evaluation.calibration_fit import held_out_predictions, problem_folds
from irl_core.evaluation.localisation_metrics import StepLabels, oracle_threshold

_NO_BEST = 0.5  # where only right or only wrong traces are known, no threshold is better than another


class Thresholds(NamedTuple):
    """On the probability that a trace holds an error.

    From `suspect` on the most probable step is suspect; below, from `unsure` on, it is "not sure".
    """

    suspect: float
    unsure: float


@dataclass(frozen=True)
class ThresholdRule:
    """How thresholds are chosen.

    `suspect` has the best first-error F1 or, where `false_flag_rate` is given, is the lowest that at most this share
    of right traces reaches. `unsure` is the lowest that at most `not_sure_rate` of them reaches; it is never above
    `suspect`.
    """

    false_flag_rate: float | None
    not_sure_rate: float

    def choose(self, steps: StepLabels) -> Thresholds:
        """The thresholds that suit these predictions."""
        wrong, erroneous = steps.trace_probability(), steps.erroneous
        if self.false_flag_rate is None:
            best = oracle_threshold(steps)
            suspect = _NO_BEST if best is None else min(1.0, best)
        else:
            suspect = threshold_at(wrong, erroneous, self.false_flag_rate)
        return Thresholds(suspect, min(suspect, threshold_at(wrong, erroneous, self.not_sure_rate)))


@dataclass(frozen=True)
class HeldOutThresholds:
    """Thresholds for each of N traces, chosen without its problem; arrays (N,)."""

    suspect: np.ndarray
    unsure: np.ndarray


def thresholds_of_folds(problems: np.ndarray, choose: Callable[[np.ndarray], Thresholds]) -> HeldOutThresholds:
    """For the traces of each fold of problems (N,) what `choose` makes of the indices of all other traces."""
    suspect, unsure = np.empty(len(problems)), np.empty(len(problems))
    for seen, unseen in problem_folds(problems):
        suspect[unseen], unsure[unseen] = choose(seen)
    return HeldOutThresholds(suspect, unsure)


def held_out_thresholds(
    labelled: CalibrationData, others: Sequence[CalibrationData], penalty: float, rule: ThresholdRule
) -> HeldOutThresholds:
    """Thresholds of each labelled trace from traces of other problems alone, the models of these included.

    For each fold the traces of its problems are taken away, from `others` too; the rest is cross-validated as the
    whole is (`held_out_predictions`), and `rule` chooses by that.

    Raises:
        ValueError: if the labelled traces are of fewer than three problems.
    """
    if len(np.unique(labelled.problems)) < 3:
        raise ValueError(
            "held-out thresholds need labelled traces of three problems at least: one to hold out, two to choose by"
        )

    def choose(seen: np.ndarray) -> Thresholds:
        rest = labelled.where(np.isin(np.arange(len(labelled)), seen))
        held_out_problems = np.setdiff1d(labelled.problems, rest.problems)
        others_rest = [other.where(~np.isin(other.problems, held_out_problems)) for other in others]
        return rule.choose(rest.step_labels(held_out_predictions(rest, others_rest, penalty).steps))

    return thresholds_of_folds(labelled.problems, choose)


class FlagRates(NamedTuple):
    """Shares of right traces that reach the one threshold and the other; None where there is no right trace."""

    suspect: float | None
    unsure: float | None


def flag_rates(steps: StepLabels, thresholds: HeldOutThresholds) -> FlagRates:
    """How many right traces reach the thresholds that were chosen without their problem."""
    wrong, erroneous = steps.trace_probability(), steps.erroneous
    return FlagRates(
        suspect=false_flag_rate(wrong, erroneous, thresholds.suspect),
        unsure=false_flag_rate(wrong, erroneous, thresholds.unsure),
    )


def false_flag_rate(wrong: np.ndarray, erroneous: np.ndarray, threshold: float | np.ndarray) -> float | None:
    """Share of right traces whose probability of holding an error, `wrong` (N,), reaches `threshold`, one or (N,).

    None where there is no right trace.
    """
    return None if erroneous.all() else float((wrong >= threshold)[~erroneous].mean())


def threshold_at(wrong: np.ndarray, erroneous: np.ndarray, rate: float) -> float:
    """The lowest threshold that at most `rate` of the right traces reach; 1 if even their highest are too many.

    Args:
        wrong: each trace's probability of holding an error, (N,).
        erroneous: whether it does, (N,).
    """
    highest_first = np.sort(wrong[~erroneous])[::-1]
    allowed = int(rate * len(highest_first) + 1e-9)
    if allowed >= len(highest_first):
        return 0.0
    return float(min(1.0, np.nextafter(highest_first[allowed], 2.0)))
