"""What exact reading finds against a whole solution, and what the card takes off the score for it."""

import numpy as np
import pytest
import torch

from irl_core.critic.card import CriticCard
from irl_core.critic.rewards import penalty, score_trace
from irl_core.critic.token_statistics import EncodedTrace, TokenStatistics, number_mask
from irl_core.evaluation.trace_weights import fit_trace_weights, held_out_scores, mixed_problems
from irl_core.text.equations import equations_of
from irl_core.text.solution_checks import SolutionChecks, check_solution
from irl_core.text.traces import Trace

QUESTION = "Tom has 3 boxes of 4 pens and gives half of them to 2 friends. How many does each get?"


def checks(text: str, question: str = QUESTION) -> SolutionChecks:
    trace = Trace.from_text(text)
    return check_solution(question, trace, equations_of(trace))


def test_a_solution_that_names_every_number_of_its_problem_leaves_none_unused():
    assert checks("3 * 4 = 12\nhalf is 12 / 2 = 6\n6 / 2 = 3\n#### 3") == (False, 0, False, 0, False)
    assert checks("3 * 4 = 12\n#### 12").unused_numbers == 2  # half, 2


def test_unused_numbers_are_counted_up_to_three():
    assert checks("#### 1", "2 cats, 3 dogs, 5 hens and 7 cows: how many?").unused_numbers == 3


def test_a_number_is_used_however_it_is_written():
    assert checks("1000 * 0.5 = 500\n#### 500", "Half of 1,000?").unused_numbers == 0
    assert checks("<<5*2=10>>\n#### 10", "What is 5 times twenty?").unused_numbers == 2  # a mark is not the text


def test_a_result_is_loose_when_nothing_is_made_of_it():
    assert checks("3 * 4 = 12\n12 / 2 = 6\n#### 6").loose_results == 0
    assert checks("3 * 4 = 12\n4 / 2 = 2\n#### 2").loose_results == 1  # 12
    assert checks("3 * 4 = 12").loose_results == 0  # the answer itself
    assert checks("1 + 4 = 5\n1 + 5 = 6\n3 + 4 = 7\n4 + 4 = 8\n4 + 5 = 9\n#### 1").loose_results == 3


@pytest.mark.parametrize(
    ("question", "answer", "fractional"),
    [
        ("Share 7 apples among 2.", "3.5", True),
        ("Share 7 apples among 2.", "7/2", True),
        ("Share 7 apples among 2.", "3", False),
        ("Share 7.5 apples among 2.", "3.75", False),
        ("Share 7 apples among 2.", "50%", False),
        ("Half of 7?", "3.5", True),
        ("Share $7 among 2.", "3.5", False),
        ("Share 7 dollars among 3.", "2.333", True),
        ("Share 7 apples among 2.", "all of them", False),
        ("If 2x is 7, what is x?", "3.5", False),
    ],
)
def test_only_a_problem_of_whole_numbers_expects_a_whole_answer(question, answer, fractional):
    assert checks(f"#### {answer}", question).fractional_answer is fractional


@pytest.mark.parametrize(
    ("question", "answer", "negative"),
    [
        ("Tom had 3 pens and lost 2. How many are left?", "-1", True),
        ("Tom had 3 pens and lost 2. How many are left?", "−1", True),
        ("Tom had 3 pens and lost 2. How many are left?", "0", False),
        ("Tom had $3 and spent $2. How much is left?", "-$1", True),
        ("It was 2 degrees and fell by 8. What is it now?", "-6", False),
        ("What is -3 plus 2?", "-1", False),
        ("A diver is 3 m below the boat.", "-3", False),
        ("A self-made 2-gallon tank?", "-2", True),
        ("Find the smaller root of x^2 + 5x + 6.", "-3", False),
        ("Solve $2\\cdot y + 8 = 2$.", "-3", False),
    ],
)
def test_only_a_problem_in_which_something_can_be_below_zero_expects_an_answer_there(question, answer, negative):
    assert checks(f"#### {answer}", question).negative_answer is negative


def test_the_penalties_of_a_card_add_up():
    card = CriticCard(
        name="x",
        false_equation_penalty=1.0,
        unused_number_penalty=0.5,
        fractional_answer_penalty=0.25,
        loose_result_penalty=0.125,
        negative_answer_penalty=4.0,
    )
    assert penalty(card, SolutionChecks(True, 3, True, 2)) == 1.0 + 3 * 0.5 + 0.25 + 2 * 0.125
    assert penalty(card, SolutionChecks(False, 0, False, 0)) == 0.0
    assert penalty(card, SolutionChecks(False, 0, False, 0, True)) == 4.0


def scored(card: CriticCard, text: str, logprob: float = -1.0):
    offsets = tuple((i, i + 1) for i in range(len(text)))
    encoded = EncodedTrace([], [], offsets, number_mask(text, offsets), None)
    found = TokenStatistics(logprobs=torch.full((len(text),), logprob))
    return score_trace(card, "What is 3 * 4?", Trace.from_text(text), encoded, found)


def test_the_trace_score_may_trust_equations_and_weigh_words_where_the_rewards_do_not():
    plain = CriticCard(name="x", number_baseline=0.0, word_weight=0.0)
    trusting = plain.model_copy(update={"trace_trusts_true_equations": True})
    wordy = plain.model_copy(update={"trace_word_weight": 1.0, "number_weight": 0.0})
    text = "3*4=12"  # four digits, the last two vouched for
    assert scored(trusting, text).rewards == scored(plain, text).rewards
    assert scored(plain, text).trace_score == pytest.approx(-1.0)
    assert scored(trusting, text).trace_score == pytest.approx(-0.5)
    assert scored(wordy, text).step_rewards == (0.0,)
    assert scored(wordy, text).trace_score == pytest.approx(-1.0)


def made_up_pools(n: int, seed: int = 0):
    """Candidates of `n` problems; log-odds of being right are 2 x − 3 y plus a difficulty that no weight may learn."""
    rng = np.random.default_rng(seed)
    problems = np.repeat(np.arange(n), 6)
    hard = np.repeat(rng.normal(0, 3, n), 6)
    features = np.column_stack([rng.normal(size=6 * n) + hard, rng.integers(0, 2, 6 * n)])
    logits = 2 * (features[:, 0] - hard) - 3 * features[:, 1] + hard
    return features, rng.random(6 * n) < 1 / (1 + np.exp(-logits)), problems


def test_the_fit_finds_the_weights_behind_the_differences_within_a_problem():
    weights = fit_trace_weights(*made_up_pools(3000), penalty=1e-3)
    assert weights == pytest.approx([2.0, -3.0], rel=0.1)


def test_problems_whose_candidates_are_all_right_or_all_wrong_teach_nothing():
    features, correct = np.array([[1.0], [2.0], [5.0], [7.0]]), np.array([True, True, False, True])
    problems = np.array([4, 4, 2, 2])
    assert [pool.tolist() for pool in mixed_problems(correct, problems)] == [[2, 3]]
    with pytest.raises(ValueError, match="nothing to learn"):
        fit_trace_weights(features[:2], correct[:2], problems[:2])


def test_no_candidate_is_scored_by_weights_that_saw_its_problem():
    # In even problems the larger feature is right, in odd ones the smaller: what is held out goes all wrong.
    problems = np.repeat(np.arange(20), 2)
    features = np.tile([[0.0], [1.0]], (20, 1))
    correct = (features[:, 0] == 1) == (problems % 2 == 0)
    scores = held_out_scores(features, correct, problems)
    best = np.array([pool[np.argmax(scores[pool])] for pool in mixed_problems(correct, problems)])
    assert not correct[best].any()
