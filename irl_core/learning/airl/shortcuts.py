"""What a discriminator could tell the classes apart by without reading the reasoning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

_FOLDS = 3


def length_auc(lengths: Sequence[int], expert: Sequence[bool]) -> float:
    """AUC of "the longer trace is the expert's" or of its opposite, whichever is above 0.5; 0.5 for one class."""
    if len(set(expert)) < 2:
        return 0.5
    auc = roc_auc_score(expert, lengths)
    return float(max(auc, 1 - auc))


def bag_of_tokens_auc(traces: Sequence[Sequence[int]], expert: Sequence[bool]) -> float:
    """Cross-validated AUC of a logistic regression on counts of token ids; 0.5 where a class is too small for it."""
    labels = np.asarray(expert)
    if min(labels.sum(), (~labels).sum()) < _FOLDS:
        return 0.5
    vocabulary = {token: i for i, token in enumerate(sorted({t for trace in traces for t in trace}))}
    rows = [row for row, trace in enumerate(traces) for _ in trace]
    columns = [vocabulary[token] for trace in traces for token in trace]
    shape = (len(traces), len(vocabulary))
    counts = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    model = LogisticRegression(class_weight="balanced", max_iter=200)
    scores = cross_val_predict(model, counts, labels, cv=folds, method="decision_function")
    return float(roc_auc_score(labels, scores))
