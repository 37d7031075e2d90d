"""Fits the two models of a calibration to labelled traces: the hazard of each step, and an error in the whole trace.

Held-out predictions are cross-validated by problem: whatever predicts a trace saw no trace of its problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from irl_core.diagnosis.first_error import first_error_probabilities, log_odds
from irl_core.evaluation.calibration_data import CalibrationData

FOLDS = 10
_NEARLY_FREE = 1e3  # three weights on hundreds of traces need no penalty


class Hazard(NamedTuple):
    """h_k = σ(intercept + Σ weights · (features − mean) / scale); the arrays are (F,)."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    intercept: float

    def first_error(self, steps: np.ndarray) -> np.ndarray:
        """P(step k is the first wrong one) for each row of features, (K, F) -> (K,)."""
        logits = (steps - self.mean) / self.scale @ self.weights + self.intercept
        return np.array(first_error_probabilities((1 / (1 + np.exp(-logits))).tolist()))


def fit_hazard(rows: Sequence[np.ndarray], first_error: np.ndarray, penalty: float) -> Hazard:
    """The likelihood of a discrete-time survival model with an L2 `penalty` on standardised features.

    Steps after the first error say nothing of the hazard and are left out. Where all other steps are right, or all
    wrong, no feature tells them apart and the hazard is the same everywhere.

    Args:
        rows: features (K, F) of each trace.
        first_error: 0-based label of each trace, -1 for none, (N,).
    """
    parts, is_wrong = [], []
    for steps, error in zip(rows, first_error, strict=True):
        end = len(steps) if error < 0 else error + 1
        parts.append(steps[:end])
        is_wrong += [float(k == error) for k in range(end)]
    flat = np.concatenate(parts)
    mean, scale = flat.mean(0), flat.std(0) + 1e-6
    if len(set(is_wrong)) < 2:
        return Hazard(mean, scale, np.zeros(len(mean)), log_odds(is_wrong[0]))
    model = LogisticRegression(C=1 / penalty, max_iter=1000).fit((flat - mean) / scale, is_wrong)
    return Hazard(mean, scale, model.coef_[0], float(model.intercept_[0]))


