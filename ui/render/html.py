"""The one way from untrusted text to HTML, and from numbers to the page's typography."""

from __future__ import annotations

import html
import math
import re

_BIDI_CONTROL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def escape(text: str) -> str:
    """`text` as HTML that reads back as exactly `text`, safe in an element and in a quoted attribute.

    A carriage return is written as a reference because HTML parsers turn a bare one into a line feed. (A NUL has no
    spelling in HTML: browsers leave it out.)
    """
    return html.escape(text, quote=True).replace("\r", "&#13;")


def has_bidi_control(text: str) -> bool:
    """Whether `text` holds a character that changes the direction of what follows it."""
    return _BIDI_CONTROL.search(text) is not None


def signed(number: float, digits: int = 2) -> str:
    """A number with its sign, the minus typeset as wide as the plus; zero has none."""
    if not math.isfinite(number):
        return "n/a"
    shown = f"{number:+.{digits}f}" if abs(number) < 1e6 else f"{number:+.1e}"
    return shown[1:] if float(shown) == 0 else typeset(shown)


def typeset(numeral: str) -> str:
    """A number that is text already, its minus typeset as in `signed`."""
    return numeral.replace("-", "\u2212")


def plain(number: float, digits: int = 2) -> str:
    """A number whose plus is left out, its minus typeset as in `signed`."""
    return signed(number, digits).removeprefix("+")


def count(number: int, noun: str) -> str:
    """`1 solution`, `8 solutions`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
