"""The small transparent model that turns evidence into probabilities, as it lies beside a critic on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from irl_core.diagnosis.evidence import FEATURES
from irl_core.text.records import Record


class TraceModel(Record):
    """P(the trace holds an error) = σ(intercept + of_steps · log-odds of Σ p_k + of_score · trace score).

    Steps are read one by one; the trace score also holds what is seen on the whole alone, such as a number of the
    problem that no step uses. `source` and `n_traces` say on what it was fitted; of most of those traces only the
    outcome is known.
    """

    of_steps: float
    of_score: float
    intercept: float
    source: str
    n_traces: int


class Calibration(Record):
    """A logistic hazard model over step features, and the thresholds of the diagnosis.

    The hazard of step k is h_k = σ(intercept + Σ weight · (feature − mean) / scale): the probability that step k is
    wrong given that all before it are right. Where there is a `trace_model` it has the last word on the whole trace,
    and the steps share its probability in the hazards' proportions. `threshold` is on the probability that the trace
    holds an error; between `unsure_above` and `threshold` the diagnosis says "not sure". `false_flag_rate` and
    `not_sure_rate` are the shares of right traces that reached the one and the other when their problem was held out.
    `source` and `n_traces` say on what it was fitted, `supervision` whether labels of people were used.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    threshold: float = Field(ge=0, le=1)
    unsure_above: float = Field(ge=0, le=1)
    source: str
    n_traces: int
    supervision: str
    false_flag_rate: float | None = None
    not_sure_rate: float | None = None
    trace_model: TraceModel | None = None

    @model_validator(mode="after")
    def _as_many_of_each(self) -> Self:
        if not len(self.features) == len(self.mean) == len(self.scale) == len(self.weights):
            raise ValueError("mean, scale and weights need one entry per feature")
        return self

    @property
    def basis(self) -> str:
        """On what it was fitted, in words."""
        more = ""
        if self.trace_model:
            more = f" and the outcomes of {self.trace_model.n_traces - self.n_traces:,} more"
        return f"{self.n_traces:,} traces of {self.source}{more}"


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
    if calibration.features != FEATURES:
        raise ValueError(
            f"the calibration in {path} was fitted on the features {', '.join(calibration.features)}; this version of"
            f" Errata computes {', '.join(FEATURES)}: make it anew with `python -m train.calibrate`"
        )
    return calibration


def calibration_of(critic: object) -> Calibration | None:
    """The calibration that `irl_core.loading` attached to a critic, None where it has none.

    Raises:
        TypeError: if something else was attached.
    """
    attached = getattr(critic, "calibration", None)
    if attached is not None and not isinstance(attached, Calibration):
        raise TypeError(f"critic.calibration is {type(attached).__name__}, which is no Calibration")
    return attached
