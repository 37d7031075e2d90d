"""Fits the hazard model of `calibration` to labelled traces, and chooses its thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from irl_core.diagnosis import first_error_probabilities

FOLDS = 10


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
    rows: Sequence[np.ndarray], first_error: np.ndarray, problems: np.ndarray, penalty: float
) -> list[np.ndarray]:
    """First-error probabilities of each trace under a model that saw no trace of its problem."""
    held_out: list[np.ndarray] = [np.array([])] * len(rows)
    folds = GroupKFold(min(FOLDS, len(np.unique(problems))))
    for seen, unseen in folds.split(rows, groups=problems):
        model = fit_hazard([rows[i] for i in seen], first_error[seen], penalty)
        for i in unseen:
            held_out[i] = model.first_error(rows[i])
    return held_out


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
