"""Which numbers a text names, which it computes, and which it uses although nobody gave them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.number_words import PARTS, SCALES, word_numbers
from irl_core.text.numerals import NUMERAL, read_numeral
from irl_core.text.written_numbers import WRITTEN, plain_digits, read_written

_NUMBER = re.compile(NUMERAL)
_ANY_NUMBER = re.compile(WRITTEN)
_WORD = re.compile(r"[a-z]+")
_WORDS = {
    "dozen": Fraction(12),
    "twice": Fraction(2),
    "double": Fraction(2),
    "half": Fraction(1, 2),
    "third": Fraction(1, 3),
    "quarter": Fraction(1, 4),
    "thrice": Fraction(3),
    "triple": Fraction(3),
}
# What a word gives besides: "both boys", "a couple of days", "every decade".
_GIVEN_WORDS = _WORDS | {
    word: Fraction(n)
    for n, words in {
        1: "single once", 2: "both pair pairs couple couples twins twin duo doubled doubles biweekly semiannual",
        3: "trio triplets tripled triples", 4: "quadruple quadrupled quarterly", 5: "quintuple nickel nickels",
        10: "decade decades dime dimes", 14: "fortnight fortnights", 20: "score", 25: "quarters",
        100: "century centuries", 144: "gross", 366: "leap",
    }.items()
    for word in words.split()
}  # fmt: skip
_VULGAR = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5),
    "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8),
}  # fmt: skip
_MIXED = re.compile(r"([0-9]{1,9})?[ ]?([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])|([0-9]{1,9})[ -]([0-9]{1,4})/([0-9]{1,4})")
_SCALED = re.compile(rf"(?<![0-9.,])({WRITTEN})(?:[ -]?({'|'.join(SCALES)})s?\b|(k|K)\b)")
_LABEL = re.compile(
    r"\A[\s*_#>•-]{0,12}(?:(?:step|part|case|question|problem|example|day|week|item|no\.?)[ ]{0,2}#?[0-9]{1,3}"
    r"[*_]{0,2}[ ]?[.:)–—-]|\(?[0-9]{1,2}[.)](?![0-9])|[(][0-9]{1,2}[)](?=[ ]))[*_]{0,2}",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"[0-9)][ ]?\$?[A-Za-z](?![A-Za-z])|(?<![A-Za-z'’\\])[b-hj-zB-HJ-Z](?![A-Za-z'’])")
_AND_PART = re.compile(r"(?:([0-9]{1,9})[ ])?\band[ -](?:an?|one|1)[ -](half|third|quarter)\b")
# What a solution may use without being told: halves, percent, the clock's and the calendar's units, feet in a mile.
COMMON_NUMBERS = {
    Fraction(n) for n in (0, 1, 2, 3, 4, 7, 10, 12, 24, 30, 52, 60, 100, 168, 365, 366, 1000, 1440, 3600, 5280, 10**6)
}


class Operand(NamedTuple):
    """A number as it is written, and its values in the readings that it has."""

    shown: str
    values: tuple[Fraction, ...]


def numbers_in(text: str) -> set[Fraction]:
    """The values of all numbers in a text, in digits or in words ("twenty-five", "half a dozen", "a third")."""
    plain = plain_digits(text)
    found = _WORD.findall(plain.lower())
    words = {_WORDS[word] for word in found if word in _WORDS}
    # Of "three eighths" the 3, as of 3/8 in digits; of "a third" nothing but the third.
    written = {Fraction(number.parts[0]) if number.parts else number.value for number in word_numbers(plain)} - {1}
    return {*numeral_values(plain), *words, *written} | ({Fraction(1)} if "one" in found else set())


def given_numbers(text: str) -> set[Fraction]:
    """All values that a text may be said to give: besides `numbers_in` every reading and part of what it writes.

    "Three-eighths" gives 3/8, 3 and 8, "2½ hours" gives 5/2, 2 and 1/2, "1.500 euros" gives 1.5 and 1500.

    >>> sorted(map(str, given_numbers("A fifth of the 1 500 kids")))
    ['1', '1/5', '1500', '5', '500']
    """
    plain = plain_digits(text)
    lower = plain.lower()
    given = numbers_in(plain) | {value for operand in operands_in(plain) for value in operand.values}
    for word in set(_WORD.findall(lower)):
        if word in _GIVEN_WORDS:
            given.add(_GIVEN_WORDS[word])
        if word in PARTS:
            given |= {Fraction(PARTS[word]), Fraction(1, PARTS[word])}
    for number in word_numbers(plain):
        given |= {number.value, *map(Fraction, number.parts or ())}
    return given | _mixed(lower) | _scaled(lower)


def _mixed(lower: str) -> set[Fraction]:
    """Values of "2½", "2 1/2", "2 and a half" and "time and a half"."""
    values: set[Fraction] = set()
    for match in _MIXED.finditer(lower):
        top, bottom = _VULGAR[match[2]] if match[2] else (int(match[4]), int(match[5]))
        whole = int(match[1] or match[3] or 0)
        if bottom:
            values |= {Fraction(top, bottom), whole + Fraction(top, bottom), Fraction(top), Fraction(bottom)}
    for match in _AND_PART.finditer(lower):
        part = Fraction(1, PARTS[match[2]])
        values |= {part, 1 + part, int(match[1] or 1) + part}
    return values


def _scaled(lower: str) -> set[Fraction]:
    """Values of "2.5 million" and "3 dozen"."""
    values: set[Fraction] = set()
    for match in _SCALED.finditer(lower):
        read = read_written(match[1])
        if read is not None:
            values.add(read[0] * SCALES.get(match[2] or "thousand", 1))
    return values


def numeral_values(text: str) -> list[Fraction]:
    """The values of all numbers in digits, in order; calculator marks aside."""
    clean, _ = strip_calculator_marks(text)
    return [value for m in _NUMBER.finditer(clean) if (value := read_numeral(m[0])) is not None]


def operands_in(text: str) -> list[Operand]:
    """All numbers in digits, in any country's manner, in order, with the readings that they have."""
    operands = []
    for match in _ANY_NUMBER.finditer(text):
        read = read_written(match[0])
        if read is not None:
            usual = read_numeral(match[0].replace(",", "")) if "," in match[0] else None
            values = dict.fromkeys(value for value in (*read, usual) if value is not None)
            operands.append(Operand(match[0], tuple(values)))
    return operands


