"""What a calibration is fitted on: the features of every step of traces whose labels are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from tqdm import tqdm

from irl_core.diagnosis.evidence import FEATURES, features, gather
from irl_core.evaluation.localisation_metrics import StepLabels
from irl_core.evaluation.trace_files import read_traces
from irl_core.text.json_lines import BadLine
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

WINDOW = 64


class CalibrationExample(NamedTuple):
    """A trace and its first wrong step, 0-based, -1 for none.

    Where only the outcome of a trace is known, 0 says that it is wrong somewhere.
    """

    question: str
    trace: Trace
    first_error: int


@dataclass(frozen=True)
class CalibrationData:
    """N traces of one source: features (K, F) of the steps of each, and arrays (N,).

    `first_error` is as in `CalibrationExample`, `problems` holds names that are the same in all sources, `scores` are
    the trace scores.
    """

    features: Sequence[np.ndarray]
    first_error: np.ndarray
    problems: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.first_error)

    @property
    def erroneous(self) -> np.ndarray:
        """Which traces hold an error (N,)."""
        return np.asarray(self.first_error >= 0)

    def where(self, keep: np.ndarray) -> CalibrationData:
        """The traces that `keep` (N,) marks."""
        return CalibrationData(
            [rows for rows, kept in zip(self.features, keep, strict=True) if kept],
            self.first_error[keep],
            self.problems[keep],
            self.scores[keep],
        )

    def step_labels(self, probabilities: Sequence[np.ndarray]) -> StepLabels:
        """The traces with each step's probability of being the first wrong one, (K,) for each trace."""
        rewards = [rows[:, FEATURES.index("reward")] for rows in self.features]
        return StepLabels.of(probabilities, rewards, self.first_error.tolist())


class ScoresMany(Protocol):
    """What `collect_features` needs of a critic."""

    def score_many(self, items: Sequence[tuple[str, Trace]]) -> list[TraceScore]:
        """Scores of (question, trace) pairs, in their order."""
        ...


def collect_features(critic: ScoresMany, examples: Sequence[CalibrationExample]) -> CalibrationData:
    """Score the traces, `WINDOW` at a time, and gather what the diagnosis would know of every step."""
    rows: list[np.ndarray] = []
    scores: list[float] = []
    for start in tqdm(range(0, len(examples), WINDOW), desc="scoring", unit="batch"):
        window = examples[start : start + WINDOW]
        scored = critic.score_many([(x.question, x.trace) for x in window])
        rows += [np.array(features(gather(x.question, x.trace, s))) for x, s in zip(window, scored, strict=True)]
        scores += [s.trace_score for s in scored]
    return CalibrationData(
        features=rows,
        first_error=np.array([x.first_error for x in examples], dtype=np.int64),
        problems=np.array([x.question for x in examples], dtype=str),
        scores=np.array(scores, dtype=float),
    )


def traces_with_step_labels(paths: Sequence[Path]) -> Iterator[CalibrationExample]:
    """The traces of the files that say which step is the first wrong one; all others are passed over."""
    for path in paths:
        for line in read_traces(path):
            if not isinstance(line, BadLine) and line.first_error_step is not None:
                yield CalibrationExample(line.question, line.trace, line.first_error_step)


def traces_with_outcomes(path: Path) -> Iterator[CalibrationExample]:
    """The traces of a file that are known to end right or wrong; a wrong one is wrong somewhere."""
    for line in read_traces(path):
        if not isinstance(line, BadLine) and line.final_correct is not None:
            yield CalibrationExample(line.question, line.trace, -1 if line.final_correct else 0)
