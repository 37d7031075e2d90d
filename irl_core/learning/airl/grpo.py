"""TRL's GRPO as this project runs it: its own prompts, rollouts of another engine, checkpoints that can be trusted."""

from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from trl import GRPOTrainer  # type: ignore[attr-defined]

from irl_core.models.prompts import prompt_ids

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

_COMPLETE = "complete"


class PolicyTrainer(GRPOTrainer):
    """`GRPOTrainer` on a data set whose `prompt` is a question's text.

    Three things differ. Questions become ids by `irl_core.models.prompts`, so that the policy is asked in training as
    it is asked later. Rollouts of a `rollout_func` may come from slightly older weights, so their own
    log-probabilities are the denominator of the clipped importance ratio. And a run that was killed goes on as if it
    had not been: the order of the data follows from seed and epoch alone, and a checkpoint counts once it is whole.
    """

    processing_class: PreTrainedTokenizerBase

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        return [prompt_ids(self.processing_class, question) for question in prompts], None, {}

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output = super()._generate_and_score_completions(inputs)
        if self.rollout_func is not None and "sampling_per_token_logps" in output:
            output["old_per_token_logps"] = output["sampling_per_token_logps"]
        return output

    def _get_train_sampler(self, dataset: Dataset | None = None) -> Any:
        sampler: Any = super()._get_train_sampler(dataset)
        if sampler.shuffle:
            sampler.set_epoch = lambda epoch: sampler.generator.manual_seed(sampler.seed + epoch)
        return sampler

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        super()._save_checkpoint(model, trial)  # type: ignore[no-untyped-call]
        folder = Path(self._get_output_dir(trial=trial)) / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            self.save_beside(folder)
            (folder / _COMPLETE).touch()

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        # Where a reference adapter lies in a folder of its own, transformers loads it and forgets the policy's.
        folder = Path(resume_from_checkpoint)
        model = model or self.model
        if (folder / "ref").is_dir() and (folder / "adapter_model.safetensors").exists():
            model.load_adapter(str(folder), "default", is_trainable=True)
            model.set_adapter("default")

    def save_beside(self, folder: Path) -> None:
        """What a subclass adds to a checkpoint."""


def last_checkpoint(out: Path) -> Path | None:
    """The newest whole checkpoint of a run; one that was being written when the run was killed is passed over."""
    whole = [folder for folder in out.glob("checkpoint-*") if (folder / _COMPLETE).exists()]
    return max(whole, key=lambda folder: int(re.sub(r"\D", "", folder.name)), default=None)


def end_processes(trainer: PolicyTrainer) -> None:
    """Wait for all processes of a run and end their group, with its threads.

    `destroy_process_group` alone leaves the threads of gloo running, for as long as the wrapper that averages
    gradients holds the group; an interpreter that ends above running threads may be aborted by one of them, and the
    launcher then ends the other processes too.
    """
    trainer.accelerator.wait_for_everyone()
    trainer.model_wrapped = trainer.accelerator.unwrap_model(trainer.model)
    trainer.accelerator.free_memory()
    trainer.accelerator.end_training()
    gc.collect()  # trainer and wrapper refer to each other


def completions_of(output: dict[str, torch.Tensor], pad: int) -> list[list[int]]:
    """Ids of each rollout in TRL's batch, right-padded with `pad`, the end token included.

    With `mask_truncated_completions` TRL masks every token of a rollout that was cut off, so that none enters the
    policy's loss; its ids are still those that were drawn, up to the padding.
    """
    completions = []
    for ids, mask in zip(output["completion_ids"].tolist(), output["completion_mask"].tolist(), strict=True):
        length = sum(mask) or next((n for n in range(len(ids), 0, -1) if ids[n - 1] != pad), 0)
        completions.append(ids[:length])
    return completions
