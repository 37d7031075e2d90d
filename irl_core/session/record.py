"""The versioned JSON record of one run: what the app shows, exports, imports and replays."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from irl_core.diagnosis.rerank import Ranking
from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.policy.sampling import Sampling
from irl_core.text.records import Record
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Problem, Trace

SCHEMA_VERSION = 1
MAX_SESSION_BYTES = 5_000_000
MAX_TRACES = 64


class ModelCard(Record):
    """Which model spoke: its name, the SHA-256 of its weights, and how it was supervised."""

    name: str
    sha256: str | None = None
    supervision: str | None = None


class Session(Record):
    """One problem, its traces and all that was said of them. `scores` and `diagnoses` run parallel to `traces`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    problem: Problem
    settings: Sampling | None = None
    policy: ModelCard | None = None
    critic: ModelCard | None = None
    traces: tuple[Trace, ...] = ()
    scores: tuple[TraceScore, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    ranking: Ranking | None = None
    verdicts: dict[str, str] = Field(default_factory=dict)
    seconds: float | None = None

    @model_validator(mode="after")
    def _parallel(self) -> Self:
        if not len(self.scores) == len(self.diagnoses) <= len(self.traces):
            raise ValueError("scores and diagnoses must run parallel to the traces")
        if self.settings and self.settings.n > MAX_TRACES:
            raise ValueError(f"a session holds at most {MAX_TRACES} traces, not {self.settings.n:,}")
        for trace, score in zip(self.traces, self.scores, strict=False):
            if score.offsets and score.offsets[-1][1] > len(trace.text):
                raise ValueError("a score points past the end of its trace")
            if len(score.step_rewards) != len(trace.steps):
                raise ValueError("a score must have one entry per step of its trace")
        return self

    def to_json(self) -> str:
        return self.model_dump_json(indent=1)


def load_session(text: str | bytes) -> Session:
    """Read a session that a stranger may have written.

    Raises:
        ValueError: (pydantic's ValidationError among them) if it is too large, not JSON, of another version, or
            inconsistent.
    """
    if len(text) > MAX_SESSION_BYTES:
        raise ValueError(f"a session file may hold at most {MAX_SESSION_BYTES:,} bytes, this one has {len(text):,}")
    return Session.model_validate_json(text)
