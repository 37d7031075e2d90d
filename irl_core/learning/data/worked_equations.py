"""An equation of a worked solution as tokens: numbers with their origin, operators, brackets; evaluated exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from irl_core.text.numerals import NUMERAL, decimal_places, read_numeral, show_number

Source = Literal["given", "result", "constant"]
"""Where a number comes from: the problem, an earlier step, or neither (the 60 minutes of an hour)."""

OPERATORS = ("+", "-", "*", "/", "of")
MAX_PLACES = 3


class NotReadable(ValueError):
    """The text is no arithmetic of plain numbers, or divides by zero."""


class Quantity(NamedTuple):
    """A number as it is written: `before` holds its currency sign, `after` its percent sign or unit (" pages").

    `place` counts the problem's numbers where `source` is "given", the nodes where it is "result"; else it is -1.
    """

    value: Fraction
    digits: str
    before: str = ""
    after: str = ""
    source: Source = "constant"
    place: int = -1

    @property
    def is_percent(self) -> bool:
        return self.after.lstrip().startswith("%")

    def at(self, value: Fraction) -> Quantity:
        """The same quantity with another value, written as this one is: with its commas, and cents of money."""
        return self if value == self.value else self._replace(value=value, digits=_digits_like(self, value))

    def taking(self, other: Quantity) -> Quantity:
        """`other` in this one's place: its value, origin and currency, this one's unit."""
        return other._replace(before=self.before or other.before, after=self.after)


Token = Quantity | str
"""A quantity, one of `OPERATORS` ("of" multiplies), or a bracket."""


def _digits_like(model: Quantity, value: Fraction) -> str:
    shown = show_number(rounded(value))
    whole, _, decimals = shown.partition(".")
    is_money = "$" in model.before
    if is_money and (len(decimals) == 1 or re.fullmatch(r"[\d,]*\.\d\d", model.digits)):
        decimals = decimals.ljust(2, "0")
    if "," in model.digits:
        whole = f"{int(whole):,}"
    return f"{whole}.{decimals}" if decimals else whole


def rounded(value: Fraction) -> Fraction:
    """`value` as a person goes on with it: exact with up to three decimals, else two, or two significant digits."""
    places = decimal_places(value)
    if value == 0 or (places is not None and places <= MAX_PLACES):
        return value
    scale = 100
    while abs(value) * scale < 10:
        scale *= 10
    return Fraction(round(value * scale), scale)


_TOKEN = re.compile(rf"\s*(?:(?P<number>{NUMERAL})(?P<percent>\s?%)?|(?P<sign>[-+*/()]))")


def read_expression(text: str) -> tuple[Token, ...]:
    """The tokens of a calculator mark's expression ("20/100*50"); its numbers have no origin yet.

    Raises:
        NotReadable: if anything else stands in it.
    """
    tokens: list[Token] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        value = read_numeral(match["number"]) if match and match["number"] else None
        if match is None or (match["number"] and value is None):
            raise NotReadable(text)
        position = match.end()
        if value is None:
            tokens.append(match["sign"])
        else:
            tokens.append(Quantity(value, match["number"], after="%" if match["percent"] else ""))
    return tuple(tokens)


def evaluate(tokens: Sequence[Token]) -> Fraction:
    """The exact value; `*` and `/` bind before `+` and `-`, a bracket that follows a number multiplies.

    Raises:
        NotReadable: if it is no expression, or divides by zero.
    """
    rest = list(reversed(tokens))
    value = _sum(rest)
    if rest:
        raise NotReadable("an operator was expected")
    return value


def _sum(rest: list[Token]) -> Fraction:
    value = _product(rest)
    while rest and rest[-1] in ("+", "-"):
        sign = rest.pop()
        term = _product(rest)
        value = value + term if sign == "+" else value - term
    return value


def _product(rest: list[Token]) -> Fraction:
    value = _factor(rest)
    while rest and rest[-1] in ("*", "/", "of", "("):
        sign = rest.pop() if rest[-1] != "(" else "*"
        factor = _factor(rest)
        if sign == "/" and factor == 0:
            raise NotReadable("division by zero")
        value = value / factor if sign == "/" else value * factor
    return value


def _factor(rest: list[Token]) -> Fraction:
    token = rest.pop() if rest else ""
    if isinstance(token, Quantity):
        return token.value / 100 if token.is_percent else token.value
    if token == "-":
        return -_factor(rest)
    if token != "(":
        raise NotReadable("a number was expected")
    value = _sum(rest)
    if not rest or rest.pop() != ")":
        raise NotReadable("a bracket is not closed")
    return value


def quantities(tokens: Sequence[Token]) -> Iterator[tuple[int, Quantity]]:
    """The quantities of an expression with their places in it."""
    return ((i, token) for i, token in enumerate(tokens) if isinstance(token, Quantity))
