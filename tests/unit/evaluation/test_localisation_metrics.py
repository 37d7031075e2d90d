"""Figures of the place of the first error, against values worked out by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import matthews_corrcoef

from irl_core.evaluation.localisation_metrics import (
    StepLabels,
    best_constant_top1,
    chance_top1,
    error_detection_mcc,
    first_error_f1,
    oracle_threshold,
    step_auroc,
    suspects_at,
)
from tests.support.bootstraps import own_problems


def labels(traces: list[tuple[list[float], int]]) -> StepLabels:
    probability = [np.array(p) for p, _ in traces]
    return StepLabels.of(probability, [np.zeros(len(p)) for p in probability], [error for _, error in traces])


def test_first_error_f1_is_the_harmonic_mean_of_both_accuracies():
    first_error = np.array([0, 2, 1, -1, -1])
    predicted = np.array([0, 1, -1, -1, -1])
    figures = first_error_f1(predicted, first_error, own_problems(5))
    assert figures["accuracy_error"]["value"] == pytest.approx(1 / 3)
    assert figures["accuracy_error"]["n"] == 3
    assert figures["accuracy_correct"]["value"] == 1.0
    assert figures["f1"]["value"] == pytest.approx(2 * (1 / 3) / (1 / 3 + 1))


def test_f1_is_null_without_right_traces_and_zero_when_nothing_is_found():
    assert first_error_f1(np.array([0]), np.array([0]), own_problems(1))["f1"] is None
    assert first_error_f1(np.array([-1, 0]), np.array([0, -1]), own_problems(2))["f1"]["value"] == 0.0


def test_the_most_probable_step_of_a_trace_that_reaches_the_threshold_is_predicted():
    steps = labels([([0.1, 0.2, 0.4], 1), ([0.2], -1), ([0.5, 0.2], 0)])
    assert steps.trace_probability() == pytest.approx([0.7, 0.2, 0.7])
    assert suspects_at(steps, 0.6).tolist() == [2, -1, 0]
    assert suspects_at(steps, 0.1).tolist() == [2, 0, 0]
    assert suspects_at(steps, 2.0).tolist() == [-1, -1, -1]


@given(
    st.lists(
        st.lists(st.integers(0, 4), min_size=1, max_size=5).flatmap(
            lambda p: st.tuples(st.just([x / 20 for x in p]), st.integers(-1, len(p) - 1))
        ),
        min_size=2,
        max_size=12,
    )
)
def test_no_threshold_beats_the_oracle_threshold(traces):
    steps = labels(traces)
    best = oracle_threshold(steps)
    if steps.erroneous.all() or not steps.erroneous.any():
        assert best is None
        return

    def f1(threshold):
        right = suspects_at(steps, threshold) == steps.first_error
        error, correct = right[steps.erroneous].mean(), right[~steps.erroneous].mean()
        return 0.0 if error + correct == 0 else 2 * error * correct / (error + correct)

    assert f1(best) == pytest.approx(max(f1(threshold) for threshold in np.linspace(-0.1, 1.1, 49)))


def test_the_most_suspect_step_breaks_ties_by_the_lower_reward_then_the_earlier_step():
    steps = StepLabels.of(
        [np.array([0.2, 0.5, 0.5]), np.array([0.3, 0.3])],
        [np.array([-9.0, -1.0, -2.0]), np.array([0.0, 0.0])],
        [2, 0],
    )
    assert steps.most_suspect().tolist() == [2, 0]


def test_top1_baselines_are_over_erroneous_traces_only():
    steps = labels([([0.0] * 2, 1), ([0.0] * 4, 1), ([0.0] * 4, 0), ([0.0] * 9, -1)])
    assert chance_top1(steps) == pytest.approx((1 / 2 + 1 / 4 + 1 / 4) / 3)
    assert best_constant_top1(steps) == pytest.approx(2 / 3)


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 2)), min_size=1, max_size=20))
def test_mcc_of_saying_that_a_trace_is_wrong_agrees_with_scikit_learn(pairs):
    predicted, true = (np.array(column) for column in zip(*pairs, strict=True))
    figure = error_detection_mcc(predicted, true, own_problems(len(pairs)))
    if len(set(predicted >= 0)) < 2 or len(set(true >= 0)) < 2:
        assert figure is None
    else:
        assert figure["value"] == pytest.approx(matthews_corrcoef(true >= 0, predicted >= 0))


def test_the_steps_that_are_a_first_error_are_marked():
    steps = labels([([0.1, 0.8, 0.99], 1), ([0.2, 0.9], -1), ([0.5], 0)])
    assert steps.is_first_error.tolist() == [False, True, False, False, False, True]


def test_step_auroc_leaves_out_what_comes_after_the_first_error():
    steps = labels([([0.1, 0.8, 0.99], 1), ([0.2, 0.9], -1)])
    figure = step_auroc(steps, np.array([0, 1]), resamples=50)
    assert figure["n"] == 4
    assert figure["value"] == pytest.approx(2 / 3)


def test_step_probabilities_of_the_first_error_add_up_to_that_of_a_wrong_trace_and_stop_at_one():
    assert labels([([0.1, 0.2, 0.3], 0), ([0.9, 0.8], 0)]).trace_probability() == pytest.approx([0.6, 1.0])


def test_every_trace_may_have_a_threshold_of_its_own():
    steps = labels([([0.1, 0.4], 1), ([0.4, 0.1], 0)])
    assert suspects_at(steps, np.array([0.4, 0.6])).tolist() == [1, -1]


def test_without_probabilities_the_lowest_reward_is_the_most_suspect_and_no_threshold_is_best():
    unknown = [np.full(2, np.nan), np.full(3, np.nan)]
    steps = StepLabels.of(unknown, [np.array([-1.0, -3.0]), np.array([-2.0, -5.0, -5.0])], [1, -1])
    assert not steps.has_probabilities
    assert steps.most_suspect().tolist() == [1, 1]
    assert oracle_threshold(steps) is None
    # The first error costs 3 nats; of the four other steps two cost less and two cost more.
    assert step_auroc(steps, np.array([0, 1]), resamples=50)["value"] == 0.5
