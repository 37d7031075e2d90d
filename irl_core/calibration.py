"""The small transparent model that turns evidence into probabilities, as it lies beside a critic on disk."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from irl_core.traces import Record


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


def load_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Raises:
        ValueError: if the file is missing or malformed, saying how to make it.
    """
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ValueError(f"no calibration in {path}: make one with `python -m train.calibrate`") from error


def uncalibrated(features: tuple[str, ...]) -> Calibration:
    """Knows nothing: no step is ever suspect."""
    nothing = (0.0,) * len(features)
    return Calibration(
        features=features, mean=nothing, scale=(1.0,) * len(features), weights=nothing, intercept=-30.0,
        threshold=1.0, unsure_above=1.0, source="nothing", n_traces=0, supervision="none",
    )  # fmt: skip
