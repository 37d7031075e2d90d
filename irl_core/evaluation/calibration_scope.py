"""How often texts are called another kind than the calibration's, when their source had no part in the fit."""

from __future__ import annotations

from collections.abc import Sequence

from irl_core.evaluation.calibration_data import CalibrationData
from irl_core.evaluation.calibration_fit import fit_scope


def left_out_scope_rates(
    inside: Sequence[CalibrationData], outside: Sequence[CalibrationData], threshold: float
) -> dict[str, float]:
    """The share of each file's traces that are called another kind under a model of all other sources.

    A source that is the only one of its kind is part of its own model.
    """
    rates = {}
    for data in (*inside, *outside):
        within = [other for other in inside if other.source != data.source] or list(inside)
        without = [other for other in outside if other.source != data.source] or list(outside)
        rates[data.name] = float((fit_scope(within, without).predict(data) >= threshold).mean())
    return rates
