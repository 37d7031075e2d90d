"""Adversarial IRL in the exact world: the same losses, reward forms and advantages as `AIRLTrainer`, in a lean loop.

A study of many methods and seeds on one core has no time for a trainer's overhead; everything that decides what is
learned is shared with the trainer, and the settings carry the names of `AIRLConfig`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from irl_core.learning.airl import losses
from irl_core.learning.airl import rewards as forms
from irl_core.learning.airl.advantages import Advantage, grpo, token_advantages
from irl_core.learning.airl.rewards import Density, reward_positions
from irl_core.learning.common.optimiser import MasterWeights
from irl_core.learning.toy.exact_world import EOS, EXPERT, STEP, ExactWorld
from irl_core.learning.toy.models import (
    completion_logits,
    completion_mask,
    completion_values,
    entropies,
    nano_critic,
    sample,
    token_logprobs,
)


@dataclass(frozen=True)
class Method:
    """How demonstrations, or with `outcome` the right answers, become a policy; names and meanings of `AIRLConfig`."""

    name: str
    density: Density = "dense"
    reward_form: forms.RewardForm = "difference"
    advantage: Advantage = "returns"
    returns_gamma: float = 1.0
    step_weight: float = 0.0
    outcome: bool = False
    exact: bool = False
    ratio_beta: float = 1.0
    disc_loss: losses.DiscriminatorLoss = "bce"
    disc_label_smoothing: float = 0.0
    disc_learning_rate: float = 1e-3
    disc_updates: int = 1
    disc_warmup_steps: int = 0
    learning_rate: float = 4e-4
    steps: int = 40
    prompts_per_step: int = 16
    num_generations: int = 4

    def changed(self) -> dict[str, Any]:
        """The settings that differ from their default, by name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) != f.default}


class Demonstrations(NamedTuple):
    """Expert solutions (N, T) of N prompts (N, P)."""

    prompts: Tensor
    solutions: Tensor


