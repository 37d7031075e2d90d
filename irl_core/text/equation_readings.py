"""The sensible readings of an equation: whether it holds under one of them, fails under all, or stays open.

"20% of 50 = 10" holds if the percentage is relative, "5 * 30 = $1.50" if the left side is in cents, "1.000 + 500 =
1.500" if points group thousands. What a person may have meant otherwise is not called false.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice, product
from typing import Literal, NamedTuple

from irl_core.text import units
from irl_core.text.equation_values import agrees, is_about
from irl_core.text.expressions import Expression
from irl_core.text.quantities import (
    NotArithmetic,
    Notes,
    Parts,
    Quantity,
    Reading,
    UnitWords,
    UnlikeUnits,
    conversion,
    evaluate,
)

MAX_READINGS = 16
_NICE = 10**5  # a factor between units of one system is a ratio of smaller numbers
# What one unit may make of another, so that a person may have converted without saying so.
_FACTORS = {
    "time": (60, 3600, 24, 7, 30, 365, 12, 10), "calendar": (12, 10, 52, 4, 365, 30), "length": (12, 3, 36, 10, 100,
    1000, 5280), "mass": (16, 1000, 2000), "volume": (2, 4, 8, 16, 3, 1000, 128), "area": (144, 9, 10_000),
    "dollars": (100, 5, 10, 20, 4, 25), "euros": (100,), "pounds": (100,), "rupees": (100,),
}  # fmt: skip


class Outcome(NamedTuple):
    """What an equation is under its readings; values are in the terms of what is stated.

    `open`: it may be meant in a way that cannot be judged.
    """

    state: Literal["holds", "fails", "open"]
    exact: Fraction
    stated: Fraction
    reading: Reading
    unit: Parts = ()
    converted: bool = False
    names: tuple[str, ...] = ()


def judge(left: Expression, right: Expression, about: bool = False) -> Outcome | None:
    """Whether what `right` states is what `left` makes; None where neither can be read as arithmetic.

    `about` is for "≈". The outcome is that of the first reading that holds, else of the one nearest to what is stated.
    """
    failed: list[Outcome] = []
    is_open: Outcome | None = None
    unlike = False
    for reading in islice(readings_of(left, right), MAX_READINGS):
        try:
            outcome = _under(reading, left, right, about)
        except UnlikeUnits:
            unlike = True
            continue
        except NotArithmetic:
            continue
        if outcome.state == "holds":
            return outcome
        if not reading.with_units:
            continue  # it may only confirm
        if outcome.state == "open":
            is_open = outcome
        else:
            failed.append(outcome)
    if is_open is not None:
        return is_open
    if not failed:
        return Outcome("open", Fraction(0), Fraction(0), Reading()) if unlike else None
    nearest = min(failed, key=lambda outcome: _distance(outcome.exact, outcome.stated))
    grouping = any(outcome.reading.continental for outcome in failed) and _has_doubtful_point((left, right))
    return nearest._replace(state="open") if grouping else nearest


def readings_of(*sides: Expression) -> Iterator[Reading]:
    """The usual reading of an equation's sides first, then those that differ from it in one respect."""
    usual = Reading()
    yield usual
    if any(side.has("%") for side in sides):
        yield replace(usual, percent="unit")
        yield replace(usual, percent="hundredth")
    words = dict.fromkeys(word for side in sides for word in side.unit_words() if len(units.senses_of(word)) > 1)
    choices = [[(word, i) for i in range(len(units.senses_of(word)))] for word in words]
    for senses in islice(product(*choices), 1, 12):
        yield replace(usual, senses=tuple(senses))
    if _counts_in_scales(sides):
        yield replace(usual, with_units=False)
    if any(number.product is not None for side in sides for number in side.numbers()):
        yield replace(usual, products=True)
    if _may_be_continental(sides):
        yield replace(usual, continental=True)


