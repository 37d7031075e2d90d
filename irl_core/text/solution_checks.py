"""What exact reading finds against a whole solution, without any model: the penalties of the trace score.

Each finding is common in wrong solutions and rare in demonstrations: of every second one of GSM8K's 7,473 training
solutions 74 % name every number of their problem and 94 % all but one, 95 % make something of every result, all have
a whole number as answer, and 0.3 % hold a false equation; of all of them 3 have an answer below zero. None of this
proves a solution wrong; it orders the candidates of one problem, and says nothing of any step.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from irl_core.text.answers import answer_number
from irl_core.text.equations import EquationCheck
from irl_core.text.number_use import numbers_in, numeral_values, results_in
from irl_core.text.numerals import decimal_places
from irl_core.text.traces import Trace

MOST = 3

_ALGEBRA = re.compile(
    r"\\[a-z(\[]|\^|=|\b[xyzn]\b|equation|expression|integer|coordinate|slope|function|polynomial|real number",
    re.IGNORECASE,
)
_MAY_BE_NEGATIVE = re.compile(
    r"degree|temperature|°|sea level|below|negative|minus|(?:^|[\s($])[-−]\s?\d", re.IGNORECASE
)
_MONEY = re.compile(r"[$€£¥₹¢]|\b(?:dollar|cent|euro|pound|money|bill)s?\b", re.IGNORECASE)


class SolutionChecks(NamedTuple):
    """What was found; counts go up to `MOST`.

    `unused_numbers` of the problem, in digits or words, are never named; `fractional_answer`: the answer is no whole
    number although the problem holds only such, nor an amount of money where the problem speaks of money;
    `loose_results` were computed, but neither used nor the answer; `negative_answer`: it is below zero although the
    problem speaks of nothing that can be. Where the problem is one of algebra, its answer may be any number.
    """

    false_equation: bool
    unused_numbers: int
    fractional_answer: bool
    loose_results: int
    negative_answer: bool = False


def check_solution(question: str, trace: Trace, equations: Sequence[EquationCheck]) -> SolutionChecks:
    """Read a whole solution; `equations` are those found in its steps."""
    unused = numbers_in(question) - numbers_in(trace.text)
    answer = answer_number(trace.answer) if trace.answer else None
    named = Counter(numeral_values(trace.text))
    loose = sum(named[result] == 1 for result in results_in(trace.text) - {answer[0] if answer else None})
    return SolutionChecks(
        any(not e.ok for e in equations),
        min(MOST, len(unused)),
        _fractional(question, answer),
        min(MOST, loose),
        _negative(question, answer),
    )


def _fractional(question: str, answer: tuple[Fraction, bool] | None) -> bool:
    whole = all(value.denominator == 1 for value in numeral_values(question))
    if answer is None or not whole or _ALGEBRA.search(question):
        return False
    value, percent = answer
    places = decimal_places(value)
    money = places is not None and places <= 2 and _MONEY.search(question)
    return value.denominator != 1 and not percent and not money


def _negative(question: str, answer: tuple[Fraction, bool] | None) -> bool:
    below = answer is not None and answer[0] < 0
    return below and not (_MAY_BE_NEGATIVE.search(question) or _ALGEBRA.search(question))
