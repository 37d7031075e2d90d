"""Scores trace files with a critic, a window of lines at a time, so that memory does not grow with the file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from irl_core.diagnosis.suspect_step import Diagnosis, diagnose
from irl_core.evaluation.score_cache import ScoreCache
from irl_core.evaluation.trace_files import LabelledTrace
from irl_core.text.json_lines import BadLine
from irl_core.text.scores import TraceScore
from irl_core.text.spans import Span
from irl_core.text.traces import Trace

WINDOW = 64
SCORES = (
    "token_offsets", "step_spans", "token_rewards", "token_heat", "heat_scale",
    "step_scores", "step_error_probability", "step_surprise",
    "predicted_first_error", "not_sure", "outside", "trace_score",
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

    `token_offsets` and `step_spans` count characters of the trace's text, in which steps that were given are joined by
    line breaks. Rewards, scores and surprise in nats. `token_heat` is what the page colours the tokens by, fully at
    `heat_scale`; both are None where the diagnosis has none and the page colours by `token_rewards`.

    `predicted_first_error` is the step that the page names first, 0-based: by its probability and the threshold, or by
    a false equation whatever the threshold. It is -1 where no step is marked, `not_sure` and `outside` among these.
    Of a critic without a calibration there are no probabilities: `step_error_probability` and `predicted_first_error`
    are None.
    """

    item: LabelledTrace
    token_offsets: Sequence[Span]
    step_spans: Sequence[Span]
    token_rewards: Sequence[float]
    token_heat: Sequence[float] | None
    heat_scale: float | None
    step_scores: Sequence[float]
    step_error_probability: Sequence[float] | None
    step_surprise: Sequence[float]
    predicted_first_error: int | None
    not_sure: bool
    outside: bool
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
            token_offsets=score.offsets,
            step_spans=item.trace.steps,
            token_rewards=score.rewards,
            token_heat=diagnosis.token_heat or None,
            heat_scale=diagnosis.heat_scale,
            step_scores=score.step_rewards,
            step_error_probability=probabilities,
            step_surprise=score.surprise,
            predicted_first_error=None if probabilities is None else predicted,
            not_sure=diagnosis.not_sure,
            outside=diagnosis.outside,
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
        listed = {key: list(v) if isinstance(v, Sequence) else v for key, v in scores.items()}
        return {**self.item.named_record, **listed}


def score_traces(
    lines: Iterable[LabelledTrace | BadLine],
    critic: ScoringCritic,
    *,
    window: int = WINDOW,
    cache: ScoreCache | None = None,
) -> Iterator[ScoredTrace | BadLine]:
    """Every line in order, scored; a line that the critic refuses with a ValueError becomes a BadLine.

    What `cache` knows is not computed again, and what is computed is kept there. Without one memory does not grow.
    """
    lines = iter(lines)
    while batch := list(islice(lines, window)):
        good = [line for line in batch if isinstance(line, LabelledTrace)]
        scored = iter(_score_window(good, critic, cache))
        for line in batch:
            yield next(scored) if isinstance(line, LabelledTrace) else line


def _score_window(
    items: Sequence[LabelledTrace], critic: ScoringCritic, cache: ScoreCache | None
) -> list[ScoredTrace | BadLine]:
    started = time.perf_counter()
    try:
        pairs = [(item.question, item.trace) for item in items]
        scores = cache.scores(critic, pairs) if cache else critic.score_many(pairs) if pairs else []
    except ValueError as problem:
        if len(items) == 1:
            return [items[0].refused(f"the critic cannot score it: {problem}")]
        # One line of the window is at fault and the others deserve their scores.
        return [one for item in items for one in _score_window([item], critic, cache)]
    seconds = (time.perf_counter() - started) / max(1, len(items))
    return [
        ScoredTrace.of(item, score, diagnose(item.question, item.trace, critic, score=score), seconds)
        for item, score in zip(items, scores, strict=True)
    ]
