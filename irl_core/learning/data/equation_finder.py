"""Finds the equations in a line of GSM8K: "Natalia sold 48/2 = <<48/2=24>>24 clips", with units and currency signs.

What stands before the equals sign is read; the calculator mark must agree with it. Where words alone stand there, the
mark's expression is taken, and the equation is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from irl_core.learning.data.worked_equations import (
    OPERATORS,
    NotReadable,
    Quantity,
    Token,
    evaluate,
    read_expression,
)
from irl_core.text.numerals import NUMERAL, read_numeral

MAX_UNIT_WORDS = 3

_MARK = re.compile(r"<<([^<>=]*)=([^<>]*)>>")
_LEXEME = re.compile(
    rf"(?P<mark><<[^<>]*>>)|(?P<number>(?P<currency>[$£€]\s?)?(?P<digits>{NUMERAL})(?P<percent>\s?%)?)"
    r"|(?P<equals>=)|(?P<sign>[-+*/x×÷–−·](?![A-Za-z])|[()])"
    r"|(?P<word>/?[A-Za-z][A-Za-z'’]*(?:[-/][A-Za-z]+)*)|(?P<other>\S)"
)
_IN_WORDS = re.compile(
    r"[0-9%][^0-9.,;=]{0,20}\b(?:plus|minus|times|multiplied by|divided by)\s+[$£€]?[0-9]", re.IGNORECASE
)
_SIGNS = {"x": "*", "×": "*", "·": "*", "÷": "/", "–": "-", "−": "-", "of": "of"}
_CURRENCIES = "$£€"


class Lexeme(NamedTuple):
    """A piece of a line: a mark, number, equals sign, sign, word, or anything else."""

    kind: str
    text: str
    start: int
    end: int
    quantity: Quantity | None = None


class Found(NamedTuple):
    """An equation at characters `start` to `end` of a line; its numbers have no origin yet."""

    start: int
    end: int
    tokens: tuple[Token, ...]
    result: Quantity
    is_shown: bool


def lexemes_of(line: str) -> list[Lexeme]:
    """The pieces of a line.

    Raises:
        NotReadable: if a number is too long, or an equation stands in words ("8 plus 4 equals 12"): its operator
            could not be changed with the mark's.
    """
    if _IN_WORDS.search(line):
        raise NotReadable(line)
    lexemes = []
    for match in _LEXEME.finditer(line):
        kind = next(name for name in ("mark", "number", "equals", "sign", "word", "other") if match[name])
        quantity = None
        if kind == "number":
            value = read_numeral(match["digits"])
            if value is None:
                raise NotReadable(match["digits"])
            quantity = Quantity(value, match["digits"], match["currency"] or "", "%" if match["percent"] else "")
        lexemes.append(Lexeme(kind, match[0], match.start(), match.end(), quantity))
    return lexemes


def find_equations(lexemes: Sequence[Lexeme]) -> list[Found]:
    """All equations of a line in order.

    Raises:
        NotReadable: if one of them cannot be read, does not hold, or disagrees with its mark.
    """
    found: list[Found] = []
    behind = 0
    for at, lexeme in enumerate(lexemes):
        is_open = lexeme.kind == "mark" or lexeme.kind == "equals"
        if is_open and (not found or lexeme.start >= found[-1].end):
            one, behind = _equation(lexemes, at, behind)
            found.append(one)
    return found


def _equation(lexemes: Sequence[Lexeme], at: int, begin: int) -> tuple[Found, int]:
    """The equation whose equals sign, or whose mark without one, is lexeme `at`, and the index behind it."""
    has_sign = lexemes[at].kind == "equals"
    marked, result, behind = _right_side(lexemes, at + has_sign)
    left = _left_side(lexemes[begin:at]) if has_sign else None
    if left is None:
        if not marked or (has_sign and any(lexeme.kind == "sign" for lexeme in lexemes[begin:at])):
            raise NotReadable("nothing is computed")
        found = Found(lexemes[at + has_sign].start, lexemes[behind - 1].end, marked, result, False)
    else:
        found = Found(left.start, lexemes[behind - 1].end, tuple(reversed(left.tokens)), result, True)
    if not any(token in OPERATORS for token in found.tokens):
        raise NotReadable("an equation without an operator")
    allowed: tuple[Fraction, ...] = (result.value / 100, result.value) if result.is_percent else (result.value,)
    for side in (found.tokens, marked):
        if side and evaluate(side) not in allowed:
            raise NotReadable("a result that does not agree")
    return found, behind


def _right_side(lexemes: Sequence[Lexeme], at: int) -> tuple[tuple[Token, ...], Quantity, int]:
    """The mark's expression, the result as written, and the index behind it."""
    currency, marked = "", ()  # type: str, tuple[Token, ...]
    if at < len(lexemes) and lexemes[at].text in _CURRENCIES:
        currency = lexemes[at].text
        at += 1
    if at < len(lexemes) and lexemes[at].kind == "mark":
        match = _MARK.fullmatch(lexemes[at].text)
        if match is None:
            raise NotReadable("a mark of another form")
        marked = read_expression(match[1])
        at += 1
    result = lexemes[at].quantity if at < len(lexemes) else None
    if result is None:
        raise NotReadable("no result behind the equals sign")
    following = lexemes[at + 1] if at + 1 < len(lexemes) else None
    if following is not None and (following.kind == "equals" or following.text in tuple("+*/x×÷·")):
        raise NotReadable("a chain of equations")
    return marked, result._replace(before=currency or result.before), at + 1


