import random
import re
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from irl_core.learning.data.perturbations import FAMILIES, edit_step, results_of
from irl_core.text.equations import check_equations

STEP = "Natalia sold 48 / 2 = 24 clips in May.\n"


def test_a_slipped_result_makes_the_equation_false_and_leaves_its_left_side():
    edit = edit_step(STEP, ["48"], random.Random(0), "result")
    assert edit.text.startswith("Natalia sold 48 / 2 = ")
    assert edit.text != STEP
    assert [check.ok for check in check_equations(edit.text)] == [False]


def test_a_flipped_operator_is_carried_out_correctly():
    edit = edit_step(STEP, ["48"], random.Random(1), "operator")
    assert edit.text in {
        f"Natalia sold 48 {op} 2 = {r} clips in May.\n" for op, r in (("+", 50), ("-", 46), ("*", 96))
    }
    assert edit.text[edit.start] != STEP[edit.start]
    assert edit.text[: edit.start] == STEP[: edit.start]


def test_a_wrong_operand_comes_from_the_problem_and_is_carried_out_correctly():
    edit = edit_step(STEP, ["6"], random.Random(0), "operand")
    assert edit.text in {"Natalia sold 6 / 2 = 3 clips in May.\n", "Natalia sold 48 / 6 = 8 clips in May.\n"}


def test_a_step_without_an_equation_gets_no_edit():
    assert edit_step("Then she went home.", ["3"], random.Random(0)) is None


def test_a_false_equation_is_not_taken_for_an_expert_step():
    assert edit_step("3 + 4 = 8 apples", ["3", "4"], random.Random(0)) is None


def test_a_result_said_again_slips_along_with_it():
    edit = edit_step("2 * 6 = 12, so 12 remain", ["9"], random.Random(3), "result")
    said = re.findall(r"\d+", edit.text.split("=")[1])
    assert said[0] == said[1] != "12"


@given(st.integers(1, 999), st.integers(1, 99), st.sampled_from("+-*"), st.sampled_from(FAMILIES), st.integers(0, 99))
def test_an_edit_always_changes_the_text_at_the_place_it_names(a, b, operator, family, seed):
    result = {"+": a + b, "-": a - b, "*": a * b}[operator]
    step = f"She has {a} {operator} {b} = {result} left."
    edit = edit_step(step, ["17", "5"], random.Random(seed), family)
    assume(edit is not None)
    assert edit.text[: edit.start] == step[: edit.start]
    assert edit.text[edit.start] != step[edit.start]
    assert [c.ok for c in check_equations(edit.text)] == [family != "result"]


def test_results_are_the_numbers_right_of_equals_signs():
    assert results_of("3 + 4 = 7 and 7 * $1,000 = $7,000") == {Fraction(7), Fraction(7000)}
