"""Versions of a solution as a critic would have read them."""

from __future__ import annotations

from irl_core.diagnosis.suspect_step import diagnose_scored
from irl_core.session.versions import Version
from irl_core.text.traces import Trace
from tests.support.arithmetic import CALIBRATION
from tests.support.pages import QUESTION
from tests.support.surprise import score_of


def version(trace: Trace, value: float = 0.0) -> Version:
    """A version with the trace score `value`."""
    score = score_of(trace).model_copy(update={"trace_score": value})
    return Version(trace=trace, score=score, diagnosis=diagnose_scored(QUESTION, trace, score, CALIBRATION))
