"""The share of edits whose darkest token lies at the wrong one: exact values, and edits that are where they say."""

from __future__ import annotations

import random

import pytest

from benchmarks.darkest_token import (
    CARRIED,
    Edited,
    Place,
    edited,
    figures,
    first_change,
    near_share,
    places,
    token_at,
)
from irl_core.evaluation.score_cache import ScoreCache
from irl_core.learning.data.perturbations import FAMILIES
from irl_core.text.calculator_marks import strip_calculator_marks
from tests.support.arithmetic import ArithmeticCritic
from tests.support.worked_solutions import SAMPLE


def test_the_darkest_token_is_near_at_three_tokens_and_not_at_four():
    made = [Edited(f"q{i}", "s", 0, family) for i, family in enumerate(["result", "result", "operand", "operand"])]
    found = [Place(20, 10, 13, 10), Place(20, 10, 14, 10), Place(20, 10, 7, 3), Place(20, 0, None, 4)]
    told = figures(made, found, resamples=20, seed=0)
    assert (told["within"]["value"], told["within"]["n"]) == (0.5, 4)
    assert told["by_reward"]["value"] == 0.5
    assert told["none_dark"]["value"] == 0.25
    assert told["chance"]["value"] == pytest.approx((3 * 7 / 20 + 4 / 20) / 4)
    assert told["families"]["result"]["within"]["value"] == 0.5
    assert told["families"]["operand"]["within"] == {**told["families"]["operand"]["within"], "value": 0.5, "n": 2}


def test_near_the_ends_there_are_fewer_tokens():
    assert near_share(Place(10, 9, None, 0)) == pytest.approx(0.4)
    assert near_share(Place(3, 1, None, 0)) == 1.0


def test_the_token_of_a_character_holds_it():
    assert [token_at([(0, 3), (3, 4), (6, 8)], at) for at in (0, 2, 3, 5, 7, 9)] == [0, 0, 1, 2, 2, 2]


def test_every_family_takes_its_turn_and_its_edit_is_where_it_says():
    made = list(edited(SAMPLE, 8, random.Random(0)))
    assert {edit.family for edit in made} >= set(FAMILIES)
    assert len({edit.question for edit in made}) == len(made), "one edit of a demonstration"
    right = {d.question: strip_calculator_marks(d.solution)[0] for d in SAMPLE}
    for edit in made:
        if edit.family != CARRIED:
            assert edit.solution[: edit.start] == right[edit.question][: edit.start]
            assert edit.solution[edit.start :] != right[edit.question][edit.start :]
    assert list(edited(SAMPLE, 8, random.Random(0))) == made


def test_the_first_change_of_a_text_that_goes_on_is_where_the_other_ends():
    assert (first_change("abd", "abc"), first_change("abcd", "abc"), first_change("ab", "abc")) == (2, 3, 2)


def test_a_critic_that_checks_sums_is_darkest_at_the_false_result():
    solution = "There are 2 * 3 = 7 pens.\n#### 7"
    edit = Edited("2 boxes of 3?", solution, solution.index("7"), "result")
    (place,) = places(ArithmeticCritic(), [edit], ScoreCache(None, None))
    assert (place.tokens, place.wrong, place.darkest) == (len(solution), edit.start, edit.start)
