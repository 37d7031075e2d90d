"""The kinds of error that a step of a solution can have, each a pure function of a node and a random generator."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from irl_core.learning.data.solution_graph import WorkedSolution
from irl_core.learning.data.worked_equations import Quantity, Token, quantities
from irl_core.text.numerals import decimal_places, read_numeral, show_number


class Miscopied(NamedTuple):
    old: Fraction
    new: Fraction


class Break(NamedTuple):
    """What goes wrong at a node: other tokens, or another result under the same tokens.

    `leaves_out` drops the node's line, and its uses take `result`; `answer` ends the solution with that node's result;
    `miscopied` is a number that the words of the line copy wrong as well.
    """

    node: int
    tokens: tuple[Token, ...] = ()
    result: Fraction | None = None
    leaves_out: bool = False
    answer: int | None = None
    miscopied: Miscopied | None = None


Maker = Callable[[WorkedSolution, int, random.Random], Break | None]

MAX_RATIO = 15
"""Of a quantity and the one in whose place it is taken."""

_FLIPPED = {"+": "-", "-": "+", "*": "/", "/": "*"}
_COMPARISON = re.compile(
    r"\b(?:more|less|fewer|times|twice|half|third|older|younger|taller|shorter|longer|heavier|faster|slower)\b", re.I
)
_UNIT_SLIPS: dict[int, tuple[int, ...]] = {
    7: (5,), 12: (10,), 24: (12,), 30: (7,), 52: (12, 50), 60: (100, 10), 100: (10, 1000), 365: (360,), 1000: (100,), 
    16: (12, 10), 3600: (60,), 36: (12,), 5280: (1000,),
}  # fmt: skip


def other_operator(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """a + b as a * b; the numbers stay."""
    tokens = solution.nodes[node].tokens
    places = [i for i, token in enumerate(tokens) if token in _FLIPPED and i > 0]
    if not places:
        return None
    at = rng.choice(places)
    operator = rng.choice([sign for sign in _FLIPPED if sign != tokens[at]])
    return Break(node, (*tokens[:at], operator, *tokens[at + 1 :]))


def read_backwards(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """ "5 more than" as 5 less, "3 times as many" as a third; only where problem and line compare something."""
    tokens = solution.nodes[node].tokens
    words = "".join(piece for piece in solution.lines[solution.line_of(node)] if isinstance(piece, str))
    places = [i for i, token in enumerate(tokens) if token in _FLIPPED and i > 0]
    if len(places) != 1 or not _COMPARISON.search(words + " " + _about(solution, tokens)):
        return None
    at = places[0]
    return Break(node, (*tokens[:at], _FLIPPED[str(tokens[at])], *tokens[at + 1 :]))


def _about(solution: WorkedSolution, tokens: tuple[Token, ...]) -> str:
    """The sentences of the problem in which a number of the tokens stands."""
    digits = {q.digits for _, q in quantities(tokens) if q.source == "given"}
    sentences = re.split(r"(?<=[.?!])\s+", solution.question)
    return " ".join(s for s in sentences if digits & set(re.findall(r"[\d.,]*\d", s)))


def other_quantity(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """Another number of the problem in place of an operand."""
    return _replaced(solution, node, rng, list(solution.givens))


def earlier_result(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """The result of an earlier step in place of an operand."""
    return _replaced(solution, node, rng, [other.result for other in solution.nodes[:node]])


def _replaced(
    solution: WorkedSolution, node: int, rng: random.Random, others: list[Quantity], places: list[int] | None = None
) -> Break | None:
    tokens = solution.nodes[node].tokens
    if places is None:
        places = [i for i, q in quantities(tokens) if q.source != "constant"]
    present = {q.value for _, q in quantities(tokens)}
    choices = [
        (i, old, other)
        for i, old in quantities(tokens)
        if i in places
        for other in others
        if other.value not in present and old.is_percent == other.is_percent and _is_near(old.value, other.value)
    ]
    if not choices:
        return None
    at, old, other = rng.choice(choices)
    return Break(node, (*tokens[:at], old.taking(other), *tokens[at + 1 :]))


def _is_near(one: Fraction, other: Fraction) -> bool:
    """Could one be taken for the other?"""
    return one > 0 and other > 0 and max(one / other, other / one) <= MAX_RATIO


def term_dropped(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """a + b + c as a + b."""
    tokens = solution.nodes[node].tokens
    places = [i for i, _ in quantities(tokens)]
    if len(places) < 3 or "(" in tokens:
        return None
    at = rng.choice(places)
    if at == 0:
        return Break(node, tokens[2:]) if tokens[1] in ("+", "*") else None
    return Break(node, (*tokens[: at - 1], *tokens[at + 1 :]))


def term_doubled(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """a + b as a + b + b: the same thing counted twice."""
    tokens = solution.nodes[node].tokens
    places = [i for i, _ in quantities(tokens) if i > 0 and tokens[i - 1] in ("+", "-", "*")]
    if not places:
        return None
    at = rng.choice(places)
    return Break(node, (*tokens[: at + 1], tokens[at - 1], *tokens[at:]))


def step_left_out(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """The step is not made; where its result was used, its main operand is: an earlier result, else the largest."""
    line = solution.line_of(node)
    alone = solution.nodes_in(line) == [node] and any(
        node in solution.operand_nodes(later) for later in range(node + 1, len(solution.nodes))
    )
    operands = [q for _, q in quantities(solution.nodes[node].tokens) if q.source != "constant" and not q.is_percent]
    if not alone or not operands or solution.nodes[node].result.is_percent:
        return None
    main = max(operands, key=lambda q: (q.source == "result", q.value))
    return Break(node, result=main.value, leaves_out=True)


def stopped_early(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """The result of the step before the last is given as the answer; not where the last one joins many."""
    last = solution.answer.place
    used = [i for i in solution.operand_nodes(last) if solution.line_of(i) < solution.line_of(last)]
    return Break(last, answer=max(used)) if 1 <= len(used) <= 2 else None


def percent_of_other(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """A percentage of another quantity."""
    tokens = solution.nodes[node].tokens
    parts = _percent_places(solution, tokens)
    if not parts:
        return None
    bases = [i for i, q in quantities(tokens) if i not in parts and q.value != 100 and q.source != "constant"]
    others = [*solution.givens, *(other.result for other in solution.nodes[:node])]
    return _replaced(solution, node, rng, [q for q in others if not q.is_percent], bases)


def percent_complement(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """20 % as 80 %, 1.2 as 0.2: what is taken off for what is left, the increase for the whole."""
    tokens = solution.nodes[node].tokens
    parts = _percent_places(solution, tokens)
    if not parts:
        return None
    at = rng.choice(parts)
    part = tokens[at]
    assert isinstance(part, Quantity)
    whole = 100 if part.is_percent or part.value > 2 else 1
    value = abs(whole - part.value)
    if value in (0, part.value):
        return None
    changed = part.at(value)._replace(source="constant", place=-1)
    return Break(node, (*tokens[:at], changed, *tokens[at + 1 :]))


def _percent_places(solution: WorkedSolution, tokens: tuple[Token, ...]) -> list[int]:
    """Where a percentage stands: 20%, 20/100; 0.2 and 1.2 as factors where the problem speaks of percent."""
    places = []
    is_about_percent = bool(re.search(r"%|percent", solution.question, re.IGNORECASE))
    for i, q in quantities(tokens):
        over = tokens[i + 1 : i + 3]
        hundredth = len(over) == 2 and over[0] == "/" and isinstance(over[1], Quantity) and over[1].value == 100
        places_after_point = decimal_places(q.value) or 0
        factor = 0 < q.value < 2 and 0 < places_after_point <= 2 and "*" in (tokens[i - 1 : i] + tokens[i + 1 : i + 2])
        factor = factor and is_about_percent and not q.before
        if q.is_percent or (hundredth and q.value < 100) or factor:
            places.append(i)
    return places


def unit_slip(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """The factor of a unit is wrong, left out, or divides where it should multiply."""
    tokens = solution.nodes[node].tokens
    slips = [i for i, q in quantities(tokens) if q.source == "constant" and q.value in _UNIT_SLIPS]
    if not slips or "(" in tokens:
        return None
    at = rng.choice(slips)
    factor = tokens[at]
    assert isinstance(factor, Quantity)
    way = rng.choice(("wrong", "out", "flipped"))
    if way == "wrong":
        return Break(
            node, (*tokens[:at], factor.at(Fraction(rng.choice(_UNIT_SLIPS[int(factor.value)]))), *tokens[at + 1 :])
        )
    if at == 0 or tokens[at - 1] not in ("*", "/"):
        return None
    if way == "flipped":
        return Break(node, (*tokens[: at - 1], _FLIPPED[str(tokens[at - 1])], *tokens[at:]))
    if len(tokens) > 3:
        return Break(node, (*tokens[: at - 1], *tokens[at + 1 :]))
    return step_left_out(solution, node, rng)


def copied_wrong(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """A number of the problem with two digits swapped."""
    tokens = solution.nodes[node].tokens
    swaps = [(i, s) for i, q in quantities(tokens) if q.source == "given" for s in swapped(q.digits)]
    if not swaps:
        return None
    at, digits = rng.choice(swaps)
    old, value = tokens[at], read_numeral(digits)
    assert isinstance(old, Quantity)
    if value is None:
        return None
    new = old._replace(value=value, digits=digits)
    return Break(node, (*tokens[:at], new, *tokens[at + 1 :]), miscopied=Miscopied(old.value, value))


def swapped(digits: str) -> list[str]:
    """The numeral with two neighbouring digits swapped, in every way that makes another one.

    >>> swapped("480")
    ['840', '408']
    """
    ways = []
    for i in range(len(digits) - 1):
        a, b = digits[i], digits[i + 1]
        way = digits[:i] + b + a + digits[i + 2 :]
        if a.isdigit() and b.isdigit() and a != b and not way.startswith("0"):
            ways.append(way)
    return ways


def arithmetic_slip(solution: WorkedSolution, node: int, rng: random.Random) -> Break | None:
    """The equation is false: off by one, by ten, in a digit, by a forgotten carry."""
    result = solution.nodes[node].result
    shown = show_number(result.value)
    if "…" in shown or not solution.nodes[node].is_shown:
        return None
    unit = Fraction(1, 10 ** len(shown.partition(".")[2]))
    steps = [-unit, unit] if result.value < 20 * unit else [-unit, unit, -10 * unit, 10 * unit, -10 * unit, 2 * unit]
    if result.value >= 200 * unit:
        steps += [100 * unit, -100 * unit]
    if rng.random() < 0.3 and (ways := swapped(shown)):
        return Break(node, result=Fraction(rng.choice(ways)))
    return Break(node, result=result.value + rng.choice(steps))


class Kind(NamedTuple):
    make: Maker
    weight: float


KINDS: dict[str, Kind] = {
    "operator": Kind(other_operator, 1.5),
    "quantity": Kind(other_quantity, 3),
    "earlier_result": Kind(earlier_result, 2),
    "dropped": Kind(term_dropped, 4),
    "doubled": Kind(term_doubled, 0.5),
    "left_out": Kind(step_left_out, 1.5),
    "stopped_early": Kind(stopped_early, 0.8),
    "backwards": Kind(read_backwards, 2),
    "percent_base": Kind(percent_of_other, 5),
    "percent_complement": Kind(percent_complement, 5),
    "unit": Kind(unit_slip, 12),
    "copied": Kind(copied_wrong, 1),
    "slip": Kind(arithmetic_slip, 1.5),
}
