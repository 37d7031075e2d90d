"""What is pasted is new in every round and as long as it says."""

from __future__ import annotations

from benchmarks.first_marks import first_marks, pasted
from irl_core.text.equations import check_equations
from irl_core.text.steps import split_steps
from tests.support.arithmetic import ArithmeticCritic


def test_no_step_of_one_round_stands_in_another_and_only_the_last_equation_is_false():
    texts = [pasted(number, 200) for number in range(20)]
    steps = [text[a:b].strip() for text in texts for a, b in split_steps(text)]
    assert len(set(steps)) == len(steps)
    assert all([check.ok for check in check_equations(text)].count(False) == 1 for text in texts)
    assert not any(check_equations(text)[-1].ok for text in texts)


def test_a_longer_solution_is_pasted_where_more_tokens_are_asked_for():
    assert len(pasted(0, 50)) < len(pasted(0, 200)) < len(pasted(0, 400))


def test_every_round_that_counts_has_its_seconds():
    found = first_marks(ArithmeticCritic(), 60, rounds=3)
    assert len(found["seconds"]) == 3
    assert found["low_s"] <= found["median_s"] <= found["high_s"]
    assert found["tokens"] > 60
