"""Adversarial IRL: a policy and a reward learned together from expert demonstrations, on top of TRL's GRPO."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from irl_core.learning.airl import reward_forms as forms
from irl_core.learning.airl.advantages import token_advantages
from irl_core.learning.airl.comparisons import Group, Judged, edit_pair, judge
from irl_core.learning.airl.config import AIRLConfig
from irl_core.learning.airl.discriminator import Discriminator
from irl_core.learning.airl.false_equations import false_equation_ends
from irl_core.learning.airl.grpo import PolicyTrainer, completions_of
from irl_core.learning.airl.outcomes import solved
from irl_core.learning.airl.reward_transfer import transfer, with_end
from irl_core.learning.airl.shortcuts import bag_of_tokens_auc, length_auc
from irl_core.learning.common.encoding import Encoded, encode
from irl_core.models.prompts import prompt_ids
from irl_core.models.solution_tokens import decode_solution, end_id

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

    def __init__(
        self,
        model,
        critic: torch.nn.Module,
        args: AIRLConfig,
        train_dataset,
        processing_class,
        *,
        critic_tokenizer=None,
        reward_funcs=solved,
        **more,
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
        other = critic_tokenizer is not None and critic_tokenizer.get_vocab() != processing_class.get_vocab()
        self.critic_tokenizer = critic_tokenizer if other else processing_class
        self.discriminator = Discriminator(
            critic.to(self.accelerator.device),
            self.critic_tokenizer,
            args,
            steps=args.max_steps * args.disc_updates,
            reduce=lambda tensor: self.accelerator.reduce(tensor, "mean"),
        )
        self._seen: deque[tuple[list[int], bool]] = deque(maxlen=_WATCHED)

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        if not self.model.training:
            return output
        questions = [example["prompt"] for example in inputs]
        prompts = {question: prompt_ids(self.processing_class, question) for question in set(questions)}
        rows = [Encoded(prompts[q], c) for q, c in zip(questions, completions_of(output), strict=True)]
        self._learn(inputs, rows)
        rewards = self._score(questions, rows)
        rewards = rewards - self.args.false_equation_penalty * self._false_equations(rows, rewards)
        judged = judge(rows, self.processing_class, self.args, rewards.device)
        self._watch(rows, rewards, judged)
        self._watch_shortcuts(inputs, rows)
        output["advantages"] = self._advantages(rewards, judged, output["completion_mask"])
        return output

    def _advantages(self, rewards: torch.Tensor, judged: Judged, completion: torch.Tensor) -> torch.Tensor:
        """(B, T), zero while the discriminator warms up. TRL may have padded further than the longest rollout."""
        wider = (0, completion.shape[1] - rewards.shape[1])
        if self.state.global_step < self.args.disc_warmup_steps:
            return torch.zeros(completion.shape, device=rewards.device)
        return token_advantages(
            self.args.advantage,
            self.args.reward_form,
            pad(rewards, wider),
            pad(judged.positions, wider),
            pad(judged.mask, wider),
            completion.bool(),
            self.num_generations,
            gamma=self.args.returns_gamma,
            step_weight=self.args.step_weight,
        )

    def _learn(self, inputs: Sequence[dict], rows: Sequence[Encoded]) -> None:
        """The updates of one step."""
        size = self.num_generations
        for update in range(self.args.disc_updates):
            groups = [
                self._group(inputs[i], rows[i : i + size], random.Random(self._seed(update, inputs[i]["prompt"])))
                for i in range(0, len(rows), size)
            ]
            for name, value in self.discriminator.update(groups).items():
                self._metrics["train"][name].append(value)

    def _seed(self, update: int, question: str) -> str:
        """Chance follows from run, step and question: the same on any number of processes, and after a resume."""
        return f"{self.args.seed}/{self.state.global_step}/{update}/{question}"

    def _group(self, example: dict, rollouts: Sequence[Encoded], rng: random.Random) -> Group:
        question, demonstration = example["prompt"], example["demonstration"]
        right = [False] * len(rollouts)
        if self.args.supervision == "answer_relabel":
            texts = [decode_solution(self.processing_class, row.completion)[0] for row in rollouts]
            right = [bool(r) for r in solved(texts, [demonstration] * len(rollouts))]
        pair = edit_pair(self.critic_tokenizer, question, demonstration, rng) if self.args.local_weight else None
        expert = encode(self.critic_tokenizer, question, demonstration)
        own = [self._for_critic(question, row) for row in rollouts]
        return Group(expert, own, right, [pair] if pair else [])

    def _score(self, questions: Sequence[str], rows: Sequence[Encoded]) -> torch.Tensor:
        """Token rewards of the policy's tokens, (B, T), from the averaged weights."""
        own = [self._for_critic(q, row) for q, row in zip(questions, rows, strict=True)]
        rewards = self.discriminator.score(own)
        if self.critic_tokenizer is self.processing_class:
            return rewards
        carried = [
            self._carried(row, theirs, paid) for row, theirs, paid in zip(rows, own, rewards.tolist(), strict=True)
        ]
        return pad_sequence([torch.tensor(c, device=rewards.device) for c in carried], batch_first=True)

    def _false_equations(self, rows: Sequence[Encoded], rewards: torch.Tensor) -> torch.Tensor:
        """(B, T): how many end in each token; watched whether they cost anything or not."""
        found = false_equation_ends(self.processing_class, rows, rewards.shape[1]).to(rewards)
        self._metrics["train"]["false_equations"].append(found.any(1).float().mean().item())
        return found

    def _for_critic(self, question: str, row: Encoded) -> Encoded:
        """The same trace in the critic's tokens."""
        if self.critic_tokenizer is self.processing_class:
            return row
        text, _ = decode_solution(self.processing_class, row.completion)
        return encode(self.critic_tokenizer, question, text, ended=self._ended(row))

    def _carried(self, row: Encoded, theirs: Encoded, rewards: Sequence[float]) -> list[float]:
        ended = self._ended(row)
        spans = [
            with_end(decode_solution(tokenizer, ids[: len(ids) - ended])[1], ended)
            for tokenizer, ids in (
                (self.critic_tokenizer, theirs.completion),
                (self.processing_class, row.completion),
            )
        ]
        add = self.args.reward_form != "level"
        return transfer(rewards[: len(theirs.completion)], *spans, add=add)

    def _ended(self, row: Encoded) -> bool:
        return row.completion[-1] == end_id(self.processing_class)

    def _watch(self, rows: Sequence[Encoded], rewards: torch.Tensor, judged: Judged) -> None:
        """Log where rewards are paid, whether length buys them, and what could be told without reading."""
        form, metrics = self.args.reward_form, self._metrics["train"]
        scores = forms.trace_scores(form, rewards, judged.positions, judged.mask)
        lengths = judged.mask.sum(1).float()
        metrics["disc_reward"].append(scores.mean().item())
        metrics["disc_reward_length_corr"].append(_correlation(scores, lengths))
        place = judged.mask.cumsum(1) - 1
        quarter = (_QUARTERS * place / lengths.clamp(min=1)[:, None]).long()
        for q in range(_QUARTERS):
            where = judged.mask & (quarter == q)
            if where.any():
                metrics[f"disc_reward_quarter_{q + 1}"].append(rewards[where].mean().item())

    def _watch_shortcuts(self, inputs: Sequence[dict], rows: Sequence[Encoded]) -> None:
        """Log how well the latest traces can be told apart without reading them: by length, by their bag of tokens."""
        size, tokenizer = self.num_generations, self.processing_class
        experts = [encode(tokenizer, e["prompt"], e["demonstration"]).completion for e in inputs[::size]]
        end = end_id(tokenizer)
        for completion, expert in [*((row.completion, False) for row in rows), *((e, True) for e in experts)]:
            self._seen.append(([t for t in completion if self.args.score_end or t != end], expert))
        if self.state.global_step % max(1, int(self.args.logging_steps)) == 0:
            traces, expert = zip(*self._seen, strict=True)
            metrics = self._metrics["train"]
            metrics["shortcut_length_auc"].append(length_auc([len(t) for t in traces], expert))
            metrics["shortcut_bag_of_tokens_auc"].append(bag_of_tokens_auc(traces, expert))

    def save_beside(self, folder: Path) -> None:
        self.discriminator.save_checkpoint(folder / "discriminator")

    def _load_optimizer_and_scheduler(self, checkpoint) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            self.discriminator.load_checkpoint(Path(checkpoint) / "discriminator")


def _check(args: AIRLConfig, dataset) -> None:
    if args.max_steps <= 0:
        raise ValueError("max_steps must be given: the discriminator's schedule is made for that many steps")
    missing = {"prompt", "demonstration"} - set(dataset.column_names or ())
    if missing:
        raise ValueError(f"the training data lacks the column {min(missing)!r}; it has {dataset.column_names}")
    if not len(dataset):
        raise ValueError("the training data is empty")


def _correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    """Pearson's r; 0 where one of them does not vary."""
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return torch.corrcoef(torch.stack([a.float(), b.float()]))[0, 1].item()
