"""Traces for a calibration whose features and labels are made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from irl_core.diagnosis.features import FEATURES, Feature
from irl_core.diagnosis.first_error import first_error_probabilities
from irl_core.evaluation.calibration_data import CalibrationData, TraceFeatures


def trace_of(steps: Sequence[Mapping[str, float]], scope: tuple[float, ...] = ()) -> TraceFeatures:
    """A trace of one token a step; its features are those that are named, and 0. Each lies on the step's token."""
    rows = [tuple(Feature(step.get(name, 0.0), {k: 1.0}) for name in FEATURES) for k, step in enumerate(steps)]
    return TraceFeatures(rows, scope, range(len(steps)))


def data_of(
    traces: Sequence[TraceFeatures],
    first_error: Sequence[int],
    source: str = "one",
    groups: Sequence[str] | None = None,
    name: str | None = None,
) -> CalibrationData:
    """A file; each trace is of a problem of its own of the source unless `groups` say which."""
    own = groups or [f"{source}-{i}" for i in range(len(traces))]
    return CalibrationData(name or source, source, list(traces), np.array(first_error), np.array(own, dtype=str))


def simulate(
    n: int, weights: Mapping[str, float], intercept: float, source: str = "one", seed: int = 0
) -> CalibrationData:
    """Traces of one to five steps, their features uniform in [0, 3], their labels drawn by these weights."""
    rng = np.random.default_rng(seed)
    traces, labels = [], []
    for _ in range(n):
        steps = [{name: float(rng.uniform(0, 3)) for name in weights} for _ in range(rng.integers(1, 6))]
        z = [intercept + sum(w * step[name] for name, w in weights.items()) for step in steps]
        p = first_error_probabilities(z)
        labels.append(int(rng.choice([-1, *range(len(p))], p=[1 - sum(p), *p])))
        traces.append(trace_of(steps))
    return data_of(traces, labels, source)
