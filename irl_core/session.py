"""The versioned JSON record of one run: what the app shows, exports, imports and replays."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from irl_core.diagnosis import Diagnosis
from irl_core.rerank import Ranking
from irl_core.traces import Problem, Record, Trace, TraceScore

SCHEMA_VERSION = 1
MAX_SESSION_BYTES = 5_000_000


class Settings(Record):
    """How the traces were drawn. Each begins with `prefix`, a text that was there before."""

    n: int = Field(default=8, ge=1, le=64)
    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)
    seed: int = Field(default=0, ge=0, lt=2**32)
    max_tokens: int = Field(default=160, ge=1, le=4096)
    calculator: bool = False
    prefix: str = ""


class ModelCard(Record):
    """Which model spoke: its name, the SHA-256 of its weights, and how it was supervised."""

    name: str
    sha256: str | None = None
    supervision: str | None = None


class Session(Record):
    """One problem, its traces and all that was said of them. `scores` and `diagnoses` run parallel to `traces`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    problem: Problem
    settings: Settings | None = None
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
