"""Steps compete for being the first wrong one; all probabilities are worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.diagnosis.features import FEATURES, Feature
from irl_core.diagnosis.first_error import first_error_probabilities, log_odds, step_log_odds
from tests.support.surprise import calibrated


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=12))
def test_no_step_hides_another_the_most_probable_is_the_one_with_the_highest_log_odds(z):
    p = first_error_probabilities(z)
    assert p[z.index(max(z))] == max(p)
    assert all(0 <= x <= 1 for x in p)


@given(st.lists(st.floats(-30, 30), max_size=12))
def test_the_probabilities_of_all_steps_add_up_to_less_than_one(z):
    assert 0 <= sum(first_error_probabilities(z)) < 1


def test_steps_compete_with_each_other_and_with_no_error():
    assert first_error_probabilities([math.log(2), math.log(3)]) == pytest.approx([2 / 6, 3 / 6])
    assert first_error_probabilities([0.0]) == pytest.approx([0.5])
    assert first_error_probabilities([]) == []
    assert first_error_probabilities([1000.0, 1000.0]) == pytest.approx([0.5, 0.5])
    assert first_error_probabilities([-1000.0]) == [0.0]


def test_ten_strong_steps_do_not_drown_the_strongest():
    p = first_error_probabilities([8.0] * 9 + [9.0])
    assert p.index(max(p)) == 9
    assert p[9] / p[0] == pytest.approx(math.e)


def test_log_odds_are_the_weighted_sum_of_features_and_the_intercept():
    rows = [tuple(Feature(float(k)) for k in range(len(FEATURES)))]
    weights = {FEATURES[1]: 0.5, FEATURES[3]: -2.0}
    assert step_log_odds(rows, calibrated(-3.0, **weights)) == pytest.approx([-3 + 0.5 * 1 - 2 * 3])


def test_log_odds_stay_finite():
    assert log_odds(0.5) == 0.0
    assert [log_odds(0.0), log_odds(1.0)] == pytest.approx([-13.8155, 13.8155], abs=1e-4)
