"""Right and wrong solutions in manners drawn from one distribution: only what they say tells them apart."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from irl_core.learning.data.broken_chains import BrokenSolution, break_solution
from irl_core.learning.data.demonstrations import Demonstration
from irl_core.learning.data.solution_graph import WorkedSolution, read_solution
from irl_core.learning.data.styles.choices import Style, draw_style
from irl_core.learning.data.styles.render import render
from irl_core.text.answers import answers_match, extract_answer
from irl_core.text.steps import split_steps

_TRIES = 20


class StyledExample(NamedTuple):
    """`first_error_step` counts the steps of `split_steps(solution)` from 0 and is -1 for a right solution.

    `kind` names the error, and is "right" where there is none; `family` and `style` say how it is written.
    """

    question: str
    solution: str
    first_error_step: int
    kind: str
    family: str
    style: str
    gold_answer: str
    is_answer_right: bool


def styled_examples(demonstrations: Sequence[Demonstration], n: int, rng: random.Random) -> Iterator[StyledExample]:
    """Up to `n` examples, right and wrong in turn, each of a pair in its own style.

    A demonstration that `read_solution` cannot read is left out, and one that no error suits.

    Args:
        demonstrations: with their calculator marks (`load_gsm8k(…, keep_marks=True)`), taken in random order.
    """
    made = 0
    for demonstration in rng.sample(demonstrations, len(demonstrations)):
        if made >= n:
            return
        right = read_solution(demonstration.question, demonstration.solution)
        broken = break_solution(right, rng) if right else None
        if right is None or broken is None:
            continue
        pair = right_example(right, rng), wrong_example(broken, rng)
        for example in pair if None not in pair else ():
            if example is not None and made < n:
                made += 1
                yield example


def right_example(solution: WorkedSolution, rng: random.Random) -> StyledExample | None:
    """The right solution in a random style."""
    for _ in range(_TRIES):
        style = draw_style(rng)
        text = render(solution, style)
        if _states(text, solution):
            return _example(solution, solution, text, -1, "right", style)
    return None


def wrong_example(broken: BrokenSolution, rng: random.Random) -> StyledExample | None:
    """The wrong solution in a random style, with the step in which it first differs from the right one."""
    for _ in range(_TRIES):
        style = draw_style(rng)
        text, beside = render(broken.wrong, style), render(broken.right_beside, style)
        if text != beside and _states(text, broken.wrong):
            return _example(broken.right, broken.wrong, text, first_difference(text, beside), broken.kind, style)
    return None


def first_difference(text: str, other: str) -> int:
    """The step of `text` that holds the first character that `other` has not."""
    at = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    return next(k for k, (start, end) in enumerate(split_steps(text)) if at < end or end == len(text))


def _states(text: str, solution: WorkedSolution) -> bool:
    return answers_match(solution.answer.digits.replace(",", ""), extract_answer(text))


def _example(
    right: WorkedSolution, written: WorkedSolution, text: str, step: int, kind: str, style: Style
) -> StyledExample:
    gold = right.answer.digits.replace(",", "")
    same = right.answer.value == written.answer.value
    return StyledExample(right.question, text, step, kind, style.family, style.description, gold, same)
