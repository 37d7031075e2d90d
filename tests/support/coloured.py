"""Scored traces with colours that were chosen by hand."""

from __future__ import annotations

from collections.abc import Sequence

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.evaluation.scoring import ScoredTrace
from irl_core.evaluation.trace_files import LabelledTrace
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace


def scored(
    *,
    heat: Sequence[float] = (),
    rewards: Sequence[float] = (0.0,) * 5,
    scale: float = 1.0,
    error: int | None = None,
    suspect: int | None = None,
    probabilities: Sequence[float] = (0.1, 0.1),
    not_sure: bool = False,
    outside: bool = False,
    question: str = "q",
    file: str | None = None,
) -> ScoredTrace:
    """The trace "ab", "cd" of a token per character, the line break among them: its steps hold three and two."""
    steps = ["ab", "cd"]
    item = LabelledTrace(
        line=1,
        question=question,
        trace=Trace.from_steps(steps),
        gold_answer=None,
        final_correct=None,
        first_error_step=error,
        generator=None,
        mean_logprob=None,
        record={"question": question, "steps": steps},
        file=file,
    )
    score = TraceScore(
        offsets=tuple((i, i + 1) for i in range(5)),
        rewards=tuple(map(float, rewards)),
        values=(0.0,) * 5,
        step_rewards=(0.0, 0.0),
        trace_score=0.0,
    )
    findings = tuple(
        StepFinding(error_probability=p, verdict="fine", reward=0.0, surprise=0.0, reason="") for p in probabilities
    )
    diagnosis = Diagnosis(
        steps=findings,
        first_suspect=suspect,
        not_sure=not_sure,
        outside=outside,
        token_heat=tuple(map(float, heat)),
        heat_scale=scale if heat else None,
    )
    return ScoredTrace.of(item, score, diagnosis)
