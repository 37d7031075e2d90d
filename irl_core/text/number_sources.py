"""Where each number of a solution comes from: the problem, an earlier step, a calculation there, or nowhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.number_use import COMMON_NUMBERS, given_numbers
from irl_core.text.number_words import word_numbers
from irl_core.text.spans import Span
from irl_core.text.step_labels import LINE_LABEL
from irl_core.text.written_numbers import WRITTEN, plain_digits, read_written

Origin = Literal["problem", "earlier", "computed", "common", "nowhere"]

_NUMBER = re.compile(rf"(?<![\w.^]){WRITTEN}")
_LABEL = re.compile(rf"(?:(?<=\n)|\A){LINE_LABEL}", re.IGNORECASE)
_STATED = re.compile(r"(?:=|≈|\\approx)[\s$£€*{(\\−-]{0,8}(?:boxed\{)?\Z")
_GOES_ON = re.compile(r"[\s$%)}]{0,3}(?:[*/+×·÷−-]|x(?=[ ]?[0-9])|\\times|\\div|\\cdot)[\s$(]{0,3}[0-9(\\]")
_REACH = 24  # characters before a number in which its sign of equality is looked for


class NumberSource(NamedTuple):
    """A number of a solution, written at `span`.

    `step` is where it is, `origin_step` where an "earlier" one was computed first. A "common" number is given by
    nobody and known to all, such as the minutes of an hour.
    """

    span: Span
    value: Fraction
    origin: Origin
    step: int
    origin_step: int | None = None


def number_sources(question: str, text: str, steps: Sequence[Span]) -> tuple[NumberSource, ...]:
    """The numbers in digits of a solution in order, with their sources; numbers of steps and lists are left out.

    A number right of an equals sign is computed there, unless a calculation goes on with it. A number that the problem
    gives comes from there, also where an earlier step computes it again; a percentage is known by its hundredth too.

    >>> text = "3 * 12 = 35\\n35 - 5 + 9 = 39"
    >>> [s.origin for s in number_sources("3 boxes of 12; 5 are gone.", text, [(0, 12), (12, 27)])]
    ['problem', 'problem', 'computed', 'earlier', 'problem', 'nowhere', 'computed']
    """
    given = given_numbers(question)
    starts = [start for start, _ in steps]
    computed: dict[Fraction, int] = {}
    found = []
    clean, positions = strip_calculator_marks(text)
    for start, end in _numbers(clean):
        read = read_written(plain_digits(clean[start:end]))
        if read is None:
            continue
        span = positions[start], positions[end - 1] + 1
        step = max(bisect_right(starts, span[0]) - 1, 0)
        values = [value for value in read if value is not None]
        if _STATED.search(clean[max(0, start - _REACH) : start]) and not _GOES_ON.match(clean, end):
            found.append(NumberSource(span, values[0], "computed", step))
            for value in values:
                computed.setdefault(value, step)
        else:
            found.append(_source(span, values, step, given, computed))
    return tuple(found)


def given_spans(question: str) -> list[tuple[Span, Fraction]]:
    """The numbers of a problem in digits and in words, in order, where they stand, and their usual values.

    >>> given_spans("Two boxes of 12")
    [((0, 3), Fraction(2, 1)), ((13, 15), Fraction(12, 1))]
    """
    digits = [(span, read[0]) for span in _numbers(question) if (read := read_written(question[slice(*span)]))]
    words = [((number.start, number.end), number.value) for number in word_numbers(question)]
    ordered = sorted([*digits, *words])
    return ordered[:1] + [b for a, b in pairwise(ordered) if b[0][0] >= a[0][1]]


def _numbers(text: str) -> list[Span]:
    labels = [match.span() for match in _LABEL.finditer(text)]
    spans = (match.span() for match in _NUMBER.finditer(plain_digits(text)))
    return [span for span in spans if not any(a <= span[0] and span[1] <= b for a, b in labels)]


def _source(
    span: Span, values: list[Fraction], step: int, given: set[Fraction], computed: dict[Fraction, int]
) -> NumberSource:
    for known in (values, [scaled for value in values for scaled in (value / 100, value * 100)]):
        if any(value in given for value in known):
            return NumberSource(span, values[0], "problem", step)
        earlier = next((computed[value] for value in known if value in computed), None)
        if earlier is not None:
            return NumberSource(span, values[0], "earlier", step, earlier)
    return NumberSource(span, values[0], "common" if values[0] in COMMON_NUMBERS else "nowhere", step)
