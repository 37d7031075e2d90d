"""Training scripts at nano size: their data, their arguments, and a run that breaks off."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from irl_core.learning.common.optimiser import MasterWeights
from tests.conftest import ROOT
from tests.support.nano import nano_llama, nano_tokenizer
from train import sft, warmup

CONFIGS = ROOT / "train" / "configs"

DEMONSTRATIONS = [
    {
        "question": f"Tom has {a} pens and gets {b}.",
        "answer": f"He has {a} + {b} = <<{a}+{b}={a + b}>>{a + b} pens.\n#### {a + b}",
    }
    for a in range(2, 9)
    for b in range(2, 6)
]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ground")
    nano_llama().save_pretrained(folder / "backbone")
    nano_tokenizer().save_pretrained(folder / "backbone")
    (folder / "demonstrations.jsonl").write_text("\n".join(map(json.dumps, DEMONSTRATIONS)))
    return folder


def fine_tune(ground: Path, out: Path, *more: str) -> None:
    sft.main([
        "--backbone", str(ground / "backbone"), "--demonstrations", str(ground / "demonstrations.jsonl"),
        "--out", str(out), "--stories", "0", "--drills", "8", "--rank", "4", "--batch-tokens", "512",
        "--lr", "0.01", *more,
    ])  # fmt: skip


def last_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    return figures


def adapter(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter" / "adapter_model.safetensors")


def break_at(monkeypatch: pytest.MonkeyPatch, step: int, error: BaseException) -> None:
    """Let the optimiser fail when it is asked for its `step`-th update, counted from 0."""
    whole, count = MasterWeights.step, iter(range(1000))

    def failing(self: MasterWeights) -> float:
        if next(count) == step:
            raise error
        return whole(self)

    monkeypatch.setattr(MasterWeights, "step", failing)


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int, times: int = 1) -> None:
    """Press Ctrl-C in the middle of the `step`-th update, counted from 0: Adam has moved the master weights, and the
    model does not have them yet."""
    whole, count = torch.optim.AdamW.step, iter(range(1000))

    def interrupted(self: torch.optim.AdamW, closure: Callable[[], float] | None = None) -> float | None:
        result = whole(self, closure)
        if next(count) == step:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return result

    monkeypatch.setattr(torch.optim.AdamW, "step", interrupted)


def warm_up(ground: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Fine-tune, then set the critic against a wrong rollout of each question; the figures of the last line."""
    fine_tune(ground, folder / "sft")
    rollouts = [{"question": d["question"], "solution": "He has 3 + 3 = 99 pens.\n#### 99"} for d in DEMONSTRATIONS]
    (folder / "rollouts.jsonl").write_text("\n".join(map(json.dumps, rollouts)))
    capsys.readouterr()
    warmup.main([
        "--backbone", str(ground / "backbone"), "--demonstrations", str(ground / "demonstrations.jsonl"),
        "--init", str(folder / "sft" / "adapter"), "--rollouts", str(folder / "rollouts.jsonl"),
        "--out", str(folder / "airl"), "--rank", "4", "--lr", "0.01", "--held-out", "4", "--batch-tokens", "600",
        "--epochs", "3",
    ])  # fmt: skip
    return last_json(capsys)


def arguments(ground: Path, out: Path, *more: str, config: str = "airl/nano") -> list[str]:
    return [
        "--config", str(CONFIGS / f"{config}.yaml"), "--backbone", str(ground / "backbone"), "--demonstrations",
        str(ground / "demonstrations.jsonl"), "--max-completion-length", "48", "--out", str(out), *more,
    ]  # fmt: skip
