"""A worked solution as the text of a style."""

from __future__ import annotations

import random

from irl_core.learning.data.solution_graph import WorkedSolution
from irl_core.learning.data.styles.choices import Style
from irl_core.learning.data.styles.layouts import ending, introduction, title_of
from irl_core.learning.data.styles.lines import write_line


def render(solution: WorkedSolution, style: Style) -> str:
    """Write a solution in a style.

    A function of both alone. What is drawn for a step does not depend on its numbers: two solutions with the same
    words differ in the text only from the first number on in which they differ.
    """
    intro = introduction(solution.question, style, random.Random(style.seed))
    end = ending(solution, style, random.Random(style.seed + 1))
    steps = []
    for k in range(len(solution.lines)):
        own = random.Random((style.seed << 8) + k + 2)
        title = title_of(solution, k, own) if "{title}" in style.label else ""
        label, line = style.label.format(n=k + 1, title=title), write_line(solution, k, style, own)
        if label and not label.endswith("\n") and line.startswith(("\\[", "$$")):
            line = f"We calculate:\n{line}"  # no formula of its own lines behind "Step 1: "
        steps.append(label + line)
    if style.join == " ":
        stop = ";" if style.lower else "."
        steps = [step if step[-1] in ".!?:" else step + stop for step in steps]
        if not end:
            steps[-1] = steps[-1].rstrip(";")
    return style.join.join(part for part in (intro, *steps, end) if part)
