"""Pairs of an expert's step and a worse one behind the same prefix, which carries no label; nobody is asked for them.

Edits make one thing of the expert's step wrong. Departures are the policy's own: a rollout is followed while its steps
arrive at the expert's results; the first that does not stands against the same step with the expert's result, or
against the expert's whole step where it calculates something else.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from irl_core.learning.exact_world import NUMBER, OPERATION, OPERATIONS, STEP, ExactWorld

_LEFT, _OPERATION, _RIGHT, _RESULT = 1, 2, 3, 5


class Pairs(NamedTuple):
    """Solutions (N, T) that share a prefix, and the tokens that are compared (N, T): from the first that differs to
    the end of its step."""

    prompts: Tensor
    better: Tensor
    worse: Tensor
    where: Tensor


def pairs(prompts: Tensor, better: Tensor, worse: Tensor, steps: Tensor) -> Pairs:
    """The pairs that differ in their step of index `steps` (N,)."""
    inside = _step_index(better) == steps[:, None]
    differs = (better != worse) & inside
    where = inside & (differs.cumsum(1) > 0)
    kept = differs.any(1)
    return Pairs(prompts[kept], better[kept], worse[kept], where[kept])


def edits(world: ExactWorld, prompts: Tensor, solutions: Tensor, generator: torch.Generator) -> Pairs:
    """One edit of each solution: in a random step a wrong result, or a wrong right operand and what follows."""
    rows = torch.arange(len(solutions))
    steps = torch.randint(world.steps, (len(solutions),), generator=generator)
    start = STEP * steps
    shift = torch.randint(1, world.modulus, (len(solutions),), generator=generator)
    slips = torch.rand(len(solutions), generator=generator) < 0.5
    worse = solutions.clone()
    place = start + torch.where(slips, _RESULT, _RIGHT)
    worse[rows, place] = (worse[rows, place] - NUMBER + shift) % world.modulus + NUMBER
    left, operation, right = (worse[rows, start + slot] for slot in (_LEFT, _OPERATION, _RIGHT))
    carried_out = world.apply(left, operation, right)
    worse[rows, start + _RESULT] = torch.where(slips, worse[rows, start + _RESULT], carried_out)
    return pairs(prompts, solutions, worse, steps)


def departures(world: ExactWorld, prompts: Tensor, experts: Tensor, rollouts: Tensor) -> Pairs:
    """The first step of each rollout (N, T) that arrives at another number than the expert of its prompt (N, T)."""
    rows, results = torch.arange(len(rollouts)), torch.arange(world.steps) * STEP + _RESULT
    departs = (experts[:, results] != rollouts[:, results]) & (rollouts[:, results] >= NUMBER)
    steps = departs.int().argmax(1)
    start = STEP * steps
    inside = _step_index(rollouts) == steps[:, None]
    worse = torch.where(inside, rollouts, experts)
    repaired = worse.clone()
    repaired[rows, start + _RESULT] = experts[rows, start + _RESULT]
    same = _equation(experts, start) == _equation(rollouts, start)
    better = torch.where(same.all(1, keepdim=True), repaired, experts)
    kept = departs.any(1)
    return pairs(*(part[kept] for part in (prompts, better, worse, steps)))


def _equation(solutions: Tensor, start: Tensor) -> Tensor:
    """Operation and operands of the step that begins at `start`, in order of size where they commute; (N, 3)."""
    rows = torch.arange(len(solutions))
    left, operation, right = (solutions[rows, start + slot] for slot in (_LEFT, _OPERATION, _RIGHT))
    swapped = (operation != OPERATION + OPERATIONS.index("-")) & (left > right)
    return torch.stack([operation, torch.where(swapped, right, left), torch.where(swapped, left, right)], dim=1)


def _step_index(solutions: Tensor) -> Tensor:
    return (torch.arange(solutions.shape[1]) // STEP).expand(solutions.shape)
