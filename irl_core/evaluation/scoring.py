"""Scores trace files with a critic, a window of lines at a time, so that memory does not grow with the file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from irl_core.diagnosis import Diagnosis
from irl_core.evaluation.data import LabelledTrace
from irl_core.json_lines import BadLine
from irl_core.traces import Trace, TraceScore

WINDOW = 64

Diagnose = Callable[[str, Trace, TraceScore, Any], Diagnosis]


class ScoringCritic(Protocol):
    """What evaluation needs of a critic; `irl_core.critic.Critic` is one."""

    name: str
    path: Any
    sha256: str | None
    supervision: str
    weight_temperature: float
    calibration: Any

    def score_many(self, items: Sequence[tuple[str, Trace]]) -> list[TraceScore]:
        """Scores of (question, trace) pairs, in their order."""
        ...


@dataclass(frozen=True)
class Scored:
    """One line, what was said of it, and its share of the critic's time in seconds."""

    item: LabelledTrace
    score: TraceScore
    diagnosis: Diagnosis
    seconds: float

    @property
    def predicted_first_error(self) -> int:
        """0-based step, -1 for none."""
        suspect = self.diagnosis.first_suspect
        return -1 if suspect is None else suspect

    def record(self) -> dict[str, Any]:
        """The line as it stood with what was said of it: one line of `scored.jsonl`."""
        return {
            **self.item.record,
            "token_rewards": list(self.score.rewards),
            "step_scores": list(self.score.step_rewards),
            "step_error_probability": [step.error_probability for step in self.diagnosis.steps],
            "predicted_first_error": self.predicted_first_error,
            "trace_score": self.score.trace_score,
        }


def score_traces(
    lines: Iterable[LabelledTrace | BadLine], critic: ScoringCritic, diagnose: Diagnose, *, window: int = WINDOW
) -> Iterator[Scored | BadLine]:
    """Every line in order, scored; a line that the critic refuses with a ValueError becomes a BadLine."""
    lines = iter(lines)
    while batch := list(islice(lines, window)):
        good = [line for line in batch if isinstance(line, LabelledTrace)]
        scored = iter(_score_window(good, critic, diagnose))
        for line in batch:
            yield next(scored) if isinstance(line, LabelledTrace) else line


def _score_window(items: Sequence[LabelledTrace], critic: ScoringCritic, diagnose: Diagnose) -> list[Scored | BadLine]:
    started = time.perf_counter()
    try:
        scores = critic.score_many([(item.question, item.trace) for item in items]) if items else []
    except ValueError as problem:
        if len(items) == 1:
            return [BadLine(items[0].line, f"the critic cannot score it: {problem}")]
        # One line of the window is at fault and the others deserve their scores.
        return [one for item in items for one in _score_window([item], critic, diagnose)]
    seconds = (time.perf_counter() - started) / max(1, len(items))
    return [
        Scored(item, score, diagnose(item.question, item.trace, score, critic.calibration), seconds)
        for item, score in zip(items, scores, strict=True)
    ]
