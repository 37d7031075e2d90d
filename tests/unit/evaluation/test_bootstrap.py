"""Statistics with weights against scikit-learn and scipy, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from irl_core.evaluation.bootstrap import ProblemBootstrap, auroc, median, spearman

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


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 3)), min_size=1, max_size=20))
def test_weighted_median_agrees_with_numpy_on_repeated_items(rows):
    values, weights = (np.array(column) for column in zip(*rows, strict=True))
    ours = median(values.astype(float))(weights[None].astype(float))[0]
    if weights.any():
        assert ours == np.median(np.repeat(values, weights))
    else:
        assert np.isnan(ours)


def test_a_median_is_over_the_marked_items_and_its_interval_over_problems():
    values, where = np.array([1.0, 2.0, 9.0, np.nan]), np.array([True, True, True, False])
    figure = ProblemBootstrap(np.arange(4)).median(values, where)
    assert figure == {"value": 2.0, "low": 1.0, "high": 9.0, "n": 3}
    assert ProblemBootstrap(np.arange(4)).median(values, ~np.ones(4, dtype=bool)) is None


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
    monkeypatch.setattr("irl_core.evaluation.bootstrap._COUNTS_KEPT", 0)
    monkeypatch.setattr("irl_core.evaluation.bootstrap._WEIGHTS_AT_ONCE", 70)
    drawn = ProblemBootstrap(problems, resamples=100)
    assert drawn.mean(values) == pytest.approx(kept.mean(values))
    statistics = [b.figure(auroc(values, values > 12), 30) for b in (kept, drawn)]
    assert statistics[0] == statistics[1]
