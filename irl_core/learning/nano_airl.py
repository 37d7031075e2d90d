"""Adversarial IRL in the exact world: the same losses, reward forms and advantages as `AIRLTrainer`, in a lean loop.

A study of many methods and seeds on one core has no time for a trainer's overhead; everything that decides what is
learned is shared with the trainer, and the settings carry the names of `AIRLConfig`.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor

from irl_core.learning.advantages import grpo, token_advantages
from irl_core.learning.exact_world import ExactWorld
from irl_core.learning.loop import MasterWeights
from irl_core.learning.nano_critics import Critic, ExactCritic, judged, positions_of
from irl_core.learning.nano_method import Demonstrations, Method
from irl_core.learning.nano_models import completion_logits, completion_mask, entropies, sample, token_logprobs
from irl_core.learning.nano_pairs import Pairs, departures, edits
from irl_core.learning.replay import Replay


class AdversarialRun:
    """A policy that learns beside its critic, step by step.

    Args:
        policy: changed in place.
        generator: of rollouts and of the order of prompts.
    """

    def __init__(self, world: ExactWorld, policy, demonstrations: Demonstrations, method: Method, generator) -> None:
        self.world, self.policy, self.method = world, policy, method
        self.demonstrations, self.generator = demonstrations, generator
        self.critic = None
        if not method.outcome:
            self.critic = ExactCritic(world, policy, method) if method.exact else Critic(policy, method)
        self.optimizer = MasterWeights(policy.parameters(), lr=method.learning_rate, steps=method.steps)
        # Chance beside that of the rollouts, so that methods without it and with it draw the same ones at first.
        self.chance = random.Random(generator.initial_seed())
        self.edit_draws = torch.Generator().manual_seed(generator.initial_seed())
        self.replay = Replay(size=4 * method.num_generations)
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
            figures |= self._teach(experts, rollouts)
        if self.critic is None or self.done >= method.disc_warmup_steps:
            figures |= self._improve(rollouts, correct)
        self.done += 1
        return figures

    def _teach(self, experts: Demonstrations, rollouts: Demonstrations) -> dict[str, float]:
        figures: dict[str, float] = {}
        shown, owners = self._with_old(experts, rollouts)
        for _ in range(self.method.disc_updates):
            figures = self.critic.learn(experts, shown, owners, self._pairs(experts, rollouts))
        return figures

    def _pairs(self, experts: Demonstrations, rollouts: Demonstrations) -> tuple[tuple[float, Pairs], ...]:
        found, method = [], self.method
        if method.local_weight:
            found.append((method.local_weight, edits(self.world, *experts, self.edit_draws)))
        if method.departure_weight:
            own = experts.solutions.repeat_interleave(method.num_generations, 0)
            found.append((method.departure_weight, departures(self.world, rollouts.prompts, own, rollouts.solutions)))
        return tuple(found)

    def _with_old(self, experts: Demonstrations, rollouts: Demonstrations) -> tuple[Demonstrations, Tensor]:
        """The rollouts, and beside them `replay_share` as many older ones of the same prompts; and whose they are."""
        size = self.method.num_generations
        owners = torch.arange(len(experts.prompts)).repeat_interleave(size)
        if not self.method.replay_share:
            return rollouts, owners
        questions = [str(prompt) for prompt in experts.prompts.tolist()]
        wanted = round(self.method.replay_share * size)
        old = [(i, o) for i, q in enumerate(questions) for o in self.replay.draw(q, wanted, self.chance)]
        for owner, solution in zip(owners.tolist(), rollouts.solutions.tolist(), strict=True):
            self.replay.add(questions[owner], solution)
        if not old:
            return rollouts, owners
        theirs, solutions = torch.tensor([i for i, _ in old]), torch.tensor([o for _, o in old])
        shown = Demonstrations(
            torch.cat([rollouts.prompts, experts.prompts[theirs]]), torch.cat([rollouts.solutions, solutions])
        )
        return shown, torch.cat([owners, theirs])

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
        mask = judged(rollouts.solutions)
        return token_advantages(
            method.advantage,
            method.reward_form,
            self.critic.rewards(*rollouts),
            positions_of(method, mask),
            mask,
            completion,
            method.num_generations,
            gamma=method.returns_gamma,
            step_weight=method.step_weight,
        )
