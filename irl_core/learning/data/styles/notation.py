"""Numbers and equations in a notation: plain signs, Unicode, or LaTeX."""

from __future__ import annotations

from irl_core.learning.data.solution_graph import Node
from irl_core.learning.data.styles.choices import Notation
from irl_core.learning.data.worked_equations import Quantity, Token

_CLOSING = {"\\(": " \\)", "$": "$", "\\[": "\n\\]", "$$": "\n$$"}


def write_number(quantity: Quantity, notation: Notation, *, in_math: bool = False) -> str:
    """A number with its currency sign, percent sign and unit; `in_math`: between LaTeX delimiters."""
    digits, before, after = quantity.digits, quantity.before, quantity.after
    whole, point, decimals = digits.replace(",", "").partition(".")
    if notation.commas is not None:
        digits = (f"{int(whole):,}" if notation.commas and whole else whole) + point + decimals
    if digits.startswith("."):
        digits = "0" + digits
    if in_math or notation.wrapper == "$":
        before = before.replace("$", "\\$")
    if in_math:
        percent, unit = ("\\%", after[1:]) if after.startswith("%") else ("", after)
        after = percent + (f" \\text{{{unit}}}" if unit else "")
        digits = digits.replace(",", "{,}")
    return before + digits + after


def write_side(tokens: tuple[Token, ...], notation: Notation) -> str:
    """An expression without its delimiters."""
    signs = {"*": notation.times, "/": "\\div" if notation.divide == "frac" else notation.divide, "of": "of"}
    if notation.is_latex:
        signs["of"] = "\\text{ of }"
    space = "" if notation.is_tight else " "
    parts: list[str] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if isinstance(token, Quantity) and notation.divide == "frac" and _is_fraction(tokens, i):
            top, bottom = (_operand(t, notation) for t in (token, tokens[i + 2]))
            parts.append(f"\\frac{{{top}}}{{{bottom}}}")
            i += 3
            continue
        if isinstance(token, Quantity):
            parts.append(_operand(token, notation))
        elif token in "()":
            parts.append(token)
        else:
            is_sign = i == 0 or tokens[i - 1] == "("
            gap = " " if token == "of" else space
            parts.append(token if is_sign else f"{gap}{signs.get(token, token)}{gap}")
        i += 1
    return "".join(parts)


def _operand(token: Token, notation: Notation) -> str:
    assert isinstance(token, Quantity)
    if not notation.units:
        token = token._replace(after="%" if token.is_percent else "")
    return write_number(token, notation, in_math=notation.is_latex)


def _is_fraction(tokens: tuple[Token, ...], at: int) -> bool:
    """Is it one number over another, and no part of a longer quotient?"""
    under = tokens[at + 2 : at + 3]
    return (
        tokens[at + 1 : at + 2] == ("/",)
        and bool(under)
        and isinstance(under[0], Quantity)
        and tokens[at - 1 : at] != ("/",)
    )


def write_equation(node: Node, notation: Notation) -> str:
    """ "3 * 4 = 12", without its delimiters."""
    equals = "=" if notation.is_tight else " = "
    result = write_number(node.result, notation, in_math=notation.is_latex)
    return write_side(node.tokens, notation) + equals + result


def wrapped(equation: str, notation: Notation) -> str:
    """The equation between the delimiters of its notation; a display formula in lines of its own."""
    if not notation.wrapper:
        return equation
    opening = notation.wrapper
    gap = {"\\(": " ", "$": "", "\\[": "\n", "$$": "\n"}[opening]
    return f"{opening}{gap}{equation}{_CLOSING[opening]}"