def results_in(text: str) -> set[Fraction]:
    """The numbers that a text computes: the first on the right of each equals sign."""
    return set(unknown_operands(text, set())[1])


def unknown_operands(text: str, known: set[Fraction]) -> tuple[tuple[str, ...], list[Fraction]]:
    """Numbers left of an equals sign that are not known yet, and the numbers right of one, in order.

    A number is known if one of its readings is, or is so as a percentage.
    """
    clean, _ = strip_calculator_marks(text)
    unknown: list[Operand] = []
    results: list[Fraction] = []
    fresh = set(known)
    for clause in re.split(r"[\n\r;\u2028\u2029]|\. ", plain_digits(clean)):
        pieces = _LABEL.sub("", clause, count=1).split("=")
        for i, piece in enumerate(pieces):
            numbers = operands_in(piece)
            if i > 0 and numbers:
                results.append(numbers[0].values[0])
                fresh.update(numbers[0].values)
            # Terms that were combined are no numbers from nowhere: "18x = 162".
            if i + 1 < len(pieces) and not _UNKNOWN.search(piece):
                unknown += [n for n in (numbers if i == 0 else numbers[1:]) if not _is_known(n, fresh)]
    # What the text computes further on is no number from nowhere: "by $14 ($140 * 10% = $14)".
    computed = set(results)
    return tuple(dict.fromkeys(n.shown for n in unknown if computed.isdisjoint(n.values))), results


def _is_known(number: Operand, known: set[Fraction]) -> bool:
    return any(value in known or value / 100 in known or value * 100 in known for value in number.values)
