"""Numbers in digits as people of other countries write them: 1 000, 1.000,50, 1,00,000, 1'000, 0,5, ٢٥, ２５, 2½, 1e3.

`plain_digits` first turns other scripts' digits into ours, character for character; the rest reads plain digits. Where
a numeral can be read in two ways ("1.500", "2,5"), the first reading is the usual one.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

from irl_core.text.numerals import MAX_DIGITS, NUMERAL, read_numeral

MAX_POWER = 99

_LAKHS = r"[0-9]{1,2}(?:,[0-9]{2}){1,6},[0-9]{3}(?:\.[0-9]{1,12})?(?![0-9])"
_SPACED = (
    r"[1-9][0-9]{0,2}(?:(?:[ ][0-9]{3}){1,6}|(?:['’][0-9]{3}){1,6}|(?:_[0-9]{3}){1,6})(?:[.,][0-9]{1,12})?(?![0-9])"
)
_POINTED = r"[0-9]{1,3}(?:\.[0-9]{3}){1,6},[0-9]{1,12}(?![0-9]|[,.][0-9])|[0-9]{1,3}(?:\.[0-9]{3}){2,6}(?![0-9])"
_DECIMAL_COMMA = r"[0-9]{1,12},(?:[0-9]{1,2}|[0-9]{4,12})(?![0-9]|,[0-9])"
WRITTEN = rf"(?:(?=[0-9.])(?:{_LAKHS}|{_SPACED}|{_POINTED}|{_DECIMAL_COMMA}|{NUMERAL}))"
"""One unsigned numeral in digits, in any manner; matches in linear time."""

_SCIENTIFIC = re.compile(
    rf"(?P<base>{WRITTEN})(?:[eE](?P<e>[-+]?[0-9]{{1,2}})(?![\w.])"
    r"|[ ]?(?:[x×·⋅*]|\\times|\\cdot)[ ]?10[ ]?\^[ ]?\(?\{?(?P<ten>[-−+]?[0-9]{1,2})\}?\)?(?![\w.]))"
)
_POWER = re.compile(r"(?P<base>[0-9]{1,9})[ ]?\^[ ]?\(?\{?(?P<exponent>[0-9]{1,2})\}?\)?(?![\w.^])")
_MIXED = re.compile(
    r"(?P<whole>[0-9]{1,12})[ ](?P<top>[0-9]{1,9})[ ]?/[ ]?(?P<bottom>[0-9]{1,9})(?![0-9/^]|[.,][0-9])"
)
_FRACTION = re.compile(rf"\(?(?P<top>[-−]?(?:{WRITTEN}))\)?[ ]?/[ ]?\(?(?P<bottom>{WRITTEN})\)?(?!/?[0-9]|\^)")
_GOES_ON = re.compile(r"\.[0-9]")  # "1.5.2" is a version or a chapter
_WRITTEN = re.compile(WRITTEN)


class Numeral(NamedTuple):
    """An unsigned number that ends before character `end`; `shown` is its plain spelling if it is a fraction.

    `other` is its value in the less usual reading, if it has one.
    """

    value: Fraction
    end: int
    shown: str | None = None
    other: Fraction | None = None


class _Digits(dict[int, str]):
    """Other scripts' digits and their signs as ours, looked up when first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        digit = unicodedata.decimal(char, None)
        self[code] = char if digit is None else str(digit)
        return self[code]


_PLAIN = _Digits(
    {ord(space): " " for space in "\xa0\u2007\u2008\u2009\u200a\u202f\u205f"}
    | {ord(sign): "." for sign in "٫．"}
    | {ord(sign): "," for sign in "٬，"}
    | {ord("’"): "'", ord("＄"): "$", ord("％"): "%", ord("："): ":"}
)


def plain_digits(text: str) -> str:
    """The text with ASCII digits and spaces, as long as before."""
    return text if text.isascii() else text.translate(_PLAIN)


def read_written(text: str) -> tuple[Fraction, Fraction | None] | None:
    """The value of one unsigned numeral, and its other reading; None if it is none.

    >>> [str(read_written(text)[0]) for text in ("1 000", "1.000,50", "1,00,000", "0,5", "1,234.5")]
    ['1000', '2001/2', '100000', '1/2', '2469/2']
    """
    plain = text.replace(" ", "").replace("'", "").replace("’", "").replace("_", "")
    usual = read_numeral(plain)
    if usual is not None and len(plain) == len(text):
        whole, _, decimals = plain.partition(".")
        grouped = len(decimals) == 3 and "," not in plain and 0 < len(whole) <= 3 and whole[0] != "0"
        return usual, Fraction(whole + decimals) if grouped else None
    commas, points = plain.count(","), plain.count(".")
    tail = len(plain) - plain.find(",") - 1
    if commas == 1 and (points or tail != 3 or len(plain) < len(text)):
        plain = plain.replace(".", "").replace(",", ".")
    else:
        plain = plain.replace(",", "") if points < 2 else plain.replace(".", "")
    value = read_numeral(plain)
    if value is None:
        return None
    # "2,5" may be two numbers, which the caller must know.
    return value, None


def numeral_at(text: str, at: int) -> Numeral | None:
    """The number in digits that begins at `at`: mixed, a fraction, scientific, a power or plain, in this order."""
    for pattern, read in ((_MIXED, _mixed), (_FRACTION, _fraction), (_SCIENTIFIC, _scientific), (_POWER, _power)):
        match = pattern.match(text, at)
        found = read(match) if match else None
        if found is not None:
            return found
    match = _WRITTEN.match(text, at)
    if match and _GOES_ON.match(text, match.end()):
        return None
    value = read_written(match[0]) if match else None
    return Numeral(value[0], match.end(), None, value[1]) if match and value else None


def _mixed(match: re.Match[str]) -> Numeral | None:
    whole, top, bottom = int(match["whole"]), int(match["top"]), int(match["bottom"])
    if not bottom:
        return None
    return Numeral(whole + Fraction(top, bottom), match.end(), f"{match['whole']} {match['top']}/{match['bottom']}")


def _fraction(match: re.Match[str]) -> Numeral | None:
    negative = match["top"][0] in "-−"
    top, bottom = read_written(match["top"].lstrip("-−")), read_written(match["bottom"])
    if top is None or bottom is None or not bottom[0] or match[0].count("(") != match[0].count(")"):
        return None
    value = top[0] / bottom[0]
    return Numeral(-value if negative else value, match.end(), f"{match['top']}/{match['bottom']}".replace("−", "-"))


def _scientific(match: re.Match[str]) -> Numeral | None:
    base = read_written(match["base"])
    exponent = int((match["e"] or match["ten"]).replace("−", "-"))
    if base is None or abs(exponent) > MAX_DIGITS:
        return None
    return Numeral(base[0] * Fraction(10) ** exponent, match.end())


def _power(match: re.Match[str]) -> Numeral | None:
    base, exponent = int(match["base"]), int(match["exponent"])
    if base.bit_length() * exponent > MAX_POWER:
        return None
    return Numeral(Fraction(base**exponent), match.end())
