"""Goes on with a file of scored lines after a kill: what is there is not scored again, what is missing is."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

from irl_core.evaluation.score_cache import ScoreCache
from irl_core.evaluation.scoring import SCORES, ScoredTrace, ScoringCritic, score_traces
from irl_core.evaluation.trace_files import LabelledTrace
from irl_core.text.json_lines import BadLine

# Batching changes a score in its last digits, in bfloat16 by some hundredths of a nat; another critic by far more.
SAME_CRITIC = 0.1


def resume_scoring(
    lines: Iterable[LabelledTrace | BadLine],
    written: Path,
    critic: ScoringCritic,
    cache: ScoreCache | None = None,
) -> Iterator[ScoredTrace | BadLine]:
    """As `score_traces`, taking what `written` holds from there; call `drop_torn_line` first.

    Lines that come from the file have `seconds` 0. The first is scored again, to see that it is of this critic.

    Raises:
        ValueError: if the file is of other traces or of another critic, or the critic was calibrated since.
    """
    lines = iter(lines)
    with written.open(encoding="utf-8") as file:
        for number, raw in enumerate(file, 1):
            record = json.loads(raw)
            scored = yield from _until(lines, record, number, critic)
            if number == 1:
                _require_same_critic(scored, critic)
            yield scored
    yield from score_traces(lines, critic, cache=cache)


def drop_torn_line(path: Path) -> int:
    """Cut off what follows the last line break, which a kill left half written; returns how many lines are whole."""
    lines = whole = 0
    with path.open("r+b") as file:
        for raw in file:
            if raw.endswith(b"\n"):
                lines += 1
                whole += len(raw)
        file.truncate(whole)
    return lines


def _until(
    lines: Iterator[LabelledTrace | BadLine],
    record: dict[str, Any],
    number: int,
    critic: ScoringCritic,
) -> Generator[BadLine, None, ScoredTrace]:
    """Pass on bad lines up to the trace of `record`, and return it; another is there only if the critic refuses it."""
    for line in lines:
        if isinstance(line, LabelledTrace):
            if _input(record) == _input(line.named_record) and all(name in record for name in SCORES):
                return ScoredTrace.from_record(line, record)
            (line_or_refusal,) = score_traces([line], critic)
            if isinstance(line_or_refusal, ScoredTrace):
                break
            yield line_or_refusal
        else:
            yield line
    raise ValueError(f"line {number} of the scored file is of another trace: it belongs to another run; remove it")


def _input(record: dict[str, Any]) -> dict[str, Any]:
    """A line without its scores; a line may come with those of another critic."""
    return {key: value for key, value in record.items() if key not in SCORES}


def _require_same_critic(scored: ScoredTrace, critic: ScoringCritic) -> None:
    (again,) = score_traces([scored.item], critic)
    if isinstance(again, BadLine) or abs(again.trace_score - scored.trace_score) > SAME_CRITIC:
        raise ValueError("the scored file comes from another critic; give that one, or remove the file")
    if (again.step_error_probability is None) != (scored.step_error_probability is None):
        had, has = ("has", "no") if again.step_error_probability is None else ("lacks", "a")
        raise ValueError(
            f"the scored file {had} error probabilities, but the critic now has {has} calibration; remove the file"
        )
    if again.heat_scale != scored.heat_scale:
        raise ValueError(
            f"the scored file colours up to {scored.heat_scale}, the critic now up to {again.heat_scale}:"
            " it was calibrated since; remove the file"
        )
