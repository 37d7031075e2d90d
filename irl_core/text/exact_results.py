"""The exact result of a line that ends with an equals sign, where it can be read in one way only."""

from __future__ import annotations

from fractions import Fraction

from irl_core.text import equation_context as context
from irl_core.text.equation_readings import joined_otherwise, readings_of
from irl_core.text.equation_sides import Side, clauses_of
from irl_core.text.equation_tokens import Kind
from irl_core.text.expressions import Expression
from irl_core.text.markup import read_markup
from irl_core.text.numerals import decimal_places
from irl_core.text.quantities import NotArithmetic, Notes, Quantity, UnlikeUnits, evaluate

MAX_PLACES = 12
_PROBE = " 0"  # a result, so that the equals sign has two sides


def exact_result(line: str) -> tuple[Fraction, bool] | None:
    """What follows `line`, which ends in "=", and whether it is dollars; None where that is not certain.

    >>> exact_result("She pays 3 * $5 =")
    (Fraction(15, 1), True)

    It is not certain where a percentage, a unit or a sign may be read otherwise, where units are mixed, where
    something unknown stands in the line, or where the result has no finite decimal form.
    """
    plain = read_markup(line).text
    *_, clause = (None, *clauses_of(plain + _PROBE))
    if clause is None or clause.signs[-1] is not Kind.EQUALS:
        return None
    side, probe = clause.sides[-2], clause.sides[-1].tokens
    if len(probe) != 1 or probe[0].start < len(plain) or side.suffix is None or not side.alone:
        return None
    calculated = side.suffix
    bullet = clause.opening.text == "-" and len(clause.sides) == 2 and calculated.first == 0
    if bullet or _is_uncertain(plain, side, calculated):
        return None
    quantity = _only_value(calculated)
    if quantity is None:
        return None
    places = decimal_places(quantity.value)
    if places is None or places > MAX_PLACES:
        return None
    return quantity.value, quantity.measured == (("dollar", 1),)


def _is_uncertain(text: str, side: Side, calculated: Expression) -> bool:
    if calculated.is_number() or calculated.loose or calculated.letters or joined_otherwise(calculated):
        return True
    if context.label_before(side.tokens, calculated) is not None:
        return True
    if context.may_be_range(side.tokens, calculated, Fraction(-1), ""):
        return True
    start = side.tokens[calculated.first].start
    if context.counts_otherwise(context.sentence_around(text, start, len(text))) and not calculated.has("mod"):
        return True
    return not context.is_claimed(text, start, len(text))


def _only_value(calculated: Expression) -> Quantity | None:
    """The value under every reading, if they agree and none mixes units or unlike things."""
    found: Quantity | None = None
    for reading in readings_of(calculated):
        notes = Notes()
        try:
            quantity = evaluate(calculated.code, reading, notes)
        except UnlikeUnits:
            continue
        except NotArithmetic:
            return None
        if notes.mixed or notes.things or notes.inexact or (found is not None and found.value != quantity.value):
            return None
        found = found or quantity
    return found
