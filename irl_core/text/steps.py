"""Steps of a solution, and which step a token belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from irl_core.text.sentences import sentence_starts
from irl_core.text.spans import Span, partition
from irl_core.text.step_lines import Line, Role, read_lines


def split_steps(text: str) -> tuple[Span, ...]:
    """Steps of a solution: its lines that say something, or its sentences when it is a single line.

    >>> split_steps("3 * 4 = 12\\n#### 12")
    ((0, 11), (11, 18))

    A heading belongs to the step that it names, and a line that is only markup (a rule, a code fence, the "$$" around
    a formula) to the step beside it. A table and a block of code are one step each; in a display formula every row
    that relates two sides is one. White space after a step belongs to it, white space before the first step to the
    first. Every kind of line break ends a line. Linear in the text.
    """
    if not text or text.isspace():
        return ()
    lines = read_lines(text)
    starts: list[int] = []
    opening: int | None = None
    for line in lines:
        if line.role is Role.OPENS and opening is None:
            opening = line.start
        elif line.role is Role.BEGINS:
            starts.append(line.start if opening is None else opening)
            opening = None
    if not starts:
        return ((0, len(text)),)
    if len(starts) == 1:
        starts += _sentences(text, lines)
    return partition(starts, len(text))


def _sentences(text: str, lines: Sequence[Line]) -> list[int]:
    """Where the further sentences of the only step begin, if it is one line outside a formula or a block."""
    said = [line for line in lines if line.role is Role.BEGINS]
    if said[0].in_block:
        return []
    start, end = said[0].start, said[0].end
    return [start + at for at in sentence_starts(text[start:end])]


def step_of_tokens(offsets: Sequence[Span], steps: Sequence[Span]) -> list[int]:
    """For each token the index of the step that holds its last character (a token may begin with the line break)."""
    owners, step = [], 0
    for start, end in offsets:
        last = max(start, end - 1)
        while step + 1 < len(steps) and last >= steps[step][1]:
            step += 1
        owners.append(step)
    return owners
