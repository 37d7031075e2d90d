"""Reward forms: what a token is paid, from what the discriminator says of it. Pure functions, all tensors (B, T).

In the token MDP a discriminator that reads the text up to token t and is trained to tell experts from rollouts has

    l_t = log p_E(y_<=t | x) / p_pi(y_<=t | x) = sum over k <= t of log pi_E(y_k | .) / pi(y_k | .)

as its optimum: a *value of the prefix*, in nats. `level` (arXiv 2510.01857, arXiv 1606.03476 for the logit reward)
pays that value itself and so counts early evidence again at every later token; the other forms are local.
"""

from __future__ import annotations

from typing import Literal

import torch

from irl_core.learning.airl.densities import pool

RewardForm = Literal["level", "difference", "log_ratio", "log_prob"]

HEAD_FORMS = ("level", "difference")
"""Read from a scalar head; the others from a language model's log-probabilities."""


def level(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """r_t = V_t, the discriminator's logit after token t (arXiv 2510.01857)."""
    return values * mask


def difference(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """r_t = V_t - V_(t-1) with V_(-1) = 0 at the prompt, `values` being counted from there; sums to the last V.

    Potential-based differences (Ng, Harada and Russell 1999) of the prefix value: returns telescope, so that no
    evidence is counted twice.
    """
    shifted = torch.nn.functional.pad(values, (1, 0))[:, :-1]
    return (values - shifted) * mask


def log_ratio(logprobs: torch.Tensor, reference: torch.Tensor, mask: torch.Tensor, beta: float) -> torch.Tensor:
    """r_t = beta (log pi_phi(y_t) - log pi_ref(y_t)), the implicit reward of PRIME (arXiv 2502.01456, eq. 3)."""
    return beta * (logprobs - reference) * mask


def log_prob(logprobs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """r_t = log pi_phi(y_t | x, y_<t) in nats, phi a language model that starts at the fine-tuned policy."""
    return logprobs * mask


def carried(form: RewardForm, rewards: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The reward paid at each position: the level there, or the sum of local rewards since the position before."""
    if form == "level":
        return torch.where(positions, rewards, 0.0)
    return pool(rewards, positions, mask)


def evidence(form: RewardForm, rewards: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The logit at each position for "an expert wrote this far", in nats.

    A level is one; of the other forms it is the sum of the rewards so far.
    """
    if form == "level":
        return carried(form, rewards, positions, mask)
    return torch.where(positions, (rewards * mask).cumsum(1), 0.0)


def trace_scores(form: RewardForm, rewards: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """One number per trace, (B,): what a sparse advantage and a loss over whole traces compare.

    The sum of local rewards; the mean of levels over positions (the paper's "average dense"); and the mean of
    log-probabilities over tokens, because their sum prefers whatever is short.
    """
    paid = carried(form, rewards, positions, mask).sum(1)
    if form == "level":
        return paid / positions.sum(1).clamp(min=1)
    if form == "log_prob":
        return paid / mask.sum(1).clamp(min=1)
    return paid
