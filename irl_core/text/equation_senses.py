"""The sensible readings of an equation: under which of them it holds, and whether it may have another.

"20% of 50 = 10" holds if the percentage is relative, "5 * 30 = $1.50" if the left side is in cents. What a person may
have meant otherwise is not called false.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from irl_core.text.equation_tokens import Kind, Token
from irl_core.text.expressions import Expression, PercentSense, evaluate
from irl_core.text.numerals import is_rounded

_SCALES = frozenset(
    "dozen dozens score hundred hundreds thousand thousands million millions billion billions pair pairs half halves"
    " third thirds quarter quarters fourth fourths fifth fifths tenth tenths".split()
)
_DIMENSIONS = tuple(
    frozenset(family.split())
    for family in (
        "second minute hour day week month year decade century sec min hr",
        "inch foot feet yard mile centimeter meter kilometer cm mm km inches millimeter metre kilometre",
        "ounce pound ton gram kilogram kg oz lb mg",
        "cup pint quart gallon liter milliliter ml tablespoon teaspoon ounce litre",
        "cent dollar penny pennies nickel dime quarter buck",
        "person people couple single",
    )
)


def matching_sense(left: Expression, right: Expression) -> tuple[PercentSense, int] | None:
    """The first sensible reading of % and cents under which the sides are equal, but for rounding."""
    percents: tuple[PercentSense, ...] = ("relative",)
    if left.has("%") or right.has("%"):
        percents = ("relative", "unit", "hundredth")
    cents = (1, 100) if left.has("cents") or right.has("cents") else (1,)
    for percent, per_dollar in product(percents, cents):
        exact, stated = (evaluate(side.code, percent, per_dollar) for side in (left, right))
        if exact == stated:
            return percent, per_dollar
        if right.decimals is not None:
            hundredths = (right.has("%") and percent != "unit") + (right.has("cents") and per_dollar == 100)
            if is_rounded(exact, stated, right.decimals + 2 * hundredths):
                return percent, per_dollar
    return None


def runs_on(left: Expression, right: Expression, decimals: int) -> bool:
    """Is it a running calculation, "5 * 3 = 15 + 2 = 17", where the first number answers what stands before it?"""
    first = right.code[0]
    if right.is_number() or not isinstance(first, Fraction):
        return False
    exact = evaluate(left.code)
    return exact == first or is_rounded(exact, first, decimals)


def may_mean_otherwise(left: Expression, right: Expression, value: Fraction, stated: Fraction) -> bool:
    """Has a false equation a reading in which the numbers are joined otherwise?"""
    if len(left.code) == 3 and left.code[-1] == "/" and abs(value) < 1 <= abs(stated):
        return True  # "the other 3/4 = 60"
    if any(code[i] == code[i + 2] == "/" for code in (left.code, right.code) for i in range(len(code) - 2)):
        return True  # "2 / 1/6 = 12"
    # "3/3 - 2/3 = 1/3 of $150", "10% of the $400 + $1580"
    return right.has("of") or (left.has("of") and (left.has("+") or left.has("-")))


def converts_units(tokens: Sequence[Token]) -> bool:
    """Do the words near the numbers name two units of one dimension, or a scale: "2 * 16 ounces = 2 pounds"?"""
    words = {token.text.lower() for token in tokens if token.kind is Kind.WORD}
    if not _SCALES.isdisjoint(words):
        return True
    return any(len({word.removesuffix("s") for word in words} & family) > 1 for family in _DIMENSIONS)
