"""Reading and comparing final answers."""

from __future__ import annotations

import threading
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.text.answers import answers_match, canonical_answer, extract_answer, known_answer, normalise_answer
from irl_core.text.numerals import read_number, show_number


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("He has 3.\n#### 72", "72"),
        ("#### $1,600.00", "1600"),
        ("#### 18 dollars", "18"),
        ("#### -5", "-5"),
        ("#### 0016", "16"),
        ("#### 16.0", "16"),
        ("#### 25%", "25%"),
        ("#### 1/2", "1/2"),
        ("#### 5,", "5"),
        ("so \\boxed{\\frac{1}{2}} it is", "\\frac{1}{2}"),
        ("\\boxed{3} no, \\boxed{4}", "4"),
        ("The answer is $18. We are done at 5.", "18"),
        ("The answer is: **42** apples.", "42"),
        ("the final answer is therefore 12 more", "12"),
        ("The answer is 5 + 3 = 8 apples", "8"),
        ("The answer is 3x + 5", "3x + 5"),
        ("The answer is yes.", "yes"),
        ("first 3, then 3,000.50.", "3000.5"),
        ("20-15", "15"),
        ("it was -15", "-15"),
        ("she ate 3/4.", "3/4"),
        ("saves 50\\% of it", "50%"),
    ],
)
def test_the_final_answer_is_read(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize("text", ["", "no number here", "####", "\\boxed{}", "____", "$ . , %"])
def test_a_text_without_an_answer_has_none(text):
    assert extract_answer(text) is None


def test_hashes_win_over_a_box_and_a_box_over_the_word_answer():
    assert extract_answer("The answer is 1. \\boxed{2}\n#### 3\n4") == "3"
    assert extract_answer("The answer is 1. \\boxed{2} 4") == "2"
    assert extract_answer("The answer is 1. Then 4") == "1"


def test_text_after_the_first_hashes_does_not_change_the_answer():
    assert extract_answer("#### 3\n#### 4") == "3"


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("18", "$18.00"),
        ("1000", "1,000"),
        ("0.5", "1/2"),
        ("3.5", "3 1/2"),
        ("50", "50%"),
        ("1/2", "50%"),
        ("0", "-0"),
        ("\\frac{3}{4}", "0.75"),
        ("2\\sqrt{2}", "\\sqrt{8}"),
        ("x+1", "1+x"),
        ("Yes", "yes."),
        ("9" * 300, "9" * 300),
    ],
)
def test_equal_answers_match(gold, answer):
    assert answers_match(gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("1/3", "0.333"),
        ("0.1", "0.10000000000000000001"),
        ("18", "-18"),
        ("18", "181"),
        ("x+1", "x+2"),
        ("yes", "no"),
        ("", ""),
        ("1", None),
        (None, "1"),
        (None, None),
        ("9" * 300, "9" * 299 + "8"),
    ],
)
def test_different_or_missing_answers_do_not_match(gold, answer):
    assert not answers_match(gold, answer)


@pytest.mark.parametrize(
    "hostile",
    ["9**9**9", "9^{9^{9^9}}", "((9^9)^9)^9", "99999999999!", "1e999999999", "\\sum_{i=1}^{9999999} i", "(" * 90,
     "(x+y+z+w+a+b+c)^{99}", "9" * 5000, "\\frac{" * 30, "(a+b)^99"],
)  # fmt: skip
def test_hostile_answers_are_refused_quickly(hostile):
    answers_match("x+1", "1+x")  # sympy's import is not what is timed
    begin = time.process_time()
    assert not answers_match(hostile, "5")
    assert not answers_match("5", hostile)
    assert not answers_match(hostile, hostile + "+1")
    assert time.process_time() - begin < 2


def test_symbolic_answers_are_compared_off_the_main_thread():
    results = []
    worker = threading.Thread(target=lambda: results.append(answers_match("3\\sqrt{3}", "\\sqrt{27}")))
    worker.start()
    worker.join(60)
    assert results == [True]


def test_equal_answers_share_one_key():
    assert {canonical_answer(a) for a in ("16", "16.0", "$16", "016", "16 %", " 16.")} == {"16"}
    assert canonical_answer("1/3") == canonical_answer("2/6") == "1/3"
    assert canonical_answer("1/2") == canonical_answer(".5") == "0.5"
    assert canonical_answer("In  Paris") == canonical_answer("in paris.")
    assert canonical_answer(None) is None
    assert canonical_answer("") is None


@given(st.fractions(-(10**9), 10**9, max_denominator=1000))
def test_a_number_matches_itself_however_it_is_written(value):
    plain, mixed = f"{value.numerator}/{value.denominator}", canonical_answer(str(value))
    assert answers_match(plain, mixed)
    assert canonical_answer(plain) == mixed
    assert not answers_match(plain, str(value + Fraction(1, 10**6)))


@given(st.integers(-(10**12), 10**12))
def test_a_stated_number_is_found_again(number):
    assert extract_answer(f"Tom had 7 of 9.\n#### {number:,}") == str(number)
    assert extract_answer(f"The answer is ${number:,}.") == str(number)


@given(st.text(max_size=200) | st.text(alphabet="0123456789,./$-%# =\\boxed{}^*x", max_size=200))
def test_normalising_twice_changes_nothing_and_reading_never_fails(text):
    answer = extract_answer(text)
    assert answer is None or answer.strip() == answer != ""
    once = normalise_answer(text)
    assert read_number(once) is None or normalise_answer(once) == once
    assert not answers_match(text, None)


@pytest.mark.parametrize("part", ["1,234", "\\boxed{", "answer is ", "####", "1/", "-$", "9", ".", "1 1/2 "])
def test_reading_an_answer_takes_linear_time(part):
    text = part * (200_000 // len(part))  # long enough for even a quick search of quadratic time to take half a minute
    begin = time.process_time()
    extract_answer(text)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(27), "27"),
        (Fraction(1, 4), "0.25"),
        (Fraction(-5, 2), "-2.5"),
        (Fraction(100, 3), "33.33…"),
        (Fraction(-1, 3), "-0.33…"),
        (Fraction(1, 3000), "0.00033…"),
        (Fraction(1005, 1000), "1.005"),
        (Fraction(0), "0"),
    ],
)
def test_numbers_are_shown_as_a_person_would_write_them(value, shown):
    assert show_number(value) == shown


@pytest.mark.parametrize("text", ["", "1,23", "1.2.3", "--1", "1/0", "5 3", "12 dollars", "x", "1e5", "1" * 40, "٣"])
def test_what_is_no_plain_number_is_not_read_as_one(text):
    assert read_number(text) is None


@pytest.mark.parametrize(
    "typed", ["8 pencils", "Tom has 8 pencils.", "8 pencils each", "8 coloured pencils left over"]
)
def test_a_sentence_around_one_number_that_a_person_typed_is_that_number(typed):
    assert answers_match(known_answer(typed), "8")
    assert not answers_match(known_answer(typed), "9")


@pytest.mark.parametrize("typed", [None, "", "2x + 8", "3 pens and 8 pencils", "x = 8 or x = 9", "blue", "8x"])
def test_what_is_no_sentence_around_one_number_is_taken_as_it_was_typed(typed):
    assert known_answer(typed) == typed
