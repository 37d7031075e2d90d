"""What a calibration is worth: figures of its probabilities and thresholds, with intervals over problems."""

from __future__ import annotations

from typing import Any

import numpy as np

from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibration_metrics import brier_score, expected_calibration_error
from irl_core.evaluation.localisation_metrics import StepLabels, first_error_f1, oracle_f1, suspects_at
from irl_core.evaluation.trace_metrics import trace_auroc


def localisation_figures(steps: StepLabels, threshold: float | np.ndarray, problems: np.ndarray) -> dict[str, Any]:
    """How well the probabilities localise, and whether they mean what they say.

    `threshold` is one for all traces, or one for each (N,). `f1_oracle` is at the threshold that is best for these
    very labels, `threshold_oracle`, and so an upper bound of `f1`, not an estimate.
    """
    bootstrap = ProblemBootstrap(problems)
    hits = (steps.most_suspect() == steps.first_error).astype(float)
    oracle = oracle_f1(steps, bootstrap)
    by_step = ProblemBootstrap(np.repeat(problems, steps.n_steps))
    whole = detection_figures(steps.trace_probability(), steps.erroneous, problems)
    return {
        **first_error_f1(suspects_at(steps, threshold), steps.first_error, bootstrap),
        "f1_oracle": oracle.f1,
        "threshold_oracle": oracle.threshold,
        "top1": bootstrap.mean(hits, steps.erroneous),
        **{key: whole[key] for key in ("auroc", "ece", "brier")},
        "step_ece": expected_calibration_error(steps.probability, steps.is_first_error, by_step),
    }


def detection_figures(wrong: np.ndarray, erroneous: np.ndarray, problems: np.ndarray) -> dict[str, Any]:
    """How well the probability of an error (N,) tells wrong traces apart, and whether it means what it says."""
    bootstrap = ProblemBootstrap(problems)
    return {
        "n": len(wrong),
        "auroc": trace_auroc(-wrong, erroneous, bootstrap),
        "ece": expected_calibration_error(wrong, erroneous, bootstrap),
        "brier": brier_score(wrong, erroneous, bootstrap),
    }
