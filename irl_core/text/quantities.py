"""Exact numbers with units: "3 feet + 6 inches" is 42 inches, "5 km / 2 h" is 2.5 km/h.

A unit is a product of names with exponents. A number without a unit takes the unit of what it is added to; counted
things ("3 pens") measure nothing, and adding them to what is measured is refused.
"""

from __future__ import annotations

import operator as op
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import factorial, isqrt
from typing import Literal, NamedTuple

from irl_core.text import units
from irl_core.text.equation_numbers import WrittenNumber

MAX_BITS = 2_000
MAX_EXPONENT = 12
MAX_FACTORIAL = 60
ROOT_DIGITS = 40

Parts = tuple[tuple[str, int], ...]
PercentSense = Literal["hundredth", "unit", "relative"]

_OPERATIONS = {"+": op.add, "-": op.sub, "*": op.mul, "of": op.mul, "/": op.truediv}


class NotArithmetic(ValueError):
    """The tokens are not an expression of the grammar, or its value is out of bounds."""


class UnlikeUnits(NotArithmetic):
    """What is added does not measure the same, or cannot be a percentage of its own."""


class UnitWords(NamedTuple):
    """The unit of a number as it is written: words with exponents; counted things begin with `units.COUNTED`."""

    words: tuple[tuple[str, int], ...]


Item = Fraction | WrittenNumber | UnitWords | str
"""Postfix code: numbers, their units, and the operators + - * / ^ mod of neg % ! √2 √3 √4."""


class Quantity(NamedTuple):
    """A value in the unit it is written in; `percent` if it is a percentage."""

    value: Fraction
    parts: Parts = ()
    percent: bool = False

    @property
    def measured(self) -> Parts:
        """The unit without counted things."""
        return tuple((name, n) for name, n in self.parts if units.dimension_of(name))


@dataclass(frozen=True)
class Reading:
    """One sensible way to read an equation.

    `percent` says what "20%" is: a "hundredth" each, 20 of a "unit" of its own ("40% + 20% = 60"), or hundredths
    "relative" to what stands before a + or - ("80 - 20%" is 64). `senses` chooses among the senses of unit words.
    With `continental` points group thousands, with `products` "0.5(20)" is 10; without `with_units` all units are left
    out.
    """

    percent: PercentSense = "relative"
    senses: tuple[tuple[str, int], ...] = ()
    continental: bool = False
    products: bool = False
    with_units: bool = True


@dataclass
class Notes:
    """What was met during an evaluation and bears on how certain its verdict is.

    `mixed`: different units of one dimension were added; `assumed`: a number without unit was added to one with unit;
    `things`: the counted things that were added; `bare_factor`: something was multiplied by a number without unit;
    `factored`: the last step was a product or a quotient; `inexact`: there is a root that is no fraction.
    """

    mixed: bool = False
    assumed: bool = False
    bare_factor: bool = False
    factored: bool = False
    inexact: bool = False
    things: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def evaluate(code: Sequence[Item], reading: Reading | None = None, notes: Notes | None = None) -> Quantity:
    """The exact value of postfix `code`; `notes` is added to.

    Raises:
        NotArithmetic: for a division by zero, or a result past `MAX_BITS` bits.
        UnlikeUnits: where things are added that do not measure the same.
    """
    machine = _Machine(reading or Reading(), notes if notes is not None else Notes())
    for item in code:
        machine.do(item)
    return machine.stack[0]


