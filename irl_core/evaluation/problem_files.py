"""Files of problems: JSON lines that anybody may have written, read one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from irl_core.text.answers import extract_answer
from irl_core.text.json_lines import BadLine, load_object, numbered_lines
from irl_core.text.traces import Problem


@dataclass(frozen=True)
class NamedProblem:
    """A problem and its `id` in the file, or `line-N` where it has none."""

    problem: Problem
    name: str


@dataclass(frozen=True)
class ProblemFile:
    """What a file of problems holds, in its order, and the lines that were passed over."""

    problems: list[NamedProblem]
    skipped: list[BadLine]


def read_problem(number: int, raw: bytes) -> NamedProblem | BadLine:
    """One line of a problem file, {"question", "answer"?, "id"?}, or what is wrong with it.

    An answer that is a whole solution in GSM8K's form is read at its '####'.
    """
    try:
        record = load_object(raw)
    except ValueError as problem:
        return BadLine(number, str(problem))
    question, answer = record.get("question"), record.get("answer")
    if not isinstance(question, str) or not question.strip():
        return BadLine(number, "'question' must be a text that is not empty")
    if isinstance(answer, (int, float)) and not isinstance(answer, bool):
        answer = str(answer)
    if answer is not None and not isinstance(answer, str):
        return BadLine(number, "'answer' must be a text or a number")
    if answer is not None and "####" in answer:
        answer = extract_answer(answer)
    name = record.get("id")
    problem_read = Problem(question=question, answer=answer)
    return NamedProblem(problem_read, name if isinstance(name, str) else f"line-{number}")


def read_problems(path: Path, limit: int | None, check: Callable[[str], object]) -> ProblemFile:
    """The first `limit` lines of a file.

    Args:
        check: raises ValueError for a question that cannot be put; its line is passed over.

    Raises:
        OSError: if the file cannot be read.
    """
    file = ProblemFile([], [])
    for line in islice(numbered_lines(path), limit):
        read = line if isinstance(line, BadLine) else read_problem(*line)
        if isinstance(read, NamedProblem) and not isinstance(line, BadLine):
            try:
                check(read.problem.question)
            except ValueError as problem:
                read = BadLine(line[0], str(problem))
        if isinstance(read, BadLine):
            file.skipped.append(read)
        else:
            file.problems.append(read)
    return file
