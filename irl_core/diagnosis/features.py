"""From evidence to numbers that a linear model weighs, each with the tokens that it comes from.

No feature knows the length of a step or the level of a trace's surprise: they are order statistics and means of
surprise above the trace's own median, on a logarithmic scale. So lengthening every step alike changes little, and a
constant added to the surprise of every token changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from irl_core.diagnosis.evidence import StepEvidence, TraceEvidence

FEATURES = (
    "worst_choice",
    "three_worst_choices",
    "mean_choice",
    "worst_repeated",
    "five_worst_tokens",
    "false_equation",
    "unknown_number",
    "answer_mismatch",
    "no_number",
    "free_surprise",
)
MOST_NATS = 20.0

Tokens = tuple[int, ...]


class Feature(NamedTuple):
    """The value of one feature of one step, and each token's share in it: they add up to 1, or there are none."""

    value: float
    shares: Mapping[int, float] = {}


def features(evidence: TraceEvidence) -> list[tuple[Feature, ...]]:
    """`FEATURES` of each step.

    A *choice* is a number or an operator that no true equation before it vouches for. `worst_choice` is the surprise
    of the worst, `three_worst_choices` and `mean_choice` are means; `worst_repeated` is of numbers that the solution
    wrote before, `five_worst_tokens` a mean over tokens of any kind. `free_surprise` is the same in every step: the
    mean surprise of the numbers that follow from what stands before them, which tells how strange the writing is.
    """
    free = Feature(_log(_mean(m.excess for s in evidence.steps for m in s.mentions if m.vouched or m.seen)))
    return [(*_of_step(step), free) for step in evidence.steps]


def _of_step(step: StepEvidence) -> tuple[Feature, ...]:
    choices = {tuple(m.tokens): m.excess for m in step.mentions if not m.vouched}
    repeated = {tuple(m.tokens): m.excess for m in step.mentions if m.seen}
    tokens: dict[Tokens, float] = {(token,): excess for token, excess in step.tokens}
    false = [e.span for e in step.slips]
    stated = [m.tokens for m in step.mentions if m.is_number and any(a <= m.span[0] < b for a, b in false)]
    return (
        _mean_of_worst(choices, 1),
        _mean_of_worst(choices, 3),
        _mean_of_worst(choices, len(choices)),
        _mean_of_worst(repeated, 1),
        _mean_of_worst(tokens, 5),
        Feature(float(bool(false)), _shared(stated[-1:])),
        Feature(float(min(2, len(step.unknown))), _shared(step.unknown_tokens)),
        Feature(float(step.answer_mismatch), _shared([m.tokens for m in step.mentions if m.is_number][-1:])),
        Feature(float(not any(m.is_number for m in step.mentions))),
    )


def _mean_of_worst(excess: Mapping[Tokens, float], n: int) -> Feature:
    """log(1 + mean of the n highest), shared by the tokens in proportion to what they add."""
    worst = sorted(excess.items(), key=lambda item: -item[1])[: max(1, n)]
    total = sum(max(0.0, nats) for _, nats in worst)
    if not total:
        return Feature(0.0)
    shares: dict[int, float] = {}
    for tokens, nats in worst:
        for token in tokens:
            shares[token] = shares.get(token, 0.0) + max(0.0, nats) / total / len(tokens)
    return Feature(_log(_mean(nats for _, nats in worst)), shares)


def _shared(groups: Iterable[Iterable[int]]) -> dict[int, float]:
    """Equal shares of all tokens of the groups."""
    tokens = sorted({token for group in groups for token in group})
    return {token: 1 / len(tokens) for token in tokens}


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def _log(nats: float) -> float:
    return math.log1p(min(max(nats, 0.0), MOST_NATS))
