"""Fits the model of a calibration to labelled traces, every source weighing the same.

Figures that count are of sources that were left out whole, with every trace of their problems elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from irl_core.diagnosis.features import FEATURES
from irl_core.diagnosis.first_error import first_error_probabilities
from irl_core.evaluation.calibration_data import NO_ERROR, WRONG_SOMEWHERE, CalibrationData

# Surprise and exact findings only speak against a step.
MAY_BE_NEGATIVE = frozenset({"no_number"})
HELD_BACK = {"upper_surprise": 500.0}
"""How much more the weight of a feature is penalised whose level differs between sources more than it tells."""


class StepModel(NamedTuple):
    """z = intercept + features · weights, of the features as the diagnosis computes them; weights (F,)."""

    weights: np.ndarray
    intercept: float

    def predict(self, data: CalibrationData) -> list[np.ndarray]:
        """P(step k is the first wrong one) of the steps of each trace, (K,)."""
        return [
            np.array(first_error_probabilities(trace.values @ self.weights + self.intercept)) for trace in data.traces
        ]


class _Problem(NamedTuple):
    """All steps (S, F) of N traces; `owner` (S,) is the trace of each; `label` (N,) the row of its first error.

    `first_error` and `weight` are (N,).
    """

    features: np.ndarray
    owner: np.ndarray
    label: np.ndarray
    first_error: np.ndarray
    weight: np.ndarray


def fit_steps(files: Sequence[CalibrationData], penalty: float) -> StepModel:
    """Maximum likelihood of the labels, with an L2 `penalty` on the weights of standardised features.

    The log-likelihood of a trace is log P(no error), log P(step k first) or, where only the outcome is known,
    log P(any error). Every source weighs the same, however many traces it has.

    Raises:
        ValueError: if all traces are right, or all are wrong: nothing tells them apart.
    """
    files = [data for data in files if len(data)]
    if len({bool(wrong) for data in files for wrong in data.erroneous}) < 2:
        raise ValueError("a calibration needs right traces and wrong ones")
    problem = _assemble(files)
    scale = _weighted_deviation(problem.features, problem.weight[problem.owner]) + 1e-6
    standard = problem._replace(features=problem.features / scale)
    free = [(None, None) if name in MAY_BE_NEGATIVE else (0.0, None) for name in FEATURES]
    start = np.append(np.zeros(len(scale)), -np.log(1 + len(problem.owner) / len(problem.label)))
    penalties = penalty * np.array([HELD_BACK.get(name, 1.0) for name in FEATURES])
    bounds = [*free, (None, None)]
    found = minimize(_loss, start, args=(standard, penalties), jac=True, method="L-BFGS-B", bounds=bounds)
    return StepModel(found.x[:-1] / scale, float(found.x[-1]))


def _weighted_deviation(features: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The standard deviation (F,) of features (S, F) of steps that weigh `weight` (S,)."""
    mean = np.average(features, axis=0, weights=weight)
    return np.asarray(np.sqrt(np.average((features - mean) ** 2, axis=0, weights=weight)))


def _assemble(files: Sequence[CalibrationData]) -> _Problem:
    traces = [trace.values for data in files for trace in data.traces]
    lengths = [len(values) for values in traces]
    starts = np.cumsum([0, *lengths[:-1]])
    first_error = np.concatenate([data.first_error for data in files])
    weight = trace_weights(files)
    owner = np.repeat(np.arange(len(traces)), lengths)
    return _Problem(np.concatenate(traces), owner, starts + np.maximum(first_error, 0), first_error, weight)


def trace_weights(files: Sequence[CalibrationData]) -> np.ndarray:
    """One for each trace (N,), N in all: every source has the same sum, however many files and traces it has."""
    names = np.concatenate([np.full(len(data), data.source, dtype=object) for data in files])
    counts = {name: int((names == name).sum()) for name in set(names.tolist())}
    return np.array([len(names) / len(counts) / counts[name] for name in names])


def _loss(parameters: np.ndarray, problem: _Problem, penalties: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the penalised log-likelihood, and its gradient; `penalties` (F,)."""
    weights, intercept = parameters[:-1], parameters[-1]
    z = np.clip(problem.features @ weights + intercept, -50, 50)
    n = len(problem.label)
    odds = np.exp(z)
    total = np.bincount(problem.owner, odds, n)
    log_all = np.log1p(total)
    none, anywhere = problem.first_error == NO_ERROR, problem.first_error == WRONG_SOMEWHERE
    likelihood = np.where(none, 0.0, np.where(anywhere, np.log(total), z[problem.label])) - log_all
    by_trace = np.where(anywhere, 1 / total, 0.0) - 1 / (1 + total)
    slope = problem.weight[problem.owner] * odds * by_trace[problem.owner]
    located = ~none & ~anywhere
    np.add.at(slope, problem.label[located], problem.weight[located])
    loss = -float(problem.weight @ likelihood) + float(penalties @ weights**2) / 2
    gradient = -np.append(problem.features.T @ slope, slope.sum())
    gradient[:-1] += penalties * weights
    return loss, gradient


def without(files: Sequence[CalibrationData], source: str) -> list[CalibrationData]:
    """All files but those of one source, without the traces of its problems."""
    groups = np.concatenate([data.groups for data in files if data.source == source])
    return without_problems([data for data in files if data.source != source], groups)


def without_problems(files: Sequence[CalibrationData], groups: np.ndarray) -> list[CalibrationData]:
    """The files without the traces of these problems; a file of which nothing is left is absent."""
    others = [data.where(~np.isin(data.groups, groups)) for data in files]
    return [data for data in others if len(data)]


def left_out_predictions(files: Sequence[CalibrationData], penalty: float) -> list[list[np.ndarray]]:
    """The first-error probabilities of each file under a model of the other sources, in the order of `files`.

    With one source there is nothing to leave out: they are those of the fit itself.
    """
    sources = {data.source for data in files}
    if len(sources) < 2:
        model = fit_steps(files, penalty)
        return [model.predict(data) for data in files]
    models = {source: fit_steps(without(files, source), penalty) for source in sorted(sources)}
    return [models[data.source].predict(data) for data in files]
