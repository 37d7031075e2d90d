"""Clauses cut at their equals signs, and the expressions at the ends of each side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from irl_core.text.equation_tokens import Kind, Token, tokenize_line
from irl_core.text.expressions import Expression, parse_at
from irl_core.text.step_labels import behind_label

# A line with the lines that go on with it: they begin with an equals sign.
_LINE = re.compile(r"[^\n\r]+(?:[\n\r]{1,3}[ \t]{0,40}(?=[=≈])[^\n\r]+)*")
_EQUALS = re.compile(r"[=≈≅≃]|\bequals\b|\bis equal to\b", re.IGNORECASE)
_IS = re.compile(r"\bis\b", re.IGNORECASE)
_CALCULATES = re.compile(r"[-+*/×÷√^!%−–·∛]|\b(?:plus|minus|times|divided|multiplied|of|squared|cubed|x|mod)\b")
# Words right before an expression that reach into it: "half of 12 + 3", "4 more than 2 * 3".
_REACHES_IN = frozenset(
    "times plus minus half thrice than over per less more fewer third quarter week weeks day days step average mean"
    " median mode pi sin cos tan log ln root cube factorial twice double triple gcd lcm max min abs mod minimum"
    " maximum negative to versus vs".split()
)
# "a total of 5 + 3" is 5 + 3; "half of 5 + 3" and "2 bags of 5 + 3" are not.
_MEASURES = frozenset(
    "total sum distance cost price profit amount area interest loss income number volume weight length time"
    " score revenue payment balance result temperature speed rate change perimeter savings salary".split()
)
# "10 pens at 1 + 2 dollars" multiplies: behind these words an expression may be a factor of an earlier number.
_JOINS = frozenset("at for with of in on by each every containing holding costing".split())
_LEADS_TO = frozenset(
    "amounts amounting comes total totals totaling up down doubled doubles tripled equal equates equivalent increases"
    " increased rises leads simplifies simplified reduces reduced decreased translates grows grew".split()
)
_SCALING_STEMS = ("multipl", "divid")
_SIGNS = (Kind.EQUALS, Kind.ABOUT, Kind.IS)
_BEGINS = (Kind.NUMBER, Kind.OPEN, Kind.ROOT)
# Behind these a minus does not begin anything: it goes on from what cannot be read.
_CUTS = frozenset("|.…?!✓")


class Side(NamedTuple):
    """The tokens on one side of an equals sign, with the expression that ends there and the one that begins there.

    `alone` is false where words before the suffix may reach into it ("half of 12 + 3").
    """

    tokens: Sequence[Token]
    suffix: Expression | None
    prefix: Expression | None
    alone: bool = True


@dataclass(frozen=True)
class Clause:
    """Sides and the equals signs between them, which end at the characters `sign_ends`; `opening` is the break before
    the clause."""

    sides: tuple[Side, ...]
    signs: tuple[Kind, ...]
    sign_ends: tuple[int, ...]
    opening: Token


def clauses_of(text: str) -> Iterator[Clause]:
    """The clauses of `text` that hold an equals sign or an "is"."""
    for line in _LINE.finditer(text):
        if _may_equal(text, *line.span()):
            yield from _clauses_of_line(text, *line.span())


def _may_equal(text: str, start: int, end: int) -> bool:
    """Could the line hold an equation? Most lines do not, and are known by a few letters."""
    if _EQUALS.search(text, start, end):
        return True
    return bool(_IS.search(text, start, end) and _CALCULATES.search(text, start, end))


def _clauses_of_line(text: str, start: int, end: int) -> Iterator[Clause]:
    opening = Token(Kind.BREAK, "\n", start, start)
    clause: list[Token] = []
    earlier: list[Token] = []
    for token in [*tokenize_line(text, behind_label(text, start, end), end), Token(Kind.BREAK, "\n", end, end)]:
        if token.kind is not Kind.BREAK:
            clause.append(token)
            continue
        if any(t.kind in _SIGNS for t in clause):
            yield _clause(clause, opening, torn=_is_torn(earlier, opening, clause))
        earlier, clause, opening = clause, [], token


def _is_torn(earlier: Sequence[Token], opening: Token, clause: Sequence[Token]) -> bool:
    """Does the clause go on from what stands before its break: ".8 + . 84 + .82 = 2.46", "14, 400 / 80 = 180"?"""
    if not earlier or not clause:
        return False
    last, first = earlier[-1], clause[0]
    grouped = last.kind is first.kind is Kind.NUMBER and opening.text == "," and len(first.text) == 3
    return grouped or last.kind is Kind.OPERATOR


def _clause(tokens: Sequence[Token], opening: Token, *, torn: bool) -> Clause:
    sides: list[list[Token]] = [[]]
    signs: list[Token] = []
    for token in tokens:
        if token.kind in _SIGNS:
            signs.append(token)
            sides.append([])
        else:
            sides[-1].append(token)
    read = [_read_side(side, opening if i == 0 else None, torn=torn and i == 0) for i, side in enumerate(sides)]
    return Clause(tuple(read), tuple(sign.kind for sign in signs), tuple(sign.end for sign in signs), opening)


def _read_side(tokens: list[Token], opening: Token | None, *, torn: bool) -> Side:
    prefix = suffix = None
    alone = True
    unmatched = _unmatched(tokens)
    tainted = torn or (opening is not None and _cuts(tokens, opening))
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if at in unmatched and (at == 0 or tokens[at - 1].end < token.start):
            at, tainted = at + 1, False  # "Sue (20 × 200 = 4000)"
        elif token.kind in _BEGINS or _is_sign(tokens, at):
            expression, at = parse_at(tokens, at)
            if expression is None:
                tainted = True
                continue
            if expression.first == 0 and _may_follow(tokens, expression):
                prefix = expression
            if at == len(tokens) and not tainted and not _is_glued(tokens, expression):
                suffix = expression
                alone = expression.first - 1 in unmatched or _may_precede(tokens, expression)
        else:
            tainted |= token.kind in (Kind.OPERATOR, Kind.FACTORIAL)
            at += 1
    return Side(tokens, suffix, prefix, alone)


def _unmatched(tokens: Sequence[Token]) -> frozenset[int]:
    """The opening brackets that are not closed on this side."""
    opened: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind is Kind.OPEN:
            opened.append(at)
        elif token.kind is Kind.CLOSE and opened:
            opened.pop()
    return frozenset(opened)


def _is_glued(tokens: Sequence[Token], expression: Expression) -> bool:
    """Does something that is no word stand right before the expression?"""
    return expression.first > 0 and tokens[expression.first - 1].kind not in (Kind.WORD, Kind.OPEN)


def _cuts(tokens: Sequence[Token], opening: Token) -> bool:
    """Does a clause that begins with a spaced minus go on from something unreadable: "|x| - 2 * 5 = 20"?"""
    if len(tokens) < 2 or tokens[0].text != "-" or opening.text not in _CUTS:
        return False
    return tokens[0].end < tokens[1].start or opening.text == "|"


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
    earlier = tokens[: expression.first]
    words = [token.text.lower() if token.kind is Kind.WORD else "" for token in earlier]
    if words[-1] == "of" and len(words) > 1 and words[-2] in _MEASURES:
        return True
    if words[-1] == "to" and len(words) > 1 and words[-2] in _LEADS_TO:
        return True
    if words[-1] in ("the", "her", "his", "their") and len(words) > 1 and words[-2] in _JOINS | {"to"}:
        return all(token.kind is Kind.WORD for token in earlier)
    if words[-1] in _JOINS:
        scaled = any(word.startswith(_SCALING_STEMS) for word in words)
        return words[-1] != "of" and not scaled and all(token.kind is Kind.WORD for token in earlier)
    return words[-1] != "" and words[-1] not in _REACHES_IN


def _may_follow(tokens: Sequence[Token], expression: Expression) -> bool:
    """Is what stands after the expression no part of it?"""
    if expression.unit_end == len(tokens):
        return True
    after, last = tokens[expression.unit_end], tokens[expression.unit_end - 1]
    inside = tokens[expression.unit_end + 1 : expression.unit_end + 2]
    worded = not inside or inside[0].kind is Kind.WORD
    return after.kind in (Kind.WORD, Kind.CLOSE) or (after.kind is Kind.OPEN and after.start > last.end and worded)
