"""Which numbers a text names, which it computes, and which it uses although nobody gave them."""

from __future__ import annotations

import re
from fractions import Fraction

from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.numerals import NUMERAL, read_numeral

_NUMBER = re.compile(NUMERAL)
_ONE_BASED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORDS = {word: Fraction(i) for i, word in enumerate(_ONE_BASED, 1)} | {
    "dozen": Fraction(12),
    "twice": Fraction(2),
    "double": Fraction(2),
    "half": Fraction(1, 2),
    "third": Fraction(1, 3),
    "quarter": Fraction(1, 4),
    "thrice": Fraction(3),
    "triple": Fraction(3),
}
# What a solution may use without being told: halves, percent, and the clock's and the calendar's units.
COMMON_NUMBERS = {Fraction(n) for n in (0, 1, 2, 3, 4, 7, 10, 12, 24, 30, 52, 60, 100, 365, 1000)}


def numbers_in(text: str) -> set[Fraction]:
    """The values of all numbers in a text, in digits or in the small words that school problems use."""
    words = text.lower()
    values = {*numeral_values(text), *(_WORDS[w] for w in re.findall(r"[a-z]+", words) if w in _WORDS)}
    return values | {Fraction(6)} if "half a dozen" in words else values


def numeral_values(text: str) -> list[Fraction]:
    """The values of all numbers in digits, in order; calculator marks aside."""
    clean, _ = strip_calculator_marks(text)
    return [value for m in _NUMBER.finditer(clean) if (value := read_numeral(m[0])) is not None]


def results_in(text: str) -> set[Fraction]:
    """The numbers that a text computes: the first on the right of each equals sign."""
    return set(unknown_operands(text, set())[1])


def unknown_operands(text: str, known: set[Fraction]) -> tuple[tuple[str, ...], list[Fraction]]:
    """Numbers left of an equals sign that are not known yet, and the numbers right of one, in order."""
    clean, _ = strip_calculator_marks(text)
    unknown: list[str] = []
    results: list[Fraction] = []
    fresh = set(known)
    for clause in re.split(r"[\n;]|\. ", clean):
        pieces = clause.split("=")
        for i, piece in enumerate(pieces):
            numbers = [(m[0], v) for m in _NUMBER.finditer(piece) if (v := read_numeral(m[0])) is not None]
            if i > 0 and numbers:
                results.append(numbers[0][1])
                fresh.add(numbers[0][1])
            if i + 1 < len(pieces):
                fresh_enough = numbers if i == 0 else numbers[1:]
                unknown += [
                    shown
                    for shown, v in fresh_enough
                    if v not in fresh and v / 100 not in fresh and v * 100 not in fresh
                ]
    return tuple(dict.fromkeys(unknown)), results


def stated_final_answer(text: str) -> Fraction | None:
    """The number after `####`, if the step holds one."""
    _, mark, rest = text.partition("####")
    match = _NUMBER.search(rest)
    return read_numeral(match[0]) if mark and match else None
