"""Scores and arithmetic -> calibrated error probability per step, first suspect step, abstention."""

from __future__ import annotations

from typing import Literal

from irl_core.arithmetic import EquationCheck
from irl_core.traces import Record

StepVerdict = Literal["fine", "suspect", "not sure", "follows"]


class StepFinding(Record):
    """What is known of one step. `error_probability` is that *this* step is the first wrong one."""

    error_probability: float
    verdict: StepVerdict
    reward: float
    surprise: float
    equations: tuple[EquationCheck, ...] = ()
    reason: str


class Diagnosis(Record):
    """Findings per step; `first_suspect` is an index into them or None; `calibrated_on` says on what and how many."""

    steps: tuple[StepFinding, ...]
    first_suspect: int | None = None
    not_sure: bool = False
    calibrated_on: str = ""
