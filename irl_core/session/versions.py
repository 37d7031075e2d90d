"""What a solution was before a person changed it: kept with the session, so that nothing is lost."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.text.records import Record
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

MAX_VERSIONS = 64


class Version(Record):
    """One wording of a solution, what the critic says of it, and a reader's verdict on it.

    Raises:
        ValueError: if the three do not belong together.
    """

    trace: Trace
    score: TraceScore
    diagnosis: Diagnosis
    verdict: str | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        require_one_text(self.trace, self.score)
        require_heat(self.score, self.diagnosis)
        return self


class History(Record):
    """All wordings of solution `trace`, in the order in which they were made, and which of them is on show.

    `versions[0]` is the solution as it was drawn or pasted. A wording that was undone stays in the list: what is
    changed after an undo is appended behind a copy of the wording that it changes, so that undo leads back through
    all of them.

    Raises:
        ValueError: if `at` is none of the versions, or they are more than are kept.
    """

    trace: int
    versions: tuple[Version, ...]
    at: int

    @model_validator(mode="after")
    def _points_inside(self) -> Self:
        if not 0 <= self.at < len(self.versions):
            raise ValueError(f"{len(self.versions)} versions of a solution, and number {self.at} is to be shown")
        if len(self.versions) > MAX_VERSIONS:
            raise ValueError(f"at most {MAX_VERSIONS} versions of a solution are kept, not {len(self.versions)}")
        return self

    @property
    def shown(self) -> Version:
        """The wording on show."""
        return self.versions[self.at]

    @property
    def edited(self) -> bool:
        """Whether the wording on show is a person's: it is not as it was drawn or pasted."""
        first, now = self.versions[0].trace, self.shown.trace
        return (first.text, first.steps) != (now.text, now.steps)


def require_one_text(trace: Trace, score: TraceScore) -> None:
    """Raises ValueError if a score is not of the trace's own characters and steps."""
    if score.offsets and score.offsets[-1][1] > len(trace.text):
        raise ValueError("a score points past the end of its trace")
    if len(score.step_rewards) != len(trace.steps):
        raise ValueError("a score must have one entry per step of its trace")


def require_heat(score: TraceScore, diagnosis: Diagnosis) -> None:
    """Raises ValueError if a diagnosis cannot colour the tokens of its score."""
    if diagnosis.token_heat and len(diagnosis.token_heat) != len(score.offsets):
        raise ValueError("a diagnosis must have one heat per token of its score, or none")
    if diagnosis.heat_scale is not None and diagnosis.heat_scale <= 0:
        raise ValueError("a heat scale must be above zero")
