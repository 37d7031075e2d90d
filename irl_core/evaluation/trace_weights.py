"""Fits how much each part of a trace score weighs, from pools of candidates whose final answers were checked.

A conditional logistic model: of a right and a wrong candidate of one problem, the right one is better with probability
σ(Σ w · (features of the right one − features of the wrong one)). Only differences within a problem count, so nothing
is learned of which problems are hard, and every problem counts the same however many pairs it has.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.linear_model import LogisticRegression


def mixed_problems(correct: np.ndarray, problems: np.ndarray) -> Iterator[np.ndarray]:
    """Indices of the candidates of each problem that has right and wrong ones; arrays (N,)."""
    order = np.argsort(problems, kind="stable")
    _, starts = np.unique(problems[order], return_index=True)
    for pool in np.split(order, starts[1:]):
        if correct[pool].any() and not correct[pool].all():
            yield pool


def fit_trace_weights(
    features: np.ndarray, correct: np.ndarray, problems: np.ndarray, *, penalty: float = 1.0
) -> np.ndarray:
    """w (F,) per unit of each feature, from features (N, F), labels (N,) and the problem of each candidate (N,).

    `penalty` is an L2 penalty on w times the standard deviation of its feature.

    Raises:
        ValueError: if no problem has a right and a wrong candidate.
    """
    differences, shares = [], []
    for pool in mixed_problems(correct, problems):
        right, wrong = features[pool[correct[pool]]], features[pool[~correct[pool]]]
        pairs = (right[:, None] - wrong[None]).reshape(-1, features.shape[1])
        differences.append(pairs)
        shares.append(np.full(len(pairs), 1 / len(pairs)))
    if not differences:
        raise ValueError("no problem has both a right and a wrong candidate: nothing to learn a trace score from")
    scale = features.std(axis=0) + 1e-9
    rows, share = np.concatenate(differences) / scale, np.concatenate(shares)
    # Each pair also the other way round: a model without intercept needs both classes.
    labels = np.repeat([1.0, 0.0], len(rows))
    model = LogisticRegression(fit_intercept=False, C=1 / penalty, max_iter=1000)
    model.fit(np.concatenate([rows, -rows]), labels, sample_weight=np.tile(share, 2) / 2)
    return np.asarray(model.coef_[0] / scale)


def held_out_scores(
    features: np.ndarray, correct: np.ndarray, problems: np.ndarray, *, penalty: float = 1.0
) -> np.ndarray:
    """Scores (N,) in units of log-odds, each half of the problems by weights that were fitted on the other half."""
    _, problem = np.unique(problems, return_inverse=True)
    half = problem % 2 == 1
    scores = np.empty(len(features))
    for unseen in (half, ~half):
        weights = fit_trace_weights(features[~unseen], correct[~unseen], problems[~unseen], penalty=penalty)
        scores[unseen] = features[unseen] @ weights
    return scores
