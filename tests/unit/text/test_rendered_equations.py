"""Random expressions in random manners of writing: the verdict is that of the exact value.

`pytest --hypothesis-profile=thorough` draws 10,000 examples of each property.
"""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from irl_core.text.equations import check_equations
from irl_core.text.numerals import decimal_places, show_number
from tests.support.written_equations import HOSTILE_TEXT, MANNERS, UNITS, Node, expressions, rendered


@given(expressions(), st.sampled_from(MANNERS))
def test_a_true_equation_is_never_called_false_and_a_false_one_never_holds(expression: Node, manner: str):
    value = expression.value()
    assume(value is not None and decimal_places(value) is not None and decimal_places(value) <= 4)
    assert value is not None
    true = rendered(expression, manner, value)
    assert all(check.ok for check in check_equations(true)), true
    false = rendered(expression, manner, value + 3 + abs(value))
    assert not any(check.ok for check in check_equations(false)), false


@given(expressions(), st.sampled_from(["plain", "latex", "unicode"]))
def test_an_equation_without_words_is_always_checked(expression: Node, manner: str):
    value = expression.value()
    # The point of "3.125" may group thousands.
    assume(value is not None and decimal_places(value) is not None and decimal_places(value) <= 2)
    assert value is not None
    text = rendered(expression, manner, value + 3 + abs(value))
    assume(abs(value) < 10**8)  # longer numbers are not read
    # "8 / 4 / 2" and "8 / 4 + 2" have two readings.
    assume("/" not in text and "÷" not in text and text.count("\\frac") < 2)
    checks = check_equations(text)
    assert [(check.ok, check.expected) for check in checks] == [(False, show_number(value))]


@given(
    st.sampled_from(UNITS),
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3)), min_size=2, max_size=4),
    st.integers(0, 3),
    st.integers(1, 5),
)
def test_a_sum_of_measures_holds_in_every_unit_and_fails_with_another_number(family, terms, into, off):
    names, sizes = zip(*family, strict=True)
    total = sum((Fraction(n) * sizes[u % len(sizes)] for n, u in terms), Fraction(0)) / sizes[into % len(sizes)]
    assume(decimal_places(total) is not None)
    left = " + ".join(f"{n} {names[u % len(names)]}" for n, u in terms)
    unit = names[into % len(names)]
    assert all(check.ok for check in check_equations(f"{left} = {show_number(total)} {unit}"))
    false = f"{left} = {show_number(total + off)} {unit}"
    assert not any(check.ok for check in check_equations(false)), false


@given(HOSTILE_TEXT)
def test_no_text_makes_the_checker_fail(text: str):
    checks = check_equations(text)
    assert all(text[slice(*check.span)] == check.text for check in checks)


@given(HOSTILE_TEXT.filter(lambda text: len(text) > 3))
def test_checking_a_repeated_text_takes_time_in_proportion(text: str):
    def seconds(times: int) -> float:
        begin = time.process_time()
        check_equations(text * times)
        return time.process_time() - begin

    short = max(4, 2_000 // len(text))
    small, large = min(seconds(short), seconds(short)), seconds(8 * short)
    if large > 24 * max(small, 0.01):  # a busy machine: once more before it counts
        small, large = min(seconds(short), seconds(short)), min(seconds(8 * short), seconds(8 * short))
    assert large < 24 * max(small, 0.01)


def test_checking_a_solution_of_200_tokens_takes_under_5_milliseconds_in_the_median():
    steps = [
        "Each week she buys 3 bags of 12 apples, which makes 3 * 12 = 36 apples.",
        "She gives \\frac{1}{4} of them away, so 36 \\times \\frac{1}{4} = 9 apples are gone.",
        "**Step 3:** That leaves 36 - 9 = 27 apples, or $0.50 * 27 = $13.50 at the market.",
        "It takes her 2 hours + 30 minutes = 150 minutes, and 20% of 150 = 30 of them are a walk.",
        "So in total she earns $13.50 * 4 = $54 in 4 weeks, that is $54 / 10 hours = $5.40 per hour.",
    ]
    check_equations("3 feet + 6 inches = 42 inches")  # pint reads its definitions once
    taken = []
    for i in range(25):
        text = "\n".join([*steps, f"#### {i}", "She has enough apples for the rest of the year, and a few to spare."])
        begin = time.process_time()
        check_equations(text)
        taken.append(time.process_time() - begin)
    # Twice over on a machine that is busy with something else.
    assert sorted(taken)[len(taken) // 2] < 0.010


@pytest.mark.parametrize("word", ["pens", "bars", "hands", "stones", "points", "chains", "links", "barns"])
def test_a_word_that_is_no_listed_unit_is_a_counted_thing(word):
    (check,) = check_equations(f"3 {word} + 4 {word} = 8 {word}")
    assert (check.ok, check.expected) == (False, "7")
