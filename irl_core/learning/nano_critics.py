"""The critics of the exact world: one that learns beside the policy, and one that has seen everything."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from irl_core.learning import losses
from irl_core.learning import reward_forms as forms
from irl_core.learning.densities import reward_positions
from irl_core.learning.exact_world import EOS, EXPERT, STEP, ExactWorld
from irl_core.learning.loop import MasterWeights
from irl_core.learning.nano_method import Demonstrations, Method
from irl_core.learning.nano_models import (
    completion_logits,
    completion_mask,
    completion_values,
    entropies,
    interpolated_values,
    nano_critic,
    token_logprobs,
)
from irl_core.learning.nano_pairs import Pairs

_NO_PAIRS: tuple[tuple[float, Pairs], ...] = ()


class Critic:
    """A discriminator of whole batches, on the policy's body.

    With `level`, `difference` and `airl` it has a scalar head (`airl`: two); with `log_prob` and `log_ratio` it is a
    language model.
    """

    def __init__(self, policy, method: Method) -> None:
        self.method, self.policy = method, policy
        head = method.reward_form in forms.HEAD_FORMS
        labels = 2 if method.reward_form == "airl" else 1
        self.model = nano_critic(policy, labels) if head else copy.deepcopy(policy)
        if method.disc_loss == "wgan":  # its penalty is differentiated twice, which fused attention cannot do
            self.model.set_attn_implementation("eager")
        self.reference = copy.deepcopy(policy) if method.reward_form == "log_ratio" else None
        steps = (method.disc_warmup_steps + method.steps) * method.disc_updates
        self.optimizer = MasterWeights(self.model.parameters(), lr=method.disc_learning_rate, steps=steps)
        self.draws = torch.Generator().manual_seed(0)

    @torch.no_grad()
    def rewards(self, prompts: Tensor, completions: Tensor) -> Tensor:
        """What tokens are paid before any density, (B, T)."""
        rewards = self.readings(prompts, completions)
        if not self.method.token_baseline:
            return rewards
        expected = entropies(completion_logits(self.model, prompts, completions))
        return forms.less_expected(rewards, expected, judged(completions))

    def readings(self, prompts: Tensor, completions: Tensor) -> Tensor:
        """The reward form of each token, (B, T), with gradients."""
        mask, form = judged(completions), self.method.reward_form
        if form in forms.HEAD_FORMS:
            return self._from_values(completion_values(self.model, prompts, completions), prompts, completions, mask)
        logprobs = token_logprobs(completion_logits(self.model, prompts, completions), completions)
        if form == "log_prob":
            return forms.log_prob(logprobs, mask)
        reference = frozen_logprobs(self.reference, prompts, completions)
        return forms.log_ratio(logprobs, reference, mask, self.method.ratio_beta)

    def _from_values(self, values: Tensor, prompts: Tensor, completions: Tensor, mask: Tensor) -> Tensor:
        if self.method.reward_form == "level":
            return forms.level(values[..., 0], mask)
        if self.method.reward_form == "difference":
            return forms.difference(values[..., 0], mask)
        shaped = forms.shaped(values[..., 0], values[..., 1], mask, gamma=1.0)
        return forms.airl(shaped, frozen_logprobs(self.policy, prompts, completions), mask)

    def learn(
        self,
        experts: Demonstrations,
        rollouts: Demonstrations,
        owners: Tensor | None = None,
        pairs: tuple[tuple[float, Pairs], ...] = _NO_PAIRS,
    ) -> dict[str, float]:
        """One update on experts and on rollouts of their prompts; returns what was seen before it.

        `disc_acc` is the share of pairs of an expert and a rollout of its prompt in which the expert scores higher.

        Args:
            owners: which expert's prompt each rollout answers; by default equally many in the experts' order.
            pairs: steps to tell apart, with the weight of their loss.
        """
        count, method = len(experts.prompts), self.method
        own = torch.arange(count)
        groups = torch.cat([own, own.repeat_interleave(len(rollouts.prompts) // count) if owners is None else owners])
        prompts, solutions = (torch.cat(both) for both in zip(experts, rollouts, strict=True))
        expert = torch.arange(len(prompts)) < count
        mask = judged(solutions)
        rewards = self.readings(prompts, solutions)
        positions = positions_of(method, mask)
        scores = forms.trace_scores(method.reward_form, rewards, positions, mask)
        loss = method.class_weight * self._class_loss(prompts, solutions, rewards, scores, positions, expert, groups)
        if method.anchor_weight:
            loss = loss - method.anchor_weight * rewards[:count][mask[:count]].mean()
        for weight, steps in pairs:
            loss = loss + weight * self._pair_loss(steps)
        loss.backward()
        self.optimizer.step()
        return {"disc_loss": loss.item(), "disc_acc": losses.group_accuracy(scores.detach(), expert, groups)}

    def _class_loss(self, prompts, solutions, rewards, scores, positions, expert, groups) -> Tensor:
        method, mask = self.method, judged(solutions)
        if method.disc_loss == "relativistic":
            return losses.relativistic(scores, expert, groups, temperature=method.disc_temperature)
        if method.disc_loss == "maxent":
            logprobs = frozen_logprobs(self.policy, prompts, solutions)
            return losses.maxent((rewards * mask).sum(1), (logprobs * mask).sum(1), expert, groups)
        if method.disc_loss == "wgan":
            penalty = self._gradient_penalty(prompts, solutions, expert, groups)
            return losses.wgan(scores, expert) + method.gradient_penalty * penalty
        evidence = forms.evidence(method.reward_form, rewards, positions, mask)
        smoothing, share = method.disc_label_smoothing, method.expert_share
        return losses.bce(evidence, positions, expert, smoothing=smoothing, expert_share=share)

    def _pair_loss(self, pairs: Pairs) -> Tensor:
        """How far the better steps' rewards, from the first difference on, are above the worse ones'."""
        if not len(pairs.prompts):
            return torch.zeros(())
        solutions = torch.cat([pairs.better, pairs.worse])
        rewards = self.readings(torch.cat([pairs.prompts, pairs.prompts]), solutions)
        sums = (rewards * torch.cat([pairs.where, pairs.where])).sum(1)
        return (losses.local_with_errors if pairs.natural else losses.local)(*sums.chunk(2))

    def _gradient_penalty(self, prompts: Tensor, solutions: Tensor, expert: Tensor, groups: Tensor) -> Tensor:
        """Slopes at interpolations between each rollout's embeddings and its expert's."""
        ids = torch.cat([prompts, solutions], 1)
        share = torch.rand(int((~expert).sum()), 1, 1, generator=self.draws)
        embeddings = self.model.get_input_embeddings()(ids).detach()
        mixed = share * embeddings[~expert] + (1 - share) * embeddings[expert][groups[~expert]]
        mixed.requires_grad_()
        values = interpolated_values(self.model, mixed, prompts.shape[1])
        return losses.gradient_penalty(values.mean(1), mixed)


class ExactCritic:
    """The discriminator that has seen everything: log π_E − log π of each token, with the expert's own probabilities.

    Sums of it are the optimal logits for any prefix (see `reward_forms`), so what it pays differs from a learned
    critic's rewards by estimation alone, and a method that fails with it fails for its form.
    """

    def __init__(self, world: ExactWorld, policy, method: Method) -> None:
        self.world, self.policy, self.method = world, policy, method

    @torch.no_grad()
    def rewards(self, prompts: Tensor, completions: Tensor) -> Tensor:
        """As a learned critic's."""
        mask = judged(completions)
        expert = self.world.token_probabilities(EXPERT, prompts, completions).log()
        own = token_logprobs(completion_logits(self.policy, prompts, completions), completions)
        local = forms.airl(expert, own, mask)
        return local.cumsum(1) * mask if self.method.reward_form == "level" else local


@torch.no_grad()
def frozen_logprobs(model, prompts: Tensor, completions: Tensor) -> Tensor:
    """log π of each completion token, (B, T), of a model that is only asked."""
    return token_logprobs(completion_logits(model, prompts, completions), completions)


def judged(completions: Tensor) -> Tensor:
    """Tokens that the critic reads, (B, T): all that were written but the end token, for both classes."""
    return completion_mask(completions) & (completions != EOS)


def positions_of(method: Method, mask: Tensor) -> Tensor:
    """Where rewards are paid, (B, T), with the layout's steps."""
    steps = (torch.arange(mask.shape[1]) // STEP).expand(mask.shape)
    return reward_positions(method.density, mask, steps=steps, interval=method.interval)
