"""Which answers are the same, alone and in a vote, with units, names, times, ratios and lists."""

from __future__ import annotations

import doctest
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.text import answer_votes, headings, sentences, stated_results, written_numbers
from irl_core.text.answer_votes import answer_keys
from irl_core.text.answers import answer_number, answers_match, canonical_answer, extract_answer, normalise_answer
from irl_core.text.stated_results import differ, last_result, stated_final_answer

SAME = [
    ("$5", "500 cents"),
    ("£5", "5 pounds"),
    ("1 pound", "16 ounces"),
    ("90 min", "1.5 h"),
    ("1 mile", "5280 ft"),
    ("1 year", "12 months"),
    ("1000 cm^3", "1 liter"),
    ("36 km/h", "10 m/s"),
    ("3 dozen", "36"),
    ("5 dozen", "5"),
    ("x = 2 or x = 3", "2, 3"),
    ("y = 3, x = 2", "x = 2, y = 3"),
    ("B", "option B"),
    ("(B)", "b"),
    ("5 to 3", "5:3"),
    ("9:00 to 10:30", "9:00-10:30"),
    ("12:00", "noon"),
    ("8 am", "8"),
    ("1,2,3", "3, 2, 1"),
    ("{1,2}", "{2, 1}"),
    ("1,5", "1.5"),
    ("1.500", "1500"),
    ("3\\pi", "3\\pi"),
    ("10/3", "3 1/3"),
    ("5 m", "5m"),
    ("72 °F", "72"),
]
DIFFERENT = [
    ("$5", "5 cents"),
    ("$20", "€20"),
    ("5 pounds", "5 kg"),
    ("90", "1.5 hours"),
    ("1 year", "365 days"),
    ("1 m^2", "100 cm^2"),
    ("3", "3\\pi"),
    ("2\\sqrt{3}", "2"),
    ("x = 2, y = 3", "x = 3, y = 2"),
    ("1.5", "1.5 million"),
    ("May 5", "5"),
    ("8 am", "9"),
    ("8 am", "8 pm"),
    ("5:3", "3:5"),
    ("9:00 to 10:30", "9:00 to 10:45"),
    ("10-12", "12"),
    ("0.5", "5"),
]


@pytest.mark.parametrize(("gold", "answer"), SAME)
def test_equal_answers_match_whichever_is_the_known_one(gold, answer):
    assert answers_match(gold, answer)
    assert answers_match(answer, gold)


@pytest.mark.parametrize(("gold", "answer"), DIFFERENT)
def test_different_answers_do_not_match(gold, answer):
    assert not answers_match(gold, answer)
    assert not answers_match(answer, gold)


LENGTHS = {"mm": 1, "cm": 10, "m": 1000, "km": 10**6}


@given(st.fractions(0, 10**4, max_denominator=100), st.sampled_from([*LENGTHS]), st.sampled_from([*LENGTHS]))
def test_lengths_match_if_and_only_if_they_are_equal(value, unit, other):
    converted = value * LENGTHS[unit] / LENGTHS[other]
    assert answers_match(f"{value} {unit}", f"{converted} {other}")
    assert not answers_match(f"{value} {unit}", f"{converted + Fraction(1, 10**6)} {other}")


