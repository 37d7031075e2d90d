"""What `train.airl` and `train.grpo` share: which policy, which problems, which rollouts, and a run that survives."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from datasets import Dataset

from irl_core.learning.airl.grpo import PolicyTrainer, end_processes, last_checkpoint
from irl_core.learning.airl.rollouts import MergedRollouts, OpenVINORollouts
from irl_core.learning.common.encoding import encode
from irl_core.learning.common.lora import load_adapter_weights, new_adapter, save_adapter
from irl_core.learning.data.demonstrations import load_gsm8k
from irl_core.models.backbones import Backbone, load_causal_lm, load_tokenizer, resolve_backbone

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # rollout_func is one; a contract test holds it

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass
class PolicyRun:
    """The policy and its problems; everything else is in TRL's own settings."""

    backbone: str = field(default="embedded", metadata=_help("'embedded', a folder, or a hub name"))
    init: str | None = field(default=None, metadata=_help("adapter folder that the policy starts from"))
    rank: int | None = field(default=16, metadata=_help("LoRA rank; null trains all weights"))
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
    resume: bool = field(default=False, metadata=_help("go on from the last whole checkpoint in output_dir"))


@dataclass
class Ground:
    """What a trainer is built from."""

    backbone: Backbone
    model: torch.nn.Module
    tokenizer: object
    dataset: Dataset
    rollout_func: Callable | None


def prepare(run: PolicyRun, args) -> Ground:
    """Load all that a run needs.

    Raises:
        BackboneError, FileNotFoundError, ValueError: saying what is missing or does not fit.
    """
    if not run.resume and last_checkpoint(Path(args.output_dir)):
        raise ValueError(
            f"{args.output_dir} holds a run already: go on with --resume true, or choose another output_dir"
        )
    backbone = resolve_backbone(run.backbone)
    tokenizer = load_tokenizer(backbone)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    dataset = problems(run, tokenizer, args.max_completion_length)
    if run.rank is None:
        model = load_causal_lm(backbone, dtype=torch.float32).train()
    else:
        model = new_adapter(backbone, rank=run.rank, seed=args.seed, float32=True)
    if run.init:
        load_adapter_weights(model, Path(run.init))
    rollout_func = None
    if run.rollouts == "openvino":
        if run.rank is None or backbone.gguf is None:
            raise ValueError("rollouts openvino needs a backbone that brings a GGUF file, and an adapter: set rank")
        rollout_func = OpenVINORollouts(backbone, refresh_every=run.refresh_every, seed=args.seed)
    elif run.rollouts == "merged":
        if run.rank is None:
            raise ValueError("rollouts merged needs an adapter: set rank, or rollouts to trl")
        rollout_func = MergedRollouts(backbone, refresh_every=run.refresh_every, seed=args.seed)
    return Ground(backbone, model, tokenizer, dataset, rollout_func)


def problems(run: PolicyRun, tokenizer, longest: int) -> Dataset:
    """Columns `prompt` and `demonstration`. A demonstration longer than any rollout may be is left out: its length
    alone would give it away."""
    found = load_gsm8k(run.demonstrations)[run.skip :][: run.limit]
    kept = [d for d in found if len(encode(tokenizer, d.question, d.solution).completion) <= longest]
    if not kept:
        raise ValueError(
            f"{run.demonstrations} gives no demonstration of at most {longest} tokens: check skip, limit and"
            " max_completion_length"
        )
    return Dataset.from_list([{"prompt": d.question, "demonstration": d.solution} for d in kept])


def go(trainer: PolicyTrainer, run: PolicyRun, ground: Ground, **more) -> dict[str, Any] | None:
    """Train, from the last checkpoint where that is asked, and save the policy; returns the figures, on one process.

    Raises:
        SystemExit: if memory does not suffice, with what to lower.
    """
    out, started = Path(trainer.args.output_dir), time.monotonic()
    checkpoint = last_checkpoint(out) if run.resume else None
    try:
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    except (MemoryError, RuntimeError) as problem:
        if isinstance(problem, MemoryError) or any(words in str(problem).lower() for words in _OUT_OF_MEMORY):
            raise SystemExit(
                "error: too little memory; lower per_device_train_batch_size (and raise gradient_accumulation_steps by"
                " as much), disc_batch_size or max_completion_length"
            ) from problem
        raise
    figures = None
    if trainer.accelerator.is_main_process:
        figures = _keep(trainer, run, ground, checkpoint, round((time.monotonic() - started) / 60, 1), more)
    end_processes(trainer)
    return figures


def _keep(
    trainer: PolicyTrainer, run: PolicyRun, ground: Ground, checkpoint: Path | None, minutes: float, more: dict
) -> dict[str, Any]:
    """Save the policy; returns the figures."""
    out = Path(trainer.args.output_dir)
    if run.rank is None:
        trainer.save_model(str(out / "policy"))
        ground.tokenizer.save_pretrained(out / "policy")
    else:
        save_adapter(trainer.accelerator.unwrap_model(trainer.model), out / "adapter")
    history = trainer.state.log_history
    logged = [line for line in history if "loss" in line]
    return {
        "steps": trainer.state.global_step,
        "resumed_at": int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0,
        "minutes": minutes,
        "problems": len(ground.dataset),
        "seed": trainer.args.seed,
        "solved_first": logged[0]["rewards/solved/mean"] if logged else None,
        "solved_last": logged[-1]["rewards/solved/mean"] if logged else None,
        "policy": str(out / ("policy" if run.rank is None else "adapter")),
        **more,
    }
