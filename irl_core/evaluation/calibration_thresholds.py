"""Chooses the thresholds of a calibration, and the scale of its colours.

The best threshold of some predictions looks better on these than on others. So thresholds are chosen on predictions
for sources that were left out of the fit, and what they are worth is told of a source that had no part in the choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from irl_core.diagnosis.calibration import Calibration
from irl_core.diagnosis.first_error import token_heat
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibration_data import CalibrationData
from irl_core.evaluation.localisation_metrics import first_error_f1, suspects_at

FEWEST_RIGHT = 20
_NO_BEST = 0.5  # where only right or only wrong traces are known, no threshold is better than another


class Thresholds(NamedTuple):
    """On the probability that a trace holds an error.

    From `suspect` on the most probable step is suspect; below, from `unsure` on, it is "not sure".
    """

    suspect: float
    unsure: float


class Predicted(NamedTuple):
    """A file and each trace's first-error probabilities (K,)."""

    data: CalibrationData
    steps: Sequence[np.ndarray]

    @property
    def wrong(self) -> np.ndarray:
        """P(the trace holds an error), (N,)."""
        return np.array([float(p.sum()) for p in self.steps])


@dataclass(frozen=True)
class ThresholdRule:
    """How thresholds are chosen.

    `suspect` has the best mean over files of the first-error F1 among those that at most `false_flag_rate` of the
    right traces of every file reach; `unsure` is the lowest that at most `not_sure_rate` of the right traces reach, in
    the mean over files. A file with fewer than 20 right traces has no say in the rates, one without located errors
    none in the F1.
    """

    false_flag_rate: float
    not_sure_rate: float

    def choose(self, sources: Sequence[Predicted]) -> Thresholds:
        """The thresholds that suit these predictions."""
        right = [s.wrong[~s.data.erroneous] for s in sources if (~s.data.erroneous).sum() >= FEWEST_RIGHT]
        lowest = max((rate_threshold(r, self.false_flag_rate) for r in right), default=0.0)
        located = [s for s in sources if s.data.located.all() and 0 < s.data.erroneous.mean() < 1]
        candidates = np.unique(np.concatenate([[lowest], *(s.wrong for s in located)]))
        candidates = candidates[(candidates >= lowest) & (candidates <= 1)]
        scores = [np.mean([_f1(s, t) for s in located]) for t in candidates] if located else []
        suspect = float(candidates[int(np.argmax(scores))]) if scores else max(lowest, _NO_BEST)
        unsure = float(np.mean([rate_threshold(r, self.not_sure_rate) for r in right])) if right else suspect
        return Thresholds(suspect, min(suspect, unsure))


def _f1(predicted: Predicted, threshold: float) -> float:
    steps = predicted.data.step_labels(predicted.steps)
    one = ProblemBootstrap(predicted.data.groups, resamples=1)
    figure = first_error_f1(suspects_at(steps, threshold), steps.first_error, one)["f1"]
    return figure["value"] if figure else 0.0


def false_flag_rate(wrong: np.ndarray, erroneous: np.ndarray, threshold: float) -> float | None:
    """Share of right traces whose probability of holding an error, `wrong` (N,), reaches `threshold`.

    None where there is no right trace.
    """
    return None if erroneous.all() else float((wrong >= threshold)[~erroneous].mean())


def rate_threshold(wrong: np.ndarray, rate: float) -> float:
    """The lowest threshold that at most `rate` of the values (N,) reach; 1 if even the highest are too many."""
    highest_first = np.sort(wrong)[::-1]
    allowed = int(rate * len(highest_first) + 1e-9)
    if allowed >= len(highest_first):
        return 0.0
    return float(min(1.0, np.nextafter(highest_first[allowed], 2.0)))


def choose_heat_scale(sources: Sequence[CalibrationData], calibration: Calibration, visible_rate: float) -> float:
    """The scale at which at most `visible_rate` of the right traces of the sources, in the mean, have a visible token.

    A token is visible at half of the scale. Only sources with at least 20 right traces count.
    """
    darkest = [
        np.array([-min(token_heat(t.steps, calibration, t.n_tokens), default=0.0) for t in right.traces])
        for right in (source.where(~source.erroneous) for source in sources)
        if len(right) >= FEWEST_RIGHT
    ]
    if not darkest:
        return 2.0
    candidates = np.unique(np.concatenate(darkest))
    rates = [np.mean([(d >= c).mean() for d in darkest]) for c in candidates]
    fitting = [c for c, rate in zip(candidates, rates, strict=True) if rate <= visible_rate]
    return float(2 * max(1e-3, fitting[0] if fitting else candidates[-1] + 1e-3))
