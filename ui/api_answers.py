"""What the page answers to machines: plain JSON with a declared type. The names are those of a scored trace file.

Spans are pairs of character positions, [start, end), in the solution's text. Steps and solutions count from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding, StepVerdict
from irl_core.session.record import ModelCard, Session
from irl_core.text.spans import Span
from irl_core.text.traces import Trace


class Model(TypedDict):
    """Which model answered; `sha256` is of its weights, `supervision` what a critic was taught by."""

    name: str
    sha256: str | None
    supervision: str | None


class ScoredTrace(TypedDict):
    """What the critic says of a solution. Rewards, scores and surprise are in nats, one per token or per step."""

    critic: Model
    token_offsets: list[list[int]]
    token_rewards: list[float]
    step_spans: list[list[int]]
    step_scores: list[float]
    step_surprise: list[float]
    trace_score: float
    truncated_at: int | None


class Equation(TypedDict):
    """One equation that was worked again exactly: where it stands, what it says, what is right."""

    span: list[int]
    text: str
    stated: str
    expected: str
    ok: bool


class Step(TypedDict):
    """One step. `error_probability` is that it is the first wrong one; None where the critic judges nothing."""

    span: list[int]
    text: str
    error_probability: float | None
    verdict: StepVerdict
    reason: str
    equations: list[Equation]


class DiagnosedTrace(TypedDict):
    """What is found in a solution. `predicted_first_error` is -1 for no marked step, None without a calibration."""

    critic: Model
    answer: str | None
    answer_correct: bool | None
    predicted_first_error: int | None
    not_sure: bool
    outside: bool
    steps: list[Step]
    token_offsets: list[list[int]]
    token_heat: list[float]
    heat_scale: float | None
    calibrated_on: str


class Solution(TypedDict):
    """One drawn solution; `stopped` is "end", or "length" where it was cut off."""

    text: str
    answer: str | None
    answer_correct: bool | None
    trace_score: float
    predicted_first_error: int | None
    not_sure: bool
    outside: bool
    stopped: str


class AnswerVote(TypedDict):
    """The solutions with one answer: which, how many, and the sum of their critic weights."""

    answer: str | None
    solutions: list[int]
    count: int
    weight: float


class RankedSolutions(TypedDict):
    """Solutions as they were drawn, their `order` by the critic, the votes, and which one each rule picks."""

    policy: Model
    critic: Model
    solutions: list[Solution]
    order: list[int]
    votes: list[AnswerVote]
    chosen: dict[str, int]
    seconds: float


def scored_trace(session: Session) -> ScoredTrace:
    """The score of a session's first solution."""
    (trace, *_), (score, *_) = session.traces, session.scores
    return ScoredTrace(
        critic=_model(session.critic),
        token_offsets=_spans(score.offsets),
        token_rewards=list(score.rewards),
        step_spans=_spans(trace.steps),
        step_scores=list(score.step_rewards),
        step_surprise=list(score.surprise),
        trace_score=score.trace_score,
        truncated_at=score.truncated_at,
    )


def diagnosed_trace(session: Session, correct: bool | None) -> DiagnosedTrace:
    """The diagnosis of a session's first solution, whose final answer is `correct` as far as that is known."""
    (trace, *_), (score, *_), (diagnosis, *_) = session.traces, session.scores, session.diagnoses
    return DiagnosedTrace(
        critic=_model(session.critic),
        answer=trace.answer,
        answer_correct=correct,
        predicted_first_error=_first_error(diagnosis),
        not_sure=diagnosis.not_sure,
        outside=diagnosis.outside,
        steps=[_step(trace, span, found) for span, found in zip(trace.steps, diagnosis.steps, strict=True)],
        token_offsets=_spans(score.offsets),
        token_heat=list(diagnosis.token_heat),
        heat_scale=diagnosis.heat_scale,
        calibrated_on=diagnosis.calibrated_on,
    )


def ranked_solutions(session: Session) -> RankedSolutions:
    """A run that is over."""
    ranking = session.ranking
    solutions = [
        Solution(
            text=trace.text,
            answer=trace.answer,
            answer_correct=ranking.correct[i] if ranking else None,
            trace_score=session.scores[i].trace_score,
            predicted_first_error=_first_error(session.diagnoses[i]),
            not_sure=session.diagnoses[i].not_sure,
            outside=session.diagnoses[i].outside,
            stopped=trace.stopped,
        )
        for i, trace in enumerate(session.traces)
    ]
    votes = ranking.votes if ranking else ()
    return RankedSolutions(
        policy=_model(session.policy),
        critic=_model(session.critic),
        solutions=solutions,
        order=list(ranking.order) if ranking else [],
        votes=[AnswerVote(answer=v.answer, solutions=list(v.members), count=v.count, weight=v.weight) for v in votes],
        chosen=dict(ranking.chosen) if ranking else {},
        seconds=session.seconds or 0.0,
    )


def _first_error(diagnosis: Diagnosis) -> int | None:
    """As a scored trace file has it."""
    if any(step.error_probability is None for step in diagnosis.steps):
        return None
    return -1 if diagnosis.first_suspect is None else diagnosis.first_suspect


def _step(trace: Trace, span: Span, found: StepFinding) -> Step:
    equations = [
        Equation(span=list(e.span), text=e.text, stated=e.stated, expected=e.expected, ok=e.ok)
        for e in found.equations
    ]
    return Step(
        span=list(span),
        text=trace.text[span[0] : span[1]].strip(),
        error_probability=found.error_probability,
        verdict=found.verdict,
        reason=found.reason,
        equations=equations,
    )


def _spans(spans: Sequence[Span]) -> list[list[int]]:
    return [list(span) for span in spans]


def _model(card: ModelCard | None) -> Model:
    return Model(
        name=card.name if card else "",
        sha256=card.sha256 if card else None,
        supervision=card.supervision if card else None,
    )
