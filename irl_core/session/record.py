"""The versioned JSON record of one run: what the app shows, exports, imports and replays."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from irl_core.diagnosis.rerank import Ranking
from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.policy.sampling import Sampling
from irl_core.session.versions import History, require_heat, require_one_text
from irl_core.text.records import Record
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Problem, Trace

VERSION = 3
MAX_SESSION_BYTES = 5_000_000
MAX_TRACES = 64


class ModelCard(Record):
    """Which model was used: its name, the SHA-256 of its weights, and how it was supervised."""

    name: str
    sha256: str | None = None
    supervision: str | None = None


class Session(Record):
    """One problem, its traces, and their scores, diagnoses and ranking: what the page shows, saves and opens.

    >>> import irl_core as irl
    >>> trace = irl.Trace.from_text("3 * 4 = 12")
    >>> session = irl.Session(problem=irl.Problem(question="How much is 3 times 4?", answer="12"), traces=(trace,))
    >>> irl.load_session(session.to_json()) == session
    True

    `scores[i]` and `diagnoses[i]` belong to `traces[i]`; traces at the end may have neither. `settings` is the request
    to the policy, None where a solution was pasted. `verdicts` is a reader's own judgement by trace number (as text,
    read by `irl_core.session.verdicts`); `histories` holds what a reader changed in the traces, one at most of each;
    `weight_temperature` is the critic's, by which its scores became weights in the vote, None where that was not
    recorded. `seconds` is how long the run took.

    Version 2 added the tokens' log-probabilities, a diagnosis's heat, and its word for texts that the critic does not
    judge; version 3 the verdict on a step that is
    unfinished, the kind of an error, and what a reader changed.
    A session of version 1 or 2 is read as one without them.

    Raises:
        ValueError: if scores, diagnoses and traces do not belong together, more than 64 traces are asked for, or the
            version is none that is known.
    """

    schema_version: int = VERSION
    problem: Problem
    settings: Sampling | None = None
    policy: ModelCard | None = None
    critic: ModelCard | None = None
    traces: tuple[Trace, ...] = ()
    scores: tuple[TraceScore, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    ranking: Ranking | None = None
    verdicts: dict[str, str] = Field(default_factory=dict)
    histories: tuple[History, ...] = ()
    weight_temperature: float | None = Field(default=None, gt=0)
    seconds: float | None = None

    @field_validator("schema_version")
    @classmethod
    def _read_as_newest(cls, version: int) -> int:
        if version > VERSION:
            raise ValueError(
                f"the session is of version {version}, and this Errata reads versions up to {VERSION}: "
                "open it with a newer Errata"
            )
        if version < 1:
            raise ValueError(f"a session's version is 1 or more, not {version}")
        return VERSION

    @model_validator(mode="after")
    def _parallel(self) -> Self:
        if not len(self.scores) == len(self.diagnoses) <= len(self.traces):
            raise ValueError("scores and diagnoses must run parallel to the traces")
        if self.settings and self.settings.n > MAX_TRACES:
            raise ValueError(f"a session holds at most {MAX_TRACES} traces, not {self.settings.n:,}")
        for trace, score in zip(self.traces, self.scores, strict=False):
            require_one_text(trace, score)
        for score, diagnosis in zip(self.scores, self.diagnoses, strict=True):
            require_heat(score, diagnosis)
        return self

    @model_validator(mode="after")
    def _histories_of_these_traces(self) -> Self:
        changed = [history.trace for history in self.histories]
        if len(set(changed)) != len(changed):
            raise ValueError("a trace may have one history")
        for history in self.histories:
            if not 0 <= history.trace < len(self.scores):
                raise ValueError("a history is of a trace that is not there")
            if history.shown.trace != self.traces[history.trace]:
                raise ValueError("the version on show must be the trace itself")
        return self

    def to_json(self) -> str:
        """The session as indented JSON; `load_session` reads it."""
        return self.model_dump_json(indent=1)


def load_session(data: str | bytes) -> Session:
    """Read a session from the JSON of a saved file, which a stranger may have written.

    >>> load_session('{"problem": {"question": "How much is 3 times 4?"}}').problem.question
    'How much is 3 times 4?'

    Args:
        data: the file's text, or its bytes in UTF-8, with or without a byte order mark.

    Raises:
        ValueError: if it is larger than 5 MB, not JSON, of another version, or inconsistent. (Pydantic's
            `ValidationError` is one; it names each field that is wrong.)
    """
    # Some editors begin a file with a byte order mark.
    data = data.removeprefix("\ufeff") if isinstance(data, str) else data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > MAX_SESSION_BYTES:
        raise ValueError(f"a session file may hold at most {MAX_SESSION_BYTES:,} bytes, this one has {len(data):,}")
    return Session.model_validate_json(data)
