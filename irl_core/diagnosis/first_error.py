"""From features of steps to the probability that each is the first wrong one, and each token's share in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from irl_core.diagnosis.calibration import Calibration
from irl_core.diagnosis.features import Feature

_LEAST = 1e-6


def step_log_odds(rows: Sequence[Sequence[Feature]], calibration: Calibration) -> list[float]:
    """z_k = intercept + Σ weight · feature: log P(step k is the first wrong one) − log P(no step is wrong)."""
    return [
        calibration.intercept + sum(w * f.value for w, f in zip(calibration.weights, row, strict=True)) for row in rows
    ]


def first_error_probabilities(log_odds: Sequence[float] | np.ndarray) -> list[float]:
    """p_k = exp z_k / (1 + Σ exp z_j): the steps and "no error" compete, so that no step can hide the others.

    The probabilities add up to P(any step is wrong) < 1. A constant added to all z changes the sum and no order.
    """
    z = np.asarray(log_odds, dtype=float)
    highest = max(0.0, float(z.max(initial=0.0)))
    odds = np.exp(z - highest)
    return list((odds / (math.exp(-highest) + odds.sum())).tolist())


def token_heat(rows: Sequence[Sequence[Feature]], calibration: Calibration, n_tokens: int) -> tuple[float, ...]:
    """What each token takes from its step, (T,): minus its share in the log-odds that the step is the first wrong one.

    The heat of a step's tokens and its `constant` add up to its log-odds: z_k = constant − Σ heat.
    """
    heat = np.zeros(n_tokens)
    for row in rows:
        for weight, feature in zip(calibration.weights, row, strict=True):
            for token, share in feature.shares.items():
                heat[token] -= weight * feature.value * share
    return tuple(heat.tolist())


def constant(row: Sequence[Feature], calibration: Calibration) -> float:
    """What of a step's log-odds comes from no token: the intercept and the features without shares."""
    weighed = zip(calibration.weights, row, strict=True)
    return calibration.intercept + sum(w * f.value for w, f in weighed if not f.shares)


def log_odds(probability: float) -> float:
    """log p / (1 − p), with p kept a millionth away from 0 and 1."""
    p = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(p / (1 - p))
