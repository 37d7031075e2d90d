"""Numbers as people write them, read and shown exactly: "1,234.50", "$3", ".5", "3 1/2", "25%"."""

from __future__ import annotations

import re
from fractions import Fraction

MAX_DIGITS = 30
MAX_DECIMALS = 12
# Thousands groups are bounded: an unbounded group that fails at its end would be rescanned from every group.
NUMERAL = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,9}(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"

_NUMERAL = re.compile(NUMERAL)
_PLAIN = re.compile(
    rf"(?P<sign>[-+−]?)[ ]?[$£€₹]?[ ]?(?P<sign_after>[-−]?)(?:(?P<whole>[0-9]{{1,30}})[ ](?=[0-9]{{1,30}}/[0-9]))?"
    rf"(?P<top>{NUMERAL})(?:[ ]?/[ ]?(?P<bottom>{NUMERAL}))?[ ]?[$£€₹]?(?P<percent>[ ]?%)?"
)


def read_numeral(text: str) -> Fraction | None:
    """The value of one unsigned numeral ("1,234.50"); None if it is none or has more than `MAX_DIGITS` digits."""
    if len(text) > 2 * MAX_DIGITS or not _NUMERAL.fullmatch(text):
        return None
    digits = text.replace(",", "")
    return Fraction(digits) if len(digits) <= MAX_DIGITS else None


def read_number(text: str) -> tuple[Fraction, bool] | None:
    """The value of a whole string that is one signed number, fraction or mixed number, and whether a % follows it.

    The value is the number as written: "25%" gives (25, True). None if the string is anything else.
    """
    if len(text) > 4 * MAX_DIGITS:
        return None
    match = _PLAIN.fullmatch(text.strip())
    if not match or (match["whole"] and not match["bottom"]):
        return None
    top, bottom = read_numeral(match["top"]), read_numeral(match["bottom"] or "1")
    if top is None or not bottom:
        return None
    value = int(match["whole"] or 0) + top / bottom
    signs = match["sign"] + match["sign_after"]
    if len(signs) > 1:
        return None
    return (-value if signs in ("-", "−") else value), bool(match["percent"])


def decimal_places(value: Fraction) -> int | None:
    """How many decimals the exact decimal form of `value` has; None if it never ends."""
    places, rest = 0, value.denominator
    for factor in (10, 5, 2):
        while rest % factor == 0:
            rest //= factor
            places += 1
    return places if rest == 1 else None


def show_number(value: Fraction, places: int = 2) -> str:
    """A number as a person would write it: "27", "0.25", and "33.33…" where the decimals run on.

    Such a number is cut after `places` decimals, or after its second significant digit where that comes later.
    """
    exact = decimal_places(value)
    if exact is not None and exact <= max(places, MAX_DECIMALS):
        places, more = exact, ""
    else:
        zeros = len(str(value.denominator // max(1, abs(value.numerator)))) - 1
        places, more = min(max(places, zeros + 2), MAX_DIGITS), "…"
    scaled = abs(value.numerator) * 10**places // value.denominator
    whole, decimals = divmod(scaled, 10**places)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}" + (f".{decimals:0{places}d}" if places else "") + more


def is_rounded(exact: Fraction, stated: Fraction, decimals: int) -> bool:
    """Could `stated`, written with `decimals` decimals, be `exact` rounded (or cut off where its decimals run on)?

    A whole number may be rounded up or down: people, buses and boxes come whole.
    """
    error = abs(exact - stated)
    if decimals == 0:
        return error < 1 if abs(exact) >= 1 else error <= Fraction(1, 10)
    unit = Fraction(1, 10**decimals)
    places = decimal_places(exact)
    runs_on = places is None or places > 3
    return error <= unit / 2 or (runs_on and error < unit and abs(stated) < abs(exact))