def _may_be_continental(sides: Sequence[Expression]) -> bool:
    """Could points group thousands here: every number can be read so, and one would be another number?"""
    numbers = [number for side in sides for number in side.numbers()]
    if any(number.continental is None for number in numbers):
        return False
    points = _has_doubtful_point(sides)
    commas = any(number.decimals and number.continental == number.value for number in numbers)
    return points or (commas and any(number.continental != number.value for number in numbers))


def _counts_in_scales(sides: Sequence[Expression]) -> bool:
    """Is there a word like "dozen", so that "1 + 1.5 dozen = 2.5 dozen" may count in dozens throughout?"""
    scaled = [any(_is_scale(word) for word in side.unit_words()) for side in sides]
    return all(scaled) or (any(scaled) and not (sides[0].has("+") or sides[0].has("-")))


def _has_doubtful_point(sides: Sequence[Expression]) -> bool:
    """Is there a number like "1.000", whose point may group thousands?"""
    return any(n.decimals == 3 and n.continental != n.value for side in sides for n in side.numbers())


def _under(reading: Reading, left: Expression, right: Expression, about: bool) -> Outcome:
    notes = Notes()
    exact = evaluate(left.code, reading, notes)
    mixed_right = Notes()
    stated = evaluate(right.code, reading, mixed_right)
    both = bool(exact.parts) and bool(stated.parts)
    if reading.senses and both and bool(exact.measured) != bool(stated.measured):
        raise UnlikeUnits("coins that are counted are no money")
    counted = bool(exact.parts) and not exact.measured and exact.parts != stated.parts
    if counted and any(units.senses_of(word) for word in right.unit_words()):
        raise UnlikeUnits("a dime and two nickels are no three dimes")
    values, confirming, may_convert = _candidates(exact, stated, notes)
    scale = Fraction(1)
    if right.is_number() and right.has("%") and reading.percent != "unit":
        scale = Fraction(100)
    target = stated.value * scale
    names = tuple(notes.names | mixed_right.names)
    converted = notes.mixed or mixed_right.mixed or bool(exact.measured and exact.measured != stated.measured)
    result = Outcome("fails", values[0] * scale, target, reading, stated.measured, converted, names)
    states = set()
    # A sum in two units is not rounded to whole ones.
    decimals = None if notes.mixed and not right.decimals else right.decimals
    for value in (*values, *confirming):
        state = agrees(
            value * scale, target, decimals, measured=any(n > 0 for _, n in stated.measured), inexact=notes.inexact
        )
        if state == "holds" or (about and is_about(value * scale, target, right.decimals) == "holds"):
            return result._replace(state="holds", exact=value * scale)
        states.add(state)
    nearest = min(values, key=lambda value: _distance(value * scale, target))
    result = result._replace(exact=nearest * scale)
    if about and is_about(result.exact, target, right.decimals) == "open":
        return result._replace(state="open")
    # "10 + (3 hours 15 minutes)" does not say ten of what.
    may_convert = may_convert or (notes.assumed and converted)
    # "200 * 10 / 3 = 200 * 3.33" goes on with a rounded number.
    rounded = right.decimals is None and any(n.decimals > 1 for n in right.numbers())
    may_convert = may_convert or (rounded and abs(result.exact - target) * 100 <= abs(result.exact))
    doubtful = may_convert or (states & {"open"} and not about) or _letters_doubtful(left, right, exact, stated, notes)
    doubtful = doubtful or _scaled_otherwise(left, right, result)
    return result._replace(state="open") if doubtful else result


