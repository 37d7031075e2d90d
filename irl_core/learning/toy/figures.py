"""What the exact world lets one measure of a policy and of a critic."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean, stdev
from typing import TypedDict

import torch
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score
from torch import Tensor
from transformers import LlamaForCausalLM

from irl_core.learning.toy.exact_world import CONNECTIVE, CONNECTIVES, EOS, EXPERT, NOVICE, NUMBER, STEP, ExactWorld
from irl_core.learning.toy.models import completion_logits, completion_mask, sample, token_logprobs

TokenRewards = Callable[[Tensor, Tensor], Tensor]
"""Prompts (B, P) and solutions (B, T) to one reward per token (B, T)."""


class SeedFigure(TypedDict):
    """A mean over runs that differ in their seed alone, with its 95 % interval (Student's t); `n` counts the runs."""

    value: float
    low: float
    high: float
    n: int


def over_seeds(values: list[float]) -> SeedFigure:
    """Mean and interval of one figure of n ≥ 1 runs; with one run the interval is the value."""
    mean, n = fmean(values), len(values)
    half = student.ppf(0.975, n - 1) * stdev(values) / n**0.5 if n > 1 else 0.0
    return {"value": mean, "low": mean - half, "high": mean + half, "n": n}


@torch.no_grad()
def solved(
    world: ExactWorld, policy: LlamaForCausalLM, problems: Tensor, samples: int, generator: torch.Generator | None
) -> list[int]:
    """How many of `samples` solutions of each problem end in the right answer; without a generator they are greedy."""
    prompts = problems.repeat_interleave(samples, 0)
    solutions = sample(policy, prompts, world.length, generator)
    return world.correct(prompts, solutions).view(-1, samples).sum(1).tolist()


@torch.no_grad()
def true_rewards(world: ExactWorld, policy: LlamaForCausalLM, problems: Tensor, solutions: Tensor) -> Tensor:
    """log π_E − log π of each token (nats): the expert's probability is exact, the policy's is its own."""
    expert = world.token_probabilities(EXPERT, problems, solutions).log()
    return expert - token_logprobs(completion_logits(policy, problems, solutions), solutions)


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's r of two flat tensors; 0 where one of them does not vary."""
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return torch.corrcoef(torch.stack([a.double(), b.double()]))[0, 1].item()


def first_wrong_step(world: ExactWorld, problems: Tensor, solutions: Tensor) -> Tensor:
    """Index of the first step that holds a wrong token (B,), the answer being one more step; −1 for none."""
    wrong = world.wrong_tokens(problems, solutions) & completion_mask(solutions)
    return torch.where(wrong.any(1), wrong.int().argmax(1) // STEP, -1)


def most_suspect_step(rewards: Tensor) -> Tensor:
    """The step (B,) with the lowest sum of token rewards (B, T), zero where nothing counts."""
    steps = -(-rewards.shape[1] // STEP)
    owners = (torch.arange(rewards.shape[1]) // STEP).expand(rewards.shape)
    return torch.zeros(len(rewards), steps).scatter_add(1, owners, rewards).argmin(1)


def localisation(world: ExactWorld, rewards: Tensor, problems: Tensor, solutions: Tensor) -> float:
    """Share of erroneous solutions whose most suspect step is the first wrong one."""
    truth = first_wrong_step(world, problems, solutions)
    return (most_suspect_step(rewards) == truth)[truth >= 0].float().mean().item()


def right_over_style(world: ExactWorld, rewards: TokenRewards, problems: Tensor, solutions: Tensor) -> float:
    """Share of right solutions that keep more of their reward with the novice's connectives than with a wrong result.

    The wrong result is the last one, a step further on the clock, and the answer with it.
    """
    right = ~world.wrong_tokens(problems, solutions).any(1)
    problems, restyled, slipped = problems[right], solutions[right].clone(), solutions[right].clone()
    for step in range(world.steps):
        restyled[:, STEP * step] = CONNECTIVE + CONNECTIVES.index("thus")
    answer = STEP * world.steps + 1
    slipped[:, [answer - 2, answer]] = NUMBER + (slipped[:, [answer]] - NUMBER + 1) % world.modulus
    return (rewards(problems, restyled).sum(1) > rewards(problems, slipped).sum(1)).float().mean().item()


@torch.no_grad()
def expert_loss(policy: LlamaForCausalLM, problems: Tensor, solutions: Tensor) -> float:
    """Mean negative log-likelihood of expert solutions, nats per token."""
    return -token_logprobs(completion_logits(policy, problems, solutions), solutions).mean().item()


@torch.no_grad()
def critic_figures(
    world: ExactWorld,
    rewards: TokenRewards,
    policy: LlamaForCausalLM,
    start: LlamaForCausalLM,
    problems: Tensor,
    generator: torch.Generator,
) -> dict[str, float]:
    """How a critic's token rewards fare against the truth, on solutions of held-out problems.

    `correlation` is Pearson's r with log π_E − log π over the tokens of experts and of the policy,
    `correlation_novice` with log π_E − log π_N; localisation and AUROC are on solutions of `start`, the policy that
    training began with, `right_over_style` is on the expert's.
    """
    experts = world.sample(EXPERT, problems, generator)
    rollouts = sample(policy, problems, world.length, generator)
    both, solutions = torch.cat([problems, problems]), torch.cat([experts, rollouts])
    learned, true = rewards(both, solutions), true_rewards(world, policy, both, solutions)
    where = completion_mask(solutions) & (solutions != EOS)
    ratio = world.log_ratio(EXPERT, NOVICE, both, solutions)
    early = sample(start, problems, world.length, generator)
    paid, right = rewards(problems, early), world.correct(problems, early)
    return {
        "correlation": correlation(learned[where], true[where]),
        "correlation_novice": correlation(learned[where], ratio[where]),
        "localisation": localisation(world, paid, problems, early),
        "right_over_style": right_over_style(world, rewards, problems, experts),
        "auroc": float(roc_auc_score(right, paid.sum(1))) if 0 < right.sum() < len(right) else 0.5,
    }
