"""What a critic is: how rewards and the trace score are made of what its model says."""

from __future__ import annotations

from typing import Literal

from irl_core.text.records import Record

Form = Literal["log_prob", "log_ratio", "head"]

# Fields of a card, in the order of the fields of `SolutionChecks`.
PENALTIES = (
    "false_equation_penalty",
    "unused_number_penalty",
    "fractional_answer_penalty",
    "loose_result_penalty",
    "negative_answer_penalty",
)


class CriticCard(Record):
    """What a critic is. `supervision` is `demonstrations` when no outcome or step label was used to train it.

    Of `log_ratio`, π_0 is the backbone without adapter, unless the card names another: `reference_adapter` is an
    adapter on the backbone, `reference_backbone` a whole model. A path that begins with "." lies beside the card.

    `number_weight` and `word_weight` are the w_t of tokens with and without a digit, `number_baseline` and
    `word_baseline` (nats) their b_t. `weight_temperature` (nats) turns trace scores into the weights
    exp(score / temperature) of a critic-weighted vote.

    The trace score is the weighted mean of the rewards, with words at `trace_word_weight`, less what exact reading
    finds against the whole solution (`irl_core.text.solution_checks`), in nats: `false_equation_penalty`,
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
    backbone: str = "smollm2-135m"
    adapter: str | None = "."
    reference_backbone: str | None = None
    reference_adapter: str | None = None
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


def trace_card(card: CriticCard) -> CriticCard:
    """The card by which the trace score weighs the tokens: that of the rewards, but for what it says of the trace."""
    words, trust = card.trace_word_weight, card.trace_trusts_true_equations
    changes = {} if words is None else {"word_weight": words}
    return card.model_copy(update=changes if trust is None else {**changes, "trust_true_equations": trust})


def without_checks(card: CriticCard) -> CriticCard:
    """The same critic without exact reading: what the model alone has to say."""
    trust = {"trust_true_equations": False, "trace_trusts_true_equations": False}
    return card.model_copy(update=dict.fromkeys(PENALTIES, 0.0) | trust)
