"""The trainable reward model: a body with a scalar head, or a language model, that learns who wrote a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from irl_core.critic.card import CriticCard
from irl_core.learning.airl import losses
from irl_core.learning.airl import rewards as forms
from irl_core.learning.airl.comparisons import Comparison, Group, TokenMasks, compare, parts, token_masks
from irl_core.learning.airl.config import DiscriminatorConfig
from irl_core.learning.common.encoding import Encoded, aligned, causal_lm, collated, completion_logprobs, head_values
from irl_core.learning.common.optimiser import MasterWeights, load_checkpoint, save_checkpoint
from irl_core.models.catalogue import PACKED

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Reduce = Callable[[torch.Tensor], torch.Tensor]
"""Averages a tensor over the processes of a run; the identity in a run of one."""

_REMEMBERED = 4096  # traces
_Key = tuple[tuple[int, ...], tuple[int, ...]]


class Discriminator:
    """Scores traces token by token and learns from comparisons of experts' traces with the policy's.

    The weights that score (`score`) are an exponential average of those that learn. Only trainable parameters are
    copied for it, so that with LoRA the average, the reference of `log_ratio` and the optimiser cost little.

    Args:
        model: with reward form `level` or `difference` a token classifier with one label, else a causal language
            model. With or without adapters; what requires gradients is trained.
        tokenizer: of the model.
        steps: how many updates will be made, for the learning rate's schedule.

    Raises:
        ValueError: if the model has not the head that the reward form reads.
    """

    def __init__(
        self,
        model: PreTrainedModel | PeftModel,
        tokenizer: PreTrainedTokenizerBase,
        config: DiscriminatorConfig,
        *,
        steps: int,
        reduce: Reduce | None = None,
    ) -> None:
        config.check()
        self.model, self.tokenizer, self.config = model.eval(), tokenizer, config
        self._base = causal_lm(model)
        wanted = "score" if config.reward_form in forms.HEAD_FORMS else "lm_head"
        if not hasattr(self._base, wanted):
            raise ValueError(
                f"reward_form {config.reward_form} reads {wanted!r}, which {type(self._base).__name__} lacks"
            )
        self.optimizer = MasterWeights(model.parameters(), lr=config.disc_learning_rate, steps=steps)
        self.average = [m.detach().clone() for m in self.optimizer.masters]
        self.initial = [m.detach().clone() for m in self.optimizer.masters]
        self._remembered: dict[_Key, torch.Tensor] = {}
        self.updates = 0
        self.reduce: Reduce = reduce or (lambda tensor: tensor)

    @property
    def device(self) -> torch.device:
        return self.optimizer.parameters[0].device

    def rewards(self, rows: Sequence[Encoded]) -> torch.Tensor:
        """Token rewards before any density, (B, T), zero behind a trace's end; gradients reach the live weights."""
        form = self.config.reward_form
        if form in forms.HEAD_FORMS:
            values, mask = self._values(rows)
            return forms.level(values, mask) if form == "level" else forms.difference(values, mask)
        logprobs, mask = self._logprobs(rows)
        if form == "log_prob":
            return forms.log_prob(logprobs, mask)
        reference = torch.nn.utils.rnn.pad_sequence(self._reference(rows), batch_first=True)
        return forms.log_ratio(logprobs, reference, mask, self.config.ratio_beta)

    @torch.no_grad()
    def score(self, rows: Sequence[Encoded]) -> torch.Tensor:
        """Token rewards under the averaged weights, (B, T) float32, in forward passes of `disc_batch_size` rows."""
        by_row: dict[int, torch.Tensor] = {}
        order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
        size = self.config.disc_batch_size
        with self._weights(self.average):
            for start in range(0, len(rows), size):
                chosen = order[start : start + size]
                for i, row in zip(chosen, self.rewards([rows[i] for i in chosen]), strict=True):
                    by_row[i] = row[: len(rows[i].completion)].float()
        rewards = torch.nn.utils.rnn.pad_sequence([by_row[i] for i in range(len(rows))], batch_first=True)
        clip = self.config.reward_clip
        return rewards if clip is None else rewards.clamp(-clip, clip)

    def update(self, groups: Sequence[Group]) -> dict[str, float]:
        """One step of the optimiser on some groups, in forward passes of whole ones; returns what was seen before it.

        Skipped, with the figures still told, where the groups are told apart better than `disc_stop_accuracy`. A
        figure of a class that no trace belonged to is left out.
        """
        sums: dict[str, float] = dict.fromkeys(("disc_loss", *losses.STATISTICS), 0.0)
        weights = dict.fromkeys(sums, 0.0)
        for part in parts(groups, self.config.disc_batch_size):
            loss, seen = self._loss(compare(part, self.config))
            share = len(part) / len(groups)
            (loss * share).backward()
            for name, value in {"disc_loss": loss.item(), **seen}.items():
                sums[name] += value * share
                weights[name] += share
        # Every process sends every name, whatever it saw: what is reduced must have one shape.
        totals, shares = self.reduce(
            torch.tensor([[*sums.values()], [*weights.values()]], device=self.device)
        ).tolist()
        means = zip(sums, totals, shares, strict=True)
        figures = {name: total / share for name, total, share in means if share}
        if figures["disc_group_acc"] > self.config.disc_stop_accuracy:
            self.model.zero_grad(set_to_none=True)
            return {**figures, "disc_skipped": 1.0}
        self._step()
        return {**figures, "disc_skipped": 0.0}

    def save_pretrained(self, folder: Path, *, backbone: str) -> None:
        """Write the averaged weights as a critic that `load_critic` reads: an adapter beside the card, or `model/`.

        With `log_ratio` the weights that the discriminator started from are written too, in `reference/`: the loaded
        critic pays what this one does. A `level` critic is loaded as its differences, which are of the same head.

        Args:
            backbone: what an adapter is put on, by its name or its folder.
        """
        form = self.config.reward_form
        adapted = hasattr(self.model, "peft_config")
        self._write(folder if adapted else folder / "model", self.average)
        reference = None
        if form == "log_ratio":
            self._write(folder / "reference", self.initial)
            reference = "./reference"
        weight = self.config.ratio_beta if form == "log_ratio" else 1.0
        card = CriticCard(
            name=f"{form}-{self.config.disc_loss}",
            form="head" if form == "level" or form == "difference" else form,
            backbone=_findable(backbone) if adapted else "./model",
            adapter="." if adapted else None,
            reference_backbone=None if adapted else reference,
            reference_adapter=reference if adapted else None,
            supervision=self.config.supervision,
            number_weight=weight,
            word_weight=weight,
            number_baseline=0.0,
            false_equation_penalty=self.config.false_equation_penalty,
        )
        (folder / "critic.json").write_text(card.model_dump_json(indent=1) + "\n")

    def _write(self, folder: Path, weights: Sequence[torch.Tensor]) -> None:
        """The model with those weights: its adapter, or the whole of it with the tokenizer."""
        folder.mkdir(parents=True, exist_ok=True)
        with self._weights(weights):
            if hasattr(self.model, "peft_config"):
                # No embedding is trained; left to find that out, PEFT would ask the hub for the backbone.
                self.model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
            else:
                self.model.save_pretrained(str(folder), safe_serialization=True)
                self.tokenizer.save_pretrained(folder)

    def save_checkpoint(self, folder: Path) -> None:
        """Everything that is needed to go on, whole or not at all."""
        tensors = self.optimizer.tensors()
        tensors |= {f"average.{i}": a for i, a in enumerate(self.average)}
        tensors |= {f"initial.{i}": a for i, a in enumerate(self.initial)}
        save_checkpoint(folder, tensors, {"updates": self.updates})

    def load_checkpoint(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            FileNotFoundError: if there is none.
        """
        if (checkpoint := load_checkpoint(folder)) is None:
            raise FileNotFoundError(f"no discriminator was saved in {folder}")
        tensors, state = checkpoint
        self.average, self.initial = (
            [tensors.pop(f"{kind}.{i}").to(self.device) for i in range(len(self.optimizer.masters))]
            for kind in ("average", "initial")
        )
        self._remembered.clear()  # of other weights
        self.updates = state["updates"]
        self.optimizer.load_tensors(tensors, self.updates)

    def _loss(self, part: Comparison) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of some groups, and how well they were told apart."""
        config, masks = self.config, token_masks(part.traces, self.config, self.device)
        rewards = self.rewards([trace.ids for trace in part.traces])
        scores = forms.trace_scores(config.reward_form, rewards, masks.paid, masks.counted)
        expert = torch.tensor(part.expert, device=self.device)
        groups = torch.tensor(part.groups, device=self.device)
        loss, logits = self._class_loss(masks, rewards, scores, expert, groups)
        seen = losses.statistics(scores.detach(), logits.detach(), expert, groups)
        if part.edits:
            loss = loss + config.local_weight * self._local_loss(part)
        return loss, seen

    def _class_loss(
        self,
        masks: TokenMasks,
        rewards: torch.Tensor,
        scores: torch.Tensor,
        expert: torch.Tensor,
        groups: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss that `disc_loss` names, and a logit per trace."""
        config = self.config
        if config.disc_loss == "bce":
            logits = forms.expert_logits(config.reward_form, rewards, masks.paid, masks.counted)
            loss = losses.bce(logits, masks.paid, expert, smoothing=config.disc_label_smoothing)
            return loss, (logits * masks.paid).sum(1) / masks.paid.sum(1).clamp(min=1)
        logits = losses.centred(scores, expert, groups) / config.disc_temperature
        return losses.relativistic(scores, expert, groups, temperature=config.disc_temperature), logits

    def _local_loss(self, part: Comparison) -> torch.Tensor:
        rows = [row for edit in part.edits for row in (edit.expert, edit.edited)]
        rewards = self.rewards(rows)
        starts = torch.tensor([edit.start for edit in part.edits for _ in range(2)], device=self.device)
        order = torch.arange(rewards.shape[1], device=self.device)
        sums = (rewards * (order >= starts[:, None])).sum(1)
        return losses.local(sums[::2], sums[1::2])

    def _step(self) -> None:
        for parameter in self.optimizer.parameters:
            if parameter.grad is not None:
                parameter.grad = self.reduce(parameter.grad)
        self.optimizer.step()
        self.updates += 1
        # While the average is young it follows closely, or it would pay with weights that have learnt nothing yet.
        decay = min(self.config.disc_ema, self.updates / (10 + self.updates))
        for average, master in zip(self.average, self.optimizer.masters, strict=True):
            average.lerp_(master.detach(), 1 - decay)

    @torch.no_grad()
    def _reference(self, rows: Sequence[Encoded]) -> list[torch.Tensor]:
        """log pi_ref of each completion token, from the weights as they were at first; remembered, since a rollout is
        asked for in every update and once more when it is scored."""
        keys = [(tuple(row.prompt), tuple(row.completion)) for row in rows]
        known = {key: self._remembered[key] for key in keys if key in self._remembered}
        missing = [i for i, key in enumerate(keys) if key not in known]
        if missing:
            with self._weights(self.initial):
                logprobs, _ = self._logprobs([rows[i] for i in missing])
            fresh = {keys[i]: row[: len(rows[i].completion)] for i, row in zip(missing, logprobs, strict=True)}
            known |= fresh
            self._remembered = dict([*self._remembered.items(), *fresh.items()][-_REMEMBERED:])
        return [known[key] for key in keys]

    @contextmanager
    def _weights(self, chosen: Sequence[torch.Tensor]) -> Iterator[None]:
        """The model with other weights, for as long as it lasts.

        The tensors behind the parameters are exchanged, not their content, which a graph may still hang on.
        """
        live = [p.data for p in self.optimizer.parameters]
        try:
            for parameter, value in zip(self.optimizer.parameters, chosen, strict=True):
                parameter.data = value.to(parameter.dtype)
            yield
        finally:
            for parameter, value in zip(self.optimizer.parameters, live, strict=True):
                parameter.data = value

    def _collated(self, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return collated(rows, self.tokenizer.pad_token_id or 0, self.device)

    def _values(self, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
        return head_values(self._base, self._collated(rows), rows)

    def _logprobs(self, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
        """log pi of each completion token, (B, T), and the mask."""
        return aligned(completion_logprobs(self.model, *self._collated(rows)), rows)


def _findable(backbone: str) -> str:
    """The backbone's name as a card can keep it: a folder is the same from every working directory."""
    return str(Path(backbone).resolve()) if backbone not in PACKED and Path(backbone).is_dir() else backbone
