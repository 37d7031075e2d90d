"""A demonstration as a chain of results: each equation a node whose operands are known by where they come from.

An operand is a number of the problem, the result of an earlier node, or a constant. So an equation can be changed and
everything that depends on it, in equations and in words, computed again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from irl_core.learning.data.equation_finder import Found, Lexeme, find_equations, lexemes_of
from irl_core.learning.data.worked_equations import NotReadable, Quantity, Token, quantities
from irl_core.text.numerals import NUMERAL, read_numeral


class Node(NamedTuple):
    """An equation. `is_shown` is False where only its result stands in the words ("so half of it is 12")."""

    tokens: tuple[Token, ...]
    result: Quantity
    is_shown: bool = True


Piece = str | Quantity | int
"""Of a line: words, a number among them, or the index of the node whose equation stands there."""


class WorkedSolution(NamedTuple):
    """A solution that can be computed again.

    Attributes:
        givens: the problem's numbers in order.
        nodes: the equations in order.
        lines: the pieces of each line, the answer's line left out.
        answer: the number of the answer's line, whose `place` is the node that it is the result of.
    """

    question: str
    givens: tuple[Quantity, ...]
    nodes: tuple[Node, ...]
    lines: tuple[tuple[Piece, ...], ...]
    answer: Quantity

    def line_of(self, node: int) -> int:
        """The line in which an equation stands."""
        return next(k for k in range(len(self.lines)) if node in self.nodes_in(k))

    def nodes_in(self, line: int) -> list[int]:
        """The equations of a line."""
        return [piece for piece in self.lines[line] if isinstance(piece, int)]

    def operand_nodes(self, node: int) -> list[int]:
        """The earlier nodes whose results a node computes with."""
        return [q.place for _, q in quantities(self.nodes[node].tokens) if q.source == "result"]


def read_solution(question: str, solution: str) -> WorkedSolution | None:
    """Read a solution of GSM8K with its calculator marks.

    None where an equation cannot be read exactly, a result does not agree with its equation, text and mark disagree,
    or the answer is no result.
    """
    body, found, answer = solution.rpartition("####")
    digits = answer.strip().lstrip("$").rstrip("%. ")
    value = read_numeral(digits)
    if not found or value is None:
        return None
    reader = _Reader(given_quantities(question))
    try:
        lines = tuple(reader.line(line.strip()) for line in body.splitlines() if line.strip())
    except NotReadable:
        return None
    results = [i for i, node in enumerate(reader.nodes) if node.result.value == value]
    if not results:
        return None
    final = Quantity(value, digits, source="result", place=results[-1])
    return WorkedSolution(question, tuple(reader.givens), tuple(reader.nodes), lines, final)


_WORDED = dict(zip("two three four five six seven eight nine ten eleven twelve".split(), range(2, 13), strict=True))
_GIVEN = re.compile(
    rf"(?P<before>[$£€])?(?P<number>(?<![\d.]){NUMERAL})(?P<percent>\s?%)?|\b(?P<word>{'|'.join(_WORDED)})\b", re.I
)


def given_quantities(question: str) -> list[Quantity]:
    """The numbers of a problem in their order, in digits or in words, each value once.

    >>> [(q.before + q.digits + q.after) for q in given_quantities("Two pens cost $3 and 20% tax.")]
    ['2', '$3', '20%']
    """
    found: dict[tuple[Fraction, bool], Quantity] = {}
    for match in _GIVEN.finditer(question):
        digits = str(_WORDED[match["word"].lower()]) if match["word"] else match["number"]
        value = read_numeral(digits)
        if value is not None:
            after = "%" if match["percent"] else ""
            quantity = Quantity(value, digits, match["before"] or "", after, "given", len(found))
            found.setdefault((value, quantity.is_percent), quantity)
    return list(found.values())


@dataclass
class _Reader:
    """Reads line after line; knows the numbers that stand behind, and which results have been used."""

    givens: Sequence[Quantity]
    nodes: list[Node] = field(default_factory=list)
    used: set[int] = field(default_factory=set)

    def line(self, text: str) -> tuple[Piece, ...]:
        """The pieces of a line.

        Raises:
            NotReadable: if an equation cannot be read.
        """
        lexemes = lexemes_of(text)
        places: list[tuple[int, int, Piece]] = [
            (found.start, found.end, self._node(found)) for found in find_equations(lexemes)
        ]
        own = [node for _, _, node in places if isinstance(node, int)]
        places += [
            (lexeme.start, lexeme.end, self._in_words(lexeme.quantity, own))
            for lexeme in lexemes
            if lexeme.quantity is not None and not _is_inside(lexeme, places)
        ]
        pieces: list[Piece] = []
        position = 0
        for start, end, piece in sorted(places, key=lambda place: place[0]):
            pieces += [text[position:start], piece]
            position = end
        return tuple(piece for piece in [*pieces, text[position:]] if piece != "")

    def _node(self, found: Found) -> int:
        tokens = tuple(self._origin(t) if isinstance(t, Quantity) else t for t in found.tokens)
        self.used.update(q.place for _, q in quantities(tokens) if q.source == "result")
        index = len(self.nodes)
        self.nodes.append(Node(tokens, found.result._replace(source="result", place=index), found.is_shown))
        return index

    def _in_words(self, quantity: Quantity, own: Sequence[int]) -> Quantity:
        """A number among words is first of all one of its line's own equations."""
        numbers = [q for i in own for _, q in quantities(self.nodes[i].tokens)] + [self.nodes[i].result for i in own]
        known = next((number for number in numbers if _same(number, quantity)), None)
        return self._origin(quantity) if known is None else quantity._replace(source=known.source, place=known.place)

    def _origin(self, quantity: Quantity) -> Quantity:
        """The latest unused result of that value, else the problem's number, else any result, else a constant."""
        results = [i for i, node in enumerate(self.nodes) if _same(node.result, quantity)]
        given = next((g for g in self.givens if _same(g, quantity)), None)
        unused = [i for i in results if i not in self.used]
        if unused or (results and given is None):
            return quantity._replace(source="result", place=(unused or results)[-1])
        return quantity if given is None else quantity._replace(source="given", place=given.place)


def _same(one: Quantity, other: Quantity) -> bool:
    return one.value == other.value and one.is_percent == other.is_percent


def _is_inside(lexeme: Lexeme, places: Sequence[tuple[int, int, Piece]]) -> bool:
    return any(start <= lexeme.start < end for start, end, _ in places)
