"""Bootstraps of few resamples, for tests that look at values and not at intervals."""

import numpy as np

from irl_core.evaluation.bootstrap import ProblemBootstrap


def own_problems(n: int) -> ProblemBootstrap:
    """Every one of n items is of a problem of its own."""
    return ProblemBootstrap(np.arange(n), resamples=200)
