"""Writes an operation out as a chain of easier ones: "33 - 19 = 23 - 9 = 14".

A small model that has to name 33 - 19 at once guesses; it can do one digit with a borrow. So the demonstrations take
the second number apart by its digits, as children are taught to, wherever a carry or a borrow would be needed. Every
link of the chain is a true equation that a reader, and the arithmetic check, can follow. A quotient is written down at
once: to split 84 into 60 + 24 one has to know it already, and a model taught to do so failed far more often.
"""

from __future__ import annotations

import re
from itertools import accumulate

_NUMBER_OR_SIGN = re.compile(r"\d+|[-+*/]")
_TABLE = 12  # products of the times tables are known by heart
_LONGEST_CHAIN = 7
_LONGEST_SUM = 4  # a product of more digits than 2 × 2 would fill the page


def chain(expression: str) -> list[str]:
    """The forms between an expression and its value, both left out; empty where no help is needed.

    Args:
        expression: whole numbers joined by + - * /, without parentheses; anything else gets no help.

    >>> chain("33 - 19")
    ['23 - 9']
    >>> chain("7 * 24")
    ['140 + 28']
    >>> chain("24 * 13")
    ['24 * 10 + 24 * 3', '240 + 72']
    >>> chain("20 + 4")
    []
    """
    parts = _NUMBER_OR_SIGN.findall(expression)
    if "".join(parts) != expression.replace(" ", "") or len(parts) % 2 == 0 or not all(map(str.isdigit, parts[::2])):
        return []
    numbers, signs = [int(p) for p in parts[::2]], parts[1::2]
    if not signs or set("".join(signs)) - set("+-*/"):
        return []
    if signs == ["*"]:
        return _product(*numbers)
    return _sum(numbers, signs) if set(signs) <= {"+", "-"} else []


def _digits(number: int) -> list[int]:
    """The parts by place, greatest first, zeros left out: 305 is 300 and 5."""
    text = str(number)
    return [int(d) * 10 ** (len(text) - i - 1) for i, d in enumerate(text) if d != "0"]


def _sum(numbers: list[int], signs: list[str]) -> list[str]:
    """From the left, one number after the other, each by its digits where it needs a carry or a borrow."""
    if max(numbers) < 10:
        return []
    total, forms = numbers[0], []
    for i, (sign, number) in enumerate(zip(signs, numbers[1:], strict=True)):
        rest = "".join(f" {s} {n}" for s, n in zip(signs[i + 1 :], numbers[i + 2 :], strict=True))
        parts = _digits(number) if _is_hard(total, sign, number) else [number]
        for part in parts:
            total = total + part if sign == "+" else total - part
            number -= part
            forms.append(f"{total} {sign} {number}{rest}" if number else f"{total}{rest}")
        if total < 0:
            return []
    return forms[:-1] if len(forms) <= _LONGEST_CHAIN else []


def _is_hard(a: int, sign: str, b: int) -> bool:
    """Whether column arithmetic of two numbers of two digits and more carries or borrows (90 + 360 as 9 + 36)."""
    a, b = _without_common_zeros(a, b)
    if min(a, b) < 10:
        return False
    pairs = zip(reversed(str(a)), reversed(str(b)), strict=False)
    return any(int(x) + int(y) > 9 if sign == "+" else int(x) < int(y) for x, y in pairs)


def _without_common_zeros(a: int, b: int) -> tuple[int, int]:
    while a and b and a % 10 == b % 10 == 0:
        a, b = a // 10, b // 10
    return a, b


def _product(a: int, b: int) -> list[str]:
    """A product of one number by the digits of the other, then the sum: 24 * 13 is 24 * 10 + 24 * 3."""
    significant = [int(str(n).rstrip("0") or 0) for n in (a, b)]
    if max(significant) <= _TABLE or min(significant) <= 1:
        return []
    if min(significant) > 9:
        parts = _digits(b)
        split = [" + ".join(f"{a} * {part}" for part in parts)]
        terms = [a * part for part in parts]
    else:
        split, terms = [], [x * y for y in _digits(b) for x in _digits(a)]
    if not 1 < len(terms) <= _LONGEST_SUM:
        return []
    running = list(accumulate(terms))
    forms = [" + ".join(map(str, terms))]
    forms += [" + ".join(map(str, [running[i], *terms[i + 1 :]])) for i in range(1, len(terms) - 1)]
    return split + forms


_OPEN = re.compile(r"=\s*(?P<currency>\$?)\s*$")
_MARK = re.compile(r"<<([^<>=]+)=[^<>]*>>")


def write_out_marks(solution: str) -> str:
    """GSM8K's solution with the operations at its calculator marks written out; the marks stay for others to strip.

    >>> write_out_marks("They have $33-$19=$<<33-19=14>>14 left.")
    'They have $33-$19=$23-$9=$<<33-19=14>>14 left.'
    """
    written, position = [], 0
    for mark in _MARK.finditer(solution):
        before = solution[position : mark.start()]
        if opened := _OPEN.search(before):
            tight = before[: opened.start()][-1:] != " "
            written.append(before)
            for form in chain(mark[1]):
                currency, equals = opened["currency"], "=" if tight else " = "
                shown = re.sub(r"(?<=[-+] )(?=\d)", lambda _: currency, form)  # noqa: B023 (used at once)
                written.append((shown.replace(" ", "") if tight else shown) + equals + currency)
        else:
            written.append(before)
        written.append(mark[0])
        position = mark.end()
    return "".join([*written, solution[position:]])
