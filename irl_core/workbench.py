"""Policy, critic and diagnosis at one table: a problem goes in, a growing session comes out.

The app and the command line share this; it draws nothing and parses no arguments.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from irl_core.critic import Critic, load_critic
from irl_core.diagnosis import Diagnosis, diagnose
from irl_core.policy import Policy, TraceEnded, TraceGrew, load_policy
from irl_core.rerank import rank
from irl_core.session import ModelCard, Session, Settings
from irl_core.traces import Problem, Trace, TraceScore, trace_from_text

log = logging.getLogger(__name__)

Stage = Literal["loading", "ready", "failed"]


@dataclass(frozen=True)
class Snapshot:
    """A problem while it is being solved.

    `session` holds the traces that have ended, each scored and diagnosed, in the order in which they ended; its
    ranking is set once all are there or the run was stopped. `growing` are the texts still being written. `tokens`
    counts what the policy drew so far, `seconds` runs from the request.
    """

    session: Session
    growing: tuple[str, ...]
    tokens: int
    seconds: float
    done: bool
    stopped: bool


class Workbench:
    """Loads its models once, on demand; safe to share between threads. One problem is solved at a time."""

    def __init__(self, *, policy: str = "auto", critic: str | None = None) -> None:
        self._policy_name, self._critic_name = policy, critic
        self._policies: dict[bool, Policy] = {}  # by whether they calculate
        self._critic: Critic | None = None
        self._loading, self._working = threading.Lock(), threading.Lock()
        self._doing, self._failure = "loading the models", ""

    def load(self, *, calculator: bool = False) -> None:
        """Load both models; returns at once when they are there. The calculator takes an engine of its own.

        Raises:
            Exception: whatever kept a model from loading; `status` says it in a sentence.
        """
        with self._loading:
            try:
                if self._critic is None:
                    self._doing = "loading the critic"
                    self._critic = load_critic(self._critic_name)
                if calculator not in self._policies:
                    self._doing = "loading the policy"
                    self._policies[calculator] = load_policy(self._policy_name, calculator=calculator)
            except Exception as error:
                self._failure = f"the models could not be loaded: {error}"
                log.exception("loading failed")
                raise
            self._failure = ""

    @property
    def stage(self) -> Stage:
        """Whether problems can be solved. A calculator that cannot be had leaves a ready workbench ready."""
        if self._policies and self._critic is not None:
            return "ready"
        return "failed" if self._failure else "loading"

    @property
    def status(self) -> str:
        """The stage as a plain phrase for a person."""
        return {"ready": "ready", "failed": self._failure, "loading": self._doing}[self.stage]

    def describe(self) -> str:
        """The models in one line, once they are there."""
        if self.stage != "ready":
            return self.status
        policy = next(iter(self._policies.values()))
        supervision = self._critic.supervision
        supervised = "demonstrations only" if supervision == "demonstrations" else supervision
        return f"{policy.name} · critic {self._critic.name}, {supervised} · {self._critic.device_name}"

    def solve(self, problem: Problem, settings: Settings, stop: threading.Event) -> Iterator[Snapshot]:
        """Draw traces, score each as it ends, rank them at the end.

        A stop request ends the drawing; what is there is scored and ranked like a whole run, cut traces included.
        """
        self.load(calculator=settings.calculator)
        with self._working:
            yield from self._solve(problem, settings, stop)

    def _solve(self, problem: Problem, settings: Settings, stop: threading.Event) -> Iterator[Snapshot]:
        started = time.monotonic()
        policy = self._policies[settings.calculator]
        session = Session(
            problem=problem,
            settings=settings,
            policy=ModelCard(name=policy.name, sha256=policy.sha256),
            critic=self._critic_card(),
        )
        growing: dict[int, str] = {}
        tokens = 0

        def snapshot(done: bool = False) -> Snapshot:
            texts = tuple(text for _, text in sorted(growing.items()))
            return Snapshot(session, texts, tokens, time.monotonic() - started, done, stop.is_set())

        events = policy.sample(
            problem.question,
            settings.n,
            temperature=settings.temperature,
            top_p=settings.top_p,
            seed=settings.seed,
            max_tokens=settings.max_tokens,
            stop=stop,
        )
        for event in events:
            if isinstance(event, TraceGrew):
                growing[event.index] = event.text
            elif isinstance(event, TraceEnded):
                growing.pop(event.index, None)
                tokens += len(event.trace.token_ids)
                if event.trace.text.strip():
                    score, diagnosis = self._judge(problem, event.trace)
                    session = _extended(session, event.trace, score, diagnosis)
            yield snapshot()
        ranking = None
        if session.traces:
            ranking = rank(
                session.traces,
                session.scores,
                problem.answer,
                weight_temperature=self._critic.weight_temperature,
                rng=random.Random(settings.seed),
            )
        session = session.model_copy(update={"ranking": ranking, "seconds": time.monotonic() - started})
        yield snapshot(done=True)

    def diagnose(self, problem: Problem, text: str) -> Session:
        """A session of one pasted solution, scored and diagnosed.

        Raises:
            ValueError: if the solution is blank.
        """
        if not text.strip():
            raise ValueError("the solution is empty: paste at least one step")
        self.load()
        trace = trace_from_text(text)
        with self._working:
            score, diagnosis = self._judge(problem, trace)
        return _extended(Session(problem=problem, critic=self._critic_card()), trace, score, diagnosis)

    def _judge(self, problem: Problem, trace: Trace) -> tuple[TraceScore, Diagnosis]:
        score = self._critic.score(problem.question, [trace])[0]
        return score, diagnose(problem.question, trace, score, self._critic.calibration)

    def _critic_card(self) -> ModelCard:
        critic = self._critic
        return ModelCard(name=critic.name, sha256=critic.sha256, supervision=critic.supervision)


def _extended(session: Session, trace: Trace, score: TraceScore, diagnosis: Diagnosis) -> Session:
    return session.model_copy(
        update={
            "traces": (*session.traces, trace),
            "scores": (*session.scores, score),
            "diagnoses": (*session.diagnoses, diagnosis),
        }
    )
