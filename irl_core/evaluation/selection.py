"""Which rule picks the right one of several solutions, and by how much: best-of-n over many problems."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from irl_core.diagnosis.best_of_n import RULES, Candidates, best_of_n_curve, pass_at_k
from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap


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
    candidates takes part with all of its own, so every point is of the same problems; `curve_interval` holds (low,
    high) at each n. `pass_at_k` is over the problems that have k candidates.
    """
    choices = [candidates for candidates in problems if len(candidates) > 1]
    if not choices:
        return None
    largest = max(map(len, choices))
    ns = curve_sizes(largest)
    curves = [
        best_of_n_curve(candidates, ns, weight_temperature=weight_temperature, rng=rng) for candidates in choices
    ]
    rules = [rule for rule in RULES if all(rule in curve for curve in curves)]
    bootstrap = ProblemBootstrap(np.arange(len(choices)), resamples=resamples, seed=seed)
    accuracy = {rule: np.array([curve[rule] for curve in curves]) for rule in rules}
    figures = {rule: [figure for at_n in accuracy[rule].T if (figure := bootstrap.mean(at_n))] for rule in rules}
    gain = accuracy["weighted_vote"][:, -1] - accuracy["majority"][:, -1]
    return {
        "n_candidates": largest,
        **{rule: figures[rule][-1] if rule in rules else None for rule in RULES},
        "weighted_vote_minus_majority": bootstrap.mean(gain),
        "pass_at_k": _pass_at_k(choices, resamples=resamples, seed=seed),
        "curve": {"n": ns} | {rule: [point["value"] for point in figures[rule]] for rule in rules},
        "curve_interval": {rule: [(point["low"], point["high"]) for point in figures[rule]] for rule in rules},
    }


def _pass_at_k(choices: Sequence[Candidates], *, resamples: int, seed: int) -> dict[str, Figure | None]:
    """pass@k for k = 1, 2, 4, … over the problems with at least k candidates."""
    figures = {}
    for k in [2**e for e in range(max(map(len, choices)).bit_length())]:
        values = [pass_at_k(len(c), int(c.correct.sum()), k) for c in choices if len(c) >= k]
        bootstrap = ProblemBootstrap(np.arange(len(values)), resamples=resamples, seed=seed)
        figures[str(k)] = bootstrap.mean(np.array(values))
    return figures


def curve_sizes(largest: int) -> list[int]:
    """Every n up to 16, then its doublings, and `largest` itself."""
    doubled = [2**e for e in range(5, largest.bit_length()) if 2**e < largest]
    return [*range(1, min(largest, 16) + 1), *doubled, *([largest] if largest > 16 else [])]
