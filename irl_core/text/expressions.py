"""Expressions among words: parsed to postfix by recursive descent. No text is run as code.

Nesting and the number of terms are bounded; `quantities` evaluates the code and bounds every intermediate result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from irl_core.text.equation_numbers import WrittenNumber
from irl_core.text.equation_tokens import Kind, Token
from irl_core.text.quantities import Item, NotArithmetic, UnitWords
from irl_core.text.unit_phrases import read_unit_phrase, smaller_unit
from irl_core.text.units import LETTER_UNITS

MAX_DEPTH = 12
MAX_OPERANDS = 60

Slash = Literal["tight", "product", "sum"]
"""How far a slash reaches: to the next factor, over the product behind it, or over all on both of its sides."""


@dataclass(frozen=True)
class Expression:
    """Postfix code from tokens `first` to `last` (exclusive); the units that follow it reach to `unit_end`.

    `operators` counts those a person would see; `decimals` are those of a lone number. `loose` says that a word
    ("square root of") may reach further than it was read, `letters` that a letter was read as a unit.
    """

    code: tuple[Item, ...]
    first: int
    last: int
    unit_end: int
    operators: int
    decimals: int | None
    loose: bool = False
    letters: bool = False

    def is_number(self) -> bool:
        """One written number, with its unit, % or sign: a result rather than a calculation."""
        return self.operators == 0

    def has(self, operator: str) -> bool:
        return operator in self.code

    def numbers(self) -> list[WrittenNumber]:
        return [item for item in self.code if isinstance(item, WrittenNumber)]

    def unit_words(self) -> list[str]:
        return [word for item in self.code if isinstance(item, UnitWords) for word, _ in item.words]


class _Parser:
    """One pass over the tokens of one side of an equation. `position` is where it stands or failed."""

    def __init__(self, tokens: Sequence[Token], position: int, slash: Slash = "tight"):
        self.tokens = tokens
        self.position = position
        self.slash = slash
        self.code: list[Item] = []
        self.operands = 0
        self.operators = 0
        self.value_end = position
        self.lone_decimals: int | None = None
        self.loose = False
        self.letters = False
        self.compound = False

    def kind(self, ahead: int = 0) -> Kind | None:
        at = self.position + ahead
        return self.tokens[at].kind if at < len(self.tokens) else None

    def operator(self) -> str | None:
        return self.tokens[self.position].text if self.kind() is Kind.OPERATOR else None

    def whole(self) -> None:
        """The whole expression; where a slash is a long fraction bar it joins whole sums."""
        self.sum(0)
        while self.slash == "sum" and self.operator() == "/":
            self.position += 1
            self.sum(0)
            self.emit("/")

    def sum(self, depth: int) -> None:
        self.product(depth)
        while (sign := self.operator()) in ("+", "-"):
            self.position += 1
            self.product(depth)
            self.emit(sign)

    def product(self, depth: int) -> None:
        self.factor(depth)
        divided = False
        bar = self.slash == "sum" and depth == 0
        while True:
            sign = self.operator()
            if sign in ("*", "mod") or (sign == "/" and not bar):
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
            while sign == "/" and self.slash == "product" and depth == 0 and self.operator() == "*":
                self.position += 1
                self.factor(depth)
                self.emit("*")
            self.emit(sign)

    def takes_of(self) -> bool:
        """Steps over the "of" (and "the") of "20% of 50", "1/2 of 20" and "half of 20"."""
        if self.kind() is not Kind.WORD or self.tokens[self.position].text.lower() != "of":
            return False
        before = self.tokens[self.position - 1]
        is_part = before.number is not None and 0 < before.value < 1 and before.text[:1].isalpha()
        is_fraction = self.code[-1:] == ["/"] or before.kind is Kind.PERCENT or is_part
        skip = 2 if self.kind(1) is Kind.WORD and self.tokens[self.position + 1].text.lower() == "the" else 1
        if not is_fraction or self.kind(skip) not in (Kind.NUMBER, Kind.OPEN):
            return False
        self.position += skip
        return True

    def multiplies_silently(self) -> bool:
        before = self.tokens[self.position - 1].kind
        return self.kind() is Kind.OPEN and before in (Kind.NUMBER, Kind.CLOSE, Kind.FACTORIAL) and self.is_glued()

    def is_glued(self) -> bool:
        """Does nothing stand between this token and the one before?"""
        return self.tokens[self.position - 1].end == self.tokens[self.position].start

    def factor(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise NotArithmetic("nested too deeply")
        if self.operator() == "-":
            self.position += 1
            if self.kind() not in (Kind.NUMBER, Kind.OPEN, Kind.ROOT):
                raise NotArithmetic("a sign without a number")
            self.factor(depth + 1)
            self.code.append("neg")
            return
        self.atom(depth)
        if self.operator() == "^":
            self.position += 1
            negative = self.operator() == "-"
            self.position += negative
            if self.kind() not in (Kind.NUMBER, Kind.OPEN):
                raise NotArithmetic("only plain exponents")
            if self.kind() is Kind.NUMBER:
                self.code.append(self.take().value)
            else:
                self.group(depth)
            self.code.extend(["neg"] * negative)
            self.emit("^")
            self.value_end = self.position
        self.unit()

    def atom(self, depth: int) -> None:
        kind = self.kind()
        if kind is Kind.NUMBER:
            token = self.take()
            assert token.number is not None
            self.lone_decimals = token.number.decimals
            self.code.append(token.number)
            if token.currency:
                self.code.append(UnitWords(((token.currency, 1),)))
            self.operands += 1
            if self.operands > MAX_OPERANDS:
                raise NotArithmetic("too many terms")
        elif kind is Kind.OPEN:
            self.group(depth)
        elif kind is Kind.ROOT:
            self.root(depth)
        else:
            raise NotArithmetic("a number was expected")
        while self.kind() in (Kind.PERCENT, Kind.FACTORIAL):
            token = self.take()
            self.code.append("%" if token.kind is Kind.PERCENT else "!")
            self.operators += token.kind is Kind.FACTORIAL
        self.value_end = self.position

    def root(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise NotArithmetic("nested too deeply")
        root = self.take()
        self.loose |= self.kind() is not Kind.OPEN and not self.is_glued_after(root)
        self.loose |= " " in root.text
        self.atom(depth + 1)
        self.emit(f"√{root.text}")

    def is_glued_after(self, token: Token) -> bool:
        return self.position < len(self.tokens) and token.end == self.tokens[self.position].start

    def group(self, depth: int) -> None:
        if self.kind() is not Kind.OPEN:
            raise NotArithmetic("a bracket was expected")
        self.take()
        self.sum(depth + 1)
        if self.kind() is not Kind.CLOSE:
            raise NotArithmetic("a bracket is not closed")
        self.take()

    def unit(self) -> None:
        """The words behind a number: its unit, and a second number with a smaller unit ("1 hour 30 minutes")."""
        phrase = read_unit_phrase(self.tokens, self.position)
        if phrase is None:
            return
        if phrase.words:
            self.code.append(UnitWords(phrase.words))
            self.letters |= any(word in LETTER_UNITS for word, _ in phrase.words)
        second = smaller_unit(self.tokens, phrase)
        if phrase.leads_on and second is None:
            self.position = phrase.end
        while second is not None:
            self.code += [second.number, UnitWords(second.words), "+"]
            self.position = self.value_end = second.end
            self.compound = True
            second = smaller_unit(self.tokens, second)

    def take(self) -> Token:
        self.position += 1
        return self.tokens[self.position - 1]

    def emit(self, operator: str) -> None:
        self.code.append(operator)
        self.operators += 1


def parse_at(tokens: Sequence[Token], start: int, slash: Slash = "tight") -> tuple[Expression | None, int]:
    """The longest expression from `start`, and the position after it; (None, where it failed) if there is none."""
    parser = _Parser(tokens, start, slash)
    try:
        parser.whole()
    except NotArithmetic:
        return None, max(parser.position, start + 1)
    decimals = parser.lone_decimals if parser.operands == 1 and not (parser.operators or parser.compound) else None
    expression = Expression(
        tuple(parser.code),
        start,
        parser.value_end,
        parser.position,
        parser.operators,
        decimals,
        parser.loose,
        parser.letters,
    )
    return expression, parser.position


def negated(expression: Expression) -> Expression:
    """The expression with a minus before its first number."""
    first = expression.code[0]
    value = first.value if isinstance(first, WrittenNumber) else first
    if not isinstance(value, Fraction):
        return expression
    return Expression(
        (-value, *expression.code[1:]),
        expression.first,
        expression.last,
        expression.unit_end,
        expression.operators,
        expression.decimals,
    )
