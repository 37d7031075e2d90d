"""From what a model says of each token to rewards and a trace score: pure functions of a critic's card.

- `log_prob`: ρ_t = w_t · (log π_φ(y_t | x, y_<t) + b_t), π_φ a language model. w_t weighs tokens of numbers more than
  words, because numbers carry most of what is right or wrong; b_t is a constant for each of the two kinds, so that a
  number which an expert would write is rewarded and not only less punished: the log-ratio to a reference that gives
  every such token the probability exp(−b). (Centring by the entropy instead was measured and is far worse.)
- `log_ratio`: ρ_t = w_t · (log π_φ(y_t) − log π_0(y_t)) with π_0 the backbone without adapter, or the reference that
  the card names (the implicit reward of PRIME, arXiv 2502.01456, eq. 3).
- `head`: V_t is the output of a token-classification head with one label, ρ_t = V_t − V_{t−1} (differences of
  a potential, Ng, Harada and Russell 1999).

In every form a reward below zero is lifted to zero where exact arithmetic vouches for the token, if the card says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from irl_core.critic.card import PENALTIES, CriticCard, trace_card
from irl_core.critic.token_statistics import EncodedTrace, TokenStatistics
from irl_core.text.equations import EquationCheck, equations_of, vouched_spans
from irl_core.text.scores import TraceScore
from irl_core.text.solution_checks import SolutionChecks, check_solution
from irl_core.text.spans import Span
from irl_core.text.steps import step_of_tokens
from irl_core.text.traces import Trace


def score_trace(
    card: CriticCard, question: str, trace: Trace, encoded: EncodedTrace, statistics: TokenStatistics
) -> TraceScore:
    """Rewards, sums by step, and the trace score of one trace whose token statistics are known."""
    finished = trace.finished()
    equations = equations_of(finished)
    vouched = vouched_for(equations, encoded.offsets)
    rewards = _trusting(token_rewards(card, encoded.numbers, statistics), vouched, card.trust_true_equations)
    owners = torch.tensor(step_of_tokens(encoded.offsets, trace.steps))
    steps = len(trace.steps)
    surprise = () if statistics.logprobs is None else tuple((-_sum_by(statistics.logprobs, owners, steps)).tolist())
    against = penalty(card, check_solution(question, finished, equations))
    # Of a trace that was cut in its first step there is nothing else to go by.
    counted = sum(owner < trace.unfinished for owner in owners.tolist()) if trace.unfinished else len(owners)
    return TraceScore(
        offsets=encoded.offsets,
        rewards=tuple(rewards.tolist()),
        values=tuple(rewards.cumsum(0).tolist()),
        step_rewards=tuple(_sum_by(rewards, owners, steps).tolist()),
        surprise=surprise,
        trace_score=mean_reward(trace_card(card), encoded.numbers, statistics, vouched, counted) - against,
        truncated_at=encoded.truncated_at,
        logprobs=() if statistics.logprobs is None else tuple(statistics.logprobs.tolist()),
    )


def mean_reward(
    card: CriticCard,
    numbers: torch.Tensor,
    statistics: TokenStatistics,
    vouched: torch.Tensor,
    counted: int | None = None,
) -> float:
    """Σ ρ_t / Σ w_t in nats, over tokens (T,), or over the first `counted` of them."""
    rewards = _trusting(token_rewards(card, numbers, statistics), vouched, card.trust_true_equations)
    return float(rewards[:counted].sum() / token_weights(card, numbers)[:counted].sum())


def penalty(card: CriticCard, checks: SolutionChecks) -> float:
    """What exact reading takes off the trace score, in nats."""
    return sum(float(getattr(card, name)) * count for name, count in zip(PENALTIES, checks, strict=True))


def _trusting(rewards: torch.Tensor, vouched: torch.Tensor, trust: bool) -> torch.Tensor:
    return torch.where(vouched, rewards.clamp(min=0), rewards) if trust else rewards


def token_rewards(card: CriticCard, numbers: torch.Tensor, statistics: TokenStatistics) -> torch.Tensor:
    """ρ_t in nats, (T,), before arithmetic has its say; `numbers` (T,) is true where a token holds a digit."""
    if card.form == "head":
        assert statistics.values is not None
        return torch.diff(statistics.values, prepend=torch.zeros(1))
    assert statistics.logprobs is not None
    if card.form == "log_ratio":
        assert statistics.reference is not None
        return token_weights(card, numbers) * (statistics.logprobs - statistics.reference)
    baseline = torch.where(numbers, card.number_baseline, card.word_baseline)
    return token_weights(card, numbers) * (statistics.logprobs + baseline)


def token_weights(card: CriticCard, numbers: torch.Tensor) -> torch.Tensor:
    """w_t, (T,)."""
    if card.form == "head":
        return torch.ones(len(numbers))
    return torch.where(numbers, card.number_weight, card.word_weight)


def vouched_for(checks: Sequence[EquationCheck], offsets: Sequence[Span]) -> torch.Tensor:
    """(T,) bool: tokens that lie wholly behind the sign of an equation found true. Spans are in the trace's text."""
    spans = vouched_spans(checks)
    return torch.tensor([any(a <= start < end <= b for a, b in spans) for start, end in offsets], dtype=torch.bool)


def _sum_by(values: torch.Tensor, owners: torch.Tensor, groups: int) -> torch.Tensor:
    return torch.zeros(groups, dtype=values.dtype).index_add_(0, owners, values)
