"""Figures of trace scores against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from irl_core.evaluation.trace_metrics import (
    ece_floor,
    error_auroc,
    length_correlation,
    score_by_length,
    trace_auroc,
    within_problem_auroc,
)
from tests.support.bootstraps import own_problems


def test_auroc_is_the_share_of_ordered_pairs_with_ties_at_one_half():
    scores, wrong = np.array([0.9, 0.5, 0.5, 0.1]), np.array([False, False, True, True])
    figure = trace_auroc(scores, wrong, own_problems(4))
    assert figure["value"] == pytest.approx(3.5 / 4)
    assert figure["n"] == 4


def test_within_problem_auroc_is_the_macro_mean_over_problems_with_both_classes():
    scores = np.array([2.0, 1.0, 1.0, 2.0, 3.0, 5.0])
    wrong = np.array([False, True, False, True, True, False])
    problems = np.array([0, 0, 1, 1, 1, 2])
    figure = within_problem_auroc(scores, wrong, problems, resamples=100)
    assert figure["value"] == pytest.approx((1.0 + 0.0) / 2)
    assert figure["n"] == 2


def test_within_problem_auroc_ignores_how_hard_a_problem_is():
    scores = np.array([10.0, 11.0, 0.0, 1.0])
    wrong = np.array([True, False, True, False])
    assert within_problem_auroc(scores, wrong, np.array([0, 0, 1, 1]))["value"] == 1.0
    assert trace_auroc(scores, wrong, own_problems(4))["value"] == 0.75


def test_one_class_has_no_auroc():
    assert trace_auroc(np.array([1.0, 2.0]), np.array([True, True]), own_problems(2)) is None
    assert within_problem_auroc(np.array([1.0]), np.array([True]), np.array([0])) is None


def test_length_correlation_of_a_score_that_falls_with_length_is_minus_one():
    figure = length_correlation(np.array([3.0, 2.0, 1.0]), np.array([10, 20, 30]), own_problems(3))
    assert figure["value"] == pytest.approx(-1.0)


def test_score_by_length_holds_a_tenth_of_the_traces_each_from_short_to_long():
    bins = score_by_length(np.arange(20.0), np.arange(20)[::-1], np.arange(20) < 10)
    assert [b["n"] for b in bins] == [2] * 10
    assert bins[0] == {"low": 0, "high": 1, "score": 18.5, "right": 1.0, "n": 2}
    assert bins[-1]["right"] == 0.0


def test_error_auroc_is_higher_where_wrong_traces_have_the_higher_probability():
    figure = error_auroc(np.array([0.9, 0.2, 0.2, 0.1]), np.array([True, True, False, False]), own_problems(4))
    assert figure["value"] == pytest.approx(3.5 / 4)


def test_the_floor_of_the_calibration_error_is_what_chance_alone_leaves():
    # Two items of 0.5 in one bin: none, one or both happen with 1/4, 1/2, 1/4, and miss 0.5 by 0.5, 0 and 0.5.
    pair = ece_floor(np.array([0.5, 0.5]), simulations=20_000)
    assert pair["value"] == pytest.approx(0.25, abs=0.01)
    assert (pair["low"], pair["high"], pair["n"]) == (0.0, 0.5, 2)
    # One of 0.2: it happens with 0.2 and misses by 0.8, else by 0.2.
    assert ece_floor(np.array([0.2]), simulations=20_000)["value"] == pytest.approx(2 * 0.2 * 0.8, abs=0.01)


def test_the_floor_is_zero_for_certain_outcomes_falls_with_the_items_and_follows_its_seed():
    assert ece_floor(np.array([0.0, 1.0, 1.0]))["value"] == 0.0
    few, many = ece_floor(np.full(10, 0.3)), ece_floor(np.full(1000, 0.3))
    assert few["value"] > 5 * many["value"]
    assert ece_floor(np.full(10, 0.3), seed=1) != few == ece_floor(np.full(10, 0.3))
    assert ece_floor(np.array([])) is None
