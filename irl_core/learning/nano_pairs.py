"""Pairs of an expert's step and a worse one behind the same prefix, which carries no label; nobody is asked for them.

Edits make one thing of the expert's step wrong. Departures are the policy's own: a rollout is followed while its steps
arrive at the expert's results; in the first that does not, the first wrong token stands against what the expert has.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from irl_core.learning.exact_world import NUMBER, OPERATION, OPERATIONS, STEP, ExactWorld

_LEFT, _OPERATION, _RIGHT, _RESULT = 1, 2, 3, 5


class Pairs(NamedTuple):
    """Solutions (N, T) that share a prefix, and the token that is compared (N, T): the first that differs.

    What follows a wrong operand or operation may be right for the step as it stands. Of `natural` pairs some are the
    wrong way round: where the expert erred, a right rollout departs.
    """

    prompts: Tensor
    better: Tensor
    worse: Tensor
    where: Tensor
    natural: bool


def pairs(prompts: Tensor, better: Tensor, worse: Tensor, steps: Tensor, *, natural: bool) -> Pairs:
    """The pairs that differ in their step of index `steps` (N,)."""
    inside = _step_index(better) == steps[:, None]
    differs = (better != worse) & inside
    where = differs & (differs.cumsum(1) == 1)
    kept = differs.any(1)
    return Pairs(prompts[kept], better[kept], worse[kept], where[kept], natural)


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
    return pairs(prompts, solutions, worse, steps, natural=False)


def departures(world: ExactWorld, prompts: Tensor, experts: Tensor, rollouts: Tensor) -> Pairs:
    """The first step of each rollout (N, T) that arrives at another number than the expert of its prompt (N, T)."""
    rows, results = torch.arange(len(rollouts)), torch.arange(world.steps) * STEP + _RESULT
    departs = (experts[:, results] != rollouts[:, results]) & (rollouts[:, results] >= NUMBER)
    steps = departs.int().argmax(1)
    slot, token = _first_wrong(*(_calculation(solutions, steps) for solutions in (experts, rollouts)))
    worse = torch.where(_step_index(rollouts) == steps[:, None], rollouts, experts)
    better = worse.clone()
    better[rows, STEP * steps + slot] = token
    kept = departs.any(1)
    return pairs(*(part[kept] for part in (prompts, better, worse, steps)), natural=True)


def _calculation(solutions: Tensor, steps: Tensor) -> list[Tensor]:
    """Left operand, operation, right operand and result of the step of index `steps` of each solution."""
    rows = torch.arange(len(solutions))
    return [solutions[rows, STEP * steps + slot] for slot in (_LEFT, _OPERATION, _RIGHT, _RESULT)]


def _first_wrong(expert: list[Tensor], own: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The slot of the first token that is not the expert's, in either order where the operation commutes, and the
    token that ought to stand there."""
    swapped = (own[0] == expert[2]) & (expert[1] != OPERATION + OPERATIONS.index("-"))
    wanted = [
        torch.where(swapped, expert[2], expert[0]),
        expert[1],
        torch.where(swapped & (own[0] != expert[0]), expert[0], expert[2]),
        expert[3],
    ]
    wanted, wrong = torch.stack(wanted, 1), torch.stack(wanted, 1) != torch.stack(own, 1)
    first = wrong.int().argmax(1)
    return torch.tensor([_LEFT, _OPERATION, _RIGHT, _RESULT])[first], wanted.gather(1, first[:, None])[:, 0]


def _step_index(solutions: Tensor) -> Tensor:
    return (torch.arange(solutions.shape[1]) // STEP).expand(solutions.shape)
