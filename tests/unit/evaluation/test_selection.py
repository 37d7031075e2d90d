"""Best of n against values worked out by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest

from irl_core.diagnosis.best_of_n import Candidates, number_groups
from irl_core.evaluation.selection import curve_sizes, selection_report


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
