"""TRL's GRPO as this project runs it: its own prompts, rollouts of another engine, checkpoints that can be trusted."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from trl import GRPOTrainer

from irl_core.models.prompts import prompt_ids

_COMPLETE = "complete"


class PolicyTrainer(GRPOTrainer):
    """`GRPOTrainer` on a data set whose `prompt` is a question's text.

    Three things differ. Questions become ids by `irl_core.prompts`, so that the policy is asked in training as it is
    asked later. Rollouts of a `rollout_func` may come from slightly older weights, so their own log-probabilities are
    the denominator of the clipped importance ratio. And a run that was killed goes on as if it had not been: the
    order of the data follows from seed and epoch alone, and a checkpoint counts once it is whole.
    """

    def _tokenize_prompts(self, prompts: list[str]):
        return [prompt_ids(self.processing_class, question) for question in prompts], None, {}

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        if self.rollout_func is not None and "sampling_per_token_logps" in output:
            output["old_per_token_logps"] = output["sampling_per_token_logps"]
        return output

    def _get_train_sampler(self, dataset=None):
        sampler = super()._get_train_sampler(dataset)
        if sampler.shuffle:
            sampler.set_epoch = lambda epoch: sampler.generator.manual_seed(sampler.seed + epoch)
        return sampler

    def _save_checkpoint(self, model, trial) -> None:
        super()._save_checkpoint(model, trial)
        folder = Path(self._get_output_dir(trial=trial)) / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            self.save_beside(folder)
            (folder / _COMPLETE).touch()

    def _load_from_checkpoint(self, resume_from_checkpoint, model=None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        # Where a reference adapter lies in a folder of its own, transformers loads it and forgets the policy's.
        folder, model = Path(resume_from_checkpoint), model or self.model
        if (folder / "ref").is_dir() and (folder / "adapter_model.safetensors").exists():
            model.load_adapter(str(folder), "default", is_trainable=True)
            model.set_adapter("default")

    def save_beside(self, folder: Path) -> None:
        """What a subclass adds to a checkpoint."""


def last_checkpoint(out: Path) -> Path | None:
    """The newest whole checkpoint of a run; one that was being written when the run was killed is passed over."""
    whole = [folder for folder in out.glob("checkpoint-*") if (folder / _COMPLETE).exists()]
    return max(whole, key=lambda folder: int(re.sub(r"\D", "", folder.name)), default=None)


def completions_of(output: dict[str, torch.Tensor]) -> list[list[int]]:
    """Ids of each rollout in TRL's right-padded batch, the end token included."""
    pairs = zip(output["completion_ids"].tolist(), output["completion_mask"].tolist(), strict=True)
    return [[token for token, kept in zip(ids, mask, strict=True) if kept] for ids, mask in pairs]
