"""What tells a text of another kind, fitted on made-up features."""

import numpy as np
import pytest

from irl_core.diagnosis.scope import SCOPE_FEATURES
from irl_core.evaluation.calibration_scope import ScopeData, fit_scope, left_out_scope_rates


def kind(name, powers, n, source=None):
    values = np.zeros((n, len(SCOPE_FEATURES)))
    values[:, SCOPE_FEATURES.index("powers")] = powers
    return ScopeData(name, source or name, values)


def test_two_kinds_of_text_are_told_apart_whatever_their_numbers():
    scope = fit_scope([kind("word problems", 0.0, 500)], [kind("algebra", 1.0, 5)], 0.5)
    assert scope.is_outside([1.0, 0.0, 0.0, 0.0])
    assert not scope.is_outside([0.0] * 4)
    assert scope.other_kinds == ("algebra",)


def test_how_often_a_source_is_called_outside_is_told_by_a_model_that_did_not_see_it():
    inside = [kind("plain", 0.0, 20), kind("as plain", 0.0, 20), kind("squares", 2.0, 1)]
    rates = left_out_scope_rates(inside, [kind("algebra", 2.0, 20), kind("more algebra", 2.0, 20)], 0.5)
    assert rates == {"plain": 0.0, "as plain": 0.0, "squares": 1.0, "algebra": 1.0, "more algebra": 1.0}


def test_traces_of_one_kind_alone_are_refused():
    with pytest.raises(ValueError, match="both kinds"):
        fit_scope([kind("plain", 0.0, 5)], [], 0.5)
