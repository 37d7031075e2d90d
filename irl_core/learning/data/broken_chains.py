"""Wrong solutions as people write them: one step goes wrong, and everything after it is computed from there.

The words stay; the numbers change, in equations and in words. But for a slip of arithmetic every equation holds, so
that only the reasoning is wrong.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from fractions import Fraction
from typing import NamedTuple

from irl_core.learning.data.error_kinds import KINDS, Break
from irl_core.learning.data.solution_graph import Node, Piece, WorkedSolution
from irl_core.learning.data.worked_equations import NotReadable, Quantity, evaluate, rounded

UGLY_SHARE = 0.15
"""How often a result may be a fraction where the right one is whole."""
UNCHANGED_SHARE = 0.03
"""How often the final answer may be right although a step is wrong."""
MAX_RATIO = 100
"""Of a right result and the wrong one: beyond it anybody would wonder."""


class BrokenSolution(NamedTuple):
    """`wrong` goes wrong first in line `line` (0-based; the number of its lines stands for the answer's).

    `right_beside` is the right solution without the lines that `wrong` lacks: the two differ from the error on.
    """

    right: WorkedSolution
    wrong: WorkedSolution
    right_beside: WorkedSolution
    line: int
    kind: str


def break_solution(solution: WorkedSolution, rng: random.Random, kind: str | None = None) -> BrokenSolution | None:
    """One error in a random step, of a random kind or of `kind`; None where none suits.

    Refused are results that are zero, negative or far off, and (but for a small share) fractions in place of whole
    numbers and errors after which the answer is right.
    """
    may_be_ugly, may_be_undone = rng.random() < UGLY_SHARE, rng.random() < UNCHANGED_SHARE
    for name in [kind] if kind else _shuffled_kinds(rng):
        for node in rng.sample(range(len(solution.nodes)), len(solution.nodes)):
            change = KINDS[name].make(solution, node, rng)
            broken = carried_through(solution, change, name) if change else None
            if change and broken and _passes(broken, change, ugly=may_be_ugly, undone=may_be_undone):
                return broken
    return None


def _shuffled_kinds(rng: random.Random) -> list[str]:
    """All kinds; the heavier one is, the earlier it comes (the first of exponential clocks)."""
    clocks = {name: rng.expovariate(kind.weight) for name, kind in KINDS.items()}
    return sorted(clocks, key=clocks.__getitem__)


def carried_through(solution: WorkedSolution, change: Break, kind: str) -> BrokenSolution | None:
    """The solution with one break and all that follows from it; None where that divides by zero or is no error."""
    try:
        nodes = recomputed(solution, change)
    except NotReadable:
        return None
    left_out: Collection[int] = ()
    answer = solution.answer
    if change.answer is not None:
        left_out = range(solution.line_of(change.answer) + 1, len(solution.lines))
        answer = answer._replace(place=change.answer)
    elif change.leaves_out:
        left_out = (solution.line_of(change.node),)
    broken_line = solution.line_of(change.node)
    lines = tuple(
        tuple(_renewed(piece, nodes, change, k == broken_line) for piece in pieces) if k >= broken_line else pieces
        for k, pieces in enumerate(solution.lines)
    )
    answer = answer.at(nodes[answer.place].result.value)
    wrong = solution._replace(nodes=nodes, lines=_without(lines, left_out), answer=answer)
    beside = solution._replace(
        lines=_without(solution.lines, left_out), answer=solution.answer._replace(place=answer.place)
    )
    return BrokenSolution(solution, wrong, beside, _first_difference(wrong, beside), kind)


def recomputed(solution: WorkedSolution, change: Break) -> tuple[Node, ...]:
    """The nodes with the break made and all that depends on it computed again.

    Raises:
        NotReadable: where that divides by zero.
    """
    nodes: list[Node] = []
    for i, node in enumerate(solution.nodes):
        tokens = change.tokens if i == change.node and change.tokens else node.tokens
        tokens = tuple(
            token.at(nodes[token.place].result.value)
            if isinstance(token, Quantity) and token.source == "result"
            else token
            for token in tokens
        )
        value = node.result.value
        if i == change.node and change.result is not None:
            value = change.result
        elif tokens != node.tokens:
            # "1/4 = 25%": where the right result is a hundred times its equation's value, so is the new one.
            scale = 100 if node.result.is_percent and evaluate(node.tokens) * 100 == value else 1
            value = rounded(evaluate(tokens) * scale)
        nodes.append(node._replace(tokens=tokens, result=node.result.at(value)))
    return tuple(nodes)


def _renewed(piece: Piece, nodes: tuple[Node, ...], change: Break, is_broken_line: bool) -> Piece:
    """A number in words with its new value; a number that is copied wrong is so in the words of its step as well."""
    if not isinstance(piece, Quantity):
        return piece
    if is_broken_line and change.miscopied is not None and piece.value == change.miscopied.old:
        return piece.at(change.miscopied.new)
    return piece.at(nodes[piece.place].result.value) if piece.source == "result" else piece


def _without(lines: tuple[tuple[Piece, ...], ...], left_out: Collection[int]) -> tuple[tuple[Piece, ...], ...]:
    return tuple(line for k, line in enumerate(lines) if k not in left_out)


def _first_difference(wrong: WorkedSolution, right: WorkedSolution) -> int:
    def written(solution: WorkedSolution, k: int) -> list[Piece | Node]:
        return [solution.nodes[piece] if isinstance(piece, int) else piece for piece in solution.lines[k]]

    lines = range(len(wrong.lines))
    return next((k for k in lines if written(wrong, k) != written(right, k)), len(wrong.lines))


def _passes(broken: BrokenSolution, change: Break, *, ugly: bool, undone: bool) -> bool:
    """Does the wrong solution look as if it could be right?"""
    right, wrong = broken.right, broken.wrong
    if not wrong.lines or (wrong.answer.value == right.answer.value and not undone):
        return False
    is_same = wrong.nodes[change.node].result.value == right.nodes[change.node].result.value
    if is_same and change.answer is None:
        return False
    return all(_is_plausible(old, new, ugly) for old, new in _changed(right, wrong))


def _changed(right: WorkedSolution, wrong: WorkedSolution) -> Iterator[tuple[Fraction, Fraction]]:
    """The results that have changed, old and new."""
    for old, new in zip(right.nodes, wrong.nodes, strict=True):
        if old.result.value != new.result.value:
            yield old.result.value, new.result.value


def _is_plausible(old: Fraction, new: Fraction, ugly: bool) -> bool:
    if new <= 0 or (old and max(old / new, new / old) > MAX_RATIO):
        return False
    return ugly or new.denominator == 1 or old.denominator != 1
