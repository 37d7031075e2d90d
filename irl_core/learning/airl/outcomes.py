"""Outcome rewards in TRL's form: the upper bound to compare with, and a figure to watch. Never seen by the critic."""

from __future__ import annotations

from collections.abc import Sequence

from irl_core.text.answers import answers_match, extract_answer


def solved(completions: Sequence[str], demonstration: Sequence[str], **_: object) -> list[float]:
    """1 where a completion's final answer is that of the expert's solution, else 0."""
    return [
        float(answers_match(extract_answer(expert), extract_answer(completion)))
        for completion, expert in zip(completions, demonstration, strict=True)
    ]
