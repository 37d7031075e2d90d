"""What arithmetic says of a rollout."""

from __future__ import annotations

from irl_core.learning.airl.false_equations import false_equation_ends
from irl_core.learning.common.encoding import encode
from irl_core.models.solution_tokens import decode_solution, end_id
from tests.support.nano import nano_tokenizer


def rows(*solutions):
    return [encode(nano_tokenizer(), "What?", solution) for solution in solutions]


def test_a_false_equation_is_charged_to_the_token_that_ends_it():
    tokenizer = nano_tokenizer()
    (row,) = rows("2 + 3 = 6 in all.\n#### 6")
    found = false_equation_ends(tokenizer, [row], len(row.completion))
    (where,) = found[0].nonzero()[:, 0].tolist()
    text, spans = decode_solution(tokenizer, row.completion[: where + 1])
    assert text == "2 + 3 = 6"
    assert spans[where][1] == 9
    assert found[0, where] == 1


def test_true_equations_cost_nothing_and_two_false_ones_cost_twice():
    made = rows("2 + 3 = 5\n#### 5", "2 + 3 = 6\n4 - 1 = 2\n#### 2")
    width = max(len(row.completion) for row in made)
    assert false_equation_ends(nano_tokenizer(), made, width).sum(1).tolist() == [0.0, 2.0]


def test_a_rollout_without_text_has_no_false_equation():
    (row,) = rows("")
    assert row.completion == [end_id(nano_tokenizer())]
    assert false_equation_ends(nano_tokenizer(), [row], 3).tolist() == [[0.0, 0.0, 0.0]]
