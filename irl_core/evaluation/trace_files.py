"""Reads trace files that anybody may have written, a trace at a time; bad ones are named and passed over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irl_core.evaluation.formats import to_schema
from irl_core.text.json_lines import MAX_LINE_BYTES, BadLine, kind_of, load_object, numbered_lines
from irl_core.text.traces import Trace

MAX_SOLUTION_CHARS = 100_000
MAX_STEPS = 1_000
MAX_ARRAY_BYTES = 200_000_000


@dataclass(frozen=True)
class LabelledTrace:
    """One trace of a file. Labels that it lacks are None; `first_error_step` is 0-based, -1 for no error.

    `line` counts lines, or entries where the file is one JSON array, from 1. `mean_logprob` is the mean
    log-probability per token (nats) under the policy that drew the trace. `record` is the line as it stood, keys
    unknown to us included, in the trace schema. `file` names the file where several are read together.
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
    file: str | None = None

    @property
    def named_record(self) -> dict[str, Any]:
        """The record, and the name of its file where several are read together."""
        return self.record if self.file is None else {**self.record, "file": self.file}

    def refused(self, reason: str) -> BadLine:
        """The line as one that was passed over."""
        return BadLine(self.line, reason) if self.file is None else BadLineOfFile(self.line, reason, self.file)


@dataclass(frozen=True)
class BadLineOfFile(BadLine):
    """A line that was passed over in one of several files that are read together."""

    file: str


def read_traces(path: str | Path) -> Iterator[LabelledTrace | BadLine]:
    """Every trace of a file in order: JSON lines (blank lines are no lines) or one JSON array.

    >>> import tempfile
    >>> from pathlib import Path
    >>> import irl_core as irl
    >>> lines = '{"question": "3 * 4?", "steps": ["3 * 4 = 13"], "first_error_step": 0}\\n{"question": "3 * 4?"}\\n'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "traces.jsonl")
    ...     _ = path.write_text(lines)
    ...     trace, bad = irl.read_traces(path)
    >>> trace.question, trace.trace.step_texts(), trace.first_error_step
    ('3 * 4?', ['3 * 4 = 13'], 0)
    >>> bad
    BadLine(line=2, reason="needs 'steps' or 'solution'")

    Lines may be in the trace schema or in one of `formats`. What cannot be used is a `BadLine` with its number and the
    reason. Of JSON lines one is in memory at a time; an array, which is how some benchmarks come, is read whole.

    Raises:
        OSError: if the file cannot be read.
    """
    path = Path(path)
    if _is_array(path):
        yield from _read_array(path)
        return
    for line in numbered_lines(path):
        if isinstance(line, BadLine):
            yield line
        else:
            yield from parse_line(*line)


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


def _read_array(path: Path) -> Iterator[LabelledTrace | BadLine]:
    if path.stat().st_size > MAX_ARRAY_BYTES:
        yield BadLine(1, f"is one JSON array of more than {MAX_ARRAY_BYTES:,} bytes: write it as JSON lines")
        return
    try:
        entries = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as problem:
        yield BadLine(1, f"not JSON: {problem}")
        return
    for number, entry in enumerate(entries, 1):
        # Through a line once more, so that both roads refuse the same things.
        line = json.dumps(entry)
        if len(line) > MAX_LINE_BYTES:
            yield BadLine(number, f"longer than {MAX_LINE_BYTES:,} bytes")
        else:
            yield from parse_line(number, line)


def parse_line(number: int, raw: bytes | str) -> Iterator[LabelledTrace | BadLine]:
    """The trace or traces on one line, or what is wrong with it."""
    try:
        for record in to_schema(load_object(raw)):
            yield _labelled(number, record)
    except ValueError as problem:
        yield BadLine(number, str(problem))


def _labelled(number: int, record: dict[str, Any]) -> LabelledTrace:
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
        trace = Trace.from_text(_short_enough("solution", solution))
    else:
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
            raise ValueError("'steps' must be a list of texts")
        if not any(step.strip() for step in steps):
            raise ValueError("'steps' must hold a step that is not empty")
        _short_enough("steps", "\n".join(steps))
        trace = Trace.from_steps(steps)
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
    step: int | None = _optional(record, "first_error_step", int)
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
