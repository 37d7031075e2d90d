"""Metrics against values worked out by hand and against scikit-learn and scipy."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import brier_score_loss, matthews_corrcoef, roc_auc_score

from irl_core.diagnosis.best_of_n import Candidates, number_groups
from irl_core.evaluation.bootstrap import ProblemBootstrap, auroc, spearman
from irl_core.evaluation.metrics import (
    StepLabels,
    best_constant_top1,
    brier_score,
    chance_top1,
    error_detection_mcc,
    expected_calibration_error,
    first_error_f1,
    length_correlation,
    oracle_threshold,
    reliability_curve,
    score_by_length,
    step_auroc,
    suspects_at,
    trace_auroc,
    trace_error_probability,
    within_problem_auroc,
)
from irl_core.evaluation.selection import curve_sizes, selection_report


def own_problems(n: int) -> ProblemBootstrap:
    return ProblemBootstrap(np.arange(n), resamples=200)


def labels(traces: list[tuple[list[float], int]]) -> StepLabels:
    probability = [np.array(p) for p, _ in traces]
    return StepLabels.of(probability, [np.zeros(len(p)) for p in probability], [error for _, error in traces])


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


def test_ece_weighs_the_gap_of_each_bin_by_its_size():
    probability, wrong = np.array([0.05, 0.05, 0.95, 0.95]), np.array([False, False, True, False])
    figure = expected_calibration_error(probability, wrong, own_problems(4))
    assert figure["value"] == pytest.approx(0.5 * 0.05 + 0.5 * 0.45)


def test_a_probability_of_one_belongs_to_the_last_bin():
    assert expected_calibration_error(np.array([1.0]), np.array([False]), own_problems(1))["value"] == 1.0


def test_step_probabilities_of_the_first_error_add_up_to_that_of_a_wrong_trace_and_stop_at_one():
    assert trace_error_probability([0.1, 0.2, 0.3]) == pytest.approx(0.6)
    assert trace_error_probability([0.9, 0.8]) == 1.0


weighted_samples = st.lists(
    st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 3), st.integers(-3, 3)), min_size=4, max_size=30
).filter(lambda rows: len({label for _, label, weight, _ in rows if weight}) == 2)


@given(weighted_samples)
def test_weighted_auroc_agrees_with_scikit_learn(rows):
    scores, positive, weights, _ = (np.array(column) for column in zip(*rows, strict=True))
    ours = auroc(scores.astype(float), positive)(weights[None].astype(float))[0]
    assert ours == pytest.approx(roc_auc_score(positive, scores, sample_weight=weights))


@given(weighted_samples)
def test_weighted_spearman_agrees_with_scipy_on_repeated_items(rows):
    x, _, weights, y = (np.array(column) for column in zip(*rows, strict=True))
    repeated_x, repeated_y = np.repeat(x, weights), np.repeat(y, weights)
    ours = spearman(x, y)(weights[None].astype(float))[0]
    if len(set(repeated_x)) < 2 or len(set(repeated_y)) < 2:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(spearmanr(repeated_x, repeated_y).statistic)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20))
@settings(max_examples=30)
def test_brier_score_agrees_with_scikit_learn(rows):
    probability, wrong = np.array([p for p, _ in rows]), np.array([w for _, w in rows])
    ours = brier_score(probability, wrong, own_problems(len(rows)))["value"]
    assert ours == pytest.approx(brier_score_loss(wrong, probability, labels=[False, True]))


def test_length_correlation_of_a_score_that_falls_with_length_is_minus_one():
    figure = length_correlation(np.array([3.0, 2.0, 1.0]), np.array([10, 20, 30]), own_problems(3))
    assert figure["value"] == pytest.approx(-1.0)


def test_the_bootstrap_interval_of_a_mean_matches_the_normal_theory():
    values = np.random.default_rng(0).normal(size=2000)
    figure = ProblemBootstrap(np.arange(2000), seed=1).mean(values)
    half = 1.96 * values.std() / np.sqrt(2000)
    assert (figure["high"] - figure["low"]) / 2 == pytest.approx(half, rel=0.1)
    assert figure["low"] < figure["value"] < figure["high"]


def test_candidates_of_one_problem_are_resampled_together():
    values = np.repeat(np.random.default_rng(0).normal(size=100), 20)
    by_problem = ProblemBootstrap(np.repeat(np.arange(100), 20)).mean(values)
    by_trace = ProblemBootstrap(np.arange(2000)).mean(values)
    assert by_problem["high"] - by_problem["low"] > 3 * (by_trace["high"] - by_trace["low"])


def test_one_seed_gives_one_interval():
    values = np.arange(10.0)
    one, same, other = (ProblemBootstrap(np.arange(10), seed=s).mean(values) for s in (5, 5, 6))
    assert one == same
    assert one != other


def test_resamples_that_are_kept_and_resamples_that_are_drawn_again_are_the_same(monkeypatch):
    values, problems = np.arange(30.0), np.repeat(np.arange(10), 3)
    kept = ProblemBootstrap(problems, resamples=100)
    monkeypatch.setattr("irl_core.evaluation.bootstrap._CELLS_KEPT", 0)
    monkeypatch.setattr("irl_core.evaluation.bootstrap._CELLS_AT_ONCE", 70)
    drawn = ProblemBootstrap(problems, resamples=100)
    assert drawn.mean(values) == pytest.approx(kept.mean(values))
    statistics = [b.figure(auroc(values, values > 12), 30) for b in (kept, drawn)]
    assert statistics[0] == statistics[1]


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


def test_the_reliability_curve_has_a_bin_for_each_tenth_that_holds_something():
    curve = reliability_curve(np.array([0.02, 0.04, 0.1, 1.0]), np.array([False, True, True, True]))
    assert [(b["low"], b["n"], b["observed"]) for b in curve] == [(0.0, 3, pytest.approx(2 / 3)), (0.9, 1, 1.0)]
    assert curve[0]["stated"] == pytest.approx(0.16 / 3)


def test_score_by_length_holds_a_tenth_of_the_traces_each_from_short_to_long():
    bins = score_by_length(np.arange(20.0), np.arange(20)[::-1], np.arange(20) < 10)
    assert [b["n"] for b in bins] == [2] * 10
    assert bins[0] == {"low": 0, "high": 1, "score": 18.5, "right": 1.0, "n": 2}
    assert bins[-1]["right"] == 0.0


def test_the_steps_that_are_a_first_error_are_marked():
    steps = labels([([0.1, 0.8, 0.99], 1), ([0.2, 0.9], -1), ([0.5], 0)])
    assert steps.is_first_error.tolist() == [False, True, False, False, False, True]


def test_step_auroc_leaves_out_what_comes_after_the_first_error():
    steps = labels([([0.1, 0.8, 0.99], 1), ([0.2, 0.9], -1)])
    figure = step_auroc(steps, np.array([0, 1]), resamples=50)
    assert figure["n"] == 4
    assert figure["value"] == pytest.approx(2 / 3)


def pool(scores, correct, keys, logprobs=None):
    return Candidates(
        scores=np.array(scores),
        correct=np.array(correct),
        groups=number_groups(keys),
        lengths=np.arange(len(scores)),
        logprobs=logprobs,
    )


def test_selection_compares_the_weighted_vote_with_the_majority_problem_by_problem():
    pools = [
        pool([9.0, 0.0, 0.0], [True, False, False], ["1", "2", "2"]),
        pool([1.0, 1.0, 0.0], [True, True, False], ["1", "1", "2"]),
        pool([1.0], [True], ["1"]),
    ]
    report = selection_report(pools, weight_temperature=1.0, rng=random.Random(0))
    assert report["n_candidates"] == 3
    assert report["critic"]["value"] == 1.0
    assert report["majority"]["value"] == 0.5
    assert report["weighted_vote_minus_majority"]["value"] == 0.5
    assert report["weighted_vote_minus_majority"]["n"] == 2
    assert report["random"]["value"] == pytest.approx(0.5)
    assert report["logprob"] is None
    assert report["curve"]["n"] == [1, 2, 3]
    assert report["curve"]["majority"][-1] == 0.5
    assert "logprob" not in report["curve"]


def test_pass_at_k_is_over_the_problems_that_have_k_candidates():
    pools = [pool([0.0] * 4, [True, False, False, False], list("1234")), pool([0.0] * 2, [True, True], ["1", "1"])]
    figures = selection_report(pools, weight_temperature=1.0, rng=random.Random(0))["pass_at_k"]
    assert {k: (figure["value"], figure["n"]) for k, figure in figures.items()} == {
        "1": (pytest.approx((0.25 + 1) / 2), 2),
        "2": (pytest.approx((0.5 + 1) / 2), 2),
        "4": (1.0, 1),
    }


def test_there_is_no_selection_without_two_candidates_of_a_problem():
    assert selection_report([pool([1.0], [True], ["1"])], weight_temperature=1.0, rng=random.Random(0)) is None


@pytest.mark.parametrize(
    ("largest", "sizes"),
    [(2, [1, 2]), (16, list(range(1, 17))), (17, [*range(1, 17), 17]), (100, [*range(1, 17), 32, 64, 100])],
)
def test_the_curve_has_every_n_up_to_sixteen_and_then_doubles(largest, sizes):
    assert curve_sizes(largest) == sizes
