"""Adversarial IRL: a policy and a reward learned together from expert demonstrations, on top of TRL's GRPO."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from irl_core.learning.airl.advantages import token_advantages
from irl_core.learning.airl.comparisons import EditPair, Group, TokenMasks, edit_pair, token_masks
from irl_core.learning.airl.config import AIRLConfig
from irl_core.learning.airl.discriminator import Discriminator
from irl_core.learning.airl.grpo import PolicyTrainer, completions_of
from irl_core.learning.airl.outcomes import solved
from irl_core.learning.airl.rewards import RewardForm, trace_scores
from irl_core.learning.airl.shortcuts import bag_of_tokens_auc, length_auc
from irl_core.learning.airl.traces import (
    Rollout,
    TokenizedTrace,
    false_equation_ends,
    read_rollouts,
    rewards_to_policy_tokens,
    tokenize_trace,
)

if TYPE_CHECKING:
    from datasets import Dataset
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_QUARTERS = 4
_WATCHED = 1024  # traces


class AIRLTrainer(PolicyTrainer):
    """GRPO whose advantages come, token by token, from a discriminator that learns beside the policy.

    Each step: TRL draws G rollouts per question; the discriminator compares them with the question's demonstration
    and learns; its averaged weights then score them; the rewards become advantages of shape (B, T), and TRL's loss
    does the rest. Reward functions are only watched.

    Args:
        critic: the discriminator's model, see `Discriminator`.
        args: its `max_steps` must be given.
        train_dataset: columns `prompt` (a question) and `demonstration` (the expert's solution).
        critic_tokenizer: the critic's, if it is not the policy's; rewards then travel through characters.
        reward_funcs: figures to watch; by default the share of rollouts with the demonstration's answer.

    Raises:
        ValueError: for a data set without these columns, and for settings that do not go together.
    """

    args: AIRLConfig
    model: PreTrainedModel | PeftModel
    processing_class: PreTrainedTokenizerBase
    num_generations: int

    def __init__(
        self,
        model: PreTrainedModel | PeftModel,
        critic: PreTrainedModel | PeftModel,
        args: AIRLConfig,
        train_dataset: Dataset,
        processing_class: PreTrainedTokenizerBase,
        *,
        critic_tokenizer: PreTrainedTokenizerBase | None = None,
        reward_funcs: Any = solved,
        **more: Any,
    ) -> None:
        _check(args, train_dataset)
        super().__init__(
            model=model,
            reward_funcs=reward_funcs,
            args=args,
            train_dataset=train_dataset,
            processing_class=processing_class,
            **more,
        )
        self.critic_tokenizer = processing_class
        if critic_tokenizer is not None and critic_tokenizer.get_vocab() != processing_class.get_vocab():
            self.critic_tokenizer = critic_tokenizer
        self.discriminator = Discriminator(
            critic.to(self.accelerator.device),
            self.critic_tokenizer,
            args,
            steps=args.max_steps * args.disc_updates,
            reduce=lambda tensor: self.accelerator.reduce(tensor, "mean"),
        )
        self._seen: deque[tuple[list[int], bool]] = deque(maxlen=_WATCHED)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output = super()._generate_and_score_completions(inputs)
        if not self.model.training:
            return output
        completions = completions_of(output, self.processing_class.pad_token_id)
        questions = [example["prompt"] for example in inputs]
        rollouts = read_rollouts(questions, completions, self.processing_class, self.critic_tokenizer)
        self._learn(inputs[:: self.num_generations], rollouts)
        rewards = self._score(rollouts)
        drawn = [rollout.policy for rollout in rollouts]
        rewards = rewards - self.args.false_equation_penalty * self._false_equations(drawn, rewards)
        masks = token_masks(drawn, self.args, rewards.device)
        self._log(reward_figures(self.args.reward_form, rewards, masks))
        self._log_shortcuts(inputs[:: self.num_generations], drawn)
        output["advantages"] = self._advantages(rewards, masks, output["completion_mask"])
        return output

    def _learn(self, examples: Sequence[dict[str, str]], rollouts: Sequence[Rollout]) -> None:
        """The updates of one step, on a group per example."""
        size = self.num_generations
        groups = [self._group(e, rollouts[i * size : (i + 1) * size]) for i, e in enumerate(examples)]
        for update in range(self.args.disc_updates):
            if self.args.local_weight:
                pairs = [self._edit_pair(update, example) for example in examples]
                groups = [g._replace(edits=[p] if p else []) for g, p in zip(groups, pairs, strict=True)]
            self._log(self.discriminator.update(groups))

    def _group(self, example: dict[str, str], rollouts: Sequence[Rollout]) -> Group:
        """A demonstration and the rollouts of its question."""
        question, demonstration = example["prompt"], example["demonstration"]
        right = [False] * len(rollouts)
        if self.args.supervision == "answer_relabel":
            texts = [rollout.policy.text for rollout in rollouts]
            right = [bool(r) for r in solved(texts, [demonstration] * len(rollouts))]
        expert = tokenize_trace(self.critic_tokenizer, question, demonstration)
        return Group(expert, [rollout.critic for rollout in rollouts], right)

    def _edit_pair(self, update: int, example: dict[str, str]) -> EditPair | None:
        """Chance follows from run, step and question: the same on any number of processes, and after a resume."""
        question = example["prompt"]
        rng = random.Random(f"{self.args.seed}/{self.state.global_step}/{update}/{question}")
        return edit_pair(self.critic_tokenizer, question, example["demonstration"], rng)

    def _score(self, rollouts: Sequence[Rollout]) -> torch.Tensor:
        """Token rewards of the policy's tokens, (B, T), from the averaged weights."""
        rewards = self.discriminator.score([rollout.critic.ids for rollout in rollouts])
        if self.critic_tokenizer is self.processing_class:
            return rewards
        add = self.args.reward_form != "level"
        paid = [
            rewards_to_policy_tokens(row[: len(read.spans)], read.spans, drawn.spans, add=add)
            for (drawn, read), row in zip(rollouts, rewards.tolist(), strict=True)
        ]
        return pad_sequence([torch.tensor(row, device=rewards.device) for row in paid], batch_first=True)

    def _false_equations(self, drawn: Sequence[TokenizedTrace], rewards: torch.Tensor) -> torch.Tensor:
        """(B, T): how many end in each token; logged whether they cost anything or not."""
        counts = false_equation_ends(drawn, rewards.shape[1]).to(rewards)
        self._log({"false_equations": counts.any(1).float().mean().item()})
        return counts

    def _advantages(self, rewards: torch.Tensor, masks: TokenMasks, completion: torch.Tensor) -> torch.Tensor:
        """(B, T), zero while the discriminator warms up. TRL may have padded further than the longest rollout."""
        wider = (0, completion.shape[1] - rewards.shape[1])
        if self.state.global_step < self.args.disc_warmup_steps:
            return torch.zeros(completion.shape, device=rewards.device)
        return token_advantages(
            self.args.advantage,
            self.args.reward_form,
            pad(rewards, wider),
            pad(masks.paid, wider),
            pad(masks.counted, wider),
            completion.bool(),
            self.num_generations,
            gamma=self.args.returns_gamma,
            step_weight=self.args.step_weight,
        )

    def _log(self, figures: dict[str, float]) -> None:
        """Figures of this step; TRL logs the mean of those since the last time."""
        for name, value in figures.items():
            self._metrics["train"][name].append(value)

    def _log_shortcuts(self, examples: Sequence[dict[str, str]], drawn: Sequence[TokenizedTrace]) -> None:
        """How well the latest traces can be told apart without reading them: by length, by their bag of tokens."""
        experts = [tokenize_trace(self.processing_class, e["prompt"], e["demonstration"]) for e in examples]
        for trace, expert in [*((trace, False) for trace in drawn), *((trace, True) for trace in experts)]:
            hidden = trace.ended and not self.args.score_end
            tokens = trace.ids.completion
            self._seen.append((tokens[:-1] if hidden else tokens, expert))
        if self.state.global_step % max(1, int(self.args.logging_steps)) == 0:
            traces, labels = zip(*self._seen, strict=True)
            self._log(
                {
                    "shortcut_length_auc": length_auc([len(tokens) for tokens in traces], labels),
                    "shortcut_bag_of_tokens_auc": bag_of_tokens_auc(traces, labels),
                }
            )

    def save_beside(self, folder: Path) -> None:
        self.discriminator.save_checkpoint(folder / "discriminator")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)  # type: ignore[no-untyped-call]
        if checkpoint is not None:
            self.discriminator.load_checkpoint(Path(checkpoint) / "discriminator")


