"""The numbers and operators that a solution writes, and how much each surprised the critic's model.

What is right or wrong in a solution is which number and which operator it chose. Surprise is summed over whatever
tokens a number has, so one tokenizer's digit a token and another's three digits a token are read alike, and it is
counted from the trace's own level: the median surprise of its tokens. A constant added to every token changes nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from irl_core.text.equations import EquationCheck, vouched_spans
from irl_core.text.plain_reading import read_plainly
from irl_core.text.scores import TraceScore
from irl_core.text.spans import Span
from irl_core.text.traces import Trace
from irl_core.text.written_numbers import WRITTEN, read_written

_MENTION = re.compile(
    rf"(?P<number>{WRITTEN})|[($€£%]|(?<=[\d\s)%$€£¢])(?:[+\-−–*×·⋅÷/]|[xX](?=[ ]?[$€£]?\d))(?=[\s($€£.\d])"
)


class Mention(NamedTuple):
    """A number or an operator.

    `tokens` are the indices of its tokens, `excess` is their surprise in nats less that of as many tokens of the
    trace's level. `vouched`: it lies behind the "=" or "is" of an equation that holds (`vouched_spans`). `seen`: the
    same number stands earlier in the solution.
    """

    span: Span
    tokens: range
    excess: float
    is_number: bool
    vouched: bool = False
    seen: bool = False


class Reading(NamedTuple):
    """How one trace was read: the surprise of each token above the trace's level, (T,) in nats, and its mentions."""

    excess: np.ndarray
    mentions: tuple[Mention, ...]


def read_mentions(trace: Trace, score: TraceScore, equations: Sequence[EquationCheck]) -> Reading:
    """The mentions of a scored trace; `equations` are those of the whole trace, with spans in its text.

    A critic without log-probabilities has its rewards taken for them. What it did not read has no mention.
    """
    surprise = -np.array(score.logprobs or score.rewards)
    excess = surprise - (np.median(surprise) if len(surprise) else 0.0)
    starts = [start for start, _ in score.offsets]
    vouched = vouched_spans(equations)
    plain = read_plainly(trace.text)
    seen: set[Fraction] = set()
    mentions = []
    for match in _MENTION.finditer(plain.text):
        span = plain.written_span(*match.span())
        tokens = _tokens(starts, score.offsets, span)
        value = _value(match["number"])
        if tokens:
            mentions.append(
                Mention(
                    span,
                    tokens,
                    float(excess[tokens.start : tokens.stop].sum()),
                    value is not None,
                    any(a <= span[0] and span[1] <= b for a, b in vouched),
                    value in seen,
                )
            )
        if value is not None:
            seen.add(value)
    return Reading(excess, tuple(mentions))


def _tokens(starts: Sequence[int], offsets: Sequence[Span], span: Span) -> range:
    """The tokens that share a character with `span`."""
    first = max(0, bisect_right(starts, span[0]) - 1)
    behind = bisect_left(starts, span[1], lo=first)
    while first < behind and offsets[first][1] <= span[0]:
        first += 1
    return range(first, behind)


def _value(number: str | None) -> Fraction | None:
    """The value of a mention, None of an operator; a number that is too long to be read is one of its own."""
    if number is None:
        return None
    read = read_written(number)
    return read[0] if read else Fraction(-1, 1 + len(number))
