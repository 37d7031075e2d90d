"""What a calibration is worth on a source that it never saw: figures with intervals over problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from irl_core.diagnosis.calibration import Calibration
from irl_core.diagnosis.features import FEATURES
from irl_core.diagnosis.first_error import token_heat
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibration_data import CalibrationData
from irl_core.evaluation.calibration_fit import StepModel, fit_steps, left_out_predictions, without
from irl_core.evaluation.calibration_metrics import brier_score, expected_calibration_error
from irl_core.evaluation.calibration_thresholds import (
    Predicted,
    ThresholdRule,
    Thresholds,
    choose_heat_scale,
    false_flag_rate,
)
from irl_core.evaluation.localisation_metrics import first_error_f1, oracle_f1, step_auroc, suspects_at
from irl_core.evaluation.trace_metrics import trace_auroc


@dataclass(frozen=True)
class Fit:
    """How a calibration is fitted: the L2 penalty, how thresholds are chosen, and how many right traces may show
    a visible token."""

    penalty: float
    rule: ThresholdRule
    visible_rate: float

    def calibrate(self, files: Sequence[CalibrationData], source: str, supervision: str) -> Calibration:
        """The calibration of all of `files`; thresholds by predictions for sources that were left out.

        With one source there is nothing to leave out, and they are of the fit itself.
        """
        model, steps = fit_steps(files, self.penalty), left_out_predictions(files, self.penalty)
        predicted = [Predicted(data, own) for data, own in zip(files, steps, strict=True)]
        thresholds = self.rule.choose(predicted)
        calibration = as_calibration(model, thresholds, files, source, supervision)
        right = [p for p in predicted if not p.data.erroneous.all()]
        return calibration.model_copy(
            update={
                "heat_scale": choose_heat_scale(files, calibration, self.visible_rate),
                "false_flag_rate": _mean_rate(right, thresholds.suspect),
                "not_sure_rate": _mean_rate(right, thresholds.unsure),
            }
        )


def as_calibration(
    model: StepModel, thresholds: Thresholds, files: Sequence[CalibrationData], source: str, supervision: str
) -> Calibration:
    """The record of a model and its thresholds, its colours still on a scale of 1."""
    return Calibration(
        features=FEATURES,
        weights=tuple(model.weights.tolist()),
        intercept=model.intercept,
        threshold=thresholds.suspect,
        unsure_above=thresholds.unsure,
        heat_scale=1.0,
        source=source,
        sources=tuple(data.name for data in files),
        n_traces=sum(map(len, files)),
        supervision=supervision,
    )


def _mean_rate(predicted: Sequence[Predicted], threshold: float) -> float | None:
    rates = [false_flag_rate(p.wrong, p.data.erroneous, threshold) for p in predicted]
    return float(np.mean([rate for rate in rates if rate is not None])) if rates else None


def left_out_figures(files: Sequence[CalibrationData], fit: Fit) -> dict[str, dict[str, Any]]:
    """For each file the figures under weights, thresholds and scale of all other sources."""
    names = dict.fromkeys(data.source for data in files)
    calibrations = {name: fit.calibrate(without(files, name), "the other sources", "") for name in names}
    return {data.name: file_figures(data, calibrations[data.source]) for data in files}


def file_figures(data: CalibrationData, calibration: Calibration) -> dict[str, Any]:
    """What a calibration is worth on a file; figures that need labels which it lacks are absent."""
    model = StepModel(np.array(calibration.weights), calibration.intercept)
    predicted = Predicted(data, model.predict(data))
    bootstrap = ProblemBootstrap(data.groups)
    figures: dict[str, Any] = {
        "n": len(data),
        "threshold": calibration.threshold,
        "right_suspected": bootstrap.mean((predicted.wrong >= calibration.threshold).astype(float), ~data.erroneous),
        "error_auroc": trace_auroc(-predicted.wrong, data.erroneous, bootstrap),
        "ece": expected_calibration_error(predicted.wrong, data.erroneous, bootstrap),
        "brier": brier_score(predicted.wrong, data.erroneous, bootstrap),
    }
    if not data.located.all():
        return figures
    steps = data.step_labels(predicted.steps)
    oracle = oracle_f1(steps, bootstrap)
    return {
        **figures,
        **first_error_f1(suspects_at(steps, calibration.threshold), steps.first_error, bootstrap),
        "f1_oracle": oracle.f1,
        "threshold_oracle": oracle.threshold,
        "top1": bootstrap.mean((steps.most_suspect() == steps.first_error).astype(float), steps.erroneous),
        "step_auroc": step_auroc(steps, data.groups),
        **heat_figures(data, calibration, bootstrap),
    }


def heat_figures(data: CalibrationData, calibration: Calibration, bootstrap: ProblemBootstrap) -> dict[str, Any]:
    """Where the darkest token lies, and which traces show a visible one; all traces located."""
    visible = np.zeros(len(data))
    in_error, pointing, chance = np.zeros(len(data)), np.zeros(len(data)), np.zeros(len(data))
    for i, (trace, error) in enumerate(zip(data.traces, data.first_error.tolist(), strict=True)):
        heat = np.array(token_heat(trace.steps, calibration, trace.n_tokens))
        own = np.array(trace.owners) == error
        visible[i] = heat.min(initial=0.0) <= -calibration.heat_scale / 2
        if error >= 0:
            in_error[i] = heat[own].min(initial=0.0) <= -calibration.heat_scale / 2
            pointing[i] = heat.min(initial=0.0) < 0 and own[int(heat.argmin())]
            chance[i] = own.mean()
    return {
        "heat_right": bootstrap.mean(visible, ~data.erroneous),
        "heat_error": bootstrap.mean(in_error, data.erroneous),
        "pointing": bootstrap.mean(pointing, data.erroneous),
        "pointing_chance": bootstrap.mean(chance, data.erroneous),
    }
