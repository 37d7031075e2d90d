"""Two formats that label every step, not only the first wrong one: TRL's stepwise supervision and Math-Shepherd."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

STEP_END = "ки"

_FIRST_STEP = re.compile(r"\bStep 1\b")


def stepwise(record: dict[str, Any]) -> dict[str, Any]:
    """TRL's `prompt`, `completions` and `labels` as a record of the trace schema.

    Raises:
        ValueError: if a step has no label, or a label is neither true or false nor 1 or 0.
    """
    steps, labels = record["completions"], record["labels"]
    if not isinstance(steps, list) or not isinstance(labels, list):
        raise ValueError("'completions' and 'labels' must be lists")
    if len(steps) != len(labels):
        raise ValueError(f"has {len(steps)} completions but {len(labels)} labels")
    return {
        "question": _prompt(record["prompt"]),
        "steps": [step.strip() if isinstance(step, str) else step for step in steps],
        "first_error_step": _first_wrong([_is_right(label) for label in labels]),
    }


def _prompt(prompt: Any) -> Any:
    """The text of a prompt, which may be a conversation."""
    if not isinstance(prompt, list):
        return prompt
    said: list[str] = []
    for message in prompt:
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise ValueError("'prompt' must be a text or a list of messages with a text as 'content'")
        said.append(message["content"])
    return "\n".join(said)


def _is_right(label: Any) -> bool:
    if label in (0, 1):
        return bool(label)
    raise ValueError(f"a label must be true or false, not {label!r}"[:100])


def _first_wrong(right: Sequence[bool]) -> int:
    return next((i for i, is_right in enumerate(right) if not is_right), -1)


def math_shepherd(written: str, labelled: str) -> dict[str, Any]:
    """Math-Shepherd's `input` and `label` as a record of the trace schema.

    The two are one text, but for the end of each step, where the label has + or - in place of the mark.

    Raises:
        ValueError: if they are not, or the steps do not begin with "Step 1".
    """
    *pieces, rest = written.split(STEP_END)
    first = _FIRST_STEP.search(pieces[0]) if pieces else None
    if first is None:
        raise ValueError(f'\'input\' must hold a question and steps from "Step 1" on, each ended by "{STEP_END}"')
    if rest.strip():
        raise ValueError(f"'input' goes on behind its last \"{STEP_END}\"")
    right = []
    at = 0
    for number, piece in enumerate(pieces, 1):
        mark = labelled[at + len(piece) : at + len(piece) + 1]
        if not labelled.startswith(piece, at) or mark not in ("+", "-"):
            raise ValueError(f"'label' does not say + or - where step {number} of 'input' ends")
        right.append(mark == "+")
        at += len(piece) + 1
    question, opening = pieces[0][: first.start()], pieces[0][first.start() :]
    return {
        "question": question.strip(),
        "steps": [step.strip() for step in [opening, *pieces[1:]]],
        "first_error_step": _first_wrong(right),
    }
