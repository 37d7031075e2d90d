"""Expressions among words: parsed to postfix by recursive descent and evaluated exactly. No text is run as code.

Nesting, the number of terms and the size of every intermediate result are bounded.
"""

from __future__ import annotations

import operator as op
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from irl_core.text.equation_tokens import Kind, Token

MAX_BITS = 2_000
MAX_DEPTH = 12
MAX_OPERANDS = 60
MAX_EXPONENT = 12
MAX_UNIT_WORDS = 6

_OPERATIONS = {"+": op.add, "-": op.sub, "*": op.mul, "of": op.mul, "/": op.truediv}

PercentSense = Literal["hundredth", "unit", "relative"]


class NotArithmetic(ValueError):
    """The tokens are not an expression of the grammar, or its value is out of bounds."""


@dataclass(frozen=True)
class Expression:
    """Postfix code from tokens `first` to `last` (exclusive); the units that follow it reach to `unit_end`.

    `code` holds numbers and the operators + - * / ^ of neg % cents. `operators` counts those a person would see.
    """

    code: tuple[Fraction | str, ...]
    first: int
    last: int
    unit_end: int
    operators: int
    decimals: int | None

    def is_number(self) -> bool:
        """One written number, with its % or cents or sign: a result rather than a calculation."""
        return self.operators == 0

    def has(self, operator: str) -> bool:
        return operator in self.code


