"""What `train.airl` and `train.grpo` share: which policy, which problems, which rollouts, and a run that survives."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from irl_core.learning.airl.grpo import PolicyTrainer, end_processes, last_checkpoint
from irl_core.learning.airl.rollouts import MergedRollouts, OpenVINORollouts
from irl_core.learning.common.encoding import encode
from irl_core.learning.common.interrupts import stop_on_interrupt
from irl_core.learning.common.lora import load_adapter_weights, new_adapter, save_adapter
from irl_core.learning.data.demonstrations import load_gsm8k
from irl_core.models.backbones import Backbone, load_causal_lm, load_tokenizer, resolve_backbone

if TYPE_CHECKING:
    from accelerate import Accelerator
    from peft import PeftModel
    from transformers import PreTrainedModel

    from irl_core.learning.airl.config import AIRLConfig

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # rollout_func is one; a contract test holds it

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass
class PolicyRun:
    """The policy and its problems; everything else is in TRL's own settings."""

    backbone: str = field(default="smollm2-135m", metadata=_help("a packed model's name, a folder, or a hub name"))
    init: str | None = field(default=None, metadata=_help("adapter folder that the policy starts from"))
    rank: int | None = field(default=16, metadata=_help("LoRA rank; null, in the file, trains all weights"))
    demonstrations: str = field(
        default="openai/gsm8k", metadata=_help("JSON lines with question and answer, or GSM8K's hub name")
    )
    skip: int = field(default=0, metadata=_help("leave out the first so many of them"))
    limit: int | None = field(default=None, metadata=_help("then use at most so many of them"))
    rollouts: Literal["trl", "openvino", "merged"] = field(
        default="trl",
        metadata=_help(
            "who draws: trl (generate or vLLM), openvino (on a CPU, several times faster), or merged (on a GPU: a copy"
            " of the model with the adapter merged into it)"
        ),
    )
    refresh_every: int = field(
        default=4, metadata=_help("openvino and merged: steps between updates of the weights that draw")
    )
    resume: bool = field(default=False, metadata=_help("go on from the last checkpoint in --out"))


@dataclass(frozen=True)
class PolicySetup:
    """The parts of a trainer that follow from a `PolicyRun`.

    Attributes:
        model: the policy, with its adapter if it has one.
        dataset: columns `prompt` (a question) and `demonstration` (the expert's solution).
        rollout_func: what TRL draws with; None for TRL's own ways.
    """

    backbone: Backbone
    model: PreTrainedModel | PeftModel
    tokenizer: PreTrainedTokenizerBase
    dataset: Dataset
    rollout_func: OpenVINORollouts | MergedRollouts | None


@dataclass(frozen=True)
class PolicyRunFigures:
    """What a run tells at its end.

    Attributes:
        steps: updates made, those before a resume among them.
        stopped_early: by Ctrl-C.
        resumed_at: the step of the checkpoint that it went on from, else 0.
        solved_first, solved_last: share of right rollouts in the first and the last step that were logged.
        policy: folder of the trained adapter, or of the whole model where it has none.
        supervision: what the run was told.
        critic: folder of the critic that learned beside it, if one did.
    """

    steps: int
    stopped_early: bool
    resumed_at: int
    minutes: float
    problems: int
    seed: int
    solved_first: float | None
    solved_last: float | None
    policy: str
    supervision: str
    critic: str | None


def set_up_policy(run: PolicyRun, args: AIRLConfig) -> PolicySetup:
    """Load all that a run needs.

    Raises:
        BackboneError, FileNotFoundError, ValueError: saying what is missing or does not fit.
    """
    if not run.resume and last_checkpoint(output_folder(args)):
        raise ValueError(f"{args.output_dir} holds a run already: go on with --resume, or choose another --out")
    backbone = resolve_backbone(run.backbone)
    tokenizer = load_tokenizer(backbone)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    dataset = load_problems(run, tokenizer, args.max_completion_length or 0)
    model = _policy_model(run, backbone, args.seed)
    return PolicySetup(backbone, model, tokenizer, dataset, rollouts_of(run, backbone, args.seed))


def output_folder(args: TrainingArguments) -> Path:
    """Where a run is written."""
    return Path(str(args.output_dir))


def _policy_model(run: PolicyRun, backbone: Backbone, seed: int) -> PreTrainedModel | PeftModel:
    if run.rank is None:
        if run.init:
            raise ValueError("init names an adapter, but rank is null, so that all weights are trained: set rank")
        whole = load_causal_lm(backbone, dtype=torch.float32)
        whole.train()
        return whole
    model = new_adapter(backbone, rank=run.rank, seed=seed, float32=True)
    if run.init:
        load_adapter_weights(model, Path(run.init))
    return model


