"""Equations among words, checked exactly."""

from __future__ import annotations

import json
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.equations import check_equations
from irl_core.text.numerals import show_number
from irl_core.text.quantities import MAX_BITS, NotArithmetic, evaluate


def only(text):
    (check,) = check_equations(text)
    assert text[slice(*check.span)] == check.text
    return check


@pytest.mark.parametrize(
    ("text", "expected", "stated"),
    [
        ("5 * 3 = 16", "15", "16"),
        ("So he has 7 × 8 = 54.", "56", "54"),
        ("48 ÷ 2 = 25 clips", "24", "25"),
        ("$1,200 + $300 = $1,600", "1500", "1600"),
        ("$0.5 x 3=$1.6", "1.5", "1.6"),
        ("2x3=7", "6", "7"),
        ("(3+4)*2 = 15", "14", "15"),
        ("5(3) = 16", "15", "16"),
        ("2^3 = 9", "8", "9"),
        ("4² = 15", "16", "15"),
        ("½ * 4 = 3", "2", "3"),
        ("1 1/2 * 2 = 4", "3", "4"),
        ("1/2 + 1/3 = 2/5", "5/6", "2/5"),
        ("50*20% = 11", "10", "11"),
        ("20% of the 50 apples = 11 apples", "10", "11"),
        ("20/50 = 45%", "40%", "45%"),
        ("20/50*100 = 45%", "40%", "45%"),
        ("$2 - 50 cents = $1.40", "1.5", "1.4"),
        ("100/3 = 35", "33.33…", "35"),
        ("100/3 = 33.5", "33.33…", "33.5"),
        ("3 apples * 2 dollars/apple = $7", "6", "7"),
        ("5-gallon * 3 = 16 gallons", "15", "16"),
        ("Tom found a total of 30 + 30 = 50 eggs", "60", "50"),
        ("it became -6 + 3 = -4 degrees", "-3", "-4"),
        ("- 5 * 3 = 14", "15", "14"),
        ("1. 5*3 = 14", "15", "14"),
        ("a) 5 * 3 = 14", "15", "14"),
        ("**5 + 3 = 9**", "8", "9"),
        ("\\frac{1}{2} \\times 4 = \\boxed{3}", "2", "3"),
        ("5 plus 3 is 9", "8", "9"),
        ("48 divided by 2 is 25", "24", "25"),
        ("x = 5 + 3 = 9", "8", "9"),
        ("1,23 + 2 = 5", "3.23", "5"),
        ("5! + 1 = 2", "121", "2"),
        ("3 feet + 6 inches = 40 inches", "42 inches", "40 inches"),
        ("2 feet + 7 inches = 3 feet", "31 inches", "36 inches"),
        ("3 hours + 20 minutes = 3 hours 30 minutes", "200 minutes", "210 minutes"),
        ("5 dollars + 20 cents = 25 cents", "520 cents", "25 cents"),
        ("$7.25 × 3 = $21", "21.75", "21"),
        ("24 = 12 + 13", "25", "24"),
        ("17 ÷ 5 = 3 R 4", "3 R 2", "3 R 4"),
        ("2:45 pm + 30 min = 3:20 pm", "3:15 pm", "3:20 pm"),
        ("10:15 - 8:45 = 1 hour 20 minutes", "1 h 30 min", "1 h 20 min"),
        ("17 mod 5 = 3", "2", "3"),
    ],
)
def test_a_false_equation_is_marked_with_the_expected_number(text, expected, stated):
    check = only(text)
    assert (check.expected, check.stated, check.ok) == (expected, stated, False)


@pytest.mark.parametrize(
    "text",
    [
        "5 * 3 = 15",
        "16 ounces * 2 = 32 ounces",
        "20 per minute * 5 = 100",
        "10 - 4 − 1 = 5",
        "-5 + 3 = -2",
        "100/3 = 33.33",
        "200/3 = 66.66",
        "200/3 = 66.67",
        "100/3 = 33",
        "100/3 = 34",
        "25 cents * 4 = $1",
        "25 cents * 4 = 100 cents",
        "100 - 20% = 80",
        "100% - 30% = 70%",
        "60/100 * 100% = 60%",
        "1 - 1/3 = 2/3",
        "5 * 3 = 15 + 2 = 17",
        "5 times 3 is 15",
        "1,000 * 1,000 = 1,000,000",
        "12/60 = $<<12/60=0.2>>0.2 per minute",
        "half of 12 + 3 = 9",
        "30 minutes + 30 minutes = 1 hour",
        "2 dozen + 6 = 30",
        "48 * 52 ≈ 2500",
        "11 am + 3 hours = 2 pm",
    ],
)
def test_a_true_equation_is_checked_and_holds(text):
    assert only(text).ok


@pytest.mark.parametrize(
    "text",
    [
        "2A + 3 = 9",
        "2x + 3 = 10",
        "x - 3 = 5",
        "4x = 8",
        "profit + 3 = 9",
        "x = 5",
        "Total = 20",
        "36 = 36",
        "3:30 + 1 = 5",
        "the ratio 3:4 = 6:9",
        "4 more than 2 * 3 = 10",
        "2 bags of 5 + 3 = 13",
        "the other 3/4 = 60",
        "25 / 1/3 = 75",
        "2 weeks = 14 days",
        "6 / 0 = 3",
        "5 + ? = 9",
        "5 times 3 is 4 more than 11",
        "9^9^9 = 3",
        "9^999999999 = 3",
        "6/2(1+2) = 10",
        "999999999999999999999 + 1 = 3",
        "sin(3) + f(2) = 9",
    ],
)
def test_what_arithmetic_cannot_judge_is_not_listed(text):
    assert check_equations(text) == []


