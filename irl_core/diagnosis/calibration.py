"""The small transparent model that turns evidence into probabilities, as it lies beside a critic on disk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from irl_core.diagnosis.features import FEATURES
from irl_core.diagnosis.scope import SCOPE_FEATURES
from irl_core.text.records import Record


class Scope(Record):
    """What kind of text the calibration is for: P(another kind) = σ(intercept + Σ weight · feature).

    At or above `threshold` the critic does not judge. `other_kinds` are the sources that were shown as such;
    `rate_inside` is the share of traces within the scope that are called another kind when their source is left out.
    """

    features: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float
    threshold: float = Field(ge=0, le=1)
    other_kinds: tuple[str, ...] = ()
    rate_inside: float | None = None

    def is_outside(self, values: Sequence[float]) -> bool:
        """Whether a text with these `scope_features` is of another kind."""
        logit = self.intercept + sum(w * x for w, x in zip(self.weights, values, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit)))) >= self.threshold


class Calibration(Record):
    """A linear model of each step's log-odds, and the thresholds of the diagnosis.

    Step k is the first wrong one with probability exp z_k / (1 + Σ exp z_j), z = intercept + Σ weight · feature.
    `threshold` is on the probability that the trace holds an error; between `unsure_above` and `threshold` the
    diagnosis says "not sure". A token's share in its step's log-odds is coloured fully at `heat_scale`.

    `sources` names the files that it was fitted on, `source` says so in words, `supervision` whether labels of people
    were used. `false_flag_rate` and `not_sure_rate` are the shares of right traces, of sources that were left out,
    that reached the one threshold and the other.
    """

    features: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float
    threshold: float = Field(ge=0, le=1)
    unsure_above: float = Field(ge=0, le=1)
    heat_scale: float = Field(gt=0)
    source: str
    sources: tuple[str, ...] = ()
    n_traces: int
    supervision: str
    false_flag_rate: float | None = None
    not_sure_rate: float | None = None
    scope: Scope | None = None

    @model_validator(mode="after")
    def _as_many_of_each(self) -> Self:
        if len(self.features) != len(self.weights):
            raise ValueError("weights need one entry per feature")
        return self

    @property
    def basis(self) -> str:
        """On what it was fitted, in words."""
        return f"{self.n_traces:,} traces of {self.source}"


def load_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Raises:
        ValueError: if the file is missing or malformed, or was fitted on other features than this version computes;
            saying how to make it.
    """
    try:
        calibration = Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ValueError(f"no calibration in {path}: make one with `python -m train.calibrate`") from error
    except ValidationError as error:
        raise ValueError(
            f"the calibration in {path} is malformed or of an earlier version: make it anew with"
            f" `python -m train.calibrate` ({error.error_count()} faults, the first: {error.errors()[0]['msg']})"
        ) from error
    for computed, fitted in ((FEATURES, calibration.features), _of_scope(calibration)):
        if fitted != computed:
            raise ValueError(
                f"the calibration in {path} was fitted on the features {', '.join(fitted)}; this version of"
                f" Errata computes {', '.join(computed)}: make it anew with `python -m train.calibrate`"
            )
    return calibration


def _of_scope(calibration: Calibration) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return SCOPE_FEATURES, calibration.scope.features if calibration.scope else SCOPE_FEATURES


def calibration_of(critic: object) -> Calibration | None:
    """The calibration that `irl_core.loading` attached to a critic, None where it has none.

    Raises:
        TypeError: if something else was attached.
    """
    attached = getattr(critic, "calibration", None)
    if attached is not None and not isinstance(attached, Calibration):
        raise TypeError(f"critic.calibration is {type(attached).__name__}, which is no Calibration")
    return attached
