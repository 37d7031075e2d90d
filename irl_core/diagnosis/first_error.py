"""From features of steps to the probability that each is the first wrong one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from irl_core.diagnosis.calibration import Calibration, TraceModel

_LEAST = 1e-6


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


def apply_trace_model(probabilities: Sequence[float], trace_score: float, model: TraceModel) -> list[float]:
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
