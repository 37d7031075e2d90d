"""What is known of each step before anyone judges it: rewards, exact arithmetic, where its numbers come from."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from irl_core.arithmetic import EquationCheck, check_equations
from irl_core.numerals import NUMERAL, read_numeral
from irl_core.traces import Trace, TraceScore, step_of_tokens, strip_calculator_marks

FEATURES = (
    "reward",
    "worst_token",
    "reward_below_trace",
    "false_equation",
    "true_equation",
    "unknown_number",
    "answer_mismatch",
    "position",
    "log_tokens",
    "final_step",
)

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
_COMMON = {Fraction(n) for n in (0, 1, 2, 3, 4, 7, 10, 12, 24, 30, 52, 60, 100, 365, 1000)}


class StepEvidence(NamedTuple):
    """Of one step. `unknown` are numbers used that neither the problem gives nor an earlier step computes."""

    reward: float
    surprise: float
    worst_token: float
    tokens: int
    equations: tuple[EquationCheck, ...]
    unknown: tuple[str, ...]
    answer_mismatch: bool


def gather(question: str, trace: Trace, score: TraceScore) -> list[StepEvidence]:
    """Evidence of each step. Rewards and surprise in nats; spans of the equations are in the text of the trace."""
    owners = step_of_tokens(score.offsets, trace.steps)
    rewards: list[list[float]] = [[] for _ in trace.steps]
    for owner, reward in zip(owners, score.rewards, strict=True):
        rewards[owner].append(reward)
    known = numbers_in(question) | _COMMON
    last_result: Fraction | None = None
    found = []
    for k, (start, end) in enumerate(trace.steps):
        text = trace.text[start:end]
        equations = tuple(
            e.model_copy(update={"span": (e.span[0] + start, e.span[1] + start)}) for e in check_equations(text)
        )
        unknown, results = _unknown_operands(text, known)
        stated = _final_answer(text)
        mismatch = stated is not None and last_result is not None and k > 0 and stated != last_result
        found.append(
            StepEvidence(
                reward=score.step_rewards[k],
                surprise=score.surprise[k] if score.surprise else 0.0,
                worst_token=min(rewards[k], default=0.0),
                tokens=len(rewards[k]),
                equations=equations,
                unknown=unknown,
                answer_mismatch=mismatch,
            )
        )
        known |= numbers_in(text)
        last_result = results[-1] if results else last_result
    return found


def features(evidence: Sequence[StepEvidence]) -> list[list[float]]:
    """One row of `FEATURES` per step."""
    rows = []
    for k, e in enumerate(evidence):
        others = [o.reward for i, o in enumerate(evidence) if i != k]
        rows.append(
            [
                e.reward,
                e.worst_token,
                e.reward - (sum(others) / len(others) if others else e.reward),
                float(any(not q.ok for q in e.equations)),
                float(bool(e.equations) and all(q.ok for q in e.equations)),
                float(min(2, len(e.unknown))),
                float(e.answer_mismatch),
                math.log1p(k),
                math.log1p(e.tokens),
                float(k == len(evidence) - 1),
            ]
        )
    return rows


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
    return set(_unknown_operands(text, set())[1])


def _unknown_operands(text: str, known: set[Fraction]) -> tuple[tuple[str, ...], list[Fraction]]:
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


def _final_answer(text: str) -> Fraction | None:
    """The number after `####`, if the step holds one."""
    _, mark, rest = text.partition("####")
    match = _NUMBER.search(rest)
    return read_numeral(match[0]) if mark and match else None
