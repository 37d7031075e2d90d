"""Scores and arithmetic -> calibrated error probability per step, first suspect step, abstention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from irl_core.arithmetic import EquationCheck
from irl_core.calibration import Calibration, TraceModel
from irl_core.evidence import StepEvidence, features, gather
from irl_core.traces import Record, Trace, TraceScore

_LEAST = 1e-6

StepVerdict = Literal["fine", "suspect", "not sure", "follows"]


class StepFinding(Record):
    """What is known of one step. `error_probability` is that *this* step is the first wrong one."""

    error_probability: float
    verdict: StepVerdict
    reward: float
    surprise: float
    equations: tuple[EquationCheck, ...] = ()
    reason: str


class Diagnosis(Record):
    """Findings per step; `first_suspect` is an index into them or None; `calibrated_on` says on what and how many."""

    steps: tuple[StepFinding, ...]
    first_suspect: int | None = None
    not_sure: bool = False
    calibrated_on: str = ""


def diagnose(question: str, trace: Trace, score: TraceScore, calibration: Calibration) -> Diagnosis:
    """Judge each step of a scored trace.

    With hazards h_k the probability that step k is the first wrong one is p_k = h_k Π_{j<k} (1 − h_j), and the trace
    holds an error with probability Σ p_k, unless the calibration has a model of whole traces. At or above the
    threshold the most probable step is suspect and the steps after it only follow; a little below it, the most
    probable step is marked "not sure".
    """
    evidence = gather(question, trace, score)
    probabilities = first_error_probabilities(hazards(features(evidence), calibration))
    if calibration.trace_model is not None:
        probabilities = seen_as_a_whole(probabilities, score.trace_score, calibration.trace_model)
    wrong = sum(probabilities)
    top = max(range(len(probabilities)), key=probabilities.__getitem__, default=None)
    suspect = top if wrong >= calibration.threshold else None
    unsure = suspect is None and wrong >= calibration.unsure_above
    findings = tuple(
        StepFinding(
            error_probability=p,
            verdict=_verdict(k, suspect, top if unsure else None),
            reward=e.reward,
            surprise=e.surprise,
            equations=e.equations,
            reason=_reason(e, k, suspect),
        )
        for k, (p, e) in enumerate(zip(probabilities, evidence, strict=True))
    )
    basis = f"{calibration.n_traces:,} traces of {calibration.source}"
    if calibration.trace_model:
        basis += f" and the outcomes of {calibration.trace_model.n_traces - calibration.n_traces:,} more"
    return Diagnosis(steps=findings, first_suspect=suspect, not_sure=unsure, calibrated_on=basis)


def hazards(rows: Sequence[Sequence[float]], calibration: Calibration) -> list[float]:
    """P(step k is wrong | the steps before it are right), one per row of features."""
    standard = list(zip(calibration.mean, calibration.scale, calibration.weights, strict=True))
    logits = (
        calibration.intercept + sum(w * (x - m) / s for x, (m, s, w) in zip(row, standard, strict=True))
        for row in rows
    )
    return [_logistic(logit) for logit in logits]


def first_error_probabilities(hazard: Sequence[float]) -> list[float]:
    """p_k = h_k Π_{j<k} (1 − h_j): the discrete-time survival form; they add up to P(any step is wrong) ≤ 1."""
    probabilities, survival = [], 1.0
    for h in hazard:
        probabilities.append(h * survival)
        survival *= 1 - h
    return probabilities


def seen_as_a_whole(probabilities: Sequence[float], trace_score: float, model: TraceModel) -> list[float]:
    """The steps' probabilities in the same proportions, adding up to what the model says of the trace."""
    if not probabilities:
        return []
    logit = model.intercept + model.of_steps * log_odds(sum(probabilities)) + model.of_score * trace_score
    wrong = _logistic(logit)
    return [p * wrong / sum(probabilities) for p in probabilities]


def log_odds(probability: float) -> float:
    """log p / (1 − p), with p kept a millionth away from 0 and 1."""
    p = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(p / (1 - p))


def _logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def _verdict(k: int, suspect: int | None, unsure: int | None) -> StepVerdict:
    if k == suspect:
        return "suspect"
    if suspect is not None and k > suspect:
        return "follows"
    return "not sure" if k == unsure else "fine"


def _reason(evidence: StepEvidence, k: int, suspect: int | None) -> str:
    """One sentence for a person; exact findings come before the critic's opinion."""
    if false := next((e for e in evidence.equations if not e.ok), None):
        return f"check: expected {false.expected}, the step says {false.stated}"
    if suspect is not None and k > suspect:
        return f"follows from step {suspect + 1}"
    if evidence.unknown:
        numbers = ", ".join(evidence.unknown[:3])
        return f"uses {numbers}, which neither the problem nor an earlier step gives"
    if evidence.answer_mismatch:
        return "the answer differs from the last computed result"
    if k == suspect and any(e.expected.startswith("-") for e in evidence.equations):
        return "its result is below zero"
    if k == suspect:
        return f"the critic finds this step unlikely for an expert (reward {evidence.reward:+.1f} nats)"
    if rounded := next((e for e in evidence.equations if e.rounded_to_whole), None):
        return f"arithmetic checked; {rounded.expected} was rounded to {rounded.stated}"
    return "arithmetic checked" if evidence.equations else "nothing to check exactly"
