"""Generated problems and written-out arithmetic: every number that a model is taught must be right."""

import random
import re
from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.learning.data.long_arithmetic import chain, write_out_marks
from irl_core.learning.data.word_problems import all_stories, drills, generate, stories
from irl_core.text.answers import extract_answer
from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.equations import check_equations

numbers = st.integers(1, 9999)
EQUATIONS = re.compile(r"\d+(?: [-+*/] \d+)*(?: = \d+(?: [-+*/] \d+)*)+")  # one, or a chain of them


def value(expression: str) -> Fraction:
    """Exact value by another road than the library's: products first, then the sum."""
    total = Fraction(0)
    for sign, term in re.findall(r"([+-]?)\s*([\d\s*/]+)", expression):
        first, *rest = re.findall(r"\d+", term)
        product = Fraction(first)
        for operator, factor in zip(re.findall(r"[*/]", term), rest, strict=True):
            product = product * int(factor) if operator == "*" else product / int(factor)
        total += -product if sign == "-" else product
    return total


@pytest.mark.parametrize(
    ("expression", "forms"),
    [
        ("33 - 19", ["23 - 9"]),
        ("47 + 38", ["77 + 8"]),
        ("456 - 178", ["356 - 78", "286 - 8"]),
        ("7 * 24", ["140 + 28"]),
        ("41 * 53", ["41 * 50 + 41 * 3", "2050 + 123"]),
        ("84 / 6", []),
        ("12 + 35 + 48", ["47 + 48", "87 + 8"]),
        ("100-37-28", ["70 - 7 - 28", "63 - 28", "43 - 8"]),
    ],
)
def test_a_hard_operation_is_taken_apart_by_the_digits_of_its_second_number(expression, forms):
    assert chain(expression) == forms


@pytest.mark.parametrize(
    "expression", ["8 + 7", "47 + 32", "90 + 360", "10 * 12", "48 * 100", "30 / 2", "96 / 8", "600 / 200", "2 + 1 + 3"]
)
def test_what_is_easy_gets_no_help(expression):
    assert chain(expression) == []


@pytest.mark.parametrize(
    "expression", ["", "7", "7 +", "1/3 * 600", "0.2 * 31", "(3 + 4) * 5", "x + 1", "7 / 0", "5 - 19"]
)
def test_what_is_no_plain_operation_on_whole_numbers_gets_no_help(expression):
    assert chain(expression) == []


@given(numbers, numbers, st.sampled_from("+-*/"))
def test_every_link_of_a_chain_has_the_value_of_the_expression(a, b, sign):
    expression = f"{a * b if sign == '/' else a} {sign} {b}"
    assert {value(form) for form in chain(expression)} <= {value(expression)}


@given(numbers, numbers, numbers, st.sampled_from("+-"), st.sampled_from("+-"))
def test_every_link_of_a_chain_of_three_numbers_has_the_value_of_the_expression(a, b, c, first, second):
    expression = f"{a} {first} {b} {second} {c}"
    assert {value(form) for form in chain(expression)} <= {value(expression)}


def test_a_demonstration_is_written_out_where_its_calculator_was_used():
    solution = "They have $33-$19=$<<33-19=14>>14 left.\nThat is 14 - 9 = <<14-9=5>>5 more.\n#### 5"
    assert strip_calculator_marks(write_out_marks(solution))[0] == (
        "They have $33-$19=$23-$9=$14 left.\nThat is 14 - 9 = 5 more.\n#### 5"
    )


def test_a_mark_that_follows_no_equals_sign_is_left_alone():
    solution = "He paid <<33-19=14>>14 dollars."
    assert write_out_marks(solution) == solution


@pytest.mark.parametrize("written_out", [0.0, 1.0])
def test_every_equation_of_a_generated_problem_is_true_and_its_last_line_is_the_answer(written_out):
    problems = islice(generate(random.Random(3), written_out=written_out), 1500)
    for problem in [*problems, *islice(drills(random.Random(4), written_out=written_out), 500)]:
        plain = problem.solution.replace("$", "")
        chains = EQUATIONS.findall(plain)
        assert sum(chain.count("=") for chain in chains) == plain.count("=") > 0, problem
        assert all(len({value(side) for side in chain.split(" = ")}) == 1 for chain in chains), problem
        assert all(e.ok for e in check_equations(problem.solution)), problem
        assert extract_answer(problem.solution) == problem.answer
        assert not set("{}[]|") & set(problem.question + problem.solution), problem


def test_every_question_of_every_story_finds_numbers_that_suit_it():
    from irl_core.learning.data.word_problems import _instantiate

    for story in all_stories():
        for question, lines in story.questions:
            assert _instantiate(story, question, lines, random.Random(0)), (story.name, question)


def test_no_story_is_both_taught_and_held_out_and_names_are_unique():
    names = [s.name for s in all_stories()]
    assert len(set(names)) == len(names)
    taught, held_out = ({s.name for s in stories(split)} for split in ("train", "held_out"))
    assert taught | held_out == set(names)
    assert not taught & held_out
    assert 0.05 < len(held_out) / len(names) < 0.2


def test_half_of_the_drills_are_worded_and_ask_with_the_smaller_number_first_too():
    made = list(islice(drills(random.Random(5)), 400))
    worded = [
        p
        for p in made
        if not re.match(r"What is \d+ [-+*/]|Calculate|How much is \d|\d+ [-+*/] [\d ]+.*= \?", p.question)
    ]
    assert 0.35 < len(worded) / len(made) < 0.6
    less = next(p for p in worded if p.question.startswith("How much less is"))
    small, great = map(int, re.findall(r"\d+", less.question))
    assert small <= great
    assert less.answer == str(great - small)
    assert any(p.question.count("+") == 2 for p in made)
