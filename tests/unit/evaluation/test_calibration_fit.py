"""The model of first errors on data whose answer is known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import check_grad

from irl_core.diagnosis.features import FEATURES
from irl_core.evaluation.calibration_data import NO_ERROR, WRONG_SOMEWHERE, CalibrationData
from irl_core.evaluation.calibration_fit import (
    MAY_BE_NEGATIVE,
    StepModel,
    _assemble,
    _loss,
    _weighted_deviation,
    fit_steps,
    left_out_predictions,
    trace_weights,
    without,
)
from tests.support.simulated import data_of, simulate, trace_of

SURPRISE = "worst_choice"
TRUE = {SURPRISE: 1.5, "upper_surprise": 0.5, "false_equation": 2.0}


def weight(model: StepModel, name: str) -> float:
    return float(model.weights[FEATURES.index(name)])


def shown(data: CalibrationData) -> CalibrationData:
    """The same traces, of whose wrong ones only the outcome is known."""
    labels = np.where(data.erroneous, WRONG_SOMEWHERE, NO_ERROR)
    return CalibrationData(data.name, data.source, data.traces, labels, data.groups)


def test_the_gradient_of_the_loss_is_that_of_finite_differences():
    files = [simulate(30, TRUE, -3.0), shown(simulate(20, TRUE, -2.0, "two", seed=1))]
    problem = _assemble(files)
    rng = np.random.default_rng(0)
    for _ in range(5):
        at = rng.normal(scale=0.5, size=len(FEATURES) + 1)
        size = float(np.linalg.norm(_loss(at, problem, np.full(len(FEATURES), 0.7))[1]))
        error = check_grad(
            lambda x: _loss(x, problem, np.full(len(FEATURES), 0.7))[0],
            lambda x: _loss(x, problem, np.full(len(FEATURES), 0.7))[1],
            at,
        )
        assert error < 1e-4 * max(1.0, size)


def test_the_loss_is_minus_the_log_likelihood_of_right_located_and_merely_wrong_traces():
    # Two steps of log-odds log 2 and log 3: no error 1/6, the second step 3/6, any 5/6. One source: weights of one.
    steps = [{SURPRISE: math.log(2)}, {SURPRISE: math.log(3)}]
    labels = [NO_ERROR, 1, WRONG_SOMEWHERE]
    problem = _assemble([data_of([trace_of(steps)] * 3, labels)])
    at = np.array([1.0 if name == SURPRISE else 0.0 for name in FEATURES] + [0.0])
    expected = -(math.log(1 / 6) + math.log(3 / 6) + math.log(5 / 6))
    assert _loss(at, problem, np.zeros(len(FEATURES)))[0] == pytest.approx(expected)
    assert _loss(at, problem, np.full(len(FEATURES), 4.0))[0] == pytest.approx(expected + 2.0), (
        "half of the penalty times the weight squared"
    )


def test_the_probabilities_of_a_model_are_of_steps_that_compete():
    model = StepModel(np.array([1.0 if name == SURPRISE else 0.0 for name in FEATURES]), -math.log(2))
    data = data_of([trace_of([{}, {SURPRISE: math.log(6)}])], [1])
    # The odds are 1/2 and 3: of 4.5 in all.
    assert model.predict(data)[0] == pytest.approx([0.5 / 4.5, 3 / 4.5])


def test_a_fit_finds_the_weights_that_made_the_labels():
    model = fit_steps([simulate(6000, TRUE, -4.0)], penalty=0.01)
    assert {name: weight(model, name) for name in TRUE} == pytest.approx(TRUE, abs=0.15)
    assert model.intercept == pytest.approx(-4.0, abs=0.25)
    assert model.weights[[FEATURES.index(name) for name in FEATURES if name not in TRUE]] == pytest.approx(0.0)


def test_a_fit_of_outcomes_alone_finds_them_too_if_less_exactly():
    model = fit_steps([shown(simulate(6000, TRUE, -4.0))], penalty=0.01)
    assert {name: weight(model, name) for name in TRUE} == pytest.approx(TRUE, abs=0.4)


def test_the_intercept_of_outcomes_alone_is_that_of_their_share():
    # Two steps without any evidence; three of four traces are wrong: 2 e^z / (1 + 2 e^z) = 3/4, so e^z = 3/2.
    data = data_of([trace_of([{}, {}])] * 40, [NO_ERROR, *[WRONG_SOMEWHERE] * 3] * 10)
    model = fit_steps([data], penalty=1.0)
    assert model.intercept == pytest.approx(math.log(3 / 2), abs=1e-4)
    assert model.predict(data)[0] == pytest.approx([3 / 8, 3 / 8], abs=1e-4)


def test_surprise_never_speaks_for_a_step_and_a_step_without_numbers_may():
    backwards = {SURPRISE: -1.5, "no_number": -1.5}
    model = fit_steps([simulate(2000, backwards, 1.0)], penalty=0.01)
    assert weight(model, SURPRISE) == 0.0
    assert weight(model, "no_number") == pytest.approx(-1.5, abs=0.3)
    assert all(weight(model, name) >= 0 for name in FEATURES if name not in MAY_BE_NEGATIVE)


def test_every_source_has_the_same_weight_however_many_files_and_traces_it_has():
    none = trace_of([{}])
    files = [
        data_of([none] * 2, [-1, 0], "few"),
        data_of([none] * 4, [-1] * 4, "many", name="a"),
        data_of([none] * 2, [-1] * 2, "many", name="b"),
    ]
    # Eight traces, four for each source: two of weight 2 and six of weight 2/3.
    assert trace_weights(files) == pytest.approx([2.0] * 2 + [2 / 3] * 6)


def test_a_source_whose_traces_all_stand_there_twice_changes_nothing():
    # The weights add up to the number of traces, 400 and 600, and the penalty grows with it.
    one, two = simulate(200, TRUE, -4.0), simulate(200, {SURPRISE: 3.0}, -2.0, "two", seed=1)
    twice = CalibrationData("one", "one", [*one.traces] * 2, np.tile(one.first_error, 2), np.tile(one.groups, 2))
    once, doubled = fit_steps([one, two], penalty=2.0), fit_steps([twice, two], penalty=3.0)
    assert doubled.weights == pytest.approx(once.weights, abs=2e-3)
    assert doubled.intercept == pytest.approx(once.intercept, abs=5e-3)
    once, doubled = fit_steps([one, two], penalty=0.0), fit_steps([twice, two], penalty=0.0)
    assert doubled.weights == pytest.approx(once.weights, abs=2e-3)


def test_features_are_standardised_with_the_weights_of_their_steps():
    # Values 0, 0 and 6 that weigh 1, 1 and 2: mean 3, deviation 3; 1 and 3 alike: 2 and 1.
    features, weight = np.array([[0.0], [0.0], [6.0]]), np.array([1.0, 1.0, 2.0])
    assert _weighted_deviation(features, weight) == pytest.approx([3.0])
    assert _weighted_deviation(np.array([[1.0], [3.0]]), np.ones(2)) == pytest.approx([1.0])


def test_right_traces_alone_or_wrong_ones_alone_are_refused():
    for label in (NO_ERROR, 0, WRONG_SOMEWHERE):
        with pytest.raises(ValueError, match="needs right traces and wrong ones"):
            fit_steps([data_of([trace_of([{}])] * 4, [label] * 4)], penalty=1.0)
    with pytest.raises(ValueError, match="needs right traces and wrong ones"):
        fit_steps([], penalty=1.0)


def test_a_source_is_left_out_with_every_trace_of_its_problems():
    none = trace_of([{}])
    files = [
        data_of([none] * 3, [-1, 0, 0], "one", ["a", "b", "b"], name="one-1"),
        data_of([none], [-1], "one", ["c"], name="one-2"),
        data_of([none] * 4, [-1, 0, -1, 0], "two", ["b", "d", "c", "e"]),
        data_of([none] * 2, [0, 0], "three", ["a", "c"]),
    ]
    (kept,) = without(files, "one")
    assert (kept.name, kept.groups.tolist(), kept.first_error.tolist()) == ("two", ["d", "e"], [0, 0])
    assert [data.name for data in without(files, "three")] == ["one-1", "two"]
    assert [data.groups.tolist() for data in without(files, "three")] == [["b", "b"], ["b", "d", "e"]]


def test_the_labels_of_a_source_and_of_its_problems_do_not_change_its_own_predictions():
    one, two = simulate(60, TRUE, -4.0), simulate(60, TRUE, -4.0, "two", seed=1)
    three = simulate(60, TRUE, -4.0, "three", seed=2)
    shared = CalibrationData("two", "two", two.traces, two.first_error, np.array([*one.groups[:5], *two.groups[5:]]))
    before = left_out_predictions([one, shared, three], 1.0)
    turned = np.where(one.erroneous, -1, 0)
    flipped = CalibrationData("one", "one", one.traces, turned, one.groups)
    mixed = np.where(np.arange(60) < 5, np.where(shared.erroneous, -1, 0), shared.first_error)
    after = left_out_predictions(
        [flipped, CalibrationData("two", "two", two.traces, mixed, shared.groups), three], 1.0
    )
    for a, b in zip(after[0], before[0], strict=True):
        assert a == pytest.approx(b, abs=1e-9)
    assert not np.allclose(np.concatenate(after[2]), np.concatenate(before[2]))


def test_with_one_source_the_predictions_are_those_of_the_fit_itself():
    files = [simulate(40, TRUE, -4.0), simulate(30, TRUE, -4.0, seed=1)]
    model = fit_steps(files, 1.0)
    predictions = left_out_predictions(files, 1.0)
    assert [len(p) for p in predictions] == [40, 30]
    for found, data in zip(predictions, files, strict=True):
        assert np.concatenate(found) == pytest.approx(np.concatenate(model.predict(data)))


def kinds(rng: np.random.Generator, n: int, powers: float, source: str) -> CalibrationData:
    """Right traces whose text has so many powers in the mean."""
    traces = [trace_of([{}], (float(rng.normal(powers, 0.3)), 0.0, 0.0, 0.0)) for _ in range(n)]
    return data_of(traces, [-1] * n, source)
