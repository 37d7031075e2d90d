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
from irl_core.trace_checks import TraceChecks, check_trace
from irl_core.traces import Record, Span, Trace, TraceScore, step_of_tokens

Form = Literal["log_prob", "log_ratio", "head"]

# Of a card, in the order of what `TraceChecks` finds.
PENALTIES = (
    "false_equation_penalty",
    "unused_number_penalty",
    "fractional_answer_penalty",
    "loose_result_penalty",
    "negative_answer_penalty",
)


class CriticCard(Record):
    """What a critic is. `supervision` is `demonstrations` when no outcome or step label was used to train it.

    `number_weight` and `word_weight` are the w_t of tokens with and without a digit, `number_baseline` and
    `word_baseline` (nats) their b_t. `weight_temperature` (nats) turns trace scores into the weights
    exp(score / temperature) of a critic-weighted vote.

    The trace score is the weighted mean of the rewards, with words at `trace_word_weight`, less what exact reading
    finds against the whole solution (`irl_core.trace_checks`), in nats: `false_equation_penalty`,
    `unused_number_penalty` for each number of the problem that it leaves out, `fractional_answer_penalty`,
    `loose_result_penalty` for each result of which it makes nothing, and `negative_answer_penalty` for an answer below
    zero where nothing can be. The mean, because a sum prefers short solutions, and the checks, because what a small
    model finds surprising it also often overlooks.

    `trust_true_equations` lifts what follows the first `=` of an equation that is true: that the model would have
    calculated in another way, or not at all, says nothing against it. It helps the trace score and blurs where the
    error is, so `trace_trusts_true_equations` says it of the trace score alone. What is None of the trace score is
    as in the rewards.
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
    unused_number_penalty: float = 0.0
    fractional_answer_penalty: float = 0.0
    loose_result_penalty: float = 0.0
    negative_answer_penalty: float = 0.0
    trust_true_equations: bool = False
    trace_trusts_true_equations: bool | None = None
    trace_word_weight: float | None = None
    weight_temperature: float = 0.5


def score_trace(
    card: CriticCard, question: str, trace: Trace, encoded: EncodedTrace, found: TokenStatistics
) -> TraceScore:
    """Rewards, sums by step, and the trace score of one trace whose token statistics are known."""
    equations = equations_of(trace)
    vouched = vouched_for(equations, trace.text, encoded.offsets)
    rewards = _trusting(token_rewards(card, encoded.numbers, found), vouched, card.trust_true_equations)
    owners = torch.tensor(step_of_tokens(encoded.offsets, trace.steps))
    steps = len(trace.steps)
    surprise = () if found.logprobs is None else tuple((-_sum_by(found.logprobs, owners, steps)).tolist())
    against = penalty(card, check_trace(question, trace, equations))
    return TraceScore(
        offsets=encoded.offsets,
        rewards=tuple(rewards.tolist()),
        values=tuple(rewards.cumsum(0).tolist()),
        step_rewards=tuple(_sum_by(rewards, owners, steps).tolist()),
        surprise=surprise,
        trace_score=mean_reward(trace_card(card), encoded.numbers, found, vouched) - against,
        truncated_at=encoded.truncated_at,
    )


def trace_card(card: CriticCard) -> CriticCard:
    """The card by which the trace score weighs the tokens: that of the rewards, but for what it says of the trace."""
    words, trust = card.trace_word_weight, card.trace_trusts_true_equations
    changes = {} if words is None else {"word_weight": words}
    return card.model_copy(update=changes if trust is None else {**changes, "trust_true_equations": trust})


def without_checks(card: CriticCard) -> CriticCard:
    """The same critic without exact reading: what the model alone has to say."""
    trust = {"trust_true_equations": False, "trace_trusts_true_equations": False}
    return card.model_copy(update=dict.fromkeys(PENALTIES, 0.0) | trust)


def mean_reward(card: CriticCard, numbers: torch.Tensor, found: TokenStatistics, vouched: torch.Tensor) -> float:
    """Σ ρ_t / Σ w_t in nats, over tokens (T,)."""
    rewards = _trusting(token_rewards(card, numbers, found), vouched, card.trust_true_equations)
    return float(rewards.sum() / token_weights(card, numbers).sum())


def penalty(card: CriticCard, checks: TraceChecks) -> float:
    """What exact reading takes off the trace score, in nats."""
    return sum(getattr(card, name) * found for name, found in zip(PENALTIES, checks, strict=True))


def _trusting(rewards: torch.Tensor, vouched: torch.Tensor, trust: bool) -> torch.Tensor:
    return torch.where(vouched, rewards.clamp(min=0), rewards) if trust else rewards


def score_growing(card: CriticCard, trace: Trace, encoded: EncodedTrace, found: TokenStatistics) -> TraceScore:
    """Rewards of a trace that is still being written: token by token, before steps are told apart and checked."""
    rewards = token_rewards(card, encoded.numbers, found)
    unchecked = torch.zeros(len(rewards), dtype=torch.bool)
    return TraceScore(
        offsets=encoded.offsets,
        rewards=tuple(rewards.tolist()),
        values=tuple(rewards.cumsum(0).tolist()),
        step_rewards=(),
        trace_score=mean_reward(trace_card(card), encoded.numbers, found, unchecked),
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


def equations_of(trace: Trace) -> list[EquationCheck]:
    """The equations of every step, with spans in the text of the trace."""
    return [
        check.model_copy(update={"span": (check.span[0] + start, check.span[1] + start)})
        for start, end in trace.steps
        for check in check_equations(trace.text[start:end])
    ]


def vouched_for(checks: Sequence[EquationCheck], text: str, offsets: Sequence[Span]) -> torch.Tensor:
    """(T,) bool: tokens that lie wholly behind the first `=` of an equation found true. Spans are in `text`."""
    spans = [(text.index("=", *check.span) + 1, check.span[1]) for check in checks if check.ok and "=" in check.text]
    return torch.tensor([any(a <= start < end <= b for a, b in spans) for start, end in offsets], dtype=torch.bool)


def _sum_by(values: torch.Tensor, owners: torch.Tensor, groups: int) -> torch.Tensor:
    return torch.zeros(groups, dtype=values.dtype).index_add_(0, owners, values)
