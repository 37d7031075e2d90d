"""From evidence to numbers that a linear model weighs, each with the tokens that it comes from.

No feature knows the length of a step or the level of a trace's surprise: they are order statistics and means of
surprise above the trace's own median, on a logarithmic scale. So lengthening every step alike changes little, and a
constant added to the surprise of every token changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from irl_core.diagnosis.evidence import StepEvidence, TraceEvidence
from irl_core.diagnosis.mentions import Mention
from irl_core.text.spans import Span

FEATURES = (
    "worst_choice",
    "three_worst_choices",
    "mean_choice",
    "false_equation",
    "unknown_number",
    "no_number",
    "upper_surprise",
)
MOST_NATS = 8.0


class Feature(NamedTuple):
    """The value of one feature of one step, and each token's share in it: they add up to 1, or there are none."""

    value: float
    shares: Mapping[int, float] = {}


def features(evidence: TraceEvidence) -> list[tuple[Feature, ...]]:
    """`FEATURES` of each step.

    A *choice* is a number or an operator that no true equation before it vouches for. `worst_choice` is the surprise
    of the worst, `three_worst_choices` and `mean_choice` are means. `upper_surprise`, the 80th percentile of all
    tokens of the trace, is the same in every step.
    """
    return [(*_of_step(step), _of_trace(evidence)) for step in evidence.steps]


def _of_step(step: StepEvidence) -> tuple[Feature, ...]:
    choices = [mention for mention in step.mentions if not mention.vouched]
    slips = [
        [m.tokens for m in step.mentions if m.is_number and a <= m.span[0] < b]
        for a, b in (e.span for e in step.slips)
    ]
    excess = dict(step.tokens)
    return (
        _mean_of_worst(choices, 1, excess),
        _mean_of_worst(choices, 3, excess),
        _mean_of_worst(choices, len(choices), excess),
        Feature(float(bool(slips)), _shared(result for numbers in slips for result in numbers[-1:])),
        Feature(float(min(2, len(step.unknown))), _shared(step.unknown_tokens)),
        Feature(float(not any(m.is_number for m in step.mentions))),
    )


def _numbers_in(step: StepEvidence, span: Span) -> list[range]:
    """The tokens of each number that begins in `span`."""
    return [m.tokens for m in step.mentions if m.is_number and span[0] <= m.span[0] < span[1]]


def _of_trace(evidence: TraceEvidence) -> Feature:
    tokens = [excess for step in evidence.steps for _, excess in step.tokens]
    return Feature(_log(float(np.quantile(tokens, 0.8)) if tokens else 0.0))


def _mean_of_worst(mentions: Iterable[Mention], n: int, excess: Mapping[int, float]) -> Feature:
    """log(1 + mean of the n highest), shared by their tokens in proportion to what each adds."""
    worst = sorted(mentions, key=lambda mention: -mention.excess)[: max(1, n)]
    value = _log(_mean(mention.excess for mention in worst))
    added: dict[int, float] = {}
    for mention in worst:
        for token in mention.tokens:
            added[token] = max(0.0, excess.get(token, 0.0))
    total = sum(added.values())
    return (
        Feature(value, {token: nats / total for token, nats in added.items()}) if value and total else Feature(value)
    )


def _shared(groups: Iterable[Iterable[int]]) -> dict[int, float]:
    """Equal shares of all tokens of the groups."""
    tokens = sorted({token for group in groups for token in group})
    return {token: 1 / len(tokens) for token in tokens}


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def _log(nats: float) -> float:
    return math.log1p(min(max(nats, 0.0), MOST_NATS))