@dataclass
class _LeftSide:
    """Reads the expression before an equals sign from right to left; `tokens` are in that order."""

    tokens: list[Token] = field(default_factory=list)
    unit: list[str] = field(default_factory=list)
    depth: int = 0
    start: int = 0
    wants_operand: bool = True

    def take(self, lexeme: Lexeme) -> bool:
        """Takes the next piece to the left; False where the expression has begun behind it."""
        return self._operand(lexeme) if self.wants_operand else self._operator(lexeme)

    def _operand(self, lexeme: Lexeme) -> bool:
        if lexeme.quantity is not None:
            words = " ".join(reversed(self.unit))
            unit = words if words.startswith("/") or not words else f" {words}"
            after = lexeme.quantity.after + ("" if lexeme.quantity.is_percent else unit)
            self.tokens.append(lexeme.quantity._replace(after=after))
            self.unit, self.wants_operand, self.start = [], False, lexeme.start
        elif lexeme.text == ")" and not self.unit:
            self.tokens.append(")")
            self.depth += 1
        elif lexeme.kind == "word" and lexeme.text.lower() != "of" and len(self.unit) < MAX_UNIT_WORDS:
            self.unit.append(lexeme.text)
        else:
            return False
        return True

    def _operator(self, lexeme: Lexeme) -> bool:
        text = lexeme.text.lower()
        if text == "(" and self.depth:
            self.tokens.append("(")
            self.depth -= 1
            self.start = lexeme.start
        elif text == "of" or (lexeme.kind == "sign" and text not in "()"):
            self.tokens.append(_SIGNS.get(text, text))
            self.wants_operand = True
        else:
            return False
        return True


def _left_side(lexemes: Sequence[Lexeme]) -> _LeftSide | None:
    """The expression at the end of `lexemes`; None where words stand there.

    Raises:
        NotReadable: if a bracket is not opened.
    """
    side = _LeftSide()
    for lexeme in reversed(lexemes):
        if not side.take(lexeme):
            break
    while side.tokens and side.tokens[-1] in OPERATORS:
        # "the rest of 3 * 4": what stands left of the first number is no part of it.
        side.tokens.pop()
    if side.depth:
        raise NotReadable("a bracket is not opened")
    return side if any(token in OPERATORS for token in side.tokens) else None