class _Parser:
    """One pass over the tokens of one side of an equation. `position` is where it stands or failed."""

    def __init__(self, tokens: Sequence[Token], position: int):
        self.tokens = tokens
        self.position = position
        self.code: list[Fraction | str] = []
        self.operands = 0
        self.operators = 0
        self.value_end = position
        self.lone_decimals: int | None = None

    def kind(self, ahead: int = 0) -> Kind | None:
        at = self.position + ahead
        return self.tokens[at].kind if at < len(self.tokens) else None

    def operator(self) -> str | None:
        return self.tokens[self.position].text if self.kind() is Kind.OPERATOR else None

    def sum(self, depth: int) -> None:
        self.product(depth)
        while (sign := self.operator()) in ("+", "-"):
            self.position += 1
            self.product(depth)
            self.emit(sign)

    def product(self, depth: int) -> None:
        self.factor(depth)
        divided = False
        while True:
            if (sign := self.operator()) in ("*", "/"):
                self.position += 1
                divided |= sign == "/"
            elif self.takes_of():
                sign = "of"
            elif self.multiplies_silently():
                if divided:
                    raise NotArithmetic("6/2(3) has two readings")
                sign = "*"
            else:
                return
            self.factor(depth)
            self.emit(sign)

    def takes_of(self) -> bool:
        """Steps over the "of" (and "the") of "20% of 50" and "1/2 of 20"."""
        if self.kind() is not Kind.WORD or self.tokens[self.position].text.lower() != "of":
            return False
        before = self.tokens[self.position - 1]
        is_fraction = self.code[-1:] == ["/"] or before.kind is Kind.PERCENT or before.text in "½⅓⅔¼¾⅕⅛"
        skip = 2 if self.kind(1) is Kind.WORD and self.tokens[self.position + 1].text.lower() == "the" else 1
        if not is_fraction or self.kind(skip) not in (Kind.NUMBER, Kind.OPEN):
            return False
        self.position += skip
        return True

    def multiplies_silently(self) -> bool:
        before = self.tokens[self.position - 1].kind
        return self.kind() is Kind.OPEN and before in (Kind.NUMBER, Kind.CLOSE) and self.is_glued()

    def is_glued(self) -> bool:
        """Does nothing stand between this token and the one before?"""
        return self.tokens[self.position - 1].end == self.tokens[self.position].start

    def factor(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise NotArithmetic("nested too deeply")
        if self.operator() == "-":
            self.position += 1
            if self.kind() not in (Kind.NUMBER, Kind.OPEN, Kind.FRACTION):
                raise NotArithmetic("a sign without a number")
            self.factor(depth + 1)
            self.code.append("neg")
            return
        self.atom(depth)
        if self.operator() == "^":
            self.position += 1
            if self.kind() is not Kind.NUMBER:
                raise NotArithmetic("only plain exponents")
            self.code.append(self.take().value or Fraction(0))
            self.emit("^")
            self.value_end = self.position
        self.units()

    def atom(self, depth: int) -> None:
        kind = self.kind()
        if kind is Kind.NUMBER:
            token = self.take()
            self.lone_decimals = token.decimals
            self.code.append(token.value if token.value is not None else Fraction(0))
            self.operands += 1
            if self.operands > MAX_OPERANDS:
                raise NotArithmetic("too many terms")
        elif kind is Kind.OPEN:
            self.group(depth)
        elif kind is Kind.FRACTION:
            self.take()
            self.group(depth)
            self.group(depth)
            self.emit("/")
        else:
            raise NotArithmetic("a number was expected")
        while self.kind() in (Kind.PERCENT, Kind.CENTS):
            self.code.append(self.take().text)
        self.value_end = self.position

    def group(self, depth: int) -> None:
        if self.kind() is not Kind.OPEN:
            raise NotArithmetic("a bracket was expected")
        self.take()
        self.sum(depth + 1)
        if self.kind() is not Kind.CLOSE:
            raise NotArithmetic("a bracket is not closed")
        self.take()

    def units(self) -> None:
        """Steps over "apples", "dollars per hour" or "(apples)", but only up to an operator, a bracket or the end."""
        at = self.position
        bracketed = self.kind() is Kind.OPEN and self.kind(1) is Kind.WORD and not self.is_glued()
        at += bracketed
        limit = at + MAX_UNIT_WORDS
        while at < min(limit, len(self.tokens)) and self.tokens[at].kind is Kind.WORD:
            at += 1
        if bracketed:
            if at >= len(self.tokens) or self.tokens[at].kind is not Kind.CLOSE:
                return
            at += 1
        if at == len(self.tokens) or self.tokens[at].kind in (Kind.OPERATOR, Kind.CLOSE):
            self.position = at

    def take(self) -> Token:
        self.position += 1
        return self.tokens[self.position - 1]

    def emit(self, operator: str) -> None:
        self.code.append(operator)
        self.operators += 1


def parse_at(tokens: Sequence[Token], start: int) -> tuple[Expression | None, int]:
    """The longest expression from `start`, and the position after it; (None, where it failed) if there is none."""
    parser = _Parser(tokens, start)
    try:
        parser.sum(0)
    except NotArithmetic:
        return None, max(parser.position, start + 1)
    decimals = parser.lone_decimals if parser.operands == 1 and not parser.operators else None
    return Expression(
        tuple(parser.code), start, parser.value_end, parser.position, parser.operators, decimals
    ), parser.position


def evaluate(
    code: Sequence[Fraction | str], percent: PercentSense = "relative", cents_per_dollar: int = 1
) -> Fraction:
    """The exact value of postfix `code`.

    `percent` says what "20%" is: a "hundredth" each, 20 of a "unit" of its own ("40% + 20% = 60"), or hundredths
    "relative" to what stands before a + or - ("80 - 20%" is 64). `cents_per_dollar=100` makes cents hundredths.

    Raises:
        NotArithmetic: for a division by zero, or a result past `MAX_BITS` bits.
    """
    stack: list[tuple[Fraction, bool]] = []
    for item in code:
        if isinstance(item, Fraction):
            stack.append((item, False))
            continue
        right, is_percent = stack.pop()
        if item == "%":
            stack.append((right if percent == "unit" else right / 100, True))
        elif item == "cents":
            stack.append((right / cents_per_dollar, False))
        elif item == "neg":
            stack.append((-right, is_percent))
        else:
            left, left_is_percent = stack.pop()
            if percent == "relative" and item in "+-" and is_percent and not left_is_percent:
                right *= left
            stack.append((_apply(item, left, right), is_percent and left_is_percent and item in "+-"))
    return stack[0][0]


def _apply(operator: str, left: Fraction, right: Fraction) -> Fraction:
    if operator == "/" and right == 0:
        raise NotArithmetic("division by zero")
    if operator == "^":
        if right.denominator != 1 or abs(right) > MAX_EXPONENT or (left == 0 and right < 0):
            raise NotArithmetic("exponents are small whole numbers")
        if _bits(left) * abs(int(right)) > MAX_BITS:
            raise NotArithmetic("too large")
        power: Fraction = left ** int(right)
        return power
    value: Fraction = _OPERATIONS[operator](left, right)
    if _bits(value) > MAX_BITS:
        raise NotArithmetic("too large")
    return value


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())
