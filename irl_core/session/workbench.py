"""Policy, critic and diagnosis at one table: a problem goes in, a growing session comes out.

The app and the command line share this; it draws nothing and parses no arguments.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from irl_core.diagnosis.suspect_step import diagnose
from irl_core.models.pairs import PAIRS
from irl_core.policy.sampling import Sampling
from irl_core.session.record import ModelCard, Session
from irl_core.session.run import Growing, Run, Snapshot, extended
from irl_core.text.traces import Problem, Trace

if TYPE_CHECKING:
    from irl_core.critic.model import Critic, ProblemScorer
    from irl_core.policy.base import Policy

__all__ = ["Growing", "Snapshot", "Stage", "Workbench"]

log = logging.getLogger(__name__)

Stage = Literal["loading", "ready", "failed"]


class Workbench:
    """Loads its models once, on demand; safe to share between threads. One problem is solved at a time."""

    def __init__(self, *, policy: str = "auto", critic: str | None = None) -> None:
        self._policy_name, self._critic_name = policy, critic
        self.pair = PAIRS.get(critic or "standard")  # whose critic judges here; None for one that is not shipped
        self._policies: dict[bool, Policy] = {}  # by whether they calculate
        self._critic: Critic | None = None
        self._desk: ProblemScorer | None = None  # the solution that was diagnosed last, which may come back edited
        self._loading, self._working = threading.Lock(), threading.Lock()
        self._doing, self._failure = "loading the models", ""

    def load(self, *, calculator: bool = False) -> None:
        """Load both models; returns at once when they are there. The calculator takes an engine of its own.

        Raises:
            Exception: whatever kept a model from loading; `status` says it in a sentence.
        """
        with self._loading:
            try:
                # torch and transformers take seconds to import, in which the page can already be there.
                from irl_core.loading import load_critic, load_policy

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

    def solve(self, problem: Problem, sampling: Sampling, stop: threading.Event) -> Iterator[Snapshot]:
        """Draw traces, colour them as they grow, judge each soon after its end, rank them when all are there.

        A stop request ends the drawing; what is there is scored and ranked like a whole run, cut traces included.

        Raises:
            DoesNotFit: if the problem is longer than the policy reads.
            NotImplementedError: if the solutions are to go on with a prefix and the policy cannot.
            ConnectionError: if a server is gone, once what it finished has been judged.
        """
        self.load(calculator=sampling.calculator)
        with self._working:
            yield from self._solve(problem, sampling, stop)

    def _solve(self, problem: Problem, sampling: Sampling, stop: threading.Event) -> Iterator[Snapshot]:
        policy = self._policies[sampling.calculator]
        session = Session(
            problem=problem,
            settings=sampling,
            policy=ModelCard(name=policy.name, sha256=policy.sha256),
            critic=self._critic_card(),
        )
        run = Run(session, self._critic)
        events = policy.sample(problem.question, sampling, stop)
        try:
            for event in events:
                run.take(event)
                yield run.snapshot(stopped=stop.is_set())
        except ConnectionError:  # a server that draws is gone; what it finished stays
            run.finish()
            yield run.snapshot(done=True, stopped=True)
            raise
        run.finish()
        yield run.snapshot(done=True, stopped=stop.is_set())

    def diagnose(self, problem: Problem, text: str) -> Session:
        """A session of one pasted solution, scored and diagnosed; what it begins with as before is not read again.

        Raises:
            ValueError: if the solution is blank.
        """
        if not text.strip():
            raise ValueError("the solution is empty: paste at least one step")
        self.load()
        trace = Trace.from_text(text)
        with self._working:
            if self._desk is None or self._desk.question != problem.question:
                self._desk = self._critic.problem_scorer(problem.question)
            (score,) = self._desk.score([trace])
        diagnosis = diagnose(problem.question, trace, self._critic, score=score)
        return extended(Session(problem=problem, critic=self._critic_card()), trace, score, diagnosis)

    def _critic_card(self) -> ModelCard:
        critic = self._critic
        return ModelCard(name=critic.name, sha256=critic.sha256, supervision=critic.supervision)
