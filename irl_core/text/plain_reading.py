"""A solution as a critic reads it: plain mathematics a step to a line, without the marks of layout.

What a person writes around a step, "### Step 3:", "- ", "**", says who wrote it and nothing of whether it is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.markup import PlainText, read_markup
from irl_core.text.spans import Span
from irl_core.text.step_labels import LINE_LABEL

_LAYOUT = re.compile(
    rf"(?:(?<=\n)|\A){LINE_LABEL}[ \t]*(?=\S)"  # "#### 12" is no label
    r"|(?<=\n)[ \t]*(?:[>•][ \t]*)?(?:[-=_*]{3,}[ \t]*)?(?:\n|\Z)"  # an empty line, a rule
    r"|(?<=\n)[ \t]+(?=\S)"  # an indent
    r"|(?<=[ \t])[ \t]+"
    r"|[ \t]+(?=\n|\Z)",
    re.IGNORECASE,
)

# How a person writes an operator says nothing of whether it is the right one.
_OPERATORS = str.maketrans("×·⋅∙÷−", "****/-")
_TIMES = re.compile(r"(?<=[0-9)%])([ ]?)[xX](?=[ ]?[($€£]?[0-9.])")


def read_plainly(text: str) -> PlainText:
    """The plain reading of a solution, each character with the place where it is written.

    Calculator marks, markup, the labels of steps and lists, empty lines, indents and doubled spaces are not read, and
    operators are read in one manner. A label with nothing behind it on its line stays, and so does the dash of a list,
    which may be a minus. A text that has nothing else is read as it is written.

    >>> read_plainly("Step 1:  3 × 4 = 12\\n\\n2. **Cost:** \\\\( 12 \\\\times 5 = 60 \\\\)").text
    '3 * 4 = 12\\nCost: 12 * 5 = 60'
    """
    clean, positions = strip_calculator_marks(text)
    plain = read_markup(clean)
    kept = [i for start, end in _kept(plain.text) for i in range(start, end)]
    if not kept or not plain.text.strip():
        return PlainText(text, range(len(text)), range(1, len(text) + 1))
    return PlainText(
        _TIMES.sub(r"\1*", "".join(plain.text[i] for i in kept).translate(_OPERATORS)),
        [positions[plain.starts[i]] for i in kept],
        [positions[plain.ends[i] - 1] + 1 for i in kept],
    )


def _kept(text: str) -> Iterator[Span]:
    start = 0
    for layout in _LAYOUT.finditer(text):
        yield start, layout.start()
        start = max(start, layout.end())
    yield start, len(text)
