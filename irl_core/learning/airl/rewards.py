"""What a token is paid: the form of the reward, and the density that says which tokens are paid. Pure functions.

All tensors are (B, T), aligned with the completion: `mask` is true on tokens that count, rewards are in nats.

In the token MDP a discriminator that reads the text up to token t and is trained to tell experts from rollouts has

    l_t = log p_E(y_<=t | x) / p_pi(y_<=t | x) = sum over k <= t of log pi_E(y_k | .) / pi(y_k | .)

as its optimum: a *value of the prefix*, in nats. `level` (arXiv 2510.01857, arXiv 1606.03476 for the logit reward)
pays that value itself and so counts early evidence again at every later token; the other forms are local.
"""

from __future__ import annotations

from typing import Literal

import torch

RewardForm = Literal["level", "difference", "log_ratio", "log_prob"]

HEAD_FORMS = ("level", "difference")
"""Read from a scalar head; the others from a language model's log-probabilities."""

Density = Literal["sparse", "step", "dense"]
"""One reward per trace, per step of the solution, or per token."""


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


def reward_positions(density: Density, mask: torch.Tensor, *, steps: torch.Tensor | None = None) -> torch.Tensor:
    """Where rewards are paid, (B, T) bool; always a subset of `mask`, and the last token of every trace is in it.

    Args:
        steps: (B, T) index of the step that each token belongs to; wanted by `step` alone.

    Raises:
        ValueError: for `step` without `steps`.
    """
    mask = mask.bool()
    last = mask & (mask.flip(1).cumsum(1).flip(1) == 1)
    if density == "sparse":
        return last
    if density == "dense":
        return mask
    if steps is None:
        raise ValueError("density 'step' needs the step of each token")
    ends = torch.ones_like(mask)
    ends[:, :-1] = steps[:, 1:] != steps[:, :-1]
    return mask & (last | ends)


def segments(positions: torch.Tensor) -> torch.Tensor:
    """For each token which position pays for it, counted from 0: the first that is not before it. (B, T) long."""
    return positions.long().cumsum(1) - positions.long()


def pool(rewards: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Sum the rewards since the position before into each position; zero elsewhere. The trace's sum stays."""
    owners = segments(positions)
    sums = torch.zeros_like(rewards).scatter_add(1, owners.clamp(max=rewards.shape[1] - 1), rewards * mask)
    return torch.where(positions, sums.gather(1, owners.clamp(max=rewards.shape[1] - 1)), 0.0)


def spread(values: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Give every token the value at the position that pays for it; zero outside `mask`."""
    owners = segments(positions).clamp(max=values.shape[1] - 1)
    held = torch.zeros_like(values).scatter_add(1, owners, torch.where(positions, values, 0.0))
    return held.gather(1, owners) * mask


def paid_rewards(form: RewardForm, rewards: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The reward paid at each position: the level there, or the sum of local rewards since the position before."""
    if form == "level":
        return torch.where(positions, rewards, 0.0)
    return pool(rewards, positions, mask)


def expert_logits(
    form: RewardForm, rewards: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """The logit at each position for "an expert wrote this far", in nats.

    A level is one; of the other forms it is the sum of the rewards so far.
    """
    if form == "level":
        return paid_rewards(form, rewards, positions, mask)
    return torch.where(positions, (rewards * mask).cumsum(1), 0.0)


def trace_scores(form: RewardForm, rewards: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """One number per trace, (B,): what a sparse advantage and a loss over whole traces compare.

    The sum of local rewards; the mean of levels over positions (the paper's "average dense"); and the mean of
    log-probabilities over tokens, because their sum prefers whatever is short.
    """
    paid = paid_rewards(form, rewards, positions, mask).sum(1)
    if form == "level":
        return paid / positions.sum(1).clamp(min=1)
    if form == "log_prob":
        return paid / mask.sum(1).clamp(min=1)
    return paid