@given(st.lists(st.integers(-99, 99), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_a_list_does_not_matter_and_that_of_a_pair_does(numbers, random):
    mixed = random.sample(numbers, len(numbers))
    assert answers_match(", ".join(map(str, numbers)), ", ".join(map(str, mixed)))
    assert answers_match(f"({', '.join(map(str, numbers))})", f"({','.join(map(str, mixed))})") == (numbers == mixed)


@given(
    st.fractions(-(10**4), 10**4, max_denominator=50),
    st.sampled_from(["#### {}", "\\boxed{{{}}}", "The answer is {}."]),
)
def test_an_answer_is_read_out_of_every_place(value, place):
    assert answers_match(str(value), extract_answer("First 3 * 4 = 12.\n" + place.format(value)))


@given(
    st.integers(1, 10**6), st.sampled_from(["apples", "dollars", "hours", "cm^2", "km/h", "%", "children left", "°"])
)
def test_a_unit_does_not_change_the_number(number, unit):
    assert answers_match(str(number), extract_answer(f"#### {number} {unit}"))
    assert answers_match(f"{number} {unit}", str(number))
    assert not answers_match(f"{number} {unit}", str(number + 1))


def test_units_of_measure_stay_with_the_answer_and_counted_things_do_not():
    texts = ["90 minutes", "5 km", "20 cents", "2 hours 15 minutes", "12 dollars", "7 pens", "5 dollars and 20 cents"]
    assert [normalise_answer(text) for text in texts] == [
        "90 minutes", "5 km", "20 cents", "2 hours 15 minutes", "12", "7", "5.2",
    ]  # fmt: skip


def test_the_number_of_an_answer_is_that_of_its_unit():
    assert answer_number("90 minutes") == (90, False)
    assert answer_number("25%") == (25, True)
    assert answer_number("two dozen") == (24, False)
    assert answer_number("3 and 4") is answer_number("yes") is answer_number(None) is None


@pytest.mark.parametrize(
    "answers",
    [
        ["0.5", "1/2", "\\dfrac12", "½", "one half"],
        ["90 minutes", "1.5 hours", "90", "1 hour and 30 minutes"],
        ["3, 4", "4 and 3"],
        ["3:30 pm", "15:30", "3:30 p.m."],
        ["x = 5", "5", "5 apples", "five"],
        ["2\\sqrt{2}", "\\sqrt{8}"],
        ["0.5", "50%"],
        ["50", "50%"],
        ["In  Paris", "in paris."],
    ],
)
def test_equal_answers_to_one_problem_share_a_key(answers):
    assert len(set(answer_keys(answers))) == 1


def test_different_answers_to_one_problem_have_different_keys():
    answers = ["5", "6", "5, 6", "(5, 6)", "5:6", "yes", "3\\pi", "3", "5 km", "7 hours"]
    keys = answer_keys(answers)
    assert keys[0] == keys[8]
    assert len(set(keys)) == len(answers) - 1


def test_no_answer_has_no_key():
    assert answer_keys([None, "", "5"]) == [None, None, "5"]


@given(st.lists(st.none() | st.text(max_size=20) | st.sampled_from([a for pair in SAME for a in pair]), max_size=6))
def test_the_keys_of_any_answers_are_one_for_each(answers):
    keys = answer_keys(answers)
    assert len(keys) == len(answers)
    assert [key is None for key in keys] == [canonical_answer(answer) is None for answer in answers]


@pytest.mark.parametrize(
    ("step", "answer", "different"),
    [
        ("3 - 8 = -5", "#### 5", True),
        ("3 - 8 = −5", "#### –5", False),
        ("1 - 1/2 = 1/2", "#### 0.5", False),
        ("5/20 = 0.25", "#### 25%", False),
        ("3 / 2 = $1.50", "#### $1 1/2", False),
        ("$3 - \\frac12 = \\frac52$", "#### 2.5", False),
        ("150 / 60 = 2.5 hours", "#### 150 minutes", False),
        ("12 + 3 = 15", "#### 3:00 pm", False),
        ("3 * 4 = 12", "#### 3 and 4", False),
        ("3 * 4 = 12", "#### Step 2: go on", False),
        ("3 * 4 = 12", "#### 13", True),
        ("no equation", "#### 13", False),
    ],
)
def test_an_answer_differs_from_the_last_result_by_its_value(step, answer, different):
    assert differ(last_result(step), stated_final_answer(answer)) is different


@pytest.mark.parametrize("module", [answer_votes, headings, sentences, stated_results, written_numbers])
def test_the_examples_in_the_documentation_give_what_they_say(module):
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
