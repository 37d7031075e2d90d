"""A linear head that says a critic's rewards: for engines that know token classification and nothing of cards.

The reward of a log-probability critic belongs to the distribution *before* a token; a token classifier speaks from
the hidden state *after* it. How much of the one a linear map reads out of the other is measured, never assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.linear_model import RidgeCV

from irl_core.critic.model import Critic
from irl_core.critic.rewards import token_rewards, token_weights
from irl_core.critic.token_statistics import encode_items
from irl_core.text.traces import Trace

PENALTIES = (1.0, 10.0, 100.0, 1000.0, 10000.0)


class TokenStates(NamedTuple):
    """Of one trace: last hidden states (T, D); rewards in nats, weights, and which tokens are numbers, each (T,)."""

    hidden: np.ndarray
    rewards: np.ndarray
    weights: np.ndarray
    numbers: np.ndarray


class LinearHead(NamedTuple):
    """reward_t = weight · hidden_t + bias; `weight` is (D,). `penalty` is the one that cross-validation chose."""

    weight: np.ndarray
    bias: float
    penalty: float


@torch.inference_mode()
def token_states(critic: Critic, question: str, solutions: Sequence[str]) -> list[TokenStates]:
    """What a linear head would see of solutions of one problem, and what the critic's card makes of them."""
    encoded = encode_items(critic.tokenizer, [(question, Trace.from_text(text)) for text in solutions])
    readers = critic.readers()
    statistics = critic.read(encoded, readers)
    # The reader remembers what it has just read, so this costs nothing.
    sequences = readers[0].read([(e.prompt, e.completion) for e in encoded])
    return [
        TokenStates(
            sequence.states_from_prompt()[1:].float().cpu().numpy(),
            token_rewards(critic.card, e.numbers, of_trace).numpy(),
            token_weights(critic.card, e.numbers).numpy(),
            e.numbers.numpy(),
        )
        for e, of_trace, sequence in zip(encoded, statistics, sequences, strict=True)
    ]


def fit_head(traces: Sequence[TokenStates]) -> LinearHead:
    """Ridge regression of the rewards on the hidden states; the penalty by leave-one-out over tokens."""
    hidden = np.concatenate([trace.hidden for trace in traces])
    model = RidgeCV(alphas=PENALTIES).fit(hidden, np.concatenate([trace.rewards for trace in traces]))
    return LinearHead(model.coef_, float(model.intercept_), float(model.alpha_))


def agreement(head: LinearHead, pairs: Sequence[Sequence[TokenStates]]) -> dict[str, Any]:
    """How well the head repeats the critic on (right, edited) pairs that it was not fitted on.

    Pearson correlation of token rewards, of all and of numbers; Spearman correlation of trace scores (the weighted
    mean of the rewards, without exact arithmetic); and how often each prefers the right solution of a pair.
    """
    traces = [trace for pair in pairs for trace in pair]
    predicted = [trace.hidden @ head.weight + head.bias for trace in traces]
    flat_predicted, flat_true = np.concatenate(predicted), np.concatenate([trace.rewards for trace in traces])
    numbers = np.concatenate([trace.numbers for trace in traces])
    own = np.array([r.sum() / t.weights.sum() for r, t in zip(predicted, traces, strict=True)])
    true = np.array([t.rewards.sum() / t.weights.sum() for t in traces])
    return {
        "token_correlation": float(pearsonr(flat_predicted, flat_true).statistic),
        "number_correlation": float(pearsonr(flat_predicted[numbers], flat_true[numbers]).statistic),
        "trace_rank_correlation": float(spearmanr(own, true).statistic),
        "right_preferred_by_head": float((own[::2] > own[1::2]).mean()),
        "right_preferred_by_critic": float((true[::2] > true[1::2]).mean()),
        "n_tokens": len(flat_predicted),
        "n_pairs": len(pairs),
    }
