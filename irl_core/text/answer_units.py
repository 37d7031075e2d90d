"""The unit of an answer: "18 dollars", "60 km/h", "25 square meters", "12 years old"; what converts and what does not.

Only units of time, length, mass, volume, area and money convert into each other; any other word is a counted thing,
which changes nothing about the number before it.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from irl_core.text import units

MAX_WORDS = 5

Parts = tuple[tuple[str, int], ...]

_MEASURED = frozenset("time calendar length mass volume area derived dollars euros pounds rupees".split())
_MONEY = {"$": "dollar", "€": "euro", "£": "pound_sterling", "₹": "rupee", "¢": "us_cent"}
_POWERS = {"square": 2, "sq": 2, "sq.": 2, "squared": 2, "cubic": 3, "cu": 3, "cubed": 3}
_LETTERS = r"[^\W\d_²³]+"
_WORD = re.compile(rf"[ \t]{{0,3}}-?({_LETTERS}(?:['’-]{_LETTERS})*\.?)")
_SYMBOL = re.compile(r"[ \t]{0,2}(°[ ]?[CFK]?(?![a-z])|℃|℉|[€£¢₹¥円元$]|USD\b|EUR\b|(?<= )[CF](?=$|[.,;!?)]))")
_EXPONENT = re.compile(r"[ ]?(?:\^[ ]?\(?\{?([23])\}?\)?|([²³]))")
_GLUED_LETTER = re.compile(r"[A-Za-z](?![\w^'’])")  # "12x" is algebra, and "5m" may be
_ENDS = re.compile(r"\.?[ ]*(?:$|[0-9(,;)])")
_PER = re.compile(r"[ ]{0,2}(?:/|\bper\b|\beach\b|\bevery\b|\ban?\b)[ ]{0,2}(?=[^\W\d_]|$)", re.IGNORECASE)
# Behind these a phrase is no longer the name of what was counted.
_STOPS = frozenset(
    "and or to but not because since as when if so then thus is are was were be has have had in for from with than"
    " which that who what after before at on by per each every until till through over out plus minus times equals"
    " into leaving making giving both while where would will can could should".split()
)


class Unit(NamedTuple):
    """What stands behind a number, up to character `end`.

    `senses`: what it may measure, each a product of units with exponents; none for a counted thing, whose last word is
    `noun`. `written` is the unit as it stands, where it measures something.
    """

    senses: tuple[Parts, ...]
    noun: str
    written: str
    end: int


def money_unit(sign: str, end: int) -> Unit:
    """The unit of a currency sign before a number."""
    name = _MONEY.get(sign)
    return Unit((((name, 1),),) if name else (), "", sign, end)


def unit_at(text: str, at: int) -> Unit:
    """The unit that begins at `at`, directly behind a number; an empty one where no unit stands there."""
    if _GLUED_LETTER.match(text, at):
        return Unit((), "", "", at)
    symbol = _SYMBOL.match(text, at)
    if symbol:
        named = _MONEY.get(symbol[1])
        per = _PER.match(text, symbol.end())
        end = _skip_words(text, per.end() if per else symbol.end())[1]
        return Unit((((named, 1),),) if named and not per else (), "", symbol[1], end)
    per = _PER.match(text, at)
    if per:
        return Unit((), "", "", _skip_words(text, per.end())[1])
    senses, end = _measure_at(text, at)
    if not senses:
        noun, end = _skip_words(text, at)
        return Unit((), noun, "", end)
    per = _PER.match(text, end)
    if per:
        below, below_end = _measure_at(text, per.end())
        if below and below_end > per.end():
            senses = tuple(_product(a, b) for a, b in product(senses, below))
            end = below_end
        else:
            senses, end = (), _skip_words(text, per.end())[1]
    return Unit(senses, "", text[at:end].strip(" -"), _skip_words(text, end)[1])


def _measure_at(text: str, at: int) -> tuple[tuple[Parts, ...], int]:
    """What the next word may measure, with its exponent, and where it ends."""
    power = 1
    match = _WORD.match(text, at)
    if match and match[1].lower() in _POWERS:
        power, at = _POWERS[match[1].lower()], match.end()
        match = _WORD.match(text, at)
    if not match:
        return (), at
    word, end = match[1], match.end()
    if word.endswith(".") and word.rstrip(".").lower() not in units.ABBREVIATIONS:
        word, end = word[:-1], end - 1
    word = word.rstrip(".")
    if word.lower() == "in" and not _ENDS.match(text, end):
        return (), at
    senses = [sense for sense in units.senses_of(word) if sense.dimension in _MEASURED]
    exponent = _EXPONENT.match(text, end)
    if exponent:
        power, end = int((exponent[1] or exponent[2]).replace("²", "2").replace("³", "3")), exponent.end()
    if not exponent and (after := _WORD.match(text, end)) and after[1].lower() in ("squared", "cubed"):
        power, end = _POWERS[after[1].lower()], after.end()
    return tuple(tuple((name, n * power) for name, n in units.parts_of(sense)) for sense in senses), end


def _skip_words(text: str, at: int) -> tuple[str, int]:
    """The last of the few words that name what was counted, and where they end."""
    noun = ""
    for _ in range(MAX_WORDS):
        match = _WORD.match(text, at)
        # A letter by itself may be a variable.
        if not match or match[1].lower().rstrip(".") in _STOPS or len(match[1].rstrip(".")) == 1:
            break
        noun = match[1].rstrip(".").lower()
        at = match.end() - match[1].endswith(".")
    return noun, at


def _product(above: Parts, below: Parts) -> Parts:
    found = dict(above)
    for name, n in below:
        found[name] = found.get(name, 0) - n
    return tuple((name, n) for name, n in found.items() if n)


def ratio(source: Parts, target: Parts) -> Fraction | None:
    """How many of `target` make one of `source`; None where they do not measure the same."""
    if sorted(source) == sorted(target):
        return Fraction(1)
    if _dimensions(source) != _dimensions(target):
        return None
    value = Fraction(1)
    for parts, sign in ((source, 1), (target, -1)):
        for name, n in parts:
            value *= units.factor(name) ** (n * sign)
    return value


def _dimensions(parts: Parts) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, n in parts:
        dimension, power = units.dimension_of(name), 1
        if dimension in ("area", "volume"):
            dimension, power = "length", 2 if dimension == "area" else 3
        found[dimension] = found.get(dimension, 0) + n * power
    return {dimension: n for dimension, n in found.items() if n}