def rollouts_of(run: PolicyRun, backbone: Backbone, seed: int) -> OpenVINORollouts | MergedRollouts | None:
    """What draws the rollouts; None where TRL does.

    Raises:
        ValueError: if the policy cannot be drawn from in this way.
    """
    if run.rollouts == "openvino":
        if run.rank is None or backbone.gguf is None:
            raise ValueError("rollouts openvino needs a backbone that brings a GGUF file, and an adapter: set rank")
        return OpenVINORollouts(backbone, refresh_every=run.refresh_every, seed=seed)
    if run.rollouts == "merged":
        if run.rank is None:
            raise ValueError("rollouts merged needs an adapter: set rank, or rollouts to trl")
        return MergedRollouts(backbone, refresh_every=run.refresh_every, seed=seed)
    return None


def load_problems(run: PolicyRun, tokenizer: PreTrainedTokenizerBase, longest: int) -> Dataset:
    """Columns `prompt` and `demonstration`. A demonstration longer than any rollout may be is left out: its length
    alone would give it away."""
    demonstrations = load_gsm8k(run.demonstrations)[run.skip :][: run.limit]
    kept = [d for d in demonstrations if len(encode(tokenizer, d.question, d.solution).completion) <= longest]
    if not kept:
        raise ValueError(
            f"{run.demonstrations} gives no demonstration of at most {longest} tokens: check skip, limit and"
            " max_completion_length"
        )
    return Dataset.from_list([{"prompt": d.question, "demonstration": d.solution} for d in kept])


def train_policy(
    trainer: PolicyTrainer, run: PolicyRun, setup: PolicySetup, *, supervision: str, critic: Path | None = None
) -> PolicyRunFigures | None:
    """Train, from the last checkpoint where that is asked, and save the policy; the figures, on the main process.

    Ctrl-C ends after the step at hand, with a checkpoint; a second Ctrl-C ends at once.

    Args:
        supervision, critic: for the figures.

    Raises:
        SystemExit: if memory does not suffice, with what to lower.
        KeyboardInterrupt: at the second Ctrl-C.
    """
    checkpoint, started = last_checkpoint(output_folder(trainer.args)) if run.resume else None, time.monotonic()
    with stop_on_interrupt("this step is finished and everything saved") as stop:
        trainer.add_callback(StopAfterStep(stop, trainer.accelerator))
        _train(trainer, checkpoint)
        figures = None
        if trainer.accelerator.is_main_process:
            figures = PolicyRunFigures(
                policy=str(_save_policy(trainer, run, setup)),
                steps=trainer.state.global_step,
                stopped_early=trainer.state.global_step < trainer.state.max_steps,
                resumed_at=int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0,
                minutes=round((time.monotonic() - started) / 60, 1),
                problems=len(setup.dataset),
                seed=trainer.args.seed,
                supervision=supervision,
                critic=None if critic is None else str(critic),
                **_solved(trainer.state.log_history),
            )
    end_processes(trainer)
    return figures


class StopAfterStep(TrainerCallback):
    """Ends the training after a step, with a checkpoint, once any process of the run was asked to stop."""

    def __init__(self, stop: threading.Event, accelerator: Accelerator) -> None:
        self.stop, self.accelerator = stop, accelerator

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        # All processes have to leave after the same step, or the others would wait for ever.
        if self.stop.is_set():
            self.accelerator.set_trigger()
        if self.accelerator.check_trigger():
            control.should_training_stop = control.should_save = True
        return control


def _train(trainer: PolicyTrainer, checkpoint: Path | None) -> None:
    try:
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    except (MemoryError, RuntimeError) as problem:
        if isinstance(problem, MemoryError) or any(words in str(problem).lower() for words in _OUT_OF_MEMORY):
            raise SystemExit(
                "error: too little memory; lower per_device_train_batch_size (and raise gradient_accumulation_steps by"
                " as much), disc_batch_size or max_completion_length"
            ) from problem
        raise


def _save_policy(trainer: PolicyTrainer, run: PolicyRun, setup: PolicySetup) -> Path:
    """Write the adapter, or the whole model where there is none; its folder."""
    out = output_folder(trainer.args)
    if run.rank is None:
        trainer.save_model(str(out / "policy"))
        setup.tokenizer.save_pretrained(out / "policy")
        return out / "policy"
    save_adapter(trainer.accelerator.unwrap_model(trainer.model), out / "adapter")
    return out / "adapter"


def _solved(history: list[dict[str, float]]) -> dict[str, float | None]:
    shares = [line["rewards/solved/mean"] for line in history if "loss" in line]
    return {"solved_first": shares[0] if shares else None, "solved_last": shares[-1] if shares else None}
