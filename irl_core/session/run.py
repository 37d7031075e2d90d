"""One problem while it is being solved: traces grow and are coloured, end and are judged, and at last are ranked."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from irl_core.diagnosis.rerank import rank
from irl_core.diagnosis.suspect_step import Diagnosis, diagnose
from irl_core.policy.sampling import TraceEnded, TraceEvent
from irl_core.session.record import Session
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

if TYPE_CHECKING:
    from irl_core.critic.model import Critic

# Tokens that each trace grows by before the critic reads, for the first time and then again. Fewer are read less
# efficiently (a pass has its price), more keep a person waiting: 48 are less than a second's work of the policy.
_FIRST_TOKENS, _MORE_TOKENS = 16, 48


@dataclass(frozen=True)
class Growing:
    """A trace while it is written. `score` belongs to its beginning, None before the critic has read any of it."""

    text: str
    score: TraceScore | None = None


@dataclass(frozen=True)
class Snapshot:
    """A problem while it is being solved.

    `session` holds the traces that have ended, each scored and diagnosed, in the order in which they ended; its
    ranking is set once all are there or the run was stopped. `growing` are those still being written or not yet
    judged. `tokens` counts those drawn of the traces that ended, `seconds` runs from the request.
    """

    session: Session
    growing: tuple[Growing, ...]
    tokens: int
    seconds: float
    done: bool
    stopped: bool


class Run:
    """Takes the events of a policy as they come; `snapshot` says how far things are."""

    def __init__(self, session: Session, critic: Critic) -> None:
        self.session = session
        self._critic, self._reading = critic, critic.problem_scorer(session.problem.question)
        self._growing: dict[int, Growing] = {}
        self._ended: dict[int, Trace] = {}  # but not judged yet
        self._tokens = self._unread = 0
        self._patience = _FIRST_TOKENS
        self._started = time.monotonic()

    def take(self, event: TraceEvent) -> None:
        """A trace grew or ended. Now and then the critic reads what was written since it last did."""
        trace = event.trace if isinstance(event, TraceEnded) else None
        if trace is not None:
            self._ended[event.index] = trace
            self._tokens += trace.n_tokens - self._given(trace)
        text = event.text if trace is None else trace.text
        self._growing[event.index] = replace(self._growing.get(event.index, Growing("")), text=text)
        self._unread += 1
        if self._unread >= self._patience * len(self._growing):
            self._read()

    def finish(self) -> None:
        """The policy is done: judge what is left and rank everything."""
        self._read()
        ranking = None
        if self.session.traces:
            ranking = rank(
                self.session.traces,
                self.session.scores,
                self.session.problem.answer,
                weight_temperature=self._critic.weight_temperature,
                rng=random.Random(self.session.settings.seed),
            )
        self.session = self.session.model_copy(update={"ranking": ranking, "seconds": self._seconds()})

    def snapshot(self, *, done: bool = False, stopped: bool = False) -> Snapshot:
        growing = tuple(trace for _, trace in sorted(self._growing.items()))
        return Snapshot(self.session, growing, self._tokens, self._seconds(), done, stopped)

    def _given(self, trace: Trace) -> int:
        """How many tokens of a trace were there before it was drawn."""
        prefix = self.session.settings.prefix if self.session.settings else ""
        return sum(start < len(prefix) for start, _ in trace.offsets)

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _read(self) -> None:
        """One pass over all that is new: traces that ended join the session, the others get their colours."""
        ended = {i: trace for i, trace in self._ended.items() if trace.text.strip()}
        growing = {i: trace for i, trace in self._growing.items() if i not in self._ended}
        begun = {i: trace for i, trace in growing.items() if trace.text.strip()}
        scores = self._reading.score(list(ended.values()), [Trace.unsplit(trace.text) for trace in begun.values()])
        for trace, score in zip(ended.values(), scores, strict=False):
            found = diagnose(self.session.problem.question, trace, self._critic, score=score)
            self.session = extended(self.session, trace, score, found)
        for (i, trace), score in zip(begun.items(), scores[len(ended) :], strict=True):
            growing[i] = replace(trace, score=score)
        self._growing, self._ended = growing, {}
        self._unread, self._patience = 0, _MORE_TOKENS


def extended(session: Session, trace: Trace, score: TraceScore, diagnosis: Diagnosis) -> Session:
    """The session with one more trace and what was said of it."""
    return session.model_copy(
        update={
            "traces": (*session.traces, trace),
            "scores": (*session.scores, score),
            "diagnoses": (*session.diagnoses, diagnosis),
        }
    )
