"""Sums with times of day: "2:45 pm + 30 min = 3:15 pm", "10:15 - 8:45 = 1 hour 30 minutes"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from irl_core.text.equation_tokens import Kind, Token
from irl_core.text.expressions import parse_at
from irl_core.text.quantities import NotArithmetic, conversion, evaluate

_HALF_DAY = 12 * 60
_TIME = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?[ ]?(a|p)?", re.IGNORECASE)


class ClockVerdict(NamedTuple):
    """From token `first` of the left side to token `last` (exclusive) of the right side."""

    first: int
    last: int
    expected: str
    stated: str
    ok: bool


class _Time(NamedTuple):
    """Minutes after midnight or noon, and "a" or "p" where it is said."""

    minutes: int
    half: str


def check_times(left: Sequence[Token], right: Sequence[Token]) -> ClockVerdict | None:
    """The verdict on a sum or a difference with times of day; None where it is none, or is not told clearly."""
    first = next((i for i, token in enumerate(left) if token.kind is Kind.TIME), None)
    if first is None or first + 2 >= len(left) or not right:
        return None
    start, sign = _read_time(left[first]), left[first + 1]
    if start is None or sign.kind is not Kind.OPERATOR or sign.text not in ("+", "-"):
        return None
    if left[first + 2].kind is Kind.TIME:
        return _difference(left, right, first) if sign.text == "-" and first + 3 == len(left) else None
    stated = _read_time(right[0]) if right[0].kind is Kind.TIME else None
    passed = _duration(left, first + 2)
    if stated is None or passed is None or passed[1] != len(left):
        return None
    told = bool(start.half) and bool(stated.half)
    turn = 2 * _HALF_DAY if told else _HALF_DAY
    exact = (_on_clock(start, told) + (passed[0] if sign.text == "+" else -passed[0])) % turn
    ok = exact == _on_clock(stated, told) % turn
    return ClockVerdict(first, 1, _show(exact, told), right[0].text, ok)


def _difference(left: Sequence[Token], right: Sequence[Token], first: int) -> ClockVerdict | None:
    later, earlier = _read_time(left[first]), _read_time(left[first + 2])
    passed = _duration(right, 0)
    if later is None or earlier is None or passed is None:
        return None
    told = bool(later.half) and bool(earlier.half)
    turn = 2 * _HALF_DAY if told else _HALF_DAY
    exact = Fraction((_on_clock(later, told) - _on_clock(earlier, told)) % turn)
    return ClockVerdict(first, passed[1], _show_duration(exact), _show_duration(passed[0]), exact == passed[0] % turn)


def _read_time(token: Token) -> _Time | None:
    match = _TIME.match(token.text)
    if match is None or int(match[1]) > 24 or int(match[2] or 0) > 59 or (match[3] and int(match[1]) > 12):
        return None
    return _Time(int(match[1]) % 12 * 60 + int(match[2] or 0), (match[3] or "").lower())


def _on_clock(time: _Time, told: bool) -> int:
    return time.minutes + _HALF_DAY * (told and time.half == "p")


def _duration(tokens: Sequence[Token], at: int) -> tuple[Fraction, int] | None:
    """Minutes, and the token behind them."""
    expression, end = parse_at(tokens, at)
    if expression is None:
        return None
    try:
        value, parts, _ = evaluate(expression.code)
    except NotArithmetic:
        return None
    ratio = conversion(tuple(parts), (("minute", 1),)) if parts else None
    return (value * ratio, end) if ratio is not None else None


def _show(minutes: Fraction, told: bool) -> str:
    whole = int(minutes)
    hour, minute = divmod(whole % _HALF_DAY, 60)
    half = (" pm" if whole >= _HALF_DAY else " am") if told else ""
    return f"{hour or 12}:{minute:02d}{half}"


def _show_duration(minutes: Fraction) -> str:
    hours, rest = divmod(int(minutes), 60)
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"