class Critic:
    """A discriminator of whole batches, on the policy's body.

    With `level` and `difference` it has a scalar head; with `log_prob` and `log_ratio` it is a language model.
    """

    def __init__(self, policy: LlamaForCausalLM, method: Method) -> None:
        self.method = method
        head = method.reward_form in forms.HEAD_FORMS
        self.model: Any = nano_critic(policy) if head else copy.deepcopy(policy)
        self.reference = copy.deepcopy(policy) if method.reward_form == "log_ratio" else None
        steps = (method.disc_warmup_steps + method.steps) * method.disc_updates
        self.optimizer = MasterWeights(self.model.parameters(), lr=method.disc_learning_rate, steps=steps)

    def rewards(self, prompts: Tensor, completions: Tensor) -> Tensor:
        """Token rewards before any density, (B, T)."""
        mask = counted_tokens(completions)
        if self.method.reward_form in forms.HEAD_FORMS:
            form = forms.level if self.method.reward_form == "level" else forms.difference
            return form(completion_values(self.model, prompts, completions), mask)
        logprobs = token_logprobs(completion_logits(self.model, prompts, completions), completions)
        if self.method.reward_form == "log_prob":
            return forms.log_prob(logprobs, mask)
        assert self.reference is not None
        with torch.no_grad():
            reference = token_logprobs(completion_logits(self.reference, prompts, completions), completions)
        return forms.log_ratio(logprobs, reference, mask, self.method.ratio_beta)

    def learn(self, experts: Demonstrations, rollouts: Demonstrations) -> dict[str, float]:
        """One update on experts and on their prompts' rollouts, in the same order; returns what was seen before it.

        `disc_group_acc` is the share of pairs of an expert's and a rollout of its prompt that the expert's wins.
        """
        prompts, solutions = (torch.cat(both) for both in zip(experts, rollouts, strict=True))
        count = len(experts.prompts)
        expert = torch.arange(len(prompts)) < count
        problems = torch.arange(count)
        groups = torch.cat([problems, problems.repeat_interleave(len(rollouts.prompts) // count)])
        mask = counted_tokens(solutions)
        positions = positions_of(self.method.density, mask)
        rewards = self.rewards(prompts, solutions)
        scores = forms.trace_scores(self.method.reward_form, rewards, positions, mask)
        if self.method.disc_loss == "relativistic":
            loss = losses.relativistic(scores, expert, groups)
        else:
            logits = forms.expert_logits(self.method.reward_form, rewards, positions, mask)
            loss = losses.bce(logits, positions, expert, smoothing=self.method.disc_label_smoothing)
        loss.backward()
        self.optimizer.step()
        return {"disc_loss": loss.item(), "disc_group_acc": losses.group_accuracy(scores.detach(), expert, groups)}


class ExactCritic:
    """The discriminator that has seen everything: log π_E − log π of each token, with the expert's own probabilities.

    Sums of it are the optimal logits for any prefix (see `irl_core.learning.airl.rewards`), so what it pays differs
    from a learned critic's rewards by estimation alone, and a method that fails with it fails for its form.
    """

    def __init__(self, world: ExactWorld, policy: LlamaForCausalLM, method: Method) -> None:
        self.world, self.policy, self.method = world, policy, method

    @torch.no_grad()
    def rewards(self, prompts: Tensor, completions: Tensor) -> Tensor:
        """As a learned critic's."""
        mask = counted_tokens(completions)
        expert = self.world.token_probabilities(EXPERT, prompts, completions).log()
        policy = token_logprobs(completion_logits(self.policy, prompts, completions), completions)
        local = forms.log_ratio(expert, policy, mask, beta=1.0)
        return local.cumsum(1) * mask if self.method.reward_form == "level" else local


class AdversarialRun:
    """A policy that learns beside its critic, step by step.

    Args:
        policy: changed in place.
        generator: of rollouts and of the order of prompts.
    """

    def __init__(
        self,
        world: ExactWorld,
        policy: LlamaForCausalLM,
        demonstrations: Demonstrations,
        method: Method,
        generator: torch.Generator,
    ) -> None:
        self.world, self.policy, self.method = world, policy, method
        self.demonstrations, self.generator = demonstrations, generator
        self.critic: Critic | ExactCritic | None = None
        if not method.outcome:
            self.critic = ExactCritic(world, policy, method) if method.exact else Critic(policy, method)
        self.optimizer = MasterWeights(policy.parameters(), lr=method.learning_rate, steps=method.steps)
        self.done = 0

    def step(self) -> dict[str, float]:
        """Rollouts, the critic's updates, the policy's update once the critic is warm; figures of the rollouts."""
        method = self.method
        count = len(self.demonstrations.prompts)
        chosen = torch.randperm(count, generator=self.generator)[: method.prompts_per_step]
        experts = Demonstrations(*(part[chosen] for part in self.demonstrations))
        prompts = experts.prompts.repeat_interleave(method.num_generations, 0)
        rollouts = Demonstrations(prompts, sample(self.policy, prompts, self.world.length, self.generator))
        correct = self.world.correct(*rollouts)
        figures = {"correct": correct.float().mean().item()}
        if isinstance(self.critic, Critic):
            figures |= self._teach(self.critic, experts, rollouts)
        if self.critic is None or self.done >= method.disc_warmup_steps:
            figures |= self._improve(rollouts, correct)
        self.done += 1
        return figures

    def _teach(self, critic: Critic, experts: Demonstrations, rollouts: Demonstrations) -> dict[str, float]:
        figures: dict[str, float] = {}
        for _ in range(self.method.disc_updates):
            figures = critic.learn(experts, rollouts)
        return figures

    def _improve(self, rollouts: Demonstrations, correct: Tensor) -> dict[str, float]:
        """One policy-gradient step on the rollouts (on policy, so that the importance ratio is one)."""
        completion = completion_mask(rollouts.solutions)
        advantages = self._advantages(rollouts, correct, completion)
        logits = completion_logits(self.policy, *rollouts)
        logprobs = token_logprobs(logits, rollouts.solutions)
        (-(advantages * logprobs)[completion].mean()).backward()
        self.optimizer.step()
        return {"entropy": entropies(logits.detach())[completion].mean().item()}

    @torch.no_grad()
    def _advantages(self, rollouts: Demonstrations, correct: Tensor, completion: Tensor) -> Tensor:
        method = self.method
        if self.critic is None:
            return grpo(correct.float(), method.num_generations)[:, None] * completion
        mask = counted_tokens(rollouts.solutions)
        return token_advantages(
            method.advantage,
            method.reward_form,
            self.critic.rewards(*rollouts),
            positions_of(method.density, mask),
            mask,
            completion,
            method.num_generations,
            gamma=method.returns_gamma,
            step_weight=method.step_weight,
        )


def counted_tokens(completions: Tensor) -> Tensor:
    """Tokens that the critic reads, (B, T): all that were written but the end token, for both classes."""
    return completion_mask(completions) & (completions != EOS)


def positions_of(density: Density, mask: Tensor) -> Tensor:
    """Where rewards are paid, (B, T), with the layout's steps."""
    steps = (torch.arange(mask.shape[1]) // STEP).expand(mask.shape)
    return reward_positions(density, mask, steps=steps)
