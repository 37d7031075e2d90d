"""From what a model says of each token to rewards and a trace score: pure functions of a critic's card.

- `log_prob`: ρ_t = w_t · (log π_φ(y_t | x, y_<t) + b_t), π_φ a language model. w_t weighs tokens of numbers more than
  words, because numbers carry most of what is right or wrong; b_t is a constant for each of the two kinds, so that a
  number which an expert would write is rewarded and not only less punished: the log-ratio to a reference that gives
  every such token the probability exp(−b). (Centring by the entropy instead was measured and is far worse.)
- `log_ratio`: ρ_t = w_t · (log π_φ(y_t) − log π_0(y_t)) with π_0 the backbone without adapter (PRIME, METHOD 5.4).
- `head`: V_t is the output of a token-classification head with one label, ρ_t = V_t − V_{t−1} (METHOD 5.5.3).

In every form a reward below zero is lifted to zero where exact arithmetic vouches for the token, if the card says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from irl_core.arithmetic import EquationCheck, check_equations
from irl_core.scoring import EncodedTrace, TokenStatistics
from irl_core.traces import Record, Span, Trace, TraceScore, step_of_tokens

Form = Literal["log_prob", "log_ratio", "head"]


class CriticCard(Record):
    """What a critic is. `supervision` is `demonstrations` when no outcome or step label was used to train it.

    `number_weight` and `word_weight` are the w_t of tokens with and without a digit, `number_baseline` and
    `word_baseline` (nats) their b_t. `weight_temperature` (nats) turns trace scores into the weights
    exp(score / temperature) of a critic-weighted vote. The trace score is the weighted mean of the rewards, less
    `false_equation_penalty` (nats) where exact arithmetic finds a false equation: the mean, because a sum prefers
    short solutions, and the check, because what a small model finds surprising it also often overlooks.
    `trust_true_equations` lifts what follows the first `=` of an equation that is true: that the model would have
    calculated in another way, or not at all, says nothing against it.
    """

    name: str
    form: Form = "log_prob"
    backbone: str = "embedded"
    adapter: str | None = "."
    supervision: str = "demonstrations"
    number_weight: float = 1.0
    word_weight: float = 0.3
    number_baseline: float = 0.2
    word_baseline: float = 0.0
    false_equation_penalty: float = 1.0
    trust_true_equations: bool = False
    weight_temperature: float = 0.5


def score_trace(card: CriticCard, trace: Trace, encoded: EncodedTrace, found: TokenStatistics) -> TraceScore:
    """Rewards, sums by step, and the trace score of one trace whose token statistics are known."""
    checks = [check for a, b in trace.steps for check in _checks_at(trace.text, a, b)]
    rewards = token_rewards(card, encoded.numbers, found)
    if card.trust_true_equations:
        rewards = torch.where(vouched_for(checks, trace.text, encoded.offsets), rewards.clamp(min=0), rewards)
    owners = torch.tensor(step_of_tokens(encoded.offsets, trace.steps))
    steps = len(trace.steps)
    surprise = () if found.logprobs is None else tuple((-_sum_by(found.logprobs, owners, steps)).tolist())
    mean = float(rewards.sum() / token_weights(card, encoded.numbers).sum())
    return TraceScore(
        offsets=encoded.offsets,
        rewards=tuple(rewards.tolist()),
        values=tuple(rewards.cumsum(0).tolist()),
        step_rewards=tuple(_sum_by(rewards, owners, steps).tolist()),
        surprise=surprise,
        trace_score=mean - (0.0 if all(check.ok for check in checks) else card.false_equation_penalty),
        truncated_at=encoded.truncated_at,
    )


def score_growing(card: CriticCard, trace: Trace, encoded: EncodedTrace, found: TokenStatistics) -> TraceScore:
    """Rewards of a trace that is still being written: token by token, before steps are told apart and checked."""
    rewards = token_rewards(card, encoded.numbers, found)
    return TraceScore(
        offsets=encoded.offsets,
        rewards=tuple(rewards.tolist()),
        values=tuple(rewards.cumsum(0).tolist()),
        step_rewards=(),
        trace_score=float(rewards.sum() / token_weights(card, encoded.numbers).sum()),
        truncated_at=encoded.truncated_at,
    )


def token_rewards(card: CriticCard, numbers: torch.Tensor, found: TokenStatistics) -> torch.Tensor:
    """ρ_t in nats, (T,), before arithmetic has its say; `numbers` (T,) is true where a token holds a digit."""
    if card.form == "head":
        return torch.diff(found.values, prepend=torch.zeros(1))
    if card.form == "log_ratio":
        return token_weights(card, numbers) * (found.logprobs - found.reference)
    baseline = torch.where(numbers, card.number_baseline, card.word_baseline)
    return token_weights(card, numbers) * (found.logprobs + baseline)


def token_weights(card: CriticCard, numbers: torch.Tensor) -> torch.Tensor:
    """w_t, (T,)."""
    if card.form == "head":
        return torch.ones(len(numbers))
    return torch.where(numbers, card.number_weight, card.word_weight)


def vouched_for(checks: Sequence[EquationCheck], text: str, offsets: Sequence[Span]) -> torch.Tensor:
    """(T,) bool: tokens that lie wholly behind the first `=` of an equation found true. Spans are in `text`."""
    spans = [(text.index("=", *check.span) + 1, check.span[1]) for check in checks if check.ok and "=" in check.text]
    return torch.tensor([any(a <= start < end <= b for a, b in spans) for start, end in offsets], dtype=torch.bool)


def _checks_at(text: str, start: int, end: int) -> list[EquationCheck]:
    return [
        check.model_copy(update={"span": (check.span[0] + start, check.span[1] + start)})
        for check in check_equations(text[start:end])
    ]


def _sum_by(values: torch.Tensor, owners: torch.Tensor, groups: int) -> torch.Tensor:
    return torch.zeros(groups, dtype=values.dtype).index_add_(0, owners, values)
