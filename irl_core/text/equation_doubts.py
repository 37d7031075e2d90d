"""When an equation that fails may be meant otherwise, or is not claimed: then it is not called false."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from irl_core.text import equation_context as context
from irl_core.text import units
from irl_core.text.equation_readings import Outcome, has_counted_sum, joined_otherwise, judge
from irl_core.text.equation_sides import Side
from irl_core.text.equation_tokens import Kind, Token
from irl_core.text.expressions import Expression, Slash, parse_at
from irl_core.text.quantities import NotArithmetic, Notes, evaluate

_ALIKE = 2  # a sum of unlike things may be a sum of their prices unless the total is near the number of things


class Pair(NamedTuple):
    """What is calculated, what is stated, and the tokens each belongs to."""

    text: str
    opening: Token
    left_side: Side
    right_side: Side
    left: Expression
    right: Expression
    about: bool
    reversed: bool

    @property
    def start(self) -> int:
        return self.left_side.tokens[self.left.first].start

    @property
    def end(self) -> int:
        return self.right_side.tokens[self.right.last - 1].end

    @property
    def calculation(self) -> tuple[Side, Expression]:
        return (self.right_side, self.right) if self.reversed else (self.left_side, self.left)

    @property
    def statement(self) -> tuple[Side, Expression]:
        if not self.reversed:
            return self.right_side, self.right
        # What stands first is not rounded.
        return self.left_side, replace(self.left, decimals=self.left.decimals or None)


def groups_of(side: Side, stated: Expression) -> Expression | None:
    """ "5 groups of 3" is 15."""
    tokens = side.tokens
    if not stated.is_number() or stated.last + 2 >= len(tokens):
        return None
    word, of, size = tokens[stated.last : stated.last + 3]
    if word.kind is Kind.WORD and of.text.lower() == "of" and size.number is not None and size.kind is Kind.NUMBER:
        return replace(stated, code=(stated.numbers()[0], size.number, "*"), operators=1, decimals=None)
    return None


def _holds_with_brackets(pair: Pair) -> bool:
    """Does it hold with brackets that may have been left out: "50/12+13 = 2"? Then it is not clear what was meant."""
    (calculating, calculated), (stating, stated) = pair.calculation, pair.statement
    stated = replace(stated, decimals=stated.decimals or None)  # "50/12+13 = 3" would be a chance
    for left in (calculated, *_slashes(calculating, calculated)):
        for right in (stated, *_slashes(stating, stated)):
            outcome = judge(left, right, pair.about)
            if outcome is not None and outcome.state == "holds":
                return True
    return False


def _slashes(side: Side, expression: Expression) -> list[Expression]:
    """The expression with brackets that may have been left out around a denominator, or around both."""
    if not expression.has("/"):
        return []
    longer: tuple[Slash, ...] = ("product", "sum")
    read = [parse_at(side.tokens, expression.first, slash)[0] for slash in longer]
    return [other for other in read if other is not None and other.last == expression.last]


def is_doubtful(pair: Pair, outcome: Outcome) -> bool:
    """May an equation that fails be meant otherwise, or not be claimed at all?"""
    side, calculated = pair.calculation
    stating, stated = pair.statement
    if pair.reversed and any(word[0] == units.COUNTED for word in stated.unit_words()):
        return True  # "1 serving = 48 grams / 0.8"
    if calculated.loose or stated.loose or _joined_otherwise(calculated, stated, outcome):
        return True
    if _may_be_label(pair) or groups_of(stating, stated) is not None or _goes_on(stating, stated):
        return True
    unit = stating.tokens[stated.last].text if stated.last < len(stating.tokens) else ""
    if context.may_be_dates(calculated, unit) or context.has_hyphened_number(pair.text[pair.start : pair.end]):
        return True
    if calculated.is_number() and unit.lower() == "of":
        return True  # "= 15 students is equal to one quarter of the class"
    if calculated.is_number() and calculated.has("%") != stated.has("%") and outcome.reading.percent == "unit":
        return True  # "50 * 0.2 = 10 = 20%"
    if context.may_be_range(side.tokens, calculated, outcome.stated, unit):
        return True
    if _sums_unlike_things(pair, outcome) or _holds_with_brackets(pair):
        return True
    sentence = context.sentence_around(pair.text, pair.start, pair.end)
    if context.counts_otherwise(sentence) and not calculated.has("mod"):
        return True
    return context.is_denied(pair.text, pair.start, pair.end) or (context.tells_rounding(sentence) and not pair.about)


def _may_be_label(pair: Pair) -> bool:
    """Is the first number a label, or is what stands behind its dash right by itself: "Lap 2 - 8 * 3 = 24"?"""
    side, calculated = pair.calculation
    if context.label_before(side.tokens, calculated) is not None:
        return True
    behind = context.label_before(side.tokens, calculated, any_word=True)
    tail = None if behind is None else parse_at(side.tokens, behind)[0]
    stated = pair.statement[1]
    if tail is None or (calculated.first == 0 and tail.is_number() and stated.is_number()):
        return False  # "9 - 5 = 5" is no label
    outcome = judge(tail, stated, pair.about)
    return outcome is not None and outcome.state == "holds"


def _goes_on(side: Side, stated: Expression) -> bool:
    """Is what is stated only a part of it: "1 dozen and 2 eggs", "2 and a half"?"""
    for at in range(stated.last, min(stated.last + 3, len(side.tokens) - 1)):
        if side.tokens[at].text.lower() == "and":
            behind, after = side.tokens[at + 1], side.tokens[at + 2 : at + 3]
            more = behind.kind is Kind.NUMBER and not (after and after[0].kind is Kind.OPERATOR)
            return more or (behind.text in ("a", "one") and bool(after) and after[0].text in ("half", "quarter"))
    return False


def _joined_otherwise(calculated: Expression, stated: Expression, outcome: Outcome) -> bool:
    """Has a false equation a reading in which the numbers are joined otherwise?"""
    small = [item for item in calculated.code if isinstance(item, str)] == ["/"]
    if small and calculated.first > 0 and abs(outcome.exact) < 1 <= abs(outcome.stated) and not stated.has("%"):
        return True  # "the other 3/4 = 60"
    return stated.has("of") or joined_otherwise(calculated) or joined_otherwise(stated)


def _sums_unlike_things(pair: Pair, outcome: Outcome) -> bool:
    """May it be an equation of prices or weights: "2 hats + 1 scarf = 30", "1 jar + 3 jars = 15 + 45"?"""
    _, calculated = pair.calculation
    _, stated = pair.statement
    if not has_counted_sum(calculated.code):
        return False
    notes = Notes()
    try:
        evaluate(calculated.code, outcome.reading, notes)
    except NotArithmetic:
        return True
    if not stated.is_number() or pair.reversed:
        return True
    exact, said = outcome.exact, outcome.stated
    near = exact > 0 and exact / _ALIKE < said < exact * _ALIKE
    return bool(notes.things) and not near
