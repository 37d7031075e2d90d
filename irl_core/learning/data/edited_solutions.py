"""Right solutions beside the same with one step made wrong: labels that cost nobody anything."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from irl_core.learning.data.demonstrations import Demonstration
from irl_core.learning.data.step_alternatives import edits
from irl_core.learning.data.word_problems import Split, generate
from irl_core.text.steps import split_steps


class EditedSolution(NamedTuple):
    """`wrong` differs from `right` in step `step` (0-based) alone; the steps after it go on as if it were right."""

    question: str
    right: str
    wrong: str
    step: int


def edited_solutions(
    demonstrations: Sequence[Demonstration], n: int, split: Split, rng: random.Random
) -> Iterator[EditedSolution]:
    """Up to `n` of the demonstrations and `n` generated problems of a split, each with an edit of a random step."""
    shuffled = rng.sample(demonstrations, len(demonstrations))
    generated = ((p.question, p.solution) for p in generate(rng, split))
    for source in (((d.question, d.solution) for d in shuffled), generated):
        yield from islice(_edited(source, rng), n)


def _edited(source: Iterable[tuple[str, str]], rng: random.Random) -> Iterator[EditedSolution]:
    for question, solution in source:
        if made := edits(question, solution, 1, rng):
            alternative = rng.choice(made)
            start, end = split_steps(solution)[alternative.step]
            yield EditedSolution(
                question, solution, solution[:start] + alternative.text + solution[end:], alternative.step
            )
