"""What every training run here shares: mixed-precision updates, batches by length, checkpoints that resume."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file

Item = TypeVar("Item")


class MasterWeights:
    """AdamW on float32 copies of low-precision parameters, which would lose small updates, with a cosine schedule.

    Args:
        parameters: the trainable parameters, in any dtype.
        lr: peak learning rate, reached after `warmup` of `steps` and decayed by a half cosine to a tenth.
        clip: largest global gradient norm.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        *,
        lr: float,
        steps: int,
        warmup: float = 0.03,
        clip: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        self.parameters = [p for p in parameters if p.requires_grad]
        self.masters = [p.detach().float().clone().requires_grad_() for p in self.parameters]
        self.clip = clip
        self.optimizer = torch.optim.AdamW(self.masters, lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, cosine_with_warmup(steps, warmup))

    def step(self) -> float:
        """Apply the gradients that backward left on the parameters and clear them; returns their norm."""
        for parameter, master in zip(self.parameters, self.masters, strict=True):
            master.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        norm = torch.nn.utils.clip_grad_norm_(self.masters, self.clip)
        self.optimizer.step()
        self.schedule.step()
        with torch.no_grad():
            for parameter, master in zip(self.parameters, self.masters, strict=True):
                parameter.copy_(master)
        return float(norm)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything needed to go on: masters and Adam's moments (the schedule follows from the step number)."""
        flat = {f"master.{i}": m.detach() for i, m in enumerate(self.masters)}
        for i, master in enumerate(self.masters):
            flat |= {f"{key}.{i}": value for key, value in self.optimizer.state.get(master, {}).items()}
        return flat

    def load_tensors(self, flat: dict[str, torch.Tensor], step: int) -> None:
        """Continue after `step` updates."""
        with torch.no_grad():
            for i, (parameter, master) in enumerate(zip(self.parameters, self.masters, strict=True)):
                master.copy_(flat[f"master.{i}"])
                parameter.copy_(master)
                keys = [k.removesuffix(f".{i}") for k in flat if k.endswith(f".{i}") and not k.startswith("master")]
                # Adam counts its steps on the CPU, wherever the moments are.
                self.optimizer.state[master] = {
                    k: flat[f"{k}.{i}"].to("cpu" if k == "step" else master.device, copy=True) for k in keys
                }
        self.schedule.last_epoch = step
        for group, base in zip(self.optimizer.param_groups, self.schedule.base_lrs, strict=True):
            group["lr"] = base * self.schedule.lr_lambdas[0](step)


def cosine_with_warmup(steps: int, warmup: float) -> Callable[[int], float]:
    """The factor on the learning rate at each step: linear up, half cosine down to 0.1."""
    rise = max(1, round(steps * warmup))

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        return 0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, (step - rise) / max(1, steps - rise))))

    return factor


def batches_by_length(lengths: Sequence[int], budget: int, rng: random.Random) -> list[list[int]]:
    """Indices in batches of similar length whose padded size stays within `budget` tokens, in random order.

    Lengths are jittered before sorting so that the batches of two epochs differ.
    """
    order = sorted(range(len(lengths)), key=lambda i: lengths[i] * rng.uniform(0.9, 1.1))
    batches: list[list[int]] = [[]]
    for i in order:
        widest = max([lengths[i], *(lengths[j] for j in batches[-1])])
        if batches[-1] and widest * (len(batches[-1]) + 1) > budget:
            batches.append([])
        batches[-1].append(i)
    rng.shuffle(batches)
    return [b for b in batches if b]


def save_checkpoint(folder: Path, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
    """Write a checkpoint that is either whole or absent, whenever the process is killed."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, partial / "optimizer.safetensors")
    (partial / "state.json").write_text(json.dumps(state))
    previous = folder.with_name(folder.name + ".previous")
    shutil.rmtree(previous, ignore_errors=True)
    if folder.exists():
        os.replace(folder, previous)
    os.replace(partial, folder)
    shutil.rmtree(previous, ignore_errors=True)


def load_checkpoint(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """The last whole checkpoint, or None."""
    for candidate in (folder, folder.with_name(folder.name + ".previous")):
        if (candidate / "state.json").exists():
            state = json.loads((candidate / "state.json").read_text())
            return load_file(candidate / "optimizer.safetensors"), state
    return None


def endless(items: Sequence[Item], rng: random.Random) -> Iterator[Item]:
    """All items in random order, again and again."""
    while True:
        yield from rng.sample(items, len(items))
