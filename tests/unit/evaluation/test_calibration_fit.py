"""The hazard model on data whose answer is known beforehand."""

import math

import numpy as np
import pytest

from irl_core.evaluation.calibration_fit import (
    Hazard,
    Outcomes,
    cross_validated,
    cross_validated_traces,
    fit_hazard,
    fit_trace_model,
    shared_out,
)


def made_up(n: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Traces of one to five steps whose hazard is σ(2 x − 1) in their only feature."""
    rng = np.random.default_rng(seed)
    rows, first_error = [], []
    for _ in range(n):
        steps = rng.normal(size=(rng.integers(1, 6), 1))
        fails = rng.random(len(steps)) < 1 / (1 + np.exp(1 - 2 * steps[:, 0]))
        rows.append(steps)
        first_error.append(int(np.argmax(fails)) if fails.any() else -1)
    return rows, np.array(first_error)


def test_the_probabilities_of_a_hazard_are_those_of_a_survival_model():
    hazard = Hazard(mean=np.array([1.0]), scale=np.array([2.0]), weights=np.array([1.0]), intercept=0.0)
    probabilities = hazard.first_error(np.array([[1.0], [1.0 + 2 * math.log(3)]]))
    assert probabilities == pytest.approx([0.5, 0.5 * 0.75])


def test_a_fitted_hazard_finds_the_weights_that_made_the_data():
    rows, first_error = made_up(4000)
    hazard = fit_hazard(rows, first_error, penalty=1e-3)
    slope = hazard.weights[0] / hazard.scale[0]
    assert slope == pytest.approx(2.0, abs=0.15)
    assert hazard.intercept - slope * hazard.mean[0] == pytest.approx(-1.0, abs=0.15)


def test_steps_after_the_first_error_do_not_change_the_fit():
    rows, first_error = made_up(300)
    longer = [np.vstack([r, [[99.0]]]) if e >= 0 else r for r, e in zip(rows, first_error, strict=True)]
    plain, extended = fit_hazard(rows, first_error, 1.0), fit_hazard(longer, first_error, 1.0)
    assert plain.weights == pytest.approx(extended.weights)


def test_no_trace_is_judged_by_a_model_that_saw_its_problem():
    # One problem whose label contradicts all others: a model that had seen it would know.
    rows = [np.array([[float(i % 2)]]) for i in range(40)] + [np.array([[5.0]])] * 5
    first_error = np.array([0 if i % 2 else -1 for i in range(40)] + [-1] * 5)
    problems = np.array([*range(40), *[40] * 5])
    assert min(p[0] for p in cross_validated(rows, first_error, problems, 0.1)[40:]) > 0.9


def outcomes(rng, n, problems, base=0.0):
    steps, scores = rng.normal(size=n), rng.normal(size=n)
    wrong = rng.random(n) < 1 / (1 + np.exp(-(base + 1.5 * steps - 2.0 * scores)))
    return Outcomes(steps, scores, wrong, np.array(problems))


def test_a_model_of_whole_traces_finds_the_weights_that_made_the_data():
    rng = np.random.default_rng(0)
    fit = fit_trace_model([outcomes(rng, 6000, range(6000), 0.5), outcomes(rng, 3000, range(3000), 0.5)])
    assert fit == pytest.approx((1.5, -2.0, 0.5), abs=0.15)
    assert fit.probability(np.array([0.0]), np.array([0.0])) == pytest.approx([1 / (1 + np.exp(-fit.intercept))])


def test_every_source_weighs_the_same_in_the_model_of_whole_traces():
    rng = np.random.default_rng(1)
    few, many = outcomes(rng, 300, range(300), -2.0), outcomes(rng, 3000, range(3000), 2.0)
    tenfold = Outcomes(*(np.tile(part, 10) for part in few))
    assert fit_trace_model([few, many]) == pytest.approx(fit_trace_model([tenfold, many]), abs=0.01)


def test_no_trace_is_judged_as_a_whole_by_a_model_that_saw_its_problem_in_any_source():
    rng = np.random.default_rng(2)
    names = [f"Q{i}" for i in range(40)]
    one, two = outcomes(rng, 40, names), outcomes(rng, 40, names)
    before = cross_validated_traces([one, two])
    flipped = one._replace(wrong=np.where(one.problems == "Q7", ~one.wrong, one.wrong))
    after = cross_validated_traces([flipped, two])
    mine = one.problems == "Q7"
    assert after[0][mine] == pytest.approx(before[0][mine], abs=1e-12)
    assert after[1][mine] == pytest.approx(before[1][mine], abs=1e-12)
    assert not np.allclose(after[0], before[0])


def test_steps_share_what_the_whole_trace_is_given():
    shared = shared_out([np.array([0.1, 0.3]), np.array([0.2])], np.array([0.8, 0.1]))
    assert [s.tolist() for s in shared] == [pytest.approx([0.2, 0.6]), pytest.approx([0.1])]


def test_where_all_steps_are_right_or_all_wrong_the_hazard_is_the_same_everywhere():
    rows = [np.array([[0.0], [5.0]]), np.array([[-3.0]])]
    right = fit_hazard(rows, np.array([-1, -1]), 1.0)
    assert right.first_error(rows[0]) == pytest.approx([1e-6, 1e-6])
    wrong = fit_hazard(rows, np.array([0, 0]), 1.0)
    assert wrong.first_error(rows[1]) == pytest.approx([1 - 1e-6])
    nobody = Outcomes(np.array([0.5, 1.0]), np.zeros(2), np.array([False, False]), np.array(["a", "b"]))
    assert fit_trace_model([nobody]).probability(nobody.steps, nobody.scores) == pytest.approx([1e-6, 1e-6])


def test_traces_of_one_problem_cannot_be_held_out_and_the_message_says_so():
    rows, first_error = made_up(4)
    with pytest.raises(ValueError, match="of one problem: nothing can be held out"):
        cross_validated(rows, first_error, np.zeros(4), 1.0)
