"""Numbers as other hands write them: rendered in a manner and read back."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.text.number_use import COMMON_NUMBERS, given_numbers, numbers_in, unknown_operands
from irl_core.text.number_words import word_numbers
from irl_core.text.written_numbers import numeral_at, plain_digits, read_written

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
).split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(number: int, hyphen: str = "-", joint: str = " and ") -> str:
    """English for a number below 10**12."""
    for power, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= power:
            rest = number % power
            joined = joint if rest < 100 else " "
            return f"{in_words(number // power, hyphen, joint)} {name}" + (
                f"{joined}{in_words(rest, hyphen, joint)}" if rest else ""
            )
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10] + (f"{hyphen}{_ONES[number % 10]}" if number % 10 else "")


def grouped(number: int, separator: str) -> str:
    return f"{number:,}".replace(",", separator)


def in_lakhs(number: int) -> str:
    """12,34,567: three digits, then twos."""
    digits = str(number)
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(0, i - 2) : i] for i in range(len(head), 0, -2)][::-1]
    return ",".join([*pairs, tail]) if head else tail


@given(st.integers(0, 10**12 - 1), st.sampled_from(["-", " "]), st.sampled_from([" ", " and "]), st.booleans())
def test_a_number_in_words_is_read_back(number, hyphen, joint, capital):
    text = in_words(number, hyphen, joint)
    [read] = word_numbers(text.capitalize() if capital else text)
    assert read.value == number
    assert (read.start, read.end) == (0, len(text))


@given(st.integers(1000, 10**12 - 1), st.sampled_from([" ", "\xa0", "\u202f", "\u2009", "'", "’", "_", ","]))
def test_grouped_thousands_are_read_back(number, separator):
    text = plain_digits(grouped(number, separator))
    assert read_written(text)[0] == number
    assert numeral_at(text, 0).end == len(text)


@given(st.integers(10**5, 10**11))
def test_lakhs_and_crores_are_read_back(number):
    assert read_written(in_lakhs(number))[0] == number


@given(st.integers(1000, 10**9), st.integers(0, 99))
def test_points_that_group_and_a_comma_before_the_decimals_are_read_back(whole, cents):
    text = f"{grouped(whole, '.')},{cents:02d}"
    assert read_written(text)[0] == whole + Fraction(cents, 100)
    assert numeral_at(text, 0).end == len(text)


@given(st.integers(0, 10**9), st.sampled_from("٠۰०০๐０𝟎"))
def test_digits_of_any_script_are_read_back(number, zero):
    text = "".join(chr(ord(zero) + int(digit)) for digit in str(number))
    assert plain_digits(text) == str(number)
    assert given_numbers(f"there are {text} pens") >= {Fraction(number)}


@given(st.integers(0, 99), st.integers(1, 99), st.integers(2, 99))
def test_mixed_numbers_are_read_back(whole, top, bottom):
    assert numeral_at(f"{whole} {top}/{bottom} cups", 0).value == whole + Fraction(top, bottom)


@given(st.integers(1, 999), st.integers(-9, 12))
def test_scientific_notation_is_read_back(base, exponent):
    value = base * Fraction(10) ** exponent
    for text in (f"{base}e{exponent}", f"{base} x 10^{exponent}", f"{base} × 10^({exponent})"):
        assert numeral_at(text, 0).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("half a dozen", "6"),
        ("a dozen", "12"),
        ("a dozen and a half", "18"),
        ("two and a half", "5/2"),
        ("two and a half million", "2500000"),
        ("one half", "1/2"),
        ("three-eighths", "3/8"),
        ("a fifth", "1/5"),
        ("twenty-one hundredths", "21/100"),
        ("fifteen hundred", "1500"),
        ("fourty", "40"),
    ],
)
def test_parts_and_scales_in_words_are_read(text, value):
    assert [number.value for number in word_numbers(text)] == [Fraction(value)]


@pytest.mark.parametrize("text", ["the fifth day", "a pen", "hundreds", "and", "a", "secondhand", "tension", "no"])
def test_words_that_are_no_number_are_none(text):
    assert word_numbers(text) == []


def test_number_words_that_do_not_belong_together_are_two_numbers():
    assert [int(n.value) for n in word_numbers("two three, twenty thirty, nineteen ninety-nine")] == [
        2, 3, 20, 30, 19, 99,
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["1.5.2", "", "x", "1" * 31])
def test_what_is_no_number_in_digits_is_none(text):
    assert numeral_at(text, 0) is None


@pytest.mark.parametrize(("text", "readings"), [("1.500", ["3/2", "1500"]), ("0.500", ["1/2"]), ("2,500", ["2500"])])
def test_a_point_before_three_digits_may_group_thousands(text, readings):
    assert [value for value in read_written(text) if value is not None] == [Fraction(r) for r in readings]


@pytest.mark.parametrize(
    ("text", "given_values"),
    [
        ("twenty-five pens", ["25"]),
        ("a fifth of them", ["5", "1/5"]),
        ("the seventh day", ["7"]),
        ("three-eighths", ["3", "8", "3/8"]),
        ("time and a half", ["3/2"]),
        ("2½ hours", ["5/2", "2", "1/2"]),
        ("2 and a half hours", ["5/2"]),
        ("3 1/4 cups", ["13/4"]),
        ("2.5 million", ["2500000"]),
        ("15k", ["15000"]),
        ("3 dozen", ["36", "3", "12"]),
        ("1.000,50 euros", ["2001/2"]),
        ("1 500 euros", ["1500"]),
        ("a couple of twins", ["2"]),
    ],
)
def test_a_problem_gives_every_number_that_it_may_be_said_to_name(text, given_values):
    assert given_numbers(text) >= {Fraction(value) for value in given_values}


def test_the_numbers_of_a_text_are_its_digits_and_words():
    assert numbers_in("3 of twenty-five, a third") == {3, 25, Fraction(1, 3)}
    assert numbers_in("half a dozen") >= {6}


@pytest.mark.parametrize(
    "step",
    [
        "Step 5: 20 + 15 = 35",
        "5. 20 + 15 = 35",
        "5) 20 + 15 = 35",
        "**Step 5:** 20 + 15 = 35",
        "18x = 20 + 15",
        "It falls by 5 (20 - 15 = 5), so 15 + 5 = 20",
    ],
)
def test_numbers_of_labels_terms_and_results_are_not_called_unknown(step):
    assert unknown_operands(step, given_numbers("twenty and fifteen") | COMMON_NUMBERS)[0] == ()


def test_a_number_that_nobody_gave_is_unknown():
    assert unknown_operands("20 + 16 = 36", given_numbers("twenty and fifteen") | COMMON_NUMBERS)[0] == ("16",)


@given(st.text(max_size=300) | st.text(alphabet="0123456789,. '’_½/¼ kaeéhundredtwo٣\u2028-", max_size=200))
def test_any_text_has_numbers_or_none(text):
    assert len(plain_digits(text)) == len(text)
    assert numbers_in(text) <= given_numbers(text)
