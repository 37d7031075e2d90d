"""Scores of a critic whose surprise at each word is chosen by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from irl_core.diagnosis.calibration import Calibration
from irl_core.diagnosis.features import FEATURES, Feature
from irl_core.text.scores import TraceScore
from irl_core.text.spans import Span
from irl_core.text.steps import step_of_tokens
from irl_core.text.traces import Trace


def cut(text: str, digits: int = 3) -> tuple[Span, ...]:
    """Tokens: words and signs with the space before them, numbers `digits` digits a token."""
    return tuple(m.span() for m in re.finditer(rf"\d{{1,{digits}}}|\s?[^\W\d_]+|\s?[^\w\s]|\s|_", text))


def surprised(trace: Trace, offsets: Sequence[Span], surprise: Sequence[float]) -> TraceScore:
    """The score of a critic that is surprised by each token so much, in nats."""
    steps = [0.0] * len(trace.steps)
    for owner, nats in zip(step_of_tokens(offsets, trace.steps), surprise, strict=True):
        steps[owner] += nats
    logprobs = tuple(-nats for nats in surprise)
    return TraceScore(
        offsets=tuple(offsets),
        rewards=logprobs,
        values=tuple(sum(logprobs[: t + 1]) for t in range(len(logprobs))),
        step_rewards=tuple(-nats for nats in steps),
        surprise=tuple(steps),
        trace_score=sum(logprobs),
        logprobs=logprobs,
    )


def score_of(trace: Trace, nats: Mapping[str, float] | None = None, level: float = 0.0, digits: int = 3) -> TraceScore:
    """Every token costs `level`, those of the first place of each part of the text its `nats` in all instead."""
    offsets = cut(trace.text, digits)
    surprise = [level] * len(offsets)
    for part, cost in (nats or {}).items():
        start = trace.text.index(part)
        own = [t for t, (a, b) in enumerate(offsets) if a < start + len(part) and start < b]
        for t in own:
            surprise[t] = cost / len(own)
    return surprised(trace, offsets, surprise)


def calibrated(intercept: float = -3.0, **weights: float) -> Calibration:
    """The calibration with these weights, all others 0."""
    assert weights.keys() <= set(FEATURES)
    return Calibration(
        features=FEATURES,
        weights=tuple(weights.get(name, 0.0) for name in FEATURES),
        intercept=intercept,
        threshold=0.5,
        unsure_above=0.2,
        heat_scale=2.0,
        source="hand-made numbers",
        n_traces=7,
        supervision="none",
    )


def named(row: Sequence[Feature], name: str) -> Feature:
    """One feature of a step."""
    return row[FEATURES.index(name)]
