"""Calibration figures against values worked out by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from irl_core.evaluation.calibration_metrics import (
    bin_numbers,
    brier_score,
    expected_calibration_error,
    reliability_curve,
)
from tests.support.bootstraps import own_problems


def test_ece_weighs_the_gap_of_each_bin_by_its_size():
    probability, wrong = np.array([0.05, 0.05, 0.95, 0.95]), np.array([False, False, True, False])
    figure = expected_calibration_error(probability, wrong, own_problems(4))
    assert figure["value"] == pytest.approx(0.5 * 0.05 + 0.5 * 0.45)


def test_a_probability_of_one_belongs_to_the_last_bin():
    assert expected_calibration_error(np.array([1.0]), np.array([False]), own_problems(1))["value"] == 1.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20))
@settings(max_examples=30)
def test_brier_score_agrees_with_scikit_learn(rows):
    probability, wrong = np.array([p for p, _ in rows]), np.array([w for _, w in rows])
    ours = brier_score(probability, wrong, own_problems(len(rows)))["value"]
    assert ours == pytest.approx(brier_score_loss(wrong, probability, labels=[False, True]))


def test_the_reliability_curve_has_a_bin_for_each_tenth_that_holds_something():
    curve = reliability_curve(np.array([0.02, 0.04, 0.1, 1.0]), np.array([False, True, True, True]))
    assert [(b["low"], b["n"], b["observed"]) for b in curve] == [(0.0, 3, pytest.approx(2 / 3)), (0.9, 1, 1.0)]
    assert curve[0]["stated"] == pytest.approx(0.16 / 3)


def test_an_edge_belongs_to_the_bin_below_it_and_zero_to_the_first():
    edges = np.arange(11) / 10
    assert bin_numbers(edges).tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert bin_numbers(np.array([0.1000001, 0.1999999, 0.9999999])).tolist() == [1, 1, 9]


@pytest.mark.parametrize(("edge", "low", "high"), [(0.0, 0.0, 0.1), (0.1, 0.0, 0.1), (0.2, 0.1, 0.2), (1.0, 0.9, 1.0)])
def test_the_calibration_error_and_the_reliability_curve_put_an_edge_into_the_same_bin(edge, low, high):
    # A second item in the middle of the edge's bin. In one bin the gaps cancel: |2 means - 1 true| / 2.
    probability, happened = np.array([edge, (low + high) / 2]), np.array([True, False])
    (only,) = reliability_curve(probability, happened)
    assert (only["low"], only["high"], only["n"]) == (pytest.approx(low), pytest.approx(high), 2)
    error = expected_calibration_error(probability, happened, own_problems(2))["value"]
    assert error == pytest.approx(abs(probability.sum() - 1) / 2)
    assert error == pytest.approx(abs(only["stated"] - only["observed"]))


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=30))
def test_the_reliability_curve_agrees_with_scikit_learn(rows):
    probability, happened = np.array([p / 20 for p, _ in rows]), np.array([h for _, h in rows])
    curve = reliability_curve(probability, happened)
    observed, stated = calibration_curve(happened, probability, n_bins=10)
    assert [b["observed"] for b in curve] == pytest.approx(observed)
    assert [b["stated"] for b in curve] == pytest.approx(stated)
