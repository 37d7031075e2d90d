"""Numbers inside equations: digits in the manners of several countries, mixed numbers, periods, number words."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from irl_core.text.numerals import NUMERAL, read_numeral

MAX_NUMBER_DIGITS = 15

_UNITS_WORDS = "two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {
    **{word: i for i, word in enumerate(_UNITS_WORDS, 2)},
    **{word: i for i, word in enumerate(_TEENS, 10)},
    **{word: i * 10 for i, word in enumerate(_TENS, 2)},
}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "twelfth": 12, "twentieth": 20, "hundredth": 100,
}  # fmt: skip
_MANY = "|".join([*_UNITS_WORDS, *_TEENS, *_TENS])
_PART = "|".join(_PARTS)
NUMBER_WORD = rf"(?:{'|'.join(_TENS)})[ -](?:one|{'|'.join(_UNITS_WORDS)})(?!\w)|(?:{_MANY})(?![\w-])"
PART_WORD = rf"(?:(?:one|an?|{'|'.join(_UNITS_WORDS)})[ -])?(?:{_PART})s?(?=[ ]of[ ])"
MIXED = r"[0-9]{1,6}[ ][0-9]{1,2}/[0-9]{1,3}(?![0-9/]|[.,][0-9])"
PERIODIC = r"[0-9]{0,9}\.[0-9]{0,9}(?:\([0-9]{1,9}\)|[0-9](?:\.{3}|…))(?![0-9])"
GROUPED = (
    r"[0-9]{1,2}(?:,[0-9]{2}){1,6},[0-9]{3}(?:\.[0-9]{1,9})?(?![0-9])"  # lakhs and crores
    r"|[0-9]{1,3}(?:[ '’][0-9]{3}){1,5}(?:[.,][0-9]{1,9})?(?![0-9]|-[A-Za-z])"
    r"|[0-9]{1,3}(?:\.[0-9]{3}){1,5},[0-9]{1,9}(?![0-9,])"
    r"|[0-9]{1,3}(?:\.[0-9]{3}){2,5}(?![0-9])"
    r"|[0-9]{1,9},[0-9]{1,2}(?![0-9,])"  # a comma before the decimals
)
ASCII_NUMBER = NUMERAL


class WrittenNumber(NamedTuple):
    """A number as it is usually read, its decimals, and its value where points group thousands and commas do not.

    `continental` is None where the number cannot be read in that way ("0.5", "2.25"). `product` is the value of
    "0.5(20)" if its bracket is no period but a factor.
    """

    value: Fraction
    decimals: int = 0
    continental: Fraction | None = None
    product: Fraction | None = None


def number_word(text: str) -> WrittenNumber | None:
    """ "twenty-five"; None where the text is none."""
    tens, _, ones = text.lower().replace("-", " ").partition(" ")
    if tens not in _WORDS:
        return None
    value = Fraction(_WORDS[tens] + (1 if ones == "one" else _WORDS.get(ones, 0)))
    return WrittenNumber(value, 0, value)


def part_word(text: str) -> WrittenNumber:
    """ "half", "three quarters", "a third"."""
    *many, part = text.lower().replace("-", " ").split()
    top = _WORDS.get(many[0], 1) if many else 1
    value = Fraction(top, _PARTS.get(part) or _PARTS[part.removesuffix("s")])
    return WrittenNumber(value, 0, value)


def mixed_number(text: str) -> WrittenNumber | None:
    """ "2 1/2"; None where the fraction is not below one."""
    whole, _, fraction = text.partition(" ")
    top, bottom = map(int, fraction.split("/"))
    if not 0 < top < bottom:
        return None
    value = int(whole) + Fraction(top, bottom)
    return WrittenNumber(value, 0, value)


def periodic_number(text: str) -> WrittenNumber:
    """ "0.8(3)" exactly; "0.666..." with its last digit repeated, "3.14159..." as if it ended there."""
    digits, _, period = text.rstrip(").…").partition("(")
    whole, _, decimals = digits.partition(".")
    if not period and (decimals[-1:] == decimals[-2:-1] or len(decimals) == 1):
        period, decimals = decimals[-1], decimals[:-1]
    value = Fraction(int(whole or 0)) + Fraction(int(decimals or 0), 10 ** len(decimals))
    if period:
        value += Fraction(int(period), (10 ** len(period) - 1) * 10 ** len(decimals))
    product = Fraction(f"{whole or 0}.{decimals or 0}") * int(period) if "(" in text else None
    return WrittenNumber(value, len(decimals) + len(period), product=product)


def grouped_number(text: str) -> WrittenNumber | None:
    """ "1,00,000", "1 000", "1.000,50" and "2,5"."""
    plain = re.sub(r"[ '’]", "", text)
    comma, point = plain.count(","), plain.count(".")
    if comma == 1 and (point or len(plain) - plain.index(",") != 4 or len(plain) < len(text)):
        plain = plain.replace(".", "").replace(",", ".")
    elif point > 1:
        plain = plain.replace(".", "")
    else:
        plain = plain.replace(",", "")
    value = read_numeral(plain)
    if value is None or sum(map(str.isdigit, plain)) > MAX_NUMBER_DIGITS:
        return None
    return WrittenNumber(value, len(plain.partition(".")[2]), value)


def plain_number(text: str) -> WrittenNumber | None:
    """ "1,234.50" and ".5"; None for too many digits and for "007"."""
    if sum(map(str.isdigit, text)) > MAX_NUMBER_DIGITS or re.match(r"0[0-9]", text):
        return None
    value = read_numeral(text)
    if value is None:
        return None
    whole, _, decimals = text.partition(".")
    continental: Fraction | None = value if not decimals and "," not in whole else None
    if len(decimals) == 3 and "," not in whole and 1 <= len(whole) <= 3 and whole[0] != "0":
        continental = Fraction(int(whole + decimals))
    elif not decimals and whole.count(",") == 1:
        continental = Fraction(whole.replace(",", "."))
    return WrittenNumber(value, len(decimals), continental)
