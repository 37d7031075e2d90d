"""The three parts of a report, of a whole file or of some of its traces: every figure with its interval.

Parts and figures are None where the labels for them, or the critic's probabilities, are missing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibration_metrics import brier_score, expected_calibration_error, reliability_curve
from irl_core.evaluation.heat_metrics import ABSTENTION, abstention, pointing, visibility
from irl_core.evaluation.localisation_metrics import (
    StepLabels,
    best_constant_top1,
    chance_top1,
    error_detection_mcc,
    first_error_f1,
    oracle_f1,
    step_auroc,
)
from irl_core.evaluation.selection import selection_report
from irl_core.evaluation.trace_metrics import (
    ece_floor,
    error_auroc,
    length_correlation,
    score_by_length,
    trace_auroc,
    within_problem_auroc,
)
from irl_core.evaluation.trace_table import UNLABELLED, TraceTable


@dataclass(frozen=True)
class Settings:
    """What the figures depend on beside the scores: two numbers of the critic, and those of the bootstrap.

    `threshold` is that of the critic's calibration, None where it has none.
    """

    threshold: float | None
    weight_temperature: float
    resamples: int = 1000
    seed: int = 0

    def bootstrap(self, problems: np.ndarray) -> ProblemBootstrap:
        """Resamples of the problems (N,) of N items."""
        return ProblemBootstrap(problems, resamples=self.resamples, seed=self.seed)


def parts(table: TraceTable, settings: Settings) -> dict[str, Any]:
    """The three parts of a report."""
    return {
        "trace": trace_report(table, settings),
        "localisation": localisation_report(table, settings),
        "selection": selection_report(
            list(table.pools()),
            weight_temperature=settings.weight_temperature,
            rng=random.Random(settings.seed),
            resamples=settings.resamples,
            seed=settings.seed,
        ),
    }


def trace_report(table: TraceTable, settings: Settings) -> dict[str, Any] | None:
    """How well the trace score tells right from wrong, and what P(wrong) is worth; None without labels.

    `error_auroc`, `ece`, `ece_floor`, `brier` and `reliability` are of P(wrong), the sum of the steps' probabilities,
    and None where there are no probabilities.
    """
    table = table.where(table.has_verdict)
    if not len(table):
        return None
    wrong, bootstrap = table.wrong, settings.bootstrap(table.problem)
    return {
        "auroc": trace_auroc(table.score, wrong, bootstrap),
        "auroc_within_problem": within_problem_auroc(
            table.score, wrong, table.problem, resamples=settings.resamples, seed=settings.seed
        ),
        **_error_probability(table, settings, bootstrap),
        "length_correlation": length_correlation(table.score, table.length, bootstrap),
        "score_by_length": score_by_length(table.score, table.length, wrong),
    }


def _error_probability(table: TraceTable, settings: Settings, bootstrap: ProblemBootstrap) -> dict[str, Any]:
    """What P(wrong) is worth, over traces that are known to be right or wrong."""
    if not table.has_probabilities:
        return dict.fromkeys(("error_auroc", "ece", "ece_floor", "brier", "reliability"))
    probability, wrong = table.steps().trace_probability(), table.wrong
    return {
        "error_auroc": error_auroc(probability, wrong, bootstrap),
        "ece": expected_calibration_error(probability, wrong, bootstrap),
        "ece_floor": ece_floor(probability, simulations=settings.resamples, seed=settings.seed),
        "brier": brier_score(probability, wrong, bootstrap),
        "reliability": reliability_curve(probability, wrong),
    }


def localisation_report(table: TraceTable, settings: Settings) -> dict[str, Any] | None:
    """Where the first error is put, and what the page shows of it; None without step labels.

    `f1`, `accuracy_error`, `accuracy_correct` and `mcc` are of the step that the page names
    (`ScoredTrace.predicted_first_error`): by its probability and the shipped threshold, or by a false equation, which
    is marked whatever the threshold; a trace that is outside or not sure counts as not marked. `f1_oracle` is of the
    probabilities alone; its interval holds its threshold fixed. `f1_arithmetic` is that of no model at all: the first
    step with a false equation is named, no other trace marked.

    Without probabilities `top1` and `step_auroc` order the steps by their reward, the lowest most suspect, `pointing`
    is by reward, and what needs a probability, a threshold or a scale is None.
    """
    table = table.where(table.first_error != UNLABELLED)
    if not len(table):
        return None
    steps, bootstrap = table.steps(), settings.bootstrap(table.problem)
    hits = (steps.most_suspect() == steps.first_error).astype(float)
    return {
        **_threshold_figures(table.predicted, steps, settings.threshold, bootstrap),
        "f1_arithmetic": first_error_f1(table.false_equation, steps.first_error, bootstrap)["f1"],
        "top1": bootstrap.mean(hits, steps.erroneous),
        "top1_chance": chance_top1(steps),
        "top1_best_constant": best_constant_top1(steps),
        "step_auroc": step_auroc(steps, table.problem, resamples=settings.resamples, seed=settings.seed),
        **_step_calibration(steps, settings.bootstrap(np.repeat(table.problem, steps.n_steps))),
        **pointing(table.lowest_step, table.error_share, table.first_error, bootstrap),
        **visibility(table, bootstrap),
        **_abstention(table, steps, settings.threshold, bootstrap),
    }


def _threshold_figures(
    predicted: np.ndarray, steps: StepLabels, threshold: float | None, bootstrap: ProblemBootstrap
) -> dict[str, Any]:
    """Figures of the steps that were predicted, and of those that the best threshold would have predicted.

    `first_step_accuracy` is `accuracy_error` under the name that MR-GSM8K gives it.
    """
    names = ("f1", "accuracy_error", "accuracy_correct", "threshold", "f1_oracle", "threshold_oracle", "mcc")
    if not steps.has_probabilities:
        return dict.fromkeys((*names, "first_step_accuracy"))
    shipped = first_error_f1(predicted, steps.first_error, bootstrap)
    oracle = oracle_f1(steps, bootstrap)
    return {
        **shipped,
        "threshold": threshold,
        "f1_oracle": oracle.f1,
        "threshold_oracle": oracle.threshold,
        "mcc": error_detection_mcc(predicted, steps.first_error, bootstrap),
        "first_step_accuracy": shipped["accuracy_error"],
    }


def _step_calibration(steps: StepLabels, bootstrap: ProblemBootstrap) -> dict[str, Any]:
    """What P(this step is the first wrong one) is worth, over all steps of the labelled traces."""
    if not steps.has_probabilities:
        return dict.fromkeys(("step_ece", "step_brier", "step_reliability"))
    happened = steps.is_first_error
    return {
        "step_ece": expected_calibration_error(steps.probability, happened, bootstrap),
        "step_brier": brier_score(steps.probability, happened, bootstrap),
        "step_reliability": reliability_curve(steps.probability, happened),
    }


def _abstention(
    table: TraceTable, steps: StepLabels, threshold: float | None, bootstrap: ProblemBootstrap
) -> dict[str, Any]:
    """How often no mark is made on purpose, and which marks that spares."""
    if threshold is None or not steps.has_probabilities:
        return dict.fromkeys(ABSTENTION)
    return abstention(table, steps, threshold, bootstrap)
