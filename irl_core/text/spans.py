"""Spans: half-open pairs of character positions, and texts that are cut into them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

Span = tuple[int, int]


def require_partition(name: str, spans: Sequence[Span], length: int) -> None:
    ends = [0, *(b for _, b in spans)]
    starts = [*(a for a, _ in spans), length]
    if ends != starts or any(b < a for a, b in spans):
        raise ValueError(f"{name} must cover the {length} characters of the text once, in order")


def partition(starts: Iterable[int], length: int) -> tuple[Span, ...]:
    """Spans that cover `length` characters, one per entry of `starts`; starts are made monotone first.

    Tokenisers report overlapping spans for the bytes of one character and leave gaps at dropped white space; the
    first token here begins at 0, each ends where the next begins, and a later byte of one character is empty.
    """
    cuts = list(accumulate((min(max(s, 0), length) for s in starts), max))
    if not cuts:
        return ()
    cuts[0] = 0
    return tuple(pairwise([*cuts, length]))