def test_the_span_covers_the_equation_and_its_calculator_mark():
    text = "Tom: 48/2 = <<48/2=24>>24 clips, then 24+1 = 26."
    checks = check_equations(text)
    assert [c.text for c in checks] == ["48/2 = <<48/2=24>>24", "24+1 = 26"]
    assert [text[slice(*c.span)] for c in checks] == [c.text for c in checks]
    assert [c.ok for c in checks] == [True, False]


def test_a_chain_is_one_equation_that_names_its_first_false_pair():
    check = only("so 2 * 3 + 4 = 6 + 4 = 11 = 12 apples")
    assert (check.text, check.expected, check.stated) == ("2 * 3 + 4 = 6 + 4 = 11 = 12", "10", "11")


def test_a_mark_is_reported_where_the_text_around_it_is_no_equation():
    assert only("half of it is <<48/2=25>>25").text == "48/2=25"


def test_a_false_mark_is_reported_though_the_text_around_it_holds():
    assert only("48/2 = <<48/2=25>>24").text == "48/2=25"


def test_a_mark_that_holds_shows_that_the_text_was_misread():
    check = only("Weeks 4 + 2 more make 3 * 2 = <<6*2=12>>12")
    assert (check.text, check.ok) == ("6*2=12", True)


numbers = st.integers(0, 10**6) | st.decimals(0, 10**4, places=2).map(Fraction)


@given(numbers, st.sampled_from("+-*"), numbers, st.sampled_from("+-*"), numbers)
def test_sums_and_products_agree_with_exact_arithmetic(a, first, b, second, c):
    words = [show_number(Fraction(n)) for n in (a, b, c)]
    x, y, z = map(Fraction, words)
    operate = {"+": Fraction.__add__, "-": Fraction.__sub__, "*": Fraction.__mul__}
    value = operate[second](operate[first](x, y), z)
    if second == "*" and first != "*":
        value = operate[first](x, y * z)
    equation = f"{words[0]} {first} {words[1]} {second} {words[2]} = "
    assert only(equation + show_number(value)).ok
    false = only(equation + show_number(value + 1))
    assert (false.ok, false.expected, false.stated) == (False, show_number(value), show_number(value + 1))


@given(st.integers(1, 999), st.integers(1, 999), st.text(alphabet="abcdefgh .,\n", max_size=20))
def test_text_around_an_equation_moves_its_span_but_not_its_verdict(a, b, before):
    text = f"{before}\nThey had {a} + {b} = {a + b + 2} coins"
    check = only(text)
    assert check.text == f"{a} + {b} = {a + b + 2}"
    assert check.expected == str(a + b)


nasty = st.text(alphabet=st.sampled_from("0123456789+-*/^=()[]{}<>%$., \nxXaof²½√\\'"), max_size=300) | st.text(
    max_size=300
)


@given(nasty)
def test_any_text_is_survived_and_every_span_points_at_its_text(text):
    checks = check_equations(text)
    assert all(text[slice(*c.span)] == c.text for c in checks)
    ends = [0, *(c.span[1] for c in checks)]
    assert all(end <= c.span[0] < c.span[1] for end, c in zip(ends, checks, strict=False))


@pytest.mark.parametrize(
    "part",
    ["(", "1+", "1 ", "1,234", ",123", "=", "1=", "1=2=", "9^9", "<<", "<<1+1=2>>", "a", "-", "1 of ", "5 a b c + ",
     "1+1=3\n", "\\frac{", "(1)", "1+(2", "1 1/2 ", " ", "1 x ", "1+1 is ", "((((9^12)^12)^12)^12)^12=1 "],
)  # fmt: skip
def test_checking_takes_time_in_proportion_to_the_text(part):
    def seconds(length):
        text = part * (length // len(part)) + " 1 + 1 = 3"
        taken = []
        for _ in range(3):  # the least of three: a collection of garbage may fall into any one
            begin = time.process_time()
            check_equations(text)
            taken.append(time.process_time() - begin)
        return min(taken)

    # Eight times the text: about 8 times the seconds where the time is linear, 64 times where it is quadratic.
    assert seconds(16_000) < 24 * max(seconds(2_000), 0.01)


def test_results_that_grow_without_bound_are_refused():
    code = (Fraction(10**15), Fraction(12), "^")
    assert evaluate(code).value == 10**180
    with pytest.raises(NotArithmetic, match="too large"):
        evaluate((*code, Fraction(12), "^"))
    assert (10**180).bit_length() < MAX_BITS


def test_expert_solutions_raise_fewer_than_three_alarms_in_a_thousand_equations(development_data):
    checks, alarms, marks, covered = 0, 0, 0, 0
    with (development_data / "gsm8k_train.jsonl").open() as lines:
        for line in list(lines)[:500]:
            solution = json.loads(line)["answer"]
            found = check_equations(strip_calculator_marks(solution)[0])
            checks += len(found)
            alarms += sum(not c.ok for c in found)
            marks += solution.count("<<")
            covered += len(found)
    assert alarms / checks < 0.003
    assert covered / marks > 0.95
