"""From rewards to advantages. Pure functions.

Rows are B rollouts, the G of one prompt next to each other. Rewards, positions and masks are (B, T); rewards are paid
at `positions` and zero elsewhere.
"""

from __future__ import annotations

from typing import Literal

import torch

from irl_core.learning.airl.rewards import RewardForm, paid_rewards, spread, trace_scores

Advantage = Literal["grpo", "returns", "mixed"]

_EPSILON = 1e-4  # as in TRL


def grpo(scores: torch.Tensor, group_size: int) -> torch.Tensor:
    """(s - mean) / (std + 1e-4) within each group, (B,) (arXiv 2402.03300, section 4.1.2)."""
    groups = scores.view(-1, group_size)
    centred = groups - groups.mean(1, keepdim=True)
    return (centred / (groups.std(1, keepdim=True) + _EPSILON)).flatten()


def discounted(rewards: torch.Tensor, gamma: float) -> torch.Tensor:
    """sum over k >= t of gamma^(k-t) r_k, (B, T): a reversed scan, which no power of gamma can overflow."""
    total = torch.zeros_like(rewards[:, 0])
    returns = torch.empty_like(rewards)
    for t in range(rewards.shape[1] - 1, -1, -1):
        total = returns[:, t] = rewards[:, t] + gamma * total
    return returns


def level_returns(
    rewards: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor, group_size: int, gamma: float
) -> torch.Tensor:
    """Advantages of arXiv 2510.01857 for `level` rewards, (B, T).

    Rewards are normalised by mean and deviation of the group's *last* rewards, then discounted.
    """
    last = rewards.gather(1, _last(positions))[:, 0].view(-1, group_size)
    mean = last.mean(1).repeat_interleave(group_size)[:, None]
    std = last.std(1).repeat_interleave(group_size)[:, None]
    normalised = torch.where(positions, (rewards - mean) / (std + _EPSILON), 0.0)
    return discounted(normalised, gamma) * mask


def local_returns(rewards: torch.Tensor, mask: torch.Tensor, group_size: int, gamma: float) -> torch.Tensor:
    """Discounted sums of local rewards, normalised over all tokens of the group, (B, T).

    With gamma 1 and difference rewards the sum telescopes to V_T - V_(t-1), what is still to come.
    """
    return _normalised(discounted(rewards * mask, gamma), mask.bool(), group_size) * mask


def mixed(
    scores: torch.Tensor,
    rewards: torch.Tensor,
    positions: torch.Tensor,
    mask: torch.Tensor,
    group_size: int,
    weight: float,
    clip: float = 3.0,
) -> torch.Tensor:
    """A_t = grpo(scores) + weight * z_t, (B, T): the trace's advantage and that of the token's own unit.

    z is the unit's reward, normalised over all units of the group and clipped to +-`clip`. With weight 0 this is
    the sparse advantage, bit by bit.
    """
    whole = grpo(scores, group_size)[:, None] * mask
    if weight == 0:
        return whole
    units = _normalised(rewards, positions, group_size).clamp(-clip, clip)
    return whole + weight * spread(units, positions, mask)


def token_advantages(
    advantage: Advantage,
    form: RewardForm,
    rewards: torch.Tensor,
    positions: torch.Tensor,
    counted: torch.Tensor,
    completion: torch.Tensor,
    group_size: int,
    *,
    gamma: float,
    step_weight: float,
) -> torch.Tensor:
    """The advantage of every completion token, (B, T), from token rewards before any density.

    Args:
        counted: tokens whose rewards count; `completion`: tokens that the policy wrote, the end token among them.
    """
    paid = paid_rewards(form, rewards, positions, counted)
    if advantage == "returns":
        if form == "level":
            return level_returns(paid, positions, completion, group_size, gamma)
        return local_returns(paid, completion, group_size, gamma)
    weight = step_weight if advantage == "mixed" else 0.0
    scores = trace_scores(form, rewards, positions, counted)
    return mixed(scores, paid, positions, completion, group_size, weight)


def _normalised(values: torch.Tensor, chosen: torch.Tensor, group_size: int) -> torch.Tensor:
    """Values less the mean of the chosen ones of their group, over their deviation; zero elsewhere."""
    grouped, weights = values.view(-1, group_size, values.shape[1]), chosen.view(-1, group_size, values.shape[1])
    count = weights.sum((1, 2), keepdim=True).clamp(min=1)
    centred = (grouped - (grouped * weights).sum((1, 2), keepdim=True) / count) * weights
    std = (centred.square().sum((1, 2), keepdim=True) / (count - 1).clamp(min=1)).sqrt()
    return (centred / (std + _EPSILON)).view_as(values)


def _last(positions: torch.Tensor) -> torch.Tensor:
    """Index of the last position of each row, (B, 1)."""
    order = torch.arange(positions.shape[1], device=positions.device)
    return (order * positions).amax(1, keepdim=True)
