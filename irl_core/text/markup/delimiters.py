"""Which dollar signs and asterisks of a text are markup, and which are money and multiplication."""

from __future__ import annotations

import re

_SIGNS = re.compile(r"\n|(?<!\\)\$\$?|(?<![*\\])\*(?!\*)")


def delimiters(text: str) -> frozenset[int]:
    """The positions of single dollar signs around mathematics and of single asterisks around emphasis.

    A dollar sign opens if nothing but space, a bracket or a quotation mark stands before it and no space behind it; it
    closes if no space stands before it, and neither a digit nor a letter behind it. So "$5 + $3" is money, "$5 + x$"
    is mathematics. Delimiters end with their line. Linear in the text.
    """
    found: list[int] = []
    dollar = star = -1
    for match in _SIGNS.finditer(text):
        at, sign = match.start(), match[0]
        if sign == "\n":
            dollar = star = -1
        elif sign == "$":
            if dollar >= 0 and _closes(text, at):
                found += [dollar, at]
                dollar = -1
            elif _opens(text, at):
                dollar = at
        elif sign == "*":
            if star >= 0 and _closes(text, at):
                found += [star, at]
                star = -1
            elif _opens_emphasis(text, at):
                star = at
    return frozenset(found)


def _opens(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return not (before.isalnum() or before in ("+", "-", "*", "/", "=")) and not (
        after.isspace() or after in ("", "$")
    )


def _closes(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return not (before.isspace() or before in ("+", "-", "*", "/", "=", "(")) and not (after.isalnum() or after == "$")


def _opens_emphasis(text: str, at: int) -> bool:
    """Whether "*" begins emphasis: before a word, at the start of a line or behind a word or a full stop."""
    before = text[max(0, at - 2) : at].rstrip(" ")
    return text[at + 1 : at + 3].isalpha() and text[at + 2 : at + 3] != "" and before[-1:] not in tuple("0123456789)")
