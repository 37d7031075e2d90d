"""How what was expected and what was stated are shown: a fraction, a percentage, decimals, or "42 inches"."""

from __future__ import annotations

from fractions import Fraction

from irl_core.text import units
from irl_core.text.equation_readings import Outcome
from irl_core.text.expressions import Expression
from irl_core.text.numerals import decimal_places, show_number
from irl_core.text.quantities import conversion

_CURRENCY_NAMES = frozenset(["dollar", "euro", "pound_sterling", "rupee"])


def show(outcome: Outcome, calculated: Expression, stated: Expression) -> tuple[str, str]:
    """What was expected, and what was stated, in the form of what was stated."""
    if outcome.converted and len(outcome.unit) == 1 and outcome.unit[0][1] == 1:
        return _with_unit(outcome, calculated, stated)
    return _number(outcome.exact, stated, outcome), _number(outcome.stated, stated, outcome)


def _number(value: Fraction, like: Expression, outcome: Outcome) -> str:
    operators = [item for item in like.code if isinstance(item, str)]
    if operators == ["/"] and not like.unit_words():
        return str(value)
    return show_number(value, max(2, like.decimals or 0)) + "%" * (like.is_number() and like.has("%"))


def _with_unit(outcome: Outcome, calculated: Expression, stated: Expression) -> tuple[str, str]:
    """Both in one unit: the stated one, or a smaller one of the equation in which what is expected comes out even."""
    (own, _), *_ = outcome.unit
    words = _words(calculated, stated, outcome)
    sizes = [name for name in words if conversion(((name, 1),), outcome.unit) is not None]
    choices = sorted(sizes, key=lambda name: (name != own, -units.factor(name)))
    for name in choices:
        ratio = conversion(outcome.unit, ((name, 1),)) or Fraction(1)
        places = decimal_places(outcome.exact * ratio)
        several = sum(word in units_of(stated) for word in words.values()) > 1
        if places is not None and places <= 2 and not (several and name == own):
            break
    else:
        name, ratio = own, Fraction(1)
    if name in _CURRENCY_NAMES:
        return show_number(outcome.exact * ratio), show_number(outcome.stated * ratio)
    unit = words.get(name, "")
    return (
        f"{show_number(outcome.exact * ratio)} {unit}".strip(),
        f"{show_number(outcome.stated * ratio)} {unit}".strip(),
    )


def units_of(expression: Expression) -> set[str]:
    """The unit words of an expression."""
    return set(expression.unit_words())


def _words(calculated: Expression, stated: Expression, outcome: Outcome) -> dict[str, str]:
    """The names of units with the words for them in the equation; those of what is stated come first."""
    senses = dict(outcome.reading.senses)
    found: dict[str, str] = {}
    for word in (*stated.unit_words(), *calculated.unit_words()):
        if word.startswith(units.COUNTED):
            continue
        sense = units.senses_of(word)[senses.get(word, 0)]
        if sense.dimension not in ("scale", "derived", "counted"):
            found.setdefault(sense.name, word)
    return found
