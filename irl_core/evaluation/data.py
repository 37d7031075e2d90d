"""Reads trace files: JSON lines that anybody may have written, one at a time, bad lines named and passed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irl_core.json_lines import BadLine, kind_of, load_object, numbered_lines
from irl_core.traces import Trace, trace_from_steps, trace_from_text

MAX_SOLUTION_CHARS = 100_000
MAX_STEPS = 1_000


@dataclass(frozen=True)
class LabelledTrace:
    """One line of a trace file. Labels that the line lacks are None; `first_error_step` is 0-based, -1 for no error.

    `mean_logprob` is the mean log-probability per token (nats) under the policy that drew the trace. `record` is the
    line as it stood, keys unknown to us included.
    """

    line: int
    question: str
    trace: Trace
    gold_answer: str | None
    final_correct: bool | None
    first_error_step: int | None
    generator: str | None
    mean_logprob: float | None
    record: dict[str, Any]


def read_traces(path: Path) -> Iterator[LabelledTrace | BadLine]:
    """Every line of a trace file in order; blank lines are no lines. Holds one line in memory at a time.

    Raises:
        OSError: if the file cannot be read.
    """
    for line in numbered_lines(path):
        yield line if isinstance(line, BadLine) else parse_line(*line)


def parse_line(number: int, raw: bytes | str) -> LabelledTrace | BadLine:
    """One line of the trace schema, or what is wrong with it."""
    try:
        record = load_object(raw)
        trace = _trace(record)
        return LabelledTrace(
            line=number,
            question=_question(record),
            trace=trace,
            gold_answer=_gold(record),
            final_correct=_optional(record, "final_correct", bool),
            first_error_step=_first_error(record, len(trace.steps)),
            generator=_optional(record, "generator", str),
            mean_logprob=_mean_logprob(record),
            record=record,
        )
    except ValueError as problem:
        return BadLine(number, str(problem))


def _question(record: dict[str, Any]) -> str:
    question = record.get("question")
    if not isinstance(question, str) or not question.strip():
        raise ValueError("'question' must be a text that is not empty")
    if len(question) > MAX_SOLUTION_CHARS:
        raise ValueError(f"'question' is longer than {MAX_SOLUTION_CHARS:,} characters")
    return question


def _trace(record: dict[str, Any]) -> Trace:
    steps, solution = record.get("steps"), record.get("solution")
    if steps is None and solution is None:
        raise ValueError("needs 'steps' or 'solution'")
    if steps is None:
        if not isinstance(solution, str) or not solution.strip():
            raise ValueError("'solution' must be a text that is not empty")
        trace = trace_from_text(_short_enough("solution", solution))
    else:
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
            raise ValueError("'steps' must be a list of texts")
        if not any(step.strip() for step in steps):
            raise ValueError("'steps' must hold a step that is not empty")
        _short_enough("steps", "\n".join(steps))
        trace = trace_from_steps(steps)
    if len(trace.steps) > MAX_STEPS:
        raise ValueError(f"has {len(trace.steps):,} steps; at most {MAX_STEPS:,} are read")
    return trace


def _short_enough(name: str, text: str) -> str:
    if len(text) > MAX_SOLUTION_CHARS:
        raise ValueError(f"'{name}' holds {len(text):,} characters; at most {MAX_SOLUTION_CHARS:,} are read")
    return text


def _gold(record: dict[str, Any]) -> str | None:
    gold = record.get("gold_answer")
    if gold is None or isinstance(gold, str):
        return gold
    if isinstance(gold, bool) or not isinstance(gold, (int, float)):
        raise ValueError(f"'gold_answer' must be a text or a number, not {kind_of(gold)}")
    return str(gold)


def _first_error(record: dict[str, Any], n_steps: int) -> int | None:
    step = _optional(record, "first_error_step", int)
    if step is not None and not -1 <= step < n_steps:
        raise ValueError(f"'first_error_step' is {step}, but the steps are 0 to {n_steps - 1} (-1: no error)")
    return step


def _mean_logprob(record: dict[str, Any]) -> float | None:
    value = record.get("mean_logprob")
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise ValueError(f"'mean_logprob' must be a number, not {kind_of(value)}")
    return None if value is None else float(value)


def _optional(record: dict[str, Any], name: str, kind: type) -> Any:
    value = record.get(name)
    if value is not None and type(value) is not kind:
        raise ValueError(f"'{name}' must be {_KINDS[kind]} or null, not {kind_of(value)}")
    return value


_KINDS = {bool: "true or false", int: "a whole number", str: "a text"}
