"""Checks every equation in a step exactly: "5 * 3 = 16: expected 15".

A number that is stated may be rounded. An equation that has another sensible reading under which it holds is not
called false, and one that cannot be read at all is not listed: "not checked" is not "right".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.equation_senses import converts_units, matching_sense, may_mean_otherwise, runs_on
from irl_core.text.equation_tokens import Kind, Token, tokenize
from irl_core.text.expressions import Expression, NotArithmetic, evaluate, parse_at
from irl_core.text.numerals import show_number
from irl_core.text.records import Record
from irl_core.text.spans import Span
from irl_core.text.traces import Trace

_MARK = re.compile(r"<<([^<>\n]{0,200})>>")

# Words right before an expression that reach into it: "half of 12 + 3", "4 more than 2 * 3".
_REACHES_IN = frozenset(
    "times plus minus half thrice than over per less more fewer third quarter week weeks day days step".split()
)
# "a total of 5 + 3" is 5 + 3; "half of 5 + 3" and "2 bags of 5 + 3" are not.
_MEASURES = frozenset(
    "total sum distance cost price profit amount area average interest loss income number volume weight length time"
    " score revenue payment balance temperature speed rate change perimeter savings salary minimum maximum".split()
)
_SCALING_STEMS = ("multipl", "divid")
# Words after "is 15" that make it another statement than "equals 15".
_COMPARES = frozenset("more less fewer greater times of out than older younger percent the smaller larger".split())


class EquationCheck(Record):
    """One equation of a text. `span` is where it stands; numbers are shown as a person would write them.

    For a chain (a = b = c) `expected` and `stated` belong to the first false pair, or to the last pair if all hold.
    """

    span: Span
    text: str
    expected: str
    stated: str
    ok: bool

    @property
    def rounded_to_whole(self) -> bool:
        """Whether it holds only because a whole number may stand for one that is not: "30 / 4 = 7"."""
        return self.ok and "." in self.expected and "." not in self.stated


def check_equations(text: str) -> list[EquationCheck]:
    """All equations in `text` that could be parsed, in order. What cannot be parsed is not listed: not checked.

    >>> [(check.text, check.ok, check.expected) for check in check_equations("She buys 3 * 4 = 13 pens.")]
    [('3 * 4 = 13', False, '12')]

    GSM8K's calculator marks are checked too, and reported only where the text around them does not say the same.
    """
    return list(_checked(text))


@lru_cache(maxsize=4096)  # a step is asked for when it is scored, when it is diagnosed, and when another was edited
def _checked(text: str) -> tuple[EquationCheck, ...]:
    plain, positions = strip_calculator_marks(text)
    checks = []
    for check in _check_plain(plain):
        start, end = check.span
        span = positions[start], positions[end - 1] + 1
        checks.append(check.model_copy(update={"span": span, "text": text[span[0] : span[1]]}))
    marks = []
    for mark in _MARK.finditer(text):
        for check in _check_plain(mark[1]):
            span = mark.start(1) + check.span[0], mark.start(1) + check.span[1]
            marks.append(check.model_copy(update={"span": span}))
    return tuple(_without_repeats(checks, marks) if marks else checks)


def _without_repeats(checks: list[EquationCheck], marks: list[EquationCheck]) -> list[EquationCheck]:
    """One report per equation: the text's, unless only its mark is false, or the mark shows it to be misread."""
    kept, remaining = [], iter([*marks, None])
    mark = next(remaining)
    for check in checks:
        inside = []
        while mark is not None and mark.span[0] < check.span[1]:
            if mark.span[1] <= check.span[0]:
                kept.append(mark)
            else:
                inside.append(mark)
            mark = next(remaining)
        misread = not check.ok and inside and all(m.ok for m in inside) and inside[-1].stated == check.stated
        if misread:
            kept.extend(inside)
        elif check.ok and any(not m.ok for m in inside):
            kept.extend(m for m in inside if not m.ok)
        else:
            kept.append(check)
    while mark is not None:
        kept.append(mark)
        mark = next(remaining)
    return kept


@dataclass(frozen=True)
class _Side:
    """The tokens on one side of an equals sign, with the expression that ends there and the one that begins there."""

    tokens: list[Token]
    suffix: Expression | None
    prefix: Expression | None


class _Verdict(NamedTuple):
    """One pair of neighbouring sides, compared; `start` and `end` are characters."""

    left: Expression
    right: Expression
    start: int
    end: int
    expected: str
    stated: str
    ok: bool


def _check_plain(text: str) -> Iterator[EquationCheck]:
    clause: list[Token] = []
    for token in [*tokenize(text), Token(Kind.BREAK, "\n", len(text), len(text))]:
        if token.kind is not Kind.BREAK:
            clause.append(token)
            continue
        if any(t.kind in (Kind.EQUALS, Kind.IS) for t in clause):
            yield from _check_clause(text, clause)
        clause = []