def problem_folds(problems: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices (seen, unseen) of at most `FOLDS` folds of problems, of about as many traces each; problems (N,).

    Raises:
        ValueError: if there is only one problem.
    """
    n_problems = len(np.unique(problems))
    if n_problems < 2:
        raise ValueError("the labelled traces are of one problem: nothing can be held out; add traces of others")
    yield from GroupKFold(min(FOLDS, n_problems)).split(problems, groups=problems)


def cross_validated(
    rows: Sequence[np.ndarray],
    first_error: np.ndarray,
    problems: np.ndarray,
    penalty: float,
    others: Sequence[np.ndarray] = (),
    others_problems: np.ndarray | None = None,
) -> list[np.ndarray]:
    """First-error probabilities of each trace, and of `others`, under a model that saw no trace of its problem."""
    all_rows = [*rows, *others]
    all_problems = problems if others_problems is None else np.concatenate([problems, others_problems])
    of_all = fit_hazard(rows, first_error, penalty)
    held_out = [of_all.first_error(steps) for steps in all_rows]
    for seen, unseen in problem_folds(problems):
        model = fit_hazard([rows[i] for i in seen], first_error[seen], penalty)
        for i in np.flatnonzero(np.isin(all_problems, problems[unseen])):
            held_out[i] = model.first_error(all_rows[i])
    return held_out


class Outcomes(NamedTuple):
    """Traces of one source of which it is known whether they are wrong; all (N,).

    `steps` are the log-odds of the sum of the steps' probabilities, `scores` the trace scores; `problems` have
    the same names in all sources.
    """

    steps: np.ndarray
    scores: np.ndarray
    wrong: np.ndarray
    problems: np.ndarray


class TraceFit(NamedTuple):
    """σ(intercept + of_steps · steps + of_score · scores)."""

    of_steps: float
    of_score: float
    intercept: float

    def probability(self, steps: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """P(the trace holds an error), (N,), from `Outcomes.steps` and `Outcomes.scores`."""
        return np.asarray(1 / (1 + np.exp(-(self.intercept + self.of_steps * steps + self.of_score * scores))))


def fit_trace_model(sources: Sequence[Outcomes]) -> TraceFit:
    """Logistic regression in which every source weighs the same, however many traces it has.

    Where all traces are right, or all wrong, the probability is the same everywhere.
    """
    x = np.concatenate([np.stack([source.steps, source.scores], 1) for source in sources])
    y = np.concatenate([source.wrong for source in sources])
    if y.all() or not y.any():
        return TraceFit(0.0, 0.0, log_odds(float(y[0])))
    weights = np.concatenate([np.full(len(s.wrong), len(y) / len(sources) / len(s.wrong)) for s in sources])
    model = LogisticRegression(C=_NEARLY_FREE, max_iter=1000).fit(x, y, sample_weight=weights)
    of_steps, of_score = model.coef_[0].tolist()
    return TraceFit(of_steps, of_score, float(model.intercept_[0]))


def cross_validated_traces(sources: Sequence[Outcomes]) -> list[np.ndarray]:
    """P(the trace holds an error) of each source's traces under a model that saw no trace of their problems."""
    problems = np.unique(np.concatenate([source.problems for source in sources]))
    probabilities = [np.zeros(len(source.wrong)) for source in sources]
    for fold in np.array_split(problems, min(FOLDS, len(problems))):
        unseen = [np.isin(source.problems, fold) for source in sources]
        seen = [Outcomes(*(column[~out] for column in s)) for s, out in zip(sources, unseen, strict=True)]
        model = fit_trace_model([source for source in seen if len(source.wrong)])
        for own, source, out in zip(probabilities, sources, unseen, strict=True):
            own[out] = model.probability(source.steps[out], source.scores[out])
    return probabilities


def summed(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Log-odds of the sum of each trace's step probabilities, (N,)."""
    return np.array([log_odds(float(p.sum())) for p in probabilities])


def shared_out(probabilities: Sequence[np.ndarray], wrong: np.ndarray) -> list[np.ndarray]:
    """Each trace's step probabilities in the same proportions, adding up to `wrong` (N,)."""
    return [p * w / p.sum() for p, w in zip(probabilities, wrong, strict=True)]


@dataclass(frozen=True)
class CalibrationModel:
    """The hazard of each step and, where outcomes were known, a model of the whole trace."""

    hazard: Hazard
    trace_fit: TraceFit | None

    def predict(self, data: CalibrationData) -> list[np.ndarray]:
        """P(step k is the first wrong one) of the steps of each trace, (K,): as the diagnosis computes it."""
        hazards = [self.hazard.first_error(steps) for steps in data.features]
        if self.trace_fit is None:
            return hazards
        return shared_out(hazards, self.trace_fit.probability(summed(hazards), data.scores))


@dataclass(frozen=True)
class HeldOut:
    """Predictions of models that saw no trace of the same problem.

    `steps` are the first-error probabilities (K,) of each labelled trace, `wrong_of_others` P(the trace holds an
    error) (N,) of each source of outcomes. `sources` is what a model of whole traces is fitted on: the labelled
    traces and the outcomes; empty where there are no outcomes.
    """

    steps: list[np.ndarray]
    wrong_of_others: list[np.ndarray]
    sources: list[Outcomes]


def held_out_predictions(labelled: CalibrationData, others: Sequence[CalibrationData], penalty: float) -> HeldOut:
    """Cross-validated by problem: traces with step labels, and `others` of which only the outcome is known.

    Raises:
        ValueError: if the labelled traces are of one problem.
    """
    other_rows = [steps for other in others for steps in other.features]
    other_problems = np.concatenate([other.problems for other in others]) if others else None
    hazards = cross_validated(
        labelled.features, labelled.first_error, labelled.problems, penalty, other_rows, other_problems
    )
    if not others:
        return HeldOut(hazards, [], [])
    data = [labelled, *others]
    ends = np.cumsum([len(source) for source in data])
    of_source = [hazards[end - len(source) : end] for source, end in zip(data, ends, strict=True)]
    sources = [
        Outcomes(summed(steps), source.scores, source.erroneous, source.problems)
        for source, steps in zip(data, of_source, strict=True)
    ]
    wrong, *wrong_of_others = cross_validated_traces(sources)
    return HeldOut(shared_out(of_source[0], wrong), wrong_of_others, sources)


def fit_calibration(labelled: CalibrationData, held_out: HeldOut, penalty: float) -> CalibrationModel:
    """The model that is shipped: hazards of all labelled traces, and whole traces by their held-out hazards."""
    hazard = fit_hazard(labelled.features, labelled.first_error, penalty)
    return CalibrationModel(hazard, fit_trace_model(held_out.sources) if held_out.sources else None)
