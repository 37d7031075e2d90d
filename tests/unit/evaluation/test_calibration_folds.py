"""Problems held out, thresholds within the folds: nobody sees what it is judged by."""

from __future__ import annotations

import numpy as np
import pytest

from irl_core.evaluation.calibration_data import CalibrationData
from irl_core.evaluation.calibration_folds import fold_numbers, held_out, held_out_figures
from irl_core.evaluation.calibration_thresholds import ThresholdRule
from tests.support.simulated import data_of, simulate, trace_of

RULE = ThresholdRule(1.0, 1.0)
WEIGHTS = {"worst_choice": 1.5, "false_equation": 2.0}


def test_the_traces_of_a_problem_are_in_one_fold_and_folds_are_of_one_size():
    groups = np.array([f"p{i // 3}" for i in range(30)])
    numbers = fold_numbers(groups, 5, seed=0)
    assert np.bincount(numbers).tolist() == [6] * 5
    assert all(len(set(numbers[groups == group])) == 1 for group in set(groups))
    assert (fold_numbers(groups, 5, seed=1) != numbers).any()


def test_the_labels_of_a_problem_change_neither_its_predictions_nor_its_threshold():
    data, other = simulate(60, WEIGHTS, -3.0), simulate(40, WEIGHTS, -3.0, "two", seed=1)
    before = held_out(data, [data, other], 1.0, RULE, folds=3)
    fold = fold_numbers(data.groups, 3, seed=0) == 0
    labels = np.where(fold, np.where(data.erroneous, -1, 0), data.first_error)
    flipped = CalibrationData(data.name, data.source, data.traces, labels, data.groups)
    after = held_out(flipped, [flipped, other], 1.0, RULE, folds=3)
    assert after.thresholds[fold] == pytest.approx(before.thresholds[fold], abs=1e-9)
    for i in np.flatnonzero(fold):
        assert after.predicted.steps[i] == pytest.approx(before.predicted.steps[i], abs=1e-9)
    assert not np.allclose(after.predicted.wrong[~fold], before.predicted.wrong[~fold])


def test_a_problem_is_held_out_of_every_file():
    data, other = simulate(40, WEIGHTS, -3.0), simulate(40, WEIGHTS, -3.0, "two", seed=1)
    shared = CalibrationData("two", "two", other.traces, other.first_error, data.groups)
    flipped = CalibrationData("two", "two", other.traces, np.where(other.erroneous, -1, 0), data.groups)
    fold = fold_numbers(data.groups, 4, seed=0) == 2
    mixed = np.where(fold, flipped.first_error, shared.first_error)
    partly = CalibrationData("two", "two", other.traces, mixed, data.groups)
    for i in np.flatnonzero(fold):
        a = held_out(data, [data, shared], 1.0, RULE, folds=4).predicted.steps[i]
        assert held_out(data, [data, partly], 1.0, RULE, folds=4).predicted.steps[i] == pytest.approx(a, abs=1e-9)


def test_where_one_feature_tells_all_the_figures_are_perfect():
    traces = [trace_of([{}, {"worst_choice": 3.0 * (i % 2)}]) for i in range(40)]
    data = data_of(traces, [1 if i % 2 else -1 for i in range(40)])
    figures = held_out_figures([data], 0.01, RULE, folds=4)["one"]
    assert figures["own"]["f1"]["value"] == figures["all"]["f1"]["value"] == 1.0
    assert figures["own"]["f1"]["n"] == 40
    assert figures["own"]["right_suspected"]["value"] == 0.0
    assert figures["own"]["f1_oracle"]["value"] == 1.0


def test_a_file_without_located_errors_has_no_such_figures():
    located = simulate(120, WEIGHTS, -4.0)
    right = data_of([trace_of([{}])] * 10, [-1] * 10, "right")
    assert list(held_out_figures([located, right], 1.0, RULE, folds=3)) == ["one"]