def _check_clause(text: str, clause: Sequence[Token]) -> Iterator[EquationCheck]:
    sides: list[list[Token]] = [[]]
    signs: list[Kind] = []
    for token in clause:
        if token.kind in (Kind.EQUALS, Kind.IS):
            signs.append(token.kind)
            sides.append([])
        else:
            sides[-1].append(token)
    chain: list[_Verdict] = []
    for (left, right), sign in zip(pairwise(map(_read_side, sides)), signs, strict=True):
        verdict = _compare(left, right, sign)
        if chain and (verdict is None or verdict.left is not chain[-1].right):
            yield _report(text, chain)
            chain = []
        if verdict is not None:
            chain.append(verdict)
    if chain:
        yield _report(text, chain)


def _report(text: str, chain: Sequence[_Verdict]) -> EquationCheck:
    told = next((verdict for verdict in chain if not verdict.ok), chain[-1])
    span = chain[0].start, chain[-1].end
    return EquationCheck(span=span, text=text[slice(*span)], expected=told.expected, stated=told.stated, ok=told.ok)


def _read_side(tokens: list[Token]) -> _Side:
    prefix = suffix = None
    tainted = False
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind in (Kind.NUMBER, Kind.OPEN, Kind.FRACTION) or _is_sign(tokens, at):
            expression, at = parse_at(tokens, at)
            if expression is None:
                tainted = True
                continue
            if expression.first == 0 and _may_follow(tokens, expression):
                prefix = expression
            if at == len(tokens) and not tainted and _may_precede(tokens, expression):
                suffix = expression
        else:
            tainted |= token.kind is Kind.OPERATOR
            at += 1
    return _Side(tokens, suffix, prefix)


def _is_sign(tokens: Sequence[Token], at: int) -> bool:
    """Is the minus here a sign, as in "the change is -5 + 3", rather than the operator of a variable ("x - 5")?"""
    if tokens[at].text != "-" or at + 1 == len(tokens):
        return False
    before, sign, after = tokens[at - 1], tokens[at], tokens[at + 1]
    return at == 0 or (before.kind is Kind.WORD and before.end < sign.start and sign.end == after.start)


def _may_precede(tokens: Sequence[Token], expression: Expression) -> bool:
    """Is what stands before the expression no part of it?"""
    if expression.first == 0:
        return True
    words = [token.text.lower() if token.kind is Kind.WORD else "" for token in tokens[: expression.first]]
    if words[-1] == "of":
        return len(words) > 1 and words[-2] in _MEASURES
    if words[-1] == "by":
        return not any(word.startswith(_SCALING_STEMS) for word in words)
    return words[-1] != "" and words[-1] not in _REACHES_IN


def _may_follow(tokens: Sequence[Token], expression: Expression) -> bool:
    """Is what stands after the expression no part of it?"""
    if expression.unit_end == len(tokens):
        return True
    after, last = tokens[expression.unit_end], tokens[expression.unit_end - 1]
    return after.kind in (Kind.WORD, Kind.CLOSE) or (after.kind is Kind.OPEN and after.start > last.end)


def _compare(left_side: _Side, right_side: _Side, sign: Kind) -> _Verdict | None:
    """The verdict on two neighbouring sides; None where they are not an equation that can be judged."""
    left, right = left_side.suffix, right_side.prefix
    if left is None or right is None or left.is_number():
        return None
    if sign is Kind.IS and not _is_means_equals(right_side, right):
        return None
    tokens = [*left_side.tokens[left.first : left.last], *right_side.tokens[right.first : right.last]]
    try:
        reading = matching_sense(left, right)
        ok = reading is not None or runs_on(left, right, right_side.tokens[right.first].decimals)
        percent, per_dollar = reading or ("relative", 100 if any("$" in t.text for t in tokens) else 1)
        exact, stated = (evaluate(side.code, percent, per_dollar) for side in (left, right))
    except NotArithmetic:
        return None
    nearby = [*left_side.tokens[left.first :], *right_side.tokens[right.first : right.unit_end + 2]]
    if not ok and (may_mean_otherwise(left, right, exact, stated) or converts_units(nearby)):
        return None
    if right.is_number() and right.has("%") and percent != "unit":
        # "20/50*100 = 45%" means 45 % of one, whatever the left side should have been called.
        stated *= 100
        exact *= 1 if 100 in left.code and not left.has("%") else 100
    return _Verdict(left, right, tokens[0].start, tokens[-1].end, _show(exact, right), _show(stated, right), ok)


def _show(value: Fraction, like: Expression) -> str:
    """The value in the form of what was stated: a fraction, a percentage, or so many decimals."""
    if len(like.code) == 3 and like.code[-1] == "/":
        return str(value)
    return show_number(value, max(2, like.decimals or 0)) + "%" * (like.is_number() and like.has("%"))


def _is_means_equals(side: _Side, right: Expression) -> bool:
    following = side.tokens[right.last : right.last + 1]
    return right.is_number() and not (following and following[0].text.lower() in _COMPARES)


def equations_of(trace: Trace) -> list[EquationCheck]:
    """The equations of every step, with spans in the text of the trace."""
    return [
        check.model_copy(update={"span": (check.span[0] + start, check.span[1] + start)})
        for start, end in trace.steps
        for check in check_equations(trace.text[start:end])
    ]
