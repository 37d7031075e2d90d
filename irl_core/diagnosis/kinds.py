"""The name of what is wrong in a step, as a teacher would call it.

What exact reading finds is a fact of the text; the last three say only where the critic's evidence lies.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from irl_core.diagnosis.evidence import StepEvidence
from irl_core.text.equations import EquationCheck, check_equations

ErrorKind = Literal[
    "slip in arithmetic",
    "wrong in its unit",
    "run-on equals sign",
    "cut and not rounded",
    "number nobody gave",
    "answer differs",
    "below zero",
    "unusual percentage",
    "unusual operation",
    "unusual number",
]


def error_kind(step: StepEvidence, text: str, *, suspect: bool) -> ErrorKind | None:
    """What is to be named of a step whose text is `text`; of one that is not suspect, only what is written there.

    None where there is nothing to name.
    """
    if false := next((e for e in step.equations if not e.ok), None):
        return _of_false(false)
    if any(map(is_run_on, step.equations)):
        return "run-on equals sign"
    if any(map(is_cut, step.equations)):
        return "cut and not rounded"
    if step.unknown:
        return "number nobody gave"
    if step.answer_mismatch:
        return "answer differs"
    return _of_critic(step, text) if suspect else None


def is_run_on(equation: EquationCheck) -> bool:
    """Whether its parts are right and the whole is not: "3 + 4 = 7 * 2 = 14" says that 3 + 4 is 14.

    >>> [is_run_on(check) for check in check_equations("3 + 4 = 7 * 2 = 14")]
    [True]
    """
    first, *middle, last = equation.text.split("=")
    if not equation.ok or not middle:
        return False
    ends = check_equations(f"{first.strip()} = {last.strip()}")
    steps = [check_equations(f"{a.strip()} = {b.strip()}") for a, b in pairwise([first, *middle, last])]
    return len(ends) == 1 and not ends[0].ok and bool(steps[-1]) and steps[-1][0].ok


def is_cut(equation: EquationCheck) -> bool:
    """Whether the digits behind its result were dropped where rounding would have changed the last one kept.

    >>> [is_cut(check_equations(text)[0]) for text in ("20 / 8 = 2", "9 / 4 = 2", "30 / 4 = 7.5")]
    [True, False, False]
    """
    if not equation.ok or "." not in equation.expected or equation.reading:
        return False
    kept, digits = equation.stated, equation.expected.rstrip("…")
    if not digits.startswith(kept) or not set(digits + kept) <= set("0123456789."):
        return False
    following = digits[len(kept) :].lstrip(".")[:1]
    return following >= "5" and following.isdigit()


def _of_false(false: EquationCheck) -> ErrorKind:
    stated, expected = false.stated.split(), false.expected.split()
    return "wrong in its unit" if stated[:1] == expected[:1] and stated != expected else "slip in arithmetic"


def _of_critic(step: StepEvidence, text: str) -> ErrorKind | None:
    if any(e.expected.startswith("-") for e in step.equations):
        return "below zero"
    if "%" in text or "percent" in text:
        return "unusual percentage"
    worst = max((m for m in step.mentions if not m.vouched), key=lambda mention: mention.excess, default=None)
    if worst is None:
        return None
    return "unusual number" if worst.is_number else "unusual operation"