class _Machine:
    def __init__(self, reading: Reading, notes: Notes):
        self.reading, self.notes = reading, notes
        self.senses = dict(reading.senses)
        self.stack: list[Quantity] = []

    def do(self, item: Item) -> None:
        if isinstance(item, WrittenNumber):
            if self.reading.continental and item.continental is None:
                raise NotArithmetic("no number of that manner")
            other = item.continental if self.reading.continental else item.product if self.reading.products else None
            self.stack.append(Quantity(item.value if other is None else other))
        elif isinstance(item, UnitWords):
            if self.reading.with_units:
                self.stack.append(self.with_unit(self.stack.pop(), item))
        elif isinstance(item, Fraction):
            self.stack.append(Quantity(item))
        elif item in ("neg", "%", "!") or item.startswith("√"):
            self.stack.append(self.unary(item, self.stack.pop()))
        else:
            right, left = self.stack.pop(), self.stack.pop()
            self.stack.append(self.binary(item, left, right))

    def with_unit(self, quantity: Quantity, unit: UnitWords) -> Quantity:
        value, parts = quantity.value, quantity.parts
        for word, exponent in unit.words:
            if word.startswith(units.COUNTED):
                parts = _merged(parts, ((word, exponent),), 1)
                continue
            senses = units.senses_of(word)
            sense = senses[self.senses.get(word, 0)]
            if sense.dimension == "scale":
                self.notes.names.add(sense.name)
                value *= Fraction(sense.name) ** exponent
            else:
                parts = _merged(parts, units.parts_of(sense), exponent)
        self.notes.names.update(name for name, _ in parts if units.dimension_of(name))
        return Quantity(value, parts, quantity.percent)

    def unary(self, operator: str, quantity: Quantity) -> Quantity:
        value, parts, percent = quantity
        if operator == "neg":
            return Quantity(-value, parts, percent)
        if operator == "%":
            return Quantity(value if self.reading.percent == "unit" else value / 100, parts, True)
        if operator == "!":
            if value.denominator != 1 or not 0 <= value <= MAX_FACTORIAL:
                raise NotArithmetic("factorials are of small whole numbers")
            return Quantity(Fraction(factorial(int(value))), parts)
        degree = int(operator[1:])
        if value < 0 or _bits(value) > MAX_BITS // 4 or any(n % degree for _, n in quantity.measured):
            raise NotArithmetic("no root")
        root, exact = _root(value, degree)
        self.notes.inexact |= not exact
        return Quantity(root, tuple((name, n // degree) for name, n in quantity.measured))

    def binary(self, operator: str, left: Quantity, right: Quantity) -> Quantity:
        self.notes.factored = operator in ("*", "/", "of")
        if operator in ("+", "-"):
            return self.sum(operator, left, right)
        if operator == "mod":
            if right.value == 0 or right.value.denominator != 1 or left.value.denominator != 1:
                raise NotArithmetic("remainders are of whole numbers")
            return Quantity(left.value % right.value)
        if operator == "^":
            power = _power(left.value, right.value)
            n = int(right.value) if right.value.denominator == 1 else 1
            return Quantity(power, tuple((name, k * n) for name, k in left.parts if n))
        alone = left.percent != right.percent and (operator == "of" or (operator == "*" and bool(left.parts)))
        if self.reading.percent == "unit" and alone:
            raise UnlikeUnits("a percentage of something is no unit")
        if operator == "/" and right.value == 0:
            raise NotArithmetic("division by zero")
        self.notes.bare_factor |= not (left.measured and right.measured)
        value = _bounded(_OPERATIONS[operator](left.value, right.value))
        return Quantity(value, _merged(left.parts, right.parts, -1 if operator == "/" else 1))

    def sum(self, operator: str, left: Quantity, right: Quantity) -> Quantity:
        if right.percent and not left.percent:
            if self.reading.percent == "relative":
                right = Quantity(right.value * left.value, left.parts)
            elif left.parts:
                raise UnlikeUnits("a percentage of something is no unit")
        right, parts = self.alike(left, right)
        value = _bounded(_OPERATIONS[operator](left.value, right.value))
        return Quantity(value, parts, left.percent and right.percent)

    def alike(self, left: Quantity, right: Quantity) -> tuple[Quantity, Parts]:
        """The right summand in the unit of the left one, and the unit of their sum."""
        if left.parts == right.parts:
            return right, left.parts
        if not left.parts or not right.parts:
            self.notes.assumed |= bool(left.measured or right.measured)
            return right, left.parts or right.parts
        if not left.measured and not right.measured:
            self.notes.things.update(name for name, _ in (*left.parts, *right.parts))
            return right, ((units.COUNTED, 1),)
        ratio = conversion(right.measured, left.measured)
        if ratio is None:
            raise UnlikeUnits("what is added does not measure the same")
        self.notes.mixed |= left.measured != right.measured
        return right._replace(value=right.value * ratio), left.measured


def conversion(source: Parts, target: Parts) -> Fraction | None:
    """How many of `target` one of `source` makes; None where they do not measure the same."""
    if source == target:
        return Fraction(1)
    if _dimensions(source) != _dimensions(target):
        return None
    ratio = Fraction(1)
    for parts, sign in ((source, 1), (target, -1)):
        for name, exponent in parts:
            ratio *= units.factor(name) ** (exponent * sign)
    return ratio


def _dimensions(parts: Parts) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, exponent in parts:
        dimension = units.dimension_of(name)
        found[dimension] = found.get(dimension, 0) + exponent
    return {dimension: n for dimension, n in found.items() if n and dimension}


def _merged(left: Parts, right: Parts, sign: int) -> Parts:
    found = dict(left)
    for name, exponent in right:
        found[name] = found.get(name, 0) + sign * exponent
    if any(abs(n) > MAX_EXPONENT for n in found.values()):
        raise NotArithmetic("too many units")
    return tuple(sorted((name, n) for name, n in found.items() if n))


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > MAX_EXPONENT**2 or (base == 0 and exponent < 0):
        raise NotArithmetic("exponents are small whole numbers")
    if _bits(base) * abs(int(exponent)) > MAX_BITS:
        raise NotArithmetic("too large")
    power: Fraction = base ** int(exponent)
    return power


def _root(value: Fraction, degree: int) -> tuple[Fraction, bool]:
    """The root, and whether it is exact."""
    top, bottom = _whole_root(value.numerator, degree), _whole_root(value.denominator, degree)
    if top**degree == value.numerator and bottom**degree == value.denominator:
        return Fraction(top, bottom), True
    scale: int = 10**ROOT_DIGITS
    return Fraction(_whole_root(value.numerator * scale**degree // value.denominator, degree), scale), False


def _whole_root(value: int, degree: int) -> int:
    """The largest whole number whose power of `degree` 2, 3 or 4 is not above `value`."""
    if degree != 3:
        root = isqrt(value)
        return isqrt(root) if degree == 4 else root
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle - 1)
    return low


def _bounded(value: Fraction) -> Fraction:
    if _bits(value) > MAX_BITS:
        raise NotArithmetic("too large")
    return value


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())
