"""Scores trace files with a critic, a window of lines at a time, so that memory does not grow with the file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from irl_core.diagnosis.suspect_step import Diagnosis, diagnose
from irl_core.evaluation.trace_files import LabelledTrace
from irl_core.text.json_lines import BadLine
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

WINDOW = 64
SCORES = (
    "token_rewards", "step_scores", "step_error_probability", "step_surprise", "predicted_first_error", "trace_score",
)  # fmt: skip
"""What scoring adds to a line; also the names of `ScoredTrace`'s fields."""


class ScoringCritic(Protocol):
    """What evaluation needs of a critic; `irl_core.critic.model.Critic` is one."""

    name: str
    path: Any
    sha256: str | None
    supervision: str
    weight_temperature: float

    @property
    def calibration(self) -> object | None: ...

    def score(self, question: str, traces: Sequence[Trace]) -> list[TraceScore]:
        """One score per trace of a question, in order."""
        ...

    def score_many(self, items: Sequence[tuple[str, Trace]]) -> list[TraceScore]:
        """Scores of (question, trace) pairs, in their order."""
        ...


@dataclass(frozen=True)
class ScoredTrace:
    """One line of a trace file, its scores, and its share of the critic's time in seconds (0: it was scored earlier).

    Rewards, scores and surprise in nats; `predicted_first_error` is 0-based, -1 for none. Of a critic without a
    calibration there are no probabilities: `step_error_probability` and `predicted_first_error` are None.
    """

    item: LabelledTrace
    token_rewards: Sequence[float]
    step_scores: Sequence[float]
    step_error_probability: Sequence[float] | None
    step_surprise: Sequence[float]
    predicted_first_error: int | None
    trace_score: float
    seconds: float = 0.0

    @classmethod
    def of(cls, item: LabelledTrace, score: TraceScore, diagnosis: Diagnosis, seconds: float = 0.0) -> ScoredTrace:
        """What a critic and the diagnosis said."""
        known = [step.error_probability for step in diagnosis.steps if step.error_probability is not None]
        probabilities = known if len(known) == len(diagnosis.steps) else None
        predicted = -1 if diagnosis.first_suspect is None else diagnosis.first_suspect
        return cls(
            item=item,
            token_rewards=score.rewards,
            step_scores=score.step_rewards,
            step_error_probability=probabilities,
            step_surprise=score.surprise,
            predicted_first_error=None if probabilities is None else predicted,
            trace_score=score.trace_score,
            seconds=seconds,
        )

    @classmethod
    def from_record(cls, item: LabelledTrace, record: Mapping[str, Any]) -> ScoredTrace:
        """What an earlier run wrote of this line."""
        return cls(item, **{name: record[name] for name in SCORES})

    def record(self) -> dict[str, Any]:
        """The line as it stood with its scores: one line of `scored.jsonl`. What is not known is None, JSON's null."""
        scores = {name: getattr(self, name) for name in SCORES}
        return {**self.item.record, **{k: list(v) if isinstance(v, Sequence) else v for k, v in scores.items()}}


def score_traces(
    lines: Iterable[LabelledTrace | BadLine], critic: ScoringCritic, *, window: int = WINDOW
) -> Iterator[ScoredTrace | BadLine]:
    """Every line in order, scored; a line that the critic refuses with a ValueError becomes a BadLine."""
    lines = iter(lines)
    while batch := list(islice(lines, window)):
        good = [line for line in batch if isinstance(line, LabelledTrace)]
        scored = iter(_score_window(good, critic))
        for line in batch:
            yield next(scored) if isinstance(line, LabelledTrace) else line


def _score_window(items: Sequence[LabelledTrace], critic: ScoringCritic) -> list[ScoredTrace | BadLine]:
    started = time.perf_counter()
    try:
        scores = critic.score_many([(item.question, item.trace) for item in items]) if items else []
    except ValueError as problem:
        if len(items) == 1:
            return [BadLine(items[0].line, f"the critic cannot score it: {problem}")]
        # One line of the window is at fault and the others deserve their scores.
        return [one for item in items for one in _score_window([item], critic)]
    seconds = (time.perf_counter() - started) / max(1, len(items))
    return [
        ScoredTrace.of(item, score, diagnose(item.question, item.trace, critic, score=score), seconds)
        for item, score in zip(items, scores, strict=True)
    ]
