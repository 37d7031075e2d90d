"""Steps of a solution, and which step a token belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from irl_core.text.spans import Span, partition

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=\S)")


def split_steps(text: str) -> tuple[Span, ...]:
    """Steps of a solution: its non-blank lines, or its sentences when it is a single line.

    >>> split_steps("3 * 4 = 12\\n#### 12")
    ((0, 11), (11, 18))

    White space after a step belongs to it, white space before the first step to the first. Linear in the text: a
    pattern that looks for a line with something in it would try every character of a long blank line as its start.
    """
    starts = []
    line_start = 0
    for line in text.split("\n"):
        if line and not line.isspace():
            starts.append(line_start)
        line_start += len(line) + 1
    if len(starts) == 1:
        starts += [end.end() for end in _SENTENCE_END.finditer(text.rstrip())]
    return partition(starts, len(text))


def step_of_tokens(offsets: Sequence[Span], steps: Sequence[Span]) -> list[int]:
    """For each token the index of the step that holds its last character (a token may begin with the line break)."""
    owners, step = [], 0
    for start, end in offsets:
        last = max(start, end - 1)
        while step + 1 < len(steps) and last >= steps[step][1]:
            step += 1
        owners.append(step)
    return owners