def _check(args: AIRLConfig, dataset: Dataset) -> None:
    if args.max_steps <= 0:
        raise ValueError("max_steps must be given: the discriminator's schedule is made for that many steps")
    missing = {"prompt", "demonstration"} - set(dataset.column_names or ())
    if missing:
        raise ValueError(f"the training data lacks the column {min(missing)!r}; it has {dataset.column_names}")
    if not len(dataset):
        raise ValueError("the training data is empty")


def reward_figures(form: RewardForm, rewards: torch.Tensor, masks: TokenMasks) -> dict[str, float]:
    """Where rewards (B, T) are paid, by quarter of the trace, and whether length buys them."""
    scores = trace_scores(form, rewards, masks.paid, masks.counted)
    lengths = masks.counted.sum(1).float()
    figures = {
        "disc_reward": scores.mean().item(),
        "disc_reward_length_corr": _correlation(scores, lengths),
    }
    place = masks.counted.cumsum(1) - 1
    quarter = (_QUARTERS * place / lengths.clamp(min=1)[:, None]).long()
    for q in range(_QUARTERS):
        where = masks.counted & (quarter == q)
        if where.any():
            figures[f"disc_reward_quarter_{q + 1}"] = rewards[where].mean().item()
    return figures


def _correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    """Pearson's r; 0 where one of them does not vary."""
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return torch.corrcoef(torch.stack([a.float(), b.float()]))[0, 1].item()
