"""Where the alternatives of a contrast tree come from: edits of expert steps, and steps at which a rollout departs."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from irl_core.learning.data.contrast_trees import Alternative, usable
from irl_core.learning.data.perturbations import edit_step, results_of
from irl_core.text.json_lines import BadLine, load_object, numbered_lines
from irl_core.text.numerals import NUMERAL
from irl_core.text.steps import split_steps


def edits(question: str, solution: str, per_step: int, rng: random.Random) -> list[Alternative]:
    """Up to `per_step` different edits of each step that computes something."""
    numbers = re.findall(NUMERAL, question.replace(",", ""))
    alternatives = []
    for k, (a, b) in enumerate(split_steps(solution)):
        made = {e.text: e for _ in range(per_step) if (e := edit_step(solution[a:b], numbers, rng))}
        alternatives += [Alternative(k, e.text, e.family) for e in made.values()]
    return alternatives


def departures(solution: str, rollouts: Iterable[str]) -> list[Alternative]:
    """The first step of each rollout that computes something the expert never computes, on the expert's own prefix.

    A rollout is followed while each of its steps arrives at the result of the expert's step of the same number; so
    the alternative is a natural error of the policy in a context where the expert is known to be right.
    """
    expert = [solution[a:b] for a, b in split_steps(solution)]
    alternatives: dict[tuple[int, str], Alternative] = {}
    for rollout in rollouts:
        steps = [rollout[a:b] for a, b in split_steps(rollout)]
        for k, (step, expert_step) in enumerate(zip(steps, expert, strict=False)):
            if results_of(step) and results_of(step) == results_of(expert_step):
                continue
            if usable(step, expert_step, solution):
                alternatives[k, step.strip()] = Alternative(k, step.strip(), "policy")
            break
    return list(alternatives.values())


def load_rollouts(path: Path) -> dict[str, list[str]]:
    """Solutions by question, from a trace file as `train.sample` writes it.

    Raises:
        ValueError: naming the line that lacks a question or a solution.
    """
    by_question: dict[str, list[str]] = defaultdict(list)
    for line in numbered_lines(path):
        if isinstance(line, BadLine):
            raise ValueError(f"{path}, line {line.line}: {line.reason}")
        number, raw = line
        try:
            record = load_object(raw)
            question, solution = record.get("question"), record.get("solution") or "\n".join(record.get("steps", []))
            if not question or not solution:
                raise ValueError("a rollout needs a question and a solution")
        except (ValueError, TypeError) as problem:
            raise ValueError(f"{path}, line {number}: {problem}") from problem
        by_question[question].append(solution)
    return dict(by_question)


def alternatives(
    question: str, solution: str, rollouts: Sequence[str], per_step: int, rng: random.Random
) -> list[Alternative]:
    """Natural departures first, then edits, each group in random order: what does not fit is left out at the end."""
    natural, made = departures(solution, rollouts), edits(question, solution, per_step, rng)
    rng.shuffle(natural)
    rng.shuffle(made)
    return natural + made
