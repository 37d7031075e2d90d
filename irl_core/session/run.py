"""One problem while it is being solved: traces grow and are diagnosed step by step, end, and at last are ranked."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from irl_core.diagnosis.rerank import rank
from irl_core.diagnosis.suspect_step import Diagnosis, diagnose
from irl_core.policy.sampling import Sampling, TraceEnded, TraceEvent
from irl_core.session.record import Session
from irl_core.text.answers import known_answer
from irl_core.text.scores import TraceScore
from irl_core.text.steps import split_steps
from irl_core.text.traces import Trace

if TYPE_CHECKING:
    from irl_core.critic.model import Critic

# Events per growing trace before the critic reads, for the first time and then again. An event is about a token.
# Fewer are read less efficiently (each pass costs something), more keep a person waiting: the policy draws 48 tokens
# in less than a second.
_FIRST_EVENTS, _MORE_EVENTS = 16, 48


@dataclass(frozen=True)
class FinishedSteps:
    """The beginning of a trace that is still being written, up to its last step, as the critic reads it."""

    trace: Trace
    score: TraceScore
    diagnosis: Diagnosis


@dataclass(frozen=True)
class Growing:
    """A trace while it is written.

    `finished` are the steps that were complete when the critic last read, None where there was none yet. The last step
    is never among them: half an equation, or a sentence that goes on, says nothing of what it will be.
    """

    text: str
    finished: FinishedSteps | None = None


@dataclass(frozen=True)
class Snapshot:
    """A problem while it is being solved.

    `session` holds the traces that have ended, each scored and diagnosed, in the order in which they ended; its
    ranking is set once all are there or the run was stopped. `growing` are those still being written or not yet
    diagnosed. `tokens` counts those drawn of the traces that ended, `seconds` runs from the request.
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
        self._sampling = session.settings or Sampling()
        self._critic, self._scorer = critic, critic.problem_scorer(session.problem.question)
        self._growing: dict[int, Growing] = {}
        self._ended: dict[int, Trace] = {}  # but not diagnosed yet
        self._tokens = 0
        self._events_since_read, self._read_after = 0, _FIRST_EVENTS
        self._started = time.monotonic()

    def take(self, event: TraceEvent) -> None:
        """A trace grew or ended. Now and then the critic reads what was written since it last did."""
        if isinstance(event, TraceEnded):
            self._ended[event.index], text = event.trace, event.trace.text
            self._tokens += event.trace.n_tokens - self._prefix_tokens(event.trace)
        else:
            text = event.text
        self._growing[event.index] = replace(self._growing.get(event.index, Growing("")), text=text)
        self._events_since_read += 1
        if self._events_since_read >= self._read_after * len(self._growing):
            self._read()

    def finish(self) -> None:
        """The policy is done: diagnose what is left and rank everything.

        Without a trace there is no ranking."""
        self._read()
        ranking = None
        if self.session.traces:
            ranking = rank(
                self.session.traces,
                self.session.scores,
                known_answer(self.session.problem.answer),
                weight_temperature=self._critic.weight_temperature,
                rng=random.Random(self._sampling.seed),
            )
        weighed = {"ranking": ranking, "weight_temperature": self._critic.weight_temperature}
        self.session = self.session.model_copy(update={**weighed, "seconds": self._seconds()})

    def snapshot(self, *, done: bool = False, stopped: bool = False) -> Snapshot:
        """How far the run is."""
        growing = tuple(trace for _, trace in sorted(self._growing.items()))
        return Snapshot(self.session, growing, self._tokens, self._seconds(), done, stopped)

    def _prefix_tokens(self, trace: Trace) -> int:
        """How many tokens of a trace lie in the prefix that it goes on with; they were not drawn."""
        return sum(start < len(self._sampling.prefix) for start, _ in trace.offsets)

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _read(self) -> None:
        """One pass over all that is new: traces that ended join the session, of the others the finished steps."""
        ended = {i: trace for i, trace in self._ended.items() if trace.text.strip()}
        growing = {i: trace for i, trace in self._growing.items() if i not in self._ended}
        begun = {i: steps for i, trace in growing.items() if (steps := finished_steps(trace.text)) is not None}
        everything = [*ended.values(), *begun.values()]
        # What is not read again is forgotten: a pass over nothing would forget even the problem.
        scores = self._scorer.score(everything) if everything else []
        for trace, score in zip(ended.values(), scores[: len(ended)], strict=True):
            self.session = with_trace(self.session, trace, score, self._diagnosed(trace, score))
        for (i, steps), score in zip(begun.items(), scores[len(ended) :], strict=True):
            before = growing[i].finished
            if before is None or before.trace != steps:
                growing[i] = replace(growing[i], finished=FinishedSteps(steps, score, self._diagnosed(steps, score)))
        self._growing, self._ended = growing, {}
        self._events_since_read, self._read_after = 0, _MORE_EVENTS

    def _diagnosed(self, trace: Trace, score: TraceScore) -> Diagnosis:
        return diagnose(self.session.problem.question, trace, self._critic, score=score)


def finished_steps(text: str) -> Trace | None:
    """All but the last step of a solution that is still being written; None where no step is finished.

    >>> finished_steps("3 * 4 = 12\\n12 + 1 =").step_texts()
    ['3 * 4 = 12']
    """
    *finished, last = split_steps(text) or ((0, 0),)
    return Trace(text=text[: last[0]], steps=tuple(finished)) if finished else None


def with_trace(session: Session, trace: Trace, score: TraceScore, diagnosis: Diagnosis) -> Session:
    """The session with one more trace, its score and its diagnosis."""
    return session.model_copy(
        update={
            "traces": (*session.traces, trace),
            "scores": (*session.scores, score),
            "diagnoses": (*session.diagnoses, diagnosis),
        }
    )
