"""Selection rules: who is chosen, who wins ties, and how often a rule is right in expectation."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.diagnosis.best_of_n import Candidates, best_of_n_curve, expected_accuracy, number_groups, pass_at_k
from irl_core.diagnosis.rerank import rank, vote_weights
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace


def trace(text: str, answer: str | None, logprobs: tuple[float, ...] = ()) -> Trace:
    return Trace(
        text=text,
        steps=((0, len(text)),),
        answer=answer,
        token_ids=tuple(range(len(logprobs))),
        logprobs=logprobs,
    )


def score(value: float) -> TraceScore:
    return TraceScore(offsets=(), rewards=(), values=(), step_rewards=(value,), trace_score=value)


def ranking(answers, scores, gold=None, temperature=1.0, texts=None):
    traces = [trace(text, answer) for text, answer in zip(texts or ["x"] * len(answers), answers, strict=True)]
    return rank(traces, [score(s) for s in scores], gold, weight_temperature=temperature, rng=random.Random(0))


def test_each_rule_chooses_by_its_own_measure():
    traces = [
        trace("a longer text", "5", (-0.1, -0.3)),
        trace("mid text", "7", (-0.5, -0.5)),
        trace("short", "7.0", (-3.0,)),
    ]
    result = rank(traces, [score(2.0), score(0.5), score(1.0)], "7", weight_temperature=1.0, rng=random.Random(3))
    assert result.order == (0, 2, 1)
    assert result.correct == (False, True, True)
    assert {rule: result.chosen[rule] for rule in result.chosen if rule != "random"} == {
        "critic": 0,
        "majority": 1,
        "weighted_vote": 0,
        "longest": 0,
        "shortest": 2,
        "logprob": 0,
        "oracle": 2,
    }
    assert result.chosen["random"] == random.Random(3).randrange(3)


def test_equal_answers_are_one_vote_group_with_the_sum_of_their_softmax_weights():
    votes = ranking(["$1,600", "1600.0", "3"], [0.0, 0.0, np.log(6.0)]).votes
    assert [(vote.members, vote.count) for vote in votes] == [((2,), 1), ((0, 1), 2)]
    assert [vote.weight for vote in votes] == pytest.approx([0.75, 0.25])
    assert votes[1].answer == "$1,600"


def test_a_high_temperature_turns_the_weighted_vote_into_the_majority_and_a_low_one_into_the_critic():
    answers, scores = ["3", "7", "7"], [2.0, 0.5, 1.0]
    assert ranking(answers, scores, temperature=1e6).chosen["weighted_vote"] == 2
    assert ranking(answers, scores, temperature=1e-3).chosen["weighted_vote"] == 0


def test_a_majority_tie_goes_to_the_earliest_sampled_group_whatever_the_critic_says():
    assert ranking(["1", "2", "2", "1"], [0.0, 9.0, 9.0, 0.0]).chosen["majority"] == 0


def test_equal_critic_scores_keep_the_sampled_order():
    result = ranking(["1", "2", "3"], [0.0, 1.0, 1.0])
    assert result.order == (1, 2, 0)
    assert result.chosen["weighted_vote"] == 1


def test_unreadable_answers_never_win_a_vote_unless_there_is_nothing_else():
    result = ranking([None, None, None, "4"], [5.0, 5.0, 5.0, -5.0])
    assert result.chosen["majority"] == result.chosen["weighted_vote"] == 3
    assert [vote.answer for vote in result.votes] == ["4", None]
    assert ranking([None, None], [0.0, 1.0]).chosen["majority"] == 0
    assert ranking([None, None], [0.0, 1.0]).chosen["weighted_vote"] == 1


def test_the_oracle_is_absent_without_gold_and_when_nobody_is_right():
    assert "oracle" not in ranking(["1"], [0.0]).chosen
    assert ranking(["1"], [0.0]).correct == (None,)
    assert "oracle" not in ranking(["1"], [0.0], gold="2").chosen


def test_logprob_is_absent_when_a_trace_was_pasted():
    traces = [trace("drawn", "1", (-0.5,)), trace("pasted", "2")]
    result = rank(traces, [score(0.0), score(1.0)], weight_temperature=1.0, rng=random.Random(0))
    assert "logprob" not in result.chosen


def test_no_traces_make_an_empty_ranking():
    assert ranking([], []).order == ()


def test_scores_that_do_not_match_the_traces_and_senseless_temperatures_are_refused():
    with pytest.raises(ValueError, match="1 traces but 0 scores"):
        rank([trace("x", "1")], [], weight_temperature=1.0, rng=random.Random(0))
    with pytest.raises(ValueError, match="must be positive"):
        ranking(["1"], [0.0], temperature=0.0)


def test_vote_weights_of_extreme_scores_stay_finite():
    assert vote_weights(np.array([1e6, -1e6]), 1e-3) == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize(
    ("n", "c", "k", "expected"), [(4, 1, 2, 0.5), (5, 2, 3, 0.9), (16, 0, 8, 0.0), (3, 2, 2, 1.0)]
)
def test_pass_at_k_is_the_share_of_subsets_with_a_correct_sample(n, c, k, expected):
    assert pass_at_k(n, c, k) == pytest.approx(expected)


def test_pass_at_k_beyond_the_samples_is_refused():
    with pytest.raises(ValueError, match="pass@5 of 4"):
        pass_at_k(4, 1, 5)


def candidates(scores, correct, keys, lengths=None):
    size = len(scores)
    return Candidates(
        scores=np.array(scores, dtype=float),
        correct=np.array(correct, dtype=bool),
        groups=number_groups(keys),
        lengths=np.array(lengths or range(size)),
        logprobs=np.array(scores, dtype=float),
    )


def brute_force(pool: Candidates, n: int, temperature: float) -> dict[str, float]:
    """The rules applied to every subset by plain loops, ties shared equally."""
    totals = dict.fromkeys(["critic", "majority", "weighted_vote", "longest", "shortest", "oracle"], 0.0)
    subsets = list(combinations(range(len(pool)), n))
    for subset in subsets:
        for rule, values in (("critic", pool.scores), ("longest", pool.lengths), ("shortest", -pool.lengths)):
            best = max(values[i] for i in subset)
            totals[rule] += np.mean([pool.correct[i] for i in subset if values[i] == best])
        readable = [i for i in subset if pool.groups[i] >= 0] or list(subset)
        for rule in ("majority", "weighted_vote"):
            votes: dict[int, float] = {}
            for i in readable:
                weight = 1.0 if rule == "majority" else np.exp(pool.scores[i] / temperature)
                votes[pool.groups[i]] = votes.get(pool.groups[i], 0.0) + weight
            winners = [g for g in votes if votes[g] >= max(votes.values()) * (1 - 1e-9)]
            totals[rule] += np.mean(
                [np.mean([pool.correct[i] for i in readable if pool.groups[i] == g]) for g in winners]
            )
        totals["oracle"] += any(pool.correct[i] for i in subset)
    return {rule: total / len(subsets) for rule, total in totals.items()}


@st.composite
def pools(draw):
    size = draw(st.integers(1, 7))
    numbers = st.lists(st.integers(-2, 2), min_size=size, max_size=size)
    keys = draw(st.lists(st.sampled_from(["1", "2", "3", None]), min_size=size, max_size=size))
    lengths = draw(st.lists(st.integers(1, 4), min_size=size, max_size=size))
    return candidates(draw(numbers), [key == "1" for key in keys], keys, lengths)


@given(pools(), st.integers(1, 7), st.sampled_from([0.3, 1.0, 5.0]))
def test_expected_accuracy_equals_the_average_over_all_subsets(pool, n, temperature):
    n = min(n, len(pool))
    result = expected_accuracy(pool, n, weight_temperature=temperature, rng=random.Random(0))
    for rule, value in brute_force(pool, n, temperature).items():
        assert result[rule] == pytest.approx(value), rule
    assert result["random"] == pytest.approx(pool.correct.mean())


@given(pools(), st.randoms(use_true_random=False))
def test_expected_accuracy_does_not_depend_on_the_stored_order(pool, rng):
    order = list(range(len(pool)))
    rng.shuffle(order)
    shuffled = Candidates(
        *(getattr(pool, name)[order] for name in ("scores", "correct", "groups", "lengths", "logprobs"))
    )
    n = max(1, len(pool) // 2)
    first, second = (expected_accuracy(p, n, weight_temperature=1.0, rng=random.Random(0)) for p in (pool, shuffled))
    assert first == pytest.approx(second)


def test_sampled_subsets_come_near_the_exact_value_and_repeat_with_the_seed():
    generator = np.random.default_rng(0)
    keys = [str(k) for k in generator.integers(0, 4, 20)]
    pool = candidates(generator.normal(size=20), [key == "1" for key in keys], keys)
    sampled = [
        expected_accuracy(pool, 5, weight_temperature=1.0, rng=random.Random(1), draws=2000)["majority"] for _ in "ab"
    ]
    assert sampled[0] == sampled[1]
    assert sampled[0] == pytest.approx(brute_force(pool, 5, 1.0)["majority"], abs=0.04)


def test_votes_among_sixteen_candidates_are_counted_over_every_subset():
    keys = ["1", "2", "2", "3"] * 4
    pool = candidates(np.linspace(0, 1, 16), [key == "1" for key in keys], keys)
    for seed in (0, 1):
        found = expected_accuracy(pool, 4, weight_temperature=0.5, rng=random.Random(seed))
        assert found["weighted_vote"] == pytest.approx(brute_force(pool, 4, 0.5)["weighted_vote"])


def test_tiny_weights_do_not_make_false_ties_in_subsets_without_the_best_candidate():
    pool = candidates([0.0, -5000.0, -5001.0], [False, True, False], ["0", "1", "2"])
    assert expected_accuracy(pool, 2, weight_temperature=1.0, rng=random.Random(0))["weighted_vote"] == pytest.approx(
        1 / 3
    )


def test_the_curve_takes_all_candidates_where_n_exceeds_them():
    pool = candidates([3.0, 2.0, 1.0], [True, False, False], ["1", "2", "2"])
    curve = best_of_n_curve(pool, [1, 2, 4], weight_temperature=1.0, rng=random.Random(0))
    assert curve["critic"] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert curve["oracle"] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert curve["majority"] == pytest.approx([1 / 3, 1 / 3, 0.0])


def test_best_of_more_than_there_are_is_refused():
    with pytest.raises(ValueError, match="best of 4"):
        expected_accuracy(candidates([1.0], [True], ["1"]), 4, weight_temperature=1.0, rng=random.Random(0))


def test_candidates_are_read_from_scored_traces():
    traces = [trace("ab", "6.0", (-1.0, -3.0)), trace("abc", "7", (-1.0,)), trace("a", None, (-4.0,))]
    pool = Candidates.of(traces, [score(s) for s in (0.5, 1.0, 0.0)], "6")
    assert pool.correct.tolist() == [True, False, False]
    assert pool.groups.tolist() == [0, 1, -1]
    assert pool.lengths.tolist() == [2, 3, 1]
    assert pool.logprobs.tolist() == [-2.0, -1.0, -4.0]
    assert Candidates.of([*traces, trace("pasted", "6")], [score(0.0)] * 4, "6").logprobs is None
