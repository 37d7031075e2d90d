"""Expressions with exact values, written as pupils and models write them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from irl_core.text.numerals import show_number

MANNERS = ("plain", "latex", "unicode", "words", "things", "money")
UNITS = (
    (("inches", Fraction(1)), ("feet", Fraction(12)), ("yards", Fraction(36)), ("in", Fraction(1))),
    (("seconds", Fraction(1)), ("minutes", Fraction(60)), ("hours", Fraction(3600)), ("hrs", Fraction(3600))),
    (("grams", Fraction(1)), ("kg", Fraction(1000)), ("kilograms", Fraction(1000)), ("mg", Fraction(1, 1000))),
    (("cm", Fraction(1)), ("meters", Fraction(100)), ("km", Fraction(100_000)), ("mm", Fraction(1, 10))),
    (("cents", Fraction(1)), ("dollars", Fraction(100)), ("dimes", Fraction(10)), ("nickels", Fraction(5))),
)
_SIGNS = {
    "plain": {"+": "+", "-": "-", "*": "*", "/": "/"},
    "latex": {"+": "+", "-": "-", "*": "\\times", "/": "\\div"},
    "unicode": {"+": "+", "-": "−", "*": "×", "/": "÷"},
    "words": {"+": "plus", "-": "minus", "*": "times", "/": "divided by"},
    "things": {"+": "+", "-": "-", "*": "*", "/": "/"},
    "money": {"+": "+", "-": "-", "*": "*", "/": "/"},
}


@dataclass(frozen=True)
class Node:
    """A number, or an operation on two expressions."""

    number: Fraction | None = None
    sign: str = ""
    left: Node | None = None
    right: Node | None = None

    def value(self) -> Fraction | None:
        """The exact value; None for a division by zero."""
        if self.number is not None:
            return self.number
        assert self.left is not None
        assert self.right is not None
        a, b = self.left.value(), self.right.value()
        if a is None or b is None or (self.sign == "/" and b == 0):
            return None
        return {"+": a + b, "-": a - b, "*": a * b}[self.sign] if self.sign != "/" else a / b


_NUMBERS = st.integers(0, 999).map(Fraction) | st.integers(1, 9999).map(lambda n: Fraction(n, 100))


def expressions() -> st.SearchStrategy[Node]:
    """Operations on up to five numbers."""
    leaves = _NUMBERS.map(lambda n: Node(number=n))

    def joined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        return st.builds(Node, number=st.none(), sign=st.sampled_from("+-*/"), left=inner, right=inner)

    return joined(st.recursive(leaves, joined, max_leaves=4))


def rendered(node: Node, manner: str, stated: Fraction) -> str:
    """The equation of an expression and a number, written in one of `MANNERS`."""
    text = f"{_written(node, manner, 0)} = {_number(stated, manner)}"
    return f"${text}$" if manner == "latex" else text


def _number(value: Fraction, manner: str) -> str:
    shown = show_number(value, 4)
    if manner == "unicode":
        return shown.replace("-", "−")
    return f"{shown} pens" if manner == "things" else f"${shown}" if manner == "money" else shown


def _written(node: Node, manner: str, binding: int) -> str:
    if node.number is not None:
        return _number(node.number, "plain" if manner == "money" else manner)
    assert node.left is not None
    assert node.right is not None
    if node.sign == "/" and manner == "latex":
        return f"\\frac{{{_written(node.left, manner, 0)}}}{{{_written(node.right, manner, 0)}}}"
    own = 1 if node.sign in "+-" else 2
    text = f"{_written(node.left, manner, own)} {_SIGNS[manner][node.sign]} {_written(node.right, manner, own + 1)}"
    return f"({text})" if own < binding else text


HOSTILE_TEXT = st.lists(
    st.sampled_from(
        "1 2 3.5 1,000 1.000 $5 20% ½ √ ² = ≈ is + - − – * × / ÷ ( ) [ ] { } ^ ! . , : ; ? of and pens"
        " feet inches m kg hours per a each half three R mod $ \\frac \\frac{ } \\times \\\\ ** | << >> #### pm 2:45"
        " 0.(3) x \n \t".split(" ")
    ),
    max_size=40,
).map(" ".join) | st.text(max_size=200)
