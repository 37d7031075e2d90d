"""Fits the hazard model of `calibration` to labelled traces, and chooses its thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from irl_core.diagnosis.first_error import first_error_probabilities, log_odds

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

    Steps after the first error say nothing of the hazard and are left out.

    Args:
        rows: features (K, F) of each trace.
        first_error: 0-based label of each trace, -1 for none, (N,).
    """
    x, y = [], []
    for steps, error in zip(rows, first_error, strict=True):
        end = len(steps) if error < 0 else error + 1
        x.append(steps[:end])
        y += [float(k == error) for k in range(end)]
    flat = np.concatenate(x)
    mean, scale = flat.mean(0), flat.std(0) + 1e-6
    model = LogisticRegression(C=1 / penalty, max_iter=1000).fit((flat - mean) / scale, y)
    return Hazard(mean, scale, model.coef_[0], float(model.intercept_[0]))


def cross_validated(
    rows: Sequence[np.ndarray],
    first_error: np.ndarray,
    problems: np.ndarray,
    penalty: float,
    others: Sequence[np.ndarray] = (),
    others_problems: np.ndarray | None = None,
) -> list[np.ndarray]:
    """First-error probabilities of each trace, and of `others`, under a model that saw no trace of its problem."""
    judged = [*rows, *others]
    owners = problems if others_problems is None else np.concatenate([problems, others_problems])
    everything = fit_hazard(rows, first_error, penalty)
    held_out = [everything.first_error(steps) for steps in judged]
    folds = GroupKFold(min(FOLDS, len(np.unique(problems))))
    for seen, unseen in folds.split(rows, groups=problems):
        model = fit_hazard([rows[i] for i in seen], first_error[seen], penalty)
        for i in np.flatnonzero(np.isin(owners, problems[unseen])):
            held_out[i] = model.first_error(judged[i])
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

    def probability(self, pool: Outcomes) -> np.ndarray:
        """P(the trace holds an error), (N,)."""
        return 1 / (1 + np.exp(-(self.intercept + self.of_steps * pool.steps + self.of_score * pool.scores)))


def fit_trace_model(pools: Sequence[Outcomes]) -> TraceFit:
    """Logistic regression in which every source weighs the same, however many traces it has."""
    x = np.concatenate([np.stack([pool.steps, pool.scores], 1) for pool in pools])
    y = np.concatenate([pool.wrong for pool in pools])
    weights = np.concatenate([np.full(len(pool.wrong), len(y) / len(pools) / len(pool.wrong)) for pool in pools])
    model = LogisticRegression(C=_NEARLY_FREE, max_iter=1000).fit(x, y, sample_weight=weights)
    return TraceFit(*model.coef_[0].tolist(), float(model.intercept_[0]))


def cross_validated_traces(pools: Sequence[Outcomes]) -> list[np.ndarray]:
    """P(the trace holds an error) of each pool's traces under a model that saw no trace of their problems."""
    problems = np.unique(np.concatenate([pool.problems for pool in pools]))
    found = [np.zeros(len(pool.wrong)) for pool in pools]
    for fold in np.array_split(problems, min(FOLDS, len(problems))):
        held = [np.isin(pool.problems, fold) for pool in pools]
        seen = [Outcomes(*(part[~out] for part in pool)) for pool, out in zip(pools, held, strict=True)]
        model = fit_trace_model([pool for pool in seen if len(pool.wrong)])
        for mine, pool, out in zip(found, pools, held, strict=True):
            mine[out] = model.probability(pool)[out]
    return found


def summed(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Log-odds of the sum of each trace's step probabilities, (N,)."""
    return np.array([log_odds(float(p.sum())) for p in probabilities])


def shared_out(probabilities: Sequence[np.ndarray], wrong: np.ndarray) -> list[np.ndarray]:
    """Each trace's step probabilities in the same proportions, adding up to `wrong` (N,)."""
    return [p * w / p.sum() for p, w in zip(probabilities, wrong, strict=True)]


def judged_whole(
    probabilities: Sequence[np.ndarray], scores: np.ndarray, whole: TraceFit | None
) -> Sequence[np.ndarray]:
    """What the diagnosis makes of the hazards where there is a model of whole traces."""
    if whole is None:
        return probabilities
    nobody = np.zeros(len(scores))
    return shared_out(probabilities, whole.probability(Outcomes(summed(probabilities), scores, nobody, nobody)))


def false_flag_rate(wrong: np.ndarray, erroneous: np.ndarray, threshold: float) -> float:
    """Share of right traces whose probability of holding an error, `wrong` (N,), reaches `threshold`."""
    return float((wrong[~erroneous] >= threshold).mean())


def threshold_at(wrong: np.ndarray, erroneous: np.ndarray, rate: float) -> float:
    """The lowest threshold that at most `rate` of the right traces reach; 1 if even their highest are too many.

    Args:
        wrong: each trace's probability of holding an error, (N,).
        erroneous: whether it does, (N,).
    """
    highest_first = np.sort(wrong[~erroneous])[::-1]
    allowed = int(rate * len(highest_first) + 1e-9)
    if allowed >= len(highest_first):
        return 0.0
    return float(min(1.0, np.nextafter(highest_first[allowed], 2.0)))
