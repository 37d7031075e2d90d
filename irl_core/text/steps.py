"""Steps of a solution, and which step a token belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from irl_core.text.spans import Span, partition

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=[^\s])")


def split_steps(text: str) -> tuple[Span, ...]:
    """Steps of a solution: its non-blank lines, or its sentences when it is a single line.

    >>> split_steps("3 * 4 = 12\\n#### 12")
    ((0, 11), (11, 18))

    White space after a step belongs to it, white space before the first step to the first.
    """
    starts = [m.start() for m in re.finditer(r"[^\n]*\S[^\n]*", text)]
    if len(starts) == 1:
        line = text.rstrip()
        starts = [starts[0], *(m.end() for m in _SENTENCE_END.finditer(line))]
    return partition(starts, len(text)) if text else ()


def step_of_tokens(offsets: Sequence[Span], steps: Sequence[Span]) -> list[int]:
    """For each token the index of the step that holds its last character (a token may begin with the line break)."""
    owners, step = [], 0
    for start, end in offsets:
        last = max(start, end - 1)
        while step + 1 < len(steps) and last >= steps[step][1]:
            step += 1
        owners.append(step)
    return owners