def _candidates(exact: Quantity, stated: Quantity, notes: Notes) -> tuple[list[Fraction], list[Fraction], bool]:
    """The values that may be stated, those that may only confirm it, and whether a conversion may be meant."""
    have, want = exact.measured, stated.measured
    if have == want:
        return [exact.value], [], False
    if have and want:
        ratio = conversion(have, want)
        if ratio is None:
            return [exact.value], [], _may_convert(exact.value, stated.value, have, want)
        values = [exact.value * ratio] + [exact.value] * notes.bare_factor
        # "12 kW an hour * $1.50 per kWh = $18 per day"
        confirming = [exact.value] * (notes.factored and _one_name_each(notes.names))
        foreign = max(ratio.numerator, ratio.denominator) > _NICE
        return values, confirming, foreign
    if have:
        others = (((name, 1),) for name in notes.names if notes.mixed and not name[0].isdigit())
        ratios = [ratio for other in others if (ratio := conversion(have, other)) is not None]
        return [exact.value, *(exact.value * ratio for ratio in ratios)], [], False
    confirming = []
    if not exact.parts and len(want) == 1 and want[0][1] == 1:
        for name in units.names_of(units.dimension_of(want[0][0])):
            ratio = conversion(((name, 1),), want)
            if ratio is not None:
                confirming.append(exact.value * ratio)
    unknown_prices = bool(notes.things) or bool(exact.parts)
    return [exact.value], confirming, unknown_prices or _may_convert(exact.value, stated.value, want)


def _one_name_each(names: set[str]) -> bool:
    dimensions = [units.dimension_of(name) for name in names if not name[0].isdigit()]
    return len(dimensions) == len(set(dimensions))


def _may_convert(value: Fraction, stated: Fraction, *parts: Parts) -> bool:
    """Is what is stated nearer to a conversion of the value than to the value itself?"""
    names = [name for part in parts for name, _ in part]
    own = _distance(value, stated)
    factors = {factor for name in names for factor in _FACTORS.get(units.dimension_of(name), ())}
    return any(_distance(value * f, stated) < own or _distance(value / f, stated) < own for f in factors)


def _letters_doubtful(left: Expression, right: Expression, exact: Quantity, stated: Quantity, notes: Notes) -> bool:
    """Could a letter that was read as a unit be a variable: "2 m + 3 = 9"?"""
    if not (left.letters or right.letters):
        return False
    same = conversion(exact.measured, stated.measured) is not None
    return notes.assumed or not same or not exact.measured


def _scaled_otherwise(left: Expression, right: Expression, result: Outcome) -> bool:
    """Does a word like "dozen" or "eighths" stand on one side alone, so that the other may count in it too?"""
    scaled = [any(units.senses_of(w)[:1] and _is_scale(w) for w in side.unit_words()) for side in (left, right)]
    return scaled[0] != scaled[1] and _distance(result.exact, result.stated) > math.log(2)


def _is_scale(word: str) -> bool:
    return any(sense.dimension == "scale" for sense in units.senses_of(word))


def _distance(value: Fraction, stated: Fraction) -> float:
    """How far apart two numbers are, as the logarithm of their ratio."""
    if value == stated:
        return 0.0
    if value == 0 or stated == 0 or (value < 0) != (stated < 0):
        return math.inf
    ratio = abs(value / stated)
    return abs(math.log(ratio.numerator) - math.log(ratio.denominator))


def without_exclamation(right: Expression) -> Expression | None:
    """ "9!" at the end of a sentence may be 9 with an exclamation mark."""
    if right.code[-1:] != ("!",):
        return None
    return replace(right, code=right.code[:-1], operators=right.operators - 1, decimals=0)


def joined_otherwise(expression: Expression) -> bool:
    """May the numbers of an expression be joined otherwise: "2 / 1/6", "10% of the $400 + $1580"?"""
    code = [item for item in expression.code if not isinstance(item, UnitWords)]
    if any(code[i] == code[i + 2] == "/" for i in range(len(code) - 2)):
        return True
    if any(code[i : i + 2] == ["^", "neg"] for i in range(len(code) - 1)):
        return True  # "-2^2 = 4"
    # "80 kg - 20% of 80 kg" is plain: "of" joins the last term alone.
    return "of" in code[:-1] and not (code[-1] in ("+", "-") and code[-2:-1] == ["of"])


def has_counted_sum(code: Sequence[object]) -> bool:
    """Are counted things added: "3 hats + 2 scarves"?"""
    counted = {word for item in code if isinstance(item, UnitWords) for word, _ in item.words if word[0] == "#"}
    return bool(counted) and code[-1] in ("+", "-")
