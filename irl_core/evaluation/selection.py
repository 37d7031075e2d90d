"""Which rule picks the right one of several solutions, and by how much: best-of-n over many problems."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.rerank import RULES, Candidates, best_of_n_curve, expected_accuracy


def selection_report(
    problems: Sequence[Candidates],
    *,
    weight_temperature: float,
    rng: random.Random,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any] | None:
    """The `selection` part of the report; None where no problem has two candidates.

    Problems with one candidate leave nothing to choose and are left out. Each figure uses all candidates of its
    problem, in expectation over ties; `n` counts problems and `n_candidates` is the largest number that one of them
    has. A rule that cannot be applied to every problem (`logprob`) is None. On the curve a problem with fewer than n
    candidates takes part with all of its own, so every point is of the same problems.
    """
    choices = [candidates for candidates in problems if len(candidates) > 1]
    if not choices:
        return None
    largest = max(map(len, choices))
    ns = curve_sizes(largest)
    at_all = [
        expected_accuracy(candidates, len(candidates), weight_temperature=weight_temperature, rng=rng)
        for candidates in choices
    ]
    curves = [
        best_of_n_curve(candidates, ns, weight_temperature=weight_temperature, rng=rng) for candidates in choices
    ]
    rules = [rule for rule in RULES if all(rule in accuracy for accuracy in at_all)]
    bootstrap = ProblemBootstrap(np.arange(len(choices)), resamples=resamples, seed=seed)
    accuracy = {rule: np.array([one[rule] for one in at_all]) for rule in rules}
    return {
        "n_candidates": largest,
        **{rule: bootstrap.mean(accuracy[rule]) if rule in rules else None for rule in RULES},
        "weighted_vote_minus_majority": bootstrap.mean(accuracy["weighted_vote"] - accuracy["majority"]),
        "curve": {"n": ns} | {rule: np.mean([curve[rule] for curve in curves], axis=0).tolist() for rule in rules},
    }


def curve_sizes(largest: int) -> list[int]:
    """1, 2, 4, … and `largest` itself."""
    powers = [2**exponent for exponent in range(largest.bit_length()) if 2**exponent < largest]
    return [*powers, largest]
