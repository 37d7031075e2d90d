"""Counterfactual edits of one step: the same words, one thing wrong, and the place of the first change known.

Three families, after how solvers go wrong: `result` (the calculation slips), `operator` (the wrong operation, carried
out correctly), `operand` (the wrong quantity of the problem, carried out correctly). An edit that would change nothing
or give a negative or endless number is not made: an edit without effect would teach a critic that a right step is
wrong.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from irl_core.text.numerals import decimal_places, read_numeral, show_number

FAMILIES = ("result", "operator", "operand")
_PLAIN = r"\d+(?:\.\d+)?"
_EQUATION = re.compile(
    rf"(?<![\d.,/*+\-])({_PLAIN})(\s*)([-+*/])(\s*)\$?({_PLAIN})(\s*=\s*\$?)({_PLAIN})(?![\d/*+])(?!\.\d)"
)


class Edit(NamedTuple):
    """`text` differs from the step first at character `start`; `family` says how."""

    text: str
    start: int
    family: str


def edit_step(step: str, numbers: Sequence[str], rng: random.Random, family: str | None = None) -> Edit | None:
    """Make one edit of a step, or None if it holds no equation of two plain numbers or no edit suits it.

    Args:
        numbers: numerals of the problem, from which a wrong operand is picked.
        family: one of `FAMILIES`; picked at random if None.
    """
    equations = [m for m in _EQUATION.finditer(step) if _holds(m)]
    if not equations:
        return None
    match = rng.choice(equations)
    left, _, operator, _, right, _, result = match.groups()
    chosen = family or rng.choice(FAMILIES)
    new: tuple[str, str, str, str] | None
    if chosen == "result":
        new = (left, operator, right, _slip(result, rng))
    elif chosen == "operator":
        new = _recomputed(left, rng.choice([o for o in "+-*/" if o != operator]), right)
    else:
        candidates = [n for n in numbers if n not in (left, right)]
        if not candidates:
            return None
        other = rng.choice(candidates)
        new = _recomputed(*((other, operator, right) if rng.random() < 0.5 else (left, operator, other)))
    if new is None or new == (left, operator, right, result):
        return None
    spans = [match.span(i) for i in (1, 3, 5, 7)]
    text, end = "", 0
    for (a, b), piece in zip(spans, new, strict=True):
        text, end = text + step[end:a] + piece, b
    # A result that is said again later in the step slips along with it.
    text += re.sub(rf"(?<![\d.]){re.escape(result)}(?![\d.]|\s*[-+*/=])", new[3], step[end:])
    start = next((i for i, (a, b) in enumerate(zip(text, step, strict=False)) if a != b), min(len(text), len(step)))
    return None if text == step else Edit(text, start, chosen)


def results_of(text: str) -> set[Fraction]:
    """The numbers that a text computes: those directly right of an equals sign."""
    results = re.findall(rf"=\s*\$?({_PLAIN})", text.replace(",", ""))
    return {value for numeral in results if (value := read_numeral(numeral)) is not None}


def _holds(match: re.Match[str]) -> bool:
    left, operator, right, result = (match[i] for i in (1, 3, 5, 7))
    recomputed = _recomputed(left, operator, right)
    return recomputed is not None and Fraction(recomputed[3]) == Fraction(result)


def _recomputed(left: str, operator: str, right: str) -> tuple[str, str, str, str] | None:
    """The equation with its exact result, or None where that is negative or needs more than two decimals."""
    a, b = Fraction(left), Fraction(right)
    if operator == "/" and b == 0:
        return None
    value = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else a}[operator]
    places = decimal_places(value)
    if value < 0 or places is None or places > 2:
        return None
    return left, operator, right, show_number(value)


def _slip(result: str, rng: random.Random) -> str:
    """A result that is off as people and models are: by one, by ten, or in one digit."""
    if "." not in result and rng.random() < 0.5:
        value = int(result) + rng.choice((-10, -1, 1, 10) if int(result) > 10 else (-1, 1))
        return str(abs(value))
    places = [i for i, c in enumerate(result) if c.isdigit()]
    i = rng.choice(places)
    digits = [d for d in "0123456789" if d != result[i] and not (d == "0" and i == 0 and len(result) > 1)]
    return result[:i] + rng.choice(digits) + result[i + 1 :]
