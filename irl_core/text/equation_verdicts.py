"""The verdict on two neighbouring sides of an equals sign: it holds, it fails, or it is no equation to be judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from irl_core.text import equation_context as context
from irl_core.text.equation_doubts import Pair, groups_of, is_doubtful
from irl_core.text.equation_readings import Outcome, judge, without_exclamation
from irl_core.text.equation_shown import show
from irl_core.text.equation_sides import Clause, Side
from irl_core.text.equation_tokens import Kind
from irl_core.text.equation_values import ABOUT, SURELY_ABOUT
from irl_core.text.expressions import Expression, negated, parse_at
from irl_core.text.quantities import NotArithmetic, evaluate

# Words after "is 15" that make it another statement than "equals 15".
_COMPARES = frozenset(
    "more less fewer greater times of out than older younger percent the smaller larger"
    " faster slower longer shorter taller heavier lighter".split()
)
# Words before a calculation of which something "is" said.
_LEADS_IN = frozenset(
    "and that we know knows find found see the result sum total answer also again now next first second finally get"
    " yes no or a step".split()
)


class Verdict(NamedTuple):
    """One pair of neighbouring sides, compared; `start` and `end` are characters."""

    left: Expression
    right: Expression
    start: int
    end: int
    expected: str
    stated: str
    ok: bool
    reading: str = ""


def compare(text: str, clause: Clause, at: int, *, follows: bool) -> Verdict | None:
    """The verdict on the sides around the equals sign `at`; None where they are no equation that can be judged.

    Args:
        follows: whether the left side is what an earlier equals sign of the chain has stated, and was judged.
    """
    left_side, right_side, sign = clause.sides[at], clause.sides[at + 1], clause.signs[at]
    left, right = left_side.suffix, right_side.prefix
    if left is None or right is None:
        return None
    backwards = left.is_number() and not right.is_number()
    if left.is_number() and not follows and (not backwards or sign is not Kind.EQUALS):
        return None
    alone = left_side.alone and (not backwards or follows or _states_first(clause, at, left))
    if sign is Kind.IS and not (_is_means_equals(right_side, right) and _is_subject(left_side, left)):
        return None
    pair = Pair(text, clause.opening, left_side, right_side, left, right, sign is Kind.ABOUT, backwards)
    verdict = _verdict(pair)
    return verdict if verdict is not None and (verdict.ok or alone) else None


def _states_first(clause: Clause, at: int, left: Expression) -> bool:
    """Is a number on the left what the right side makes: "24 = 12 + 12", with nothing before it?"""
    side = clause.sides[at]
    if at > 0 and clause.signs[at - 1] is Kind.IS:
        return False  # "she is 4 years older = 10 - 6"
    if any(token.text.lower() in _COMPARES for token in side.tokens[left.last :]):
        return False
    return left.first == 0 and left.unit_end == len(side.tokens) and not left.has("%")


def _is_means_equals(side: Side, right: Expression) -> bool:
    following = side.tokens[right.last : right.last + 1]
    return right.is_number() and not (following and following[0].text.lower() in _COMPARES)


def _is_subject(side: Side, left: Expression) -> bool:
    """Is the calculation itself what "is": not so in "the number of cubes that divide 3! * 5! is 6"."""
    words = [token.text.lower() for token in side.tokens[: left.first]]
    plain = all(word in _LEADS_IN for word in words) or words[-1:] == ["of"]
    return plain and not left.is_number()


def _verdict(pair: Pair) -> Verdict | None:
    _, calculated = pair.calculation
    _, stated = pair.statement
    if (modulus := _told_modulus(pair)) is not None:
        return modulus
    if (remainder := _told_remainder(pair)) is not None:
        return remainder
    try:
        outcome = judge(calculated, stated, pair.about)
    except NotArithmetic:
        return None
    if outcome is None:
        return None
    if outcome.state != "holds" and (other := _holds_otherwise(pair)) is not None:
        outcome = other
    if outcome.state == "open" or (outcome.state == "fails" and is_doubtful(pair, outcome)):
        return None
    expected, said = show(outcome, calculated, stated)
    reading = ""
    if pair.about:
        reading = f"about equal: at most {int((SURELY_ABOUT if outcome.state == 'holds' else ABOUT) * 100)} % apart"
    return Verdict(pair.left, pair.right, pair.start, pair.end, expected, said, outcome.state == "holds", reading)


def _holds_otherwise(pair: Pair) -> Outcome | None:
    """The outcome under another structure of the same words, if the equation holds there."""
    for left, right in _structures(pair):
        outcome = judge(left, right, pair.about)
        if outcome is not None and outcome.state == "holds":
            return outcome
    return None


def _structures(pair: Pair) -> Iterator[tuple[Expression, Expression]]:
    (calculating, calculated), (stating, stated) = pair.calculation, pair.statement
    if (plain := without_exclamation(stated)) is not None:
        yield calculated, plain
    if not pair.reversed and pair.opening.text == "-" and calculated.first == 0:
        yield negated(calculated), stated
    if context.is_dash(pair.left_side.tokens, pair.left, pair.opening):
        without_dash, end = parse_at(pair.left_side.tokens, 1 + (pair.left_side.tokens[1].text == "-"))
        if without_dash is not None and end == pair.left.unit_end:
            yield (calculated, without_dash) if pair.reversed else (without_dash, stated)
    if (behind := context.label_before(calculating.tokens, calculated)) is not None:
        tail, end = parse_at(calculating.tokens, behind)
        if tail is not None and end == calculated.unit_end:
            yield tail, stated
    if not stated.is_number():  # a running calculation, "5 * 3 = 15 + 2 = 17"
        first, _ = parse_at(stating.tokens[stated.first : stated.first + 1], 0)
        if first is not None:
            yield calculated, first
    if " " in stating.tokens[stated.first].text and stated.is_number():  # "12 200-page books"
        group = stating.tokens[stated.first].text.split(" ")[0]
        if group.isdigit():
            yield calculated, replace(stated, code=(Fraction(int(group)),), decimals=0)
    groups = groups_of(stating, stated)
    if groups is not None:
        yield calculated, groups


def _told_modulus(pair: Pair) -> Verdict | None:
    """ "7 + 7 = 4 (mod 10)": the sides need only leave the same remainder."""
    modulus = context.modulus_behind(pair.text, pair.right_side.tokens[pair.right.unit_end - 1].end)
    _, calculated = pair.calculation
    _, stated = pair.statement
    if modulus is None and stated.code[-1] == "mod" and not pair.reversed:
        *_, last = stated.numbers()
        modulus = int(last.value)
        stated = replace(stated, code=stated.code[:-2])
    if not modulus:
        return None
    try:
        exact, said = evaluate(calculated.code).value, evaluate(stated.code).value
    except NotArithmetic:
        return None
    if (exact - said) % modulus == 0:
        return _plain(pair, said, said, True, f"modulo {modulus}")
    return _plain(pair, exact % modulus, said, False, f"modulo {modulus}")


def _told_remainder(pair: Pair) -> Verdict | None:
    """ "17 ÷ 5 = 3 R 2": quotient and remainder."""
    _, calculated = pair.calculation
    rest = context.remainder_behind(pair.text, pair.end)
    if rest is None or pair.reversed or calculated.code[-1] != "/" or len(calculated.numbers()) != 2:
        return None
    (top, bottom), stated = calculated.numbers(), pair.right
    if top.value.denominator != 1 or bottom.value.denominator != 1 or bottom.value == 0 or not stated.is_number():
        return None
    quotient, remainder = divmod(int(top.value), int(bottom.value))
    said = evaluate(stated.code).value
    ok = quotient == said and remainder == rest
    shown = Verdict(pair.left, pair.right, pair.start, pair.end, f"{quotient} R {remainder}", f"{said} R {rest}", ok)
    if not ok and context.is_denied(pair.text, pair.start, pair.end):
        return None
    return shown


def _plain(pair: Pair, exact: Fraction, said: Fraction, ok: bool, reading: str) -> Verdict:
    return Verdict(pair.left, pair.right, pair.start, pair.end, str(exact), str(said), ok, reading)
