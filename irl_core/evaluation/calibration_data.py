"""What a calibration is fitted on: the features of every step of traces whose labels are known, by source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from tqdm import tqdm

from irl_core.diagnosis.evidence import gather
from irl_core.diagnosis.features import Feature, features
from irl_core.evaluation.localisation_metrics import StepLabels
from irl_core.evaluation.score_cache import ScoreCache, ScoresMany
from irl_core.evaluation.trace_files import read_traces
from irl_core.text.json_lines import BadLine
from irl_core.text.steps import step_of_tokens
from irl_core.text.traces import Trace

WINDOW = 64
NO_ERROR, WRONG_SOMEWHERE = -1, -2


class CalibrationExample(NamedTuple):
    """A trace and its first wrong step, 0-based, or `NO_ERROR`, or `WRONG_SOMEWHERE` where nobody said which.

    `group` names the problem: the same name in all sources for problems of which one is made from the other.
    """

    question: str
    trace: Trace
    first_error: int
    group: str


class TraceFeatures(NamedTuple):
    """One trace as the calibration sees it: the features of each step, of what kind its text is, each token's step."""

    steps: Sequence[tuple[Feature, ...]]
    scope: tuple[float, ...]
    owners: Sequence[int]

    @property
    def n_tokens(self) -> int:
        """How many tokens the critic read."""
        return len(self.owners)

    @property
    def values(self) -> np.ndarray:
        """The features (K, F)."""
        return np.array([[feature.value for feature in step] for step in self.steps])


@dataclass(frozen=True)
class CalibrationData:
    """N traces of one file; `first_error` and `groups`, arrays (N,), are as in `CalibrationExample`.

    `name` is the file's, `source` that of where it is from: files of one source are left out together.
    """

    name: str
    source: str
    traces: Sequence[TraceFeatures]
    first_error: np.ndarray
    groups: np.ndarray

    def __len__(self) -> int:
        return len(self.first_error)

    @property
    def erroneous(self) -> np.ndarray:
        """Which traces hold an error (N,)."""
        return np.asarray(self.first_error != NO_ERROR)

    @property
    def located(self) -> np.ndarray:
        """Of which traces it is known which step is the first wrong one, or that none is (N,)."""
        return np.asarray(self.first_error != WRONG_SOMEWHERE)

    def where(self, keep: np.ndarray) -> CalibrationData:
        """The traces that `keep` (N,) marks."""
        traces = [trace for trace, kept in zip(self.traces, keep, strict=True) if kept]
        return CalibrationData(self.name, self.source, traces, self.first_error[keep], self.groups[keep])

    def step_labels(self, probabilities: Sequence[np.ndarray]) -> StepLabels:
        """The traces, all of them located, with each step's probability of being the first wrong one, (K,) each."""
        return StepLabels.of(probabilities, [-p for p in probabilities], self.first_error.tolist())


class KnownCritic(ScoresMany, Protocol):
    """A critic that says which weights it has."""

    sha256: str | None


def collect(
    critic: KnownCritic,
    name: str,
    source: str,
    examples: Sequence[CalibrationExample],
    cache: ScoreCache | None = None,
) -> CalibrationData:
    """Score the traces, `WINDOW` at a time, and gather what the diagnosis would know of every step."""
    rows: list[TraceFeatures] = []
    cache = cache or ScoreCache(None, critic.sha256)
    for start in tqdm(range(0, len(examples), WINDOW), desc=f"scoring {name}", unit="batch"):
        window = examples[start : start + WINDOW]
        scores = cache.scores(critic, [(x.question, x.trace) for x in window])
        for example, score in zip(window, scores, strict=True):
            evidence = gather(example.question, example.trace, score)
            owners = step_of_tokens(score.offsets, example.trace.steps)
            rows.append(TraceFeatures(features(evidence), evidence.scope, owners))
    return CalibrationData(
        name,
        source,
        rows,
        np.array([x.first_error for x in examples], dtype=np.int64),
        np.array([x.group for x in examples], dtype=str),
    )


def labelled_traces(path: Path, limit: int | None = None) -> Iterator[CalibrationExample]:
    """The first `limit` traces of a file that say which step is the first wrong one, or whether the answer is right.

    Traces with neither are passed over. A line's `qid` or `seed_qid` names its problem where it has one, since a
    problem that was altered is no other problem.
    """
    taken = 0
    for line in read_traces(path):
        if isinstance(line, BadLine) or (limit is not None and taken >= limit):
            continue
        group = str(line.record.get("seed_qid") or line.record.get("qid") or line.question)
        if line.first_error_step is not None:
            yield CalibrationExample(line.question, line.trace, line.first_error_step, group)
        elif line.final_correct is not None:
            yield CalibrationExample(
                line.question, line.trace, NO_ERROR if line.final_correct else WRONG_SOMEWHERE, group
            )
        else:
            continue
        taken += 1
