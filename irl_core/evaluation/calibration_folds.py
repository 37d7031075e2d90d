"""What a calibration is worth on other problems of a source that it knows: folds over problems, thresholds within."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibration_data import CalibrationData
from irl_core.evaluation.calibration_fit import fit_steps, without_problems
from irl_core.evaluation.calibration_metrics import expected_calibration_error
from irl_core.evaluation.calibration_thresholds import Predicted, ThresholdRule
from irl_core.evaluation.localisation_metrics import first_error_f1, oracle_f1, suspects_at


class HeldOut(NamedTuple):
    """Each trace's probabilities and threshold, (K,) and (N,), by a fit that saw no trace of its problem."""

    predicted: Predicted
    thresholds: np.ndarray


def held_out_figures(
    files: Sequence[CalibrationData], penalty: float, rule: ThresholdRule, folds: int, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """For each file with located errors the figures with its problems held out.

    `own` is of fits to the file alone, `all` of fits to all files; in both, no trace of a held-out problem is fitted
    on, in whatever file it is, and the threshold is the rule's for the file's other traces, each predicted by a fit
    that in turn did not see its problem.
    """
    chosen = [data for data in files if len(data) and data.located.all() and 0 < data.erroneous.mean() < 1]
    return {
        data.name: {
            kind: _figures(data, held_out(data, fitted, penalty, rule, folds, seed))
            for kind, fitted in (("own", [data]), ("all", list(files)))
        }
        for data in chosen
    }


def _figures(data: CalibrationData, found: HeldOut) -> dict[str, Any]:
    bootstrap = ProblemBootstrap(np.unique(data.groups, return_inverse=True)[1])
    steps = data.step_labels(found.predicted.steps)
    wrong = found.predicted.wrong
    return {
        **first_error_f1(suspects_at(steps, found.thresholds), steps.first_error, bootstrap),
        "f1_oracle": oracle_f1(steps, bootstrap).f1,
        "right_suspected": bootstrap.mean((wrong >= found.thresholds).astype(float), ~data.erroneous),
        "ece": expected_calibration_error(wrong, data.erroneous, bootstrap),
        "thresholds": sorted(set(np.round(found.thresholds, 4).tolist())),
    }


def held_out(
    data: CalibrationData,
    files: Sequence[CalibrationData],
    penalty: float,
    rule: ThresholdRule,
    folds: int,
    seed: int = 0,
) -> HeldOut:
    """The predictions for every trace of `data`, which is one of `files`, and the threshold of its fold."""
    steps: list[np.ndarray] = [np.zeros(0)] * len(data)
    thresholds = np.zeros(len(data))
    numbers = fold_numbers(data.groups, folds, seed)
    for fold in range(folds):
        held = numbers == fold
        if not held.any():
            continue
        rest = without_problems(files, data.groups[held])
        for i, p in zip(np.flatnonzero(held), fit_steps(rest, penalty).predict(data.where(held)), strict=True):
            steps[i] = p
        others = data.where(~held)
        thresholds[held] = rule.choose([Predicted(others, _inner(others, rest, penalty, folds, seed))]).suspect
    return HeldOut(Predicted(data, steps), thresholds)


def _inner(
    data: CalibrationData, files: Sequence[CalibrationData], penalty: float, folds: int, seed: int
) -> list[np.ndarray]:
    """Predictions for every trace of `data` by fits without its problem."""
    steps: list[np.ndarray] = [np.zeros(0)] * len(data)
    numbers = fold_numbers(data.groups, folds, seed + 1)
    for fold in np.unique(numbers):
        held = numbers == fold
        model = fit_steps(without_problems(files, data.groups[held]), penalty)
        for i, p in zip(np.flatnonzero(held), model.predict(data.where(held)), strict=True):
            steps[i] = p
    return steps


def fold_numbers(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Which fold each trace is in, (N,): the traces of one problem, `groups` (N,), in one, drawn by the seed."""
    problems, of_trace = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(problems))
    return np.asarray((order % folds)[of_trace])
