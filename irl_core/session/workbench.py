"""A policy and a critic that work together: a problem goes in, a growing session comes out.

The page and the scripts share this; it shows nothing and parses no arguments.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Literal

from irl_core.diagnosis.suspect_step import diagnose
from irl_core.models.pairs import choose_pair, pair_called
from irl_core.models.progress import Arrived, told_of_downloads
from irl_core.policy.sampling import Sampling
from irl_core.session.edits import with_version
from irl_core.session.record import ModelCard, Session
from irl_core.session.rereading import Read, read_by, same_critic
from irl_core.session.run import Growing, Run, Snapshot, with_trace
from irl_core.session.versions import Version
from irl_core.text.traces import Problem, Trace

if TYPE_CHECKING:
    from irl_core.critic.model import Critic, ProblemScorer
    from irl_core.policy.base import Policy

__all__ = ["Growing", "Snapshot", "Stage", "Workbench"]

log = logging.getLogger(__name__)

Stage = Literal["loading", "ready", "failed"]


class Workbench:
    """Loads its models once, on demand; safe to share between threads. One problem is solved at a time.

    Attributes:
        pair: whose critic judges here; None for a critic that is not shipped.
    """

    def __init__(self, *, policy: str = "auto", critic: str | None = None, retry_after: float = 5.0) -> None:
        """`policy` and `critic` are names (see `irl_core.loading`); nothing is loaded yet.

        `retry_after` is how many seconds `start_loading` leaves between a failure and the next attempt.
        """
        self._policy_name, self._critic_name, self._retry_after = policy, critic, retry_after
        self.pair = pair_called(critic) if critic else choose_pair()
        self._policies: dict[bool, Policy] = {}  # by whether they calculate
        self._critic: Critic | None = None
        self._scorer: ProblemScorer | None = None  # of the problem diagnosed last, whose solution may come back edited
        self._loading, self._solving, self._starting = threading.Lock(), threading.Lock(), threading.Lock()
        self._attempt: threading.Thread | None = None
        self._failed_at = float("-inf")
        self._progress, self._failure = "loading the models", ""

    def load(self, *, calculator: bool = False) -> None:
        """Load both models; returns at once when they are there. The calculator takes an engine of its own.

        Raises:
            Exception: whatever kept a model from loading; `status` says it in a sentence.
        """
        with self._loading:
            self._failure = ""
            try:
                # torch and transformers take seconds to import, in which the page can already be there.
                from irl_core.loading import load_critic, load_policy

                with told_of_downloads(self._fetching):
                    if self._critic is None:
                        self._progress = "loading the critic"
                        self._critic = load_critic(self._critic_name)
                    if calculator not in self._policies:
                        self._progress = "loading the policy"
                        self._policies[calculator] = load_policy(self._policy_name, calculator=calculator)
            except Exception as error:
                self._failure, self._failed_at = f"the models could not be loaded: {error}", time.monotonic()
                log.exception("loading failed")
                raise

    def _fetching(self, arrived: Arrived) -> None:
        self._progress = f"fetching {arrived}" if arrived.bytes < arrived.total else f"unpacking {arrived.label}"

    def start_loading(self) -> None:
        """Load both models in a thread of its own, if they are not there; returns at once.

        One attempt at a time, and none sooner than `retry_after` seconds after one that failed. `stage` and `status`
        say how it goes.
        """
        with self._starting:
            under_way = self._attempt is not None and self._attempt.is_alive()
            if self.stage == "ready" or under_way or time.monotonic() - self._failed_at < self._retry_after:
                return
            self._progress, self._failure = "loading the models", ""
            self._attempt = threading.Thread(target=self._attempt_to_load, name="load-models", daemon=True)
            self._attempt.start()

    def _attempt_to_load(self) -> None:
        with contextlib.suppress(Exception):  # `load` has logged it, and `status` says it
            self.load()

    @property
    def stage(self) -> Stage:
        """Whether problems can be solved. A calculator that cannot be had leaves a ready workbench ready."""
        if self._policies and self._critic is not None:
            return "ready"
        return "failed" if self._failure else "loading"

    @property
    def status(self) -> str:
        """The stage as a plain phrase for a person."""
        return {"ready": "ready", "failed": self._failure, "loading": self._progress}[self.stage]

    def describe(self) -> str:
        """The models in one line, once they are there."""
        critic, policy = self._critic, next(iter(self._policies.values()), None)
        if critic is None or policy is None:
            return self.status
        supervised = "demonstrations only" if critic.supervision == "demonstrations" else critic.supervision
        calibrated = "" if critic.calibration is not None else ", not calibrated"
        return f"{policy.name} · critic {critic.name}, {supervised}{calibrated} · {critic.device_name}"

    def solve(self, problem: Problem, sampling: Sampling, stop: threading.Event) -> Generator[Snapshot, None, None]:
        """Draw traces, score them as they grow, diagnose each soon after its end, rank them when all are there.

        A stop request ends the drawing; what is there is scored and ranked like a whole run, cut traces included but
        for their unfinished steps.

        Raises:
            DoesNotFit: if the problem is longer than the policy reads.
            NotImplementedError: if the solutions are to go on with a prefix and the policy cannot.
            ConnectionError: if a server is gone, once what it finished has been diagnosed.
            Exception: whatever kept a model from loading.
        """
        self.load(calculator=sampling.calculator)
        with self._solving:
            yield from self._run(problem, sampling, stop)

    def _run(self, problem: Problem, sampling: Sampling, stop: threading.Event) -> Generator[Snapshot, None, None]:
        policy, critic = self._policies[sampling.calculator], self._loaded_critic
        session = Session(
            problem=problem,
            settings=sampling,
            policy=ModelCard(name=policy.name, sha256=policy.sha256),
            critic=_card(critic),
        )
        run = Run(session, critic)
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
        """A session of one pasted solution, scored and diagnosed.

        Where the last one was of the same problem, the beginning that both share is not read again.

        Raises:
            ValueError: if the solution is blank.
            Exception: whatever kept a model from loading.
        """
        if not text.strip():
            raise ValueError("the solution is empty: paste at least one step")
        self.load()
        trace = Trace.from_text(text)
        with self._solving:
            ((score, diagnosis),) = self._read(problem.question, [trace])
        return with_trace(Session(problem=problem, critic=_card(self._loaded_critic)), trace, score, diagnosis)

    def change(self, session: Session, index: int, trace: Trace) -> Session:
        """The session with trace `index` as a person changed it: read from the change on, diagnosed, ranked anew.

        A session of another critic is read anew as a whole, so that no two critics are compared.

        Raises:
            EditError: if no more versions of the trace are kept, or it was never scored.
            Exception: whatever kept a model from loading.
        """
        self.load()
        card, question = _card(self._loaded_critic), session.problem.question
        with self._solving:
            if not same_critic(session.critic, card):
                session = read_by(session, card, lambda traces: self._read(question, traces))
            ((score, diagnosis),) = self._read(question, [trace])
        session = session.model_copy(update={"weight_temperature": self._loaded_critic.weight_temperature})
        return with_version(session, index, Version(trace=trace, score=score, diagnosis=diagnosis))

    def read_ahead(self, session: Session, index: int) -> bool:
        """Read a trace that somebody begins to change, so that then only the change is new; returns whether it was.

        It is not where the models are not there yet, or busy: nobody waits for this.
        """
        if self.stage != "ready" or not same_critic(session.critic, _card(self._loaded_critic)):
            return False
        if not self._solving.acquire(blocking=False):
            return False
        try:
            self._read(session.problem.question, [session.traces[index]])
        finally:
            self._solving.release()
        return True

    def _read(self, question: str, traces: Sequence[Trace]) -> list[Read]:
        """Scores and diagnoses; what the traces begin with is not read again if it was the last that was read."""
        critic = self._loaded_critic
        if self._scorer is None or self._scorer.question != question:
            self._scorer = critic.problem_scorer(question)
        scores = self._scorer.score(traces)
        return [
            Read(score, diagnose(question, trace, critic, score=score))
            for trace, score in zip(traces, scores, strict=True)
        ]

    @property
    def _loaded_critic(self) -> Critic:
        if self._critic is None:
            raise RuntimeError("the critic is not loaded: call `load` first")
        return self._critic


def _card(critic: Critic) -> ModelCard:
    return ModelCard(name=critic.name, sha256=critic.sha256, supervision=critic.supervision)
