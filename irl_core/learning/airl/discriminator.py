"""The trainable reward model: a body with a scalar head, or a language model, that learns who wrote a trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from irl_core.critic.card import CriticCard
from irl_core.learning.airl import losses
from irl_core.learning.airl import reward_forms as forms
from irl_core.learning.airl.comparisons import Comparison, Group, Judged, compare, judge, parts
from irl_core.learning.airl.config import DiscriminatorConfig
from irl_core.learning.common.encoding import Encoded, aligned, collated, completion_logprobs, head_values
from irl_core.learning.common.optimiser import MasterWeights, load_checkpoint, save_checkpoint

Reduce = Callable[[torch.Tensor], torch.Tensor]
"""Averages a tensor over the processes of a run; the identity in a run of one."""


_REMEMBERED = 4096  # traces


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
        model: torch.nn.Module,
        tokenizer,
        config: DiscriminatorConfig,
        *,
        steps: int,
        reduce: Reduce | None = None,
    ) -> None:
        config.check()
        self.model, self.tokenizer, self.config = model.eval(), tokenizer, config
        self._base = model.get_base_model() if hasattr(model, "get_base_model") else model
        wanted = "score" if config.reward_form in forms.HEAD_FORMS else "lm_head"
        if not hasattr(self._base, wanted):
            raise ValueError(
                f"reward_form {config.reward_form} reads {wanted!r}, which {type(self._base).__name__} lacks"
            )
        self.optimizer = MasterWeights(model.parameters(), lr=config.disc_learning_rate, steps=steps)
        self.average = [m.detach().clone() for m in self.optimizer.masters]
        self.initial = [m.detach().clone() for m in self.optimizer.masters]
        self._remembered: dict[tuple, torch.Tensor] = {}
        self.updates = 0
        self.reduce = reduce or (lambda tensor: tensor)

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
        found: list[torch.Tensor | None] = [None] * len(rows)
        order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
        size = self.config.disc_batch_size
        with self._weights(self.average):
            for start in range(0, len(rows), size):
                chosen = order[start : start + size]
                for i, row in zip(chosen, self.rewards([rows[i] for i in chosen]), strict=True):
                    found[i] = row[: len(rows[i].completion)].float()
        rewards = torch.nn.utils.rnn.pad_sequence(found, batch_first=True)
        clip = self.config.reward_clip
        return rewards if clip is None else rewards.clamp(-clip, clip)

    def update(self, groups: Sequence[Group]) -> dict[str, float]:
        """One step of the optimiser on some groups, in forward passes of whole ones; returns what was seen before it.

        Skipped, with the figures still told, where the groups are told apart better than `disc_stop_accuracy`.
        """
        figures: dict[str, float] = defaultdict(float)
        for part in parts(groups, self.config.disc_batch_size):
            loss, seen = self._loss(compare(part, self.config))
            share = len(part) / len(groups)
            (loss * share).backward()
            for name, value in {"disc_loss": loss.item(), **seen}.items():
                figures[name] += value * share
        names = sorted(figures)
        means = self.reduce(torch.tensor([figures[n] for n in names], device=self.device)).tolist()
        figures = dict(zip(names, means, strict=True))
        if figures["disc_group_acc"] > self.config.disc_stop_accuracy:
            self.model.zero_grad(set_to_none=True)
            return {**figures, "disc_skipped": 1.0}
        self._step()
        return {**figures, "disc_skipped": 0.0}

    def save_pretrained(self, folder: Path, *, backbone: str) -> None:
        """Write the averaged weights as a critic that `load_critic` reads, its adapter or the whole model."""
        folder.mkdir(parents=True, exist_ok=True)
        adapted = hasattr(self.model, "peft_config")
        with self._weights(self.average):
            if adapted:
                # No embedding is trained; left to find that out, PEFT would ask the hub.
                self.model.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
            else:
                self.model.save_pretrained(folder / "model", safe_serialization=True)
        if not adapted:
            self.tokenizer.save_pretrained(folder / "model")
        card = CriticCard(
            name=f"{self.config.reward_form}-{self.config.disc_loss}",
            form="head" if self.config.reward_form in forms.HEAD_FORMS else "log_prob",
            backbone=backbone if adapted else str(folder / "model"),
            adapter="." if adapted else None,
            supervision=self.config.supervision,
            word_weight=1.0,
            number_baseline=0.0,
            false_equation_penalty=self.config.false_equation_penalty,
        )
        (folder / "critic.json").write_text(card.model_dump_json(indent=1) + "\n")

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
        if (found := load_checkpoint(folder)) is None:
            raise FileNotFoundError(f"no discriminator was saved in {folder}")
        tensors, state = found
        self.average, self.initial = (
            [tensors.pop(f"{kind}.{i}").to(self.device) for i in range(len(self.optimizer.masters))]
            for kind in ("average", "initial")
        )
        self.updates = state["updates"]
        self.optimizer.load_tensors(tensors, self.updates)

    def _loss(self, part: Comparison) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of some groups, and how well they were told apart."""
        config, judged = self.config, judge(part.rows, self.tokenizer, self.config, self.device)
        rewards = self.rewards(part.rows)
        scores = forms.trace_scores(config.reward_form, rewards, judged.positions, judged.mask)
        expert = torch.tensor(part.expert, device=self.device)
        groups = torch.tensor(part.groups, device=self.device)
        loss, logits = self._class_loss(judged, rewards, scores, expert, groups)
        seen = losses.statistics(scores.detach(), logits.detach(), expert, groups)
        if part.edits:
            loss = loss + config.local_weight * self._local_loss(part)
        return loss, seen

    def _class_loss(self, judged: Judged, rewards, scores, expert, groups):
        """The loss that `disc_loss` names, and a logit per trace."""
        config = self.config
        if config.disc_loss == "bce":
            evidence = forms.evidence(config.reward_form, rewards, judged.positions, judged.mask)
            loss = losses.bce(evidence, judged.positions, expert, smoothing=config.disc_label_smoothing)
            return loss, (evidence * judged.positions).sum(1) / judged.positions.sum(1).clamp(min=1)
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
        missing = [i for i, key in enumerate(keys) if key not in self._remembered]
        if missing:
            with self._weights(self.initial):
                found, _ = self._logprobs([rows[i] for i in missing])
            fresh = {keys[i]: f[: len(rows[i].completion)] for i, f in zip(missing, found, strict=True)}
            self._remembered = dict([*self._remembered.items(), *fresh.items()][-_REMEMBERED:])
        else:
            fresh = {}
        return [fresh[key] if key in fresh else self._remembered[key] for key in keys]

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
            for parameter, own in zip(self.optimizer.parameters, live, strict=True):
                parameter.data = own

    def _collated(self, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return collated(rows, self.tokenizer.pad_token_id or 0, self.device)

    def _values(self, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
        return head_values(self._base, self._collated(rows), rows)

    def _logprobs(self, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
        """log pi of each completion token, (B, T), and the mask."""
        return aligned(completion_logprobs(self.model, *self._collated(rows)), rows)
