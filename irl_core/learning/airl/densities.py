"""Density: which tokens carry a reward, and how the rewards of the other tokens reach them.

All tensors are (B, T), aligned with the completion: `mask` is true on tokens that are judged.
"""

from __future__ import annotations

from typing import Literal

import torch

Density = Literal["sparse", "step", "dense"]
"""One reward per trace, per step of the solution, or per token."""


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
