"""Unit words and exact conversions."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import pytest

from irl_core.text.equations import check_equations
from irl_core.text.quantities import (
    NotArithmetic,
    Notes,
    Quantity,
    Reading,
    UnitWords,
    UnlikeUnits,
    conversion,
    evaluate,
)
from irl_core.text.units import dimension_of, factor, is_smaller, names_of, senses_of


def unit(*words: str) -> UnitWords:
    return UnitWords(tuple((word, 1) for word in words))


@pytest.mark.parametrize("word", ["bar", "hand", "stone", "chain", "point", "barn", "link", "rod", "apple", "degree"])
def test_only_listed_words_are_units(word):
    assert senses_of(word) == ()


def test_every_listed_unit_has_an_exact_factor():
    for dimension in ("time", "calendar", "length", "mass", "volume", "area", "dollars", "euros", "pounds", "rupees"):
        sizes = [factor(name) for name in names_of(dimension)]
        assert all(size > 0 for size in sizes)
    assert conversion((("mile", 1),), (("foot", 1),)) == 5280
    assert conversion((("gallon", 1),), (("cup", 1),)) == 16
    assert conversion((("pound", 1),), (("ounce", 1),)) == 16
    assert conversion((("dollar", 1),), (("dime_", 1),)) == 10
    assert conversion((("inch", 1),), (("centimeter", 1),)) == Fraction(254, 100)


def test_what_measures_something_else_has_no_conversion():
    assert conversion((("mile", 1),), (("hour", 1),)) is None
    assert conversion((("dollar", 1),), (("euro", 1),)) is None
    assert conversion((("foot", 2),), (("foot", 1),)) is None


def test_the_smaller_unit_of_one_dimension_is_known():
    assert is_smaller("inch", "foot")
    assert not is_smaller("foot", "inch")
    assert not is_smaller("inch", "hour")
    assert dimension_of("#pen") == ""


def test_a_speed_times_a_time_is_a_length():
    speed = (Fraction(60), UnitWords((("miles", 1), ("hour", -1))))
    distance = evaluate((*speed, Fraction(30), unit("minutes"), "*"))
    assert conversion(distance.measured, (("mile", 1),)) == Fraction(1, 60)
    assert distance.value == 1800


def test_adding_what_does_not_measure_the_same_is_refused():
    with pytest.raises(UnlikeUnits):
        evaluate((Fraction(3), unit("kg"), Fraction(2), unit("hours"), "+"))
    with pytest.raises(UnlikeUnits):
        evaluate((Fraction(3), unit("#pen"), Fraction(2), unit("hours"), "+"))


def test_a_number_without_unit_takes_the_unit_of_what_it_is_added_to():
    notes = Notes()
    assert evaluate((Fraction(5), unit("feet"), Fraction(3), "+"), notes=notes) == Quantity(
        Fraction(8), (("foot", 1),)
    )
    assert notes.assumed


def test_a_scale_word_multiplies_and_may_be_left_out():
    code = (Fraction(2), unit("dozen"))
    assert evaluate(code).value == 24
    assert evaluate(code, Reading(with_units=False)).value == 2


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ((Fraction(5), "!"), 120),
        ((Fraction(27), "√3"), 3),
        ((Fraction(16, 81), "√4"), Fraction(2, 3)),
        ((Fraction(17), Fraction(5), "mod"), 2),
        ((Fraction(2), Fraction(-3), "^"), Fraction(1, 8)),
    ],
)
def test_powers_roots_factorials_and_remainders_are_exact(code, value):
    assert evaluate(code).value == value


@pytest.mark.parametrize(
    "code",
    [
        (Fraction(1, 2), "!"),
        (Fraction(10**9), "!"),
        (Fraction(-4), "√2"),
        (Fraction(0), Fraction(-1), "^"),
        (Fraction(2), Fraction(1, 2), "^"),
        (Fraction(3), Fraction(0), "mod"),
        (Fraction(3), Fraction(0), "/"),
    ],
)
def test_what_has_no_exact_value_is_refused(code):
    with pytest.raises(NotArithmetic):
        evaluate(code)


def test_the_library_of_units_is_not_loaded_until_something_is_converted():
    code = (
        "import sys, irl_core\n"
        "from irl_core.text import check_equations\n"
        "check_equations('3 + 4 = 8 pens'); check_equations('3 feet + 4 feet = 8 feet')\n"
        "print('pint' in sys.modules)\n"
        "check_equations('3 feet + 4 inches = 8 feet')\n"
        "print('pint' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 feet + 6 inches = 40 inches", "42 inches"),
        ("1 hour 40 minutes + 30 minutes = 2 hours", "130 minutes"),
        ("8 m × 5 m = 30 m²", "40"),
        ("5 km / 2 h = 3 km/h", "2.5"),
        ("2 kg - 300 g = 1.8 kg", "1.7 kg"),
        ("$2 + 30 cents = $2.50", "2.3"),
    ],
)
def test_what_was_expected_is_told_in_a_unit_of_the_equation(text, expected):
    (check,) = check_equations(text)
    assert (check.ok, check.expected) == (False, expected)
