"""When a stated number is an exact one: equal, rounded, or about equal; and how both are shown."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from irl_core.text.numerals import decimal_places, is_rounded

ABOUT = Fraction(15, 100)  # what "≈" is never taken to allow
SURELY_ABOUT = Fraction(5, 100)
_INEXACT = Fraction(1, 10**20)


State = Literal["holds", "fails", "open"]


def agrees(exact: Fraction, stated: Fraction, decimals: int | None, *, measured: bool, inexact: bool = False) -> State:
    """Is what is stated with `decimals` decimals (None for a calculation) the exact value, but for rounding?

    A whole number may stand for the number above or below, as people and buses come whole. An amount that is
    `measured` ("$21.75", "2.5 km") does not come whole: there it is open whether it was rounded to the nearest, and
    no other will do. `inexact` values are roots, close to 40 digits.
    """
    if exact == stated or (inexact and abs(exact - stated) <= _INEXACT * max(Fraction(1), abs(exact))):
        return "holds"
    if decimals is None:
        return "fails"
    places = decimal_places(exact)
    if decimals == 0 and measured and places is not None and places <= 2:
        return "open" if abs(exact - stated) < Fraction(1, 2) and abs(exact) >= 1 else "fails"
    return "holds" if is_rounded(exact, stated, decimals) else "fails"


def is_about(exact: Fraction, stated: Fraction, decimals: int | None) -> State:
    """Whether "≈" is right between two numbers: certainly within 5 %, certainly not beyond 15 %.

    A number with decimals is meant to be closer: it fails by more than two units of its last place and 3 %.
    """
    error = abs(exact - stated)
    if error <= SURELY_ABOUT * abs(exact):
        return "holds"
    unit = Fraction(1, 10 ** (decimals or 0))
    if decimals == 0 and error < 1:
        return "open"
    far = error > ABOUT * abs(exact) or (bool(decimals) and error > 2 * unit)
    return "fails" if far else "open"
