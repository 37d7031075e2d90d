"""Fits what tells a text of another kind, and how often that is said of a source that had no part in the fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from irl_core.diagnosis.calibration import Scope
from irl_core.diagnosis.scope import SCOPE_FEATURES, scope_features
from irl_core.evaluation.trace_files import read_traces
from irl_core.text.json_lines import BadLine


class ScopeData(NamedTuple):
    """The traces of one file by their `scope_features`, (N, S); files of one source are left out together."""

    name: str
    source: str
    values: np.ndarray


def read_scope(path: Path, name: str, source: str, limit: int | None = None) -> ScopeData:
    """The first `limit` traces of a file under a name of its own; no critic is needed."""
    lines = [line for line in read_traces(path) if not isinstance(line, BadLine)]
    return ScopeData(name, source, np.array([scope_features(line.question, line.trace) for line in lines[:limit]]))


def fit_scope(inside: Sequence[ScopeData], outside: Sequence[ScopeData], threshold: float) -> Scope:
    """Logistic regression; inside and outside weigh the same, and so do the sources of each.

    Raises:
        ValueError: if either has no traces.
    """
    if not any(len(data.values) for data in inside) or not any(len(data.values) for data in outside):
        raise ValueError("to tell another kind of text, traces of both kinds are needed")
    values = np.concatenate([data.values for data in (*inside, *outside)])
    kinds = np.concatenate([np.full(len(d.values), k) for k, files in enumerate((inside, outside)) for d in files])
    scale = values.std(0) + 1e-6
    weights = np.concatenate([_weights(inside), _weights(outside)])
    model = LogisticRegression(max_iter=1000).fit(values / scale, kinds, sample_weight=weights)
    return Scope(
        features=SCOPE_FEATURES,
        weights=tuple((model.coef_[0] / scale).tolist()),
        intercept=float(model.intercept_[0]),
        threshold=threshold,
        other_kinds=tuple(data.name for data in outside),
    )


def _weights(files: Sequence[ScopeData]) -> np.ndarray:
    """500 in all, the same for each source."""
    names = np.concatenate([np.full(len(data.values), data.source, dtype=object) for data in files])
    counts = {name: int((names == name).sum()) for name in set(names.tolist())}
    return np.array([500 / len(counts) / counts[name] for name in names])


def left_out_scope_rates(
    inside: Sequence[ScopeData], outside: Sequence[ScopeData], threshold: float
) -> dict[str, float]:
    """The share of each file's traces that are called another kind under a model of all other sources.

    A source that is the only one of its kind is part of its own model.
    """
    rates = {}
    for data in (*inside, *outside):
        within = [other for other in inside if other.source != data.source] or list(inside)
        without = [other for other in outside if other.source != data.source] or list(outside)
        scope = fit_scope(within, without, threshold)
        rates[data.name] = float(np.mean([scope.is_outside(values) for values in data.values.tolist()]))
    return rates
