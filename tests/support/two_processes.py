"""A run for `accelerate launch`: three steps on rollouts that follow from the question, figures as JSON to argv[1]."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from irl_core.learning.airl.grpo import end_processes
from irl_core.learning.airl.trainer import AIRLTrainer
from irl_core.models.prompts import prompt_ids
from tests.support.airl import DATA, settings
from tests.support.nano import nano_head, nano_llama, nano_tokenizer


def rollouts(questions, trainer):
    """The same for a question wherever it is drawn, and different for its copies."""
    completions = [
        [60 + (len(q) * 7 + sum(map(ord, q)) + 5 * (i % trainer.num_generations) + t) % 40 for t in range(4 + i % 4)]
        for i, q in enumerate(questions)
    ]
    return {
        "prompt_ids": [prompt_ids(trainer.processing_class, q) for q in questions],
        "completion_ids": completions,
        "logprobs": [[-4.0] * len(c) for c in completions],
    }


def running_threads() -> list[str]:
    """Names of this process's threads, as Linux knows them."""
    return [task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]


def main(out: Path, batch: int) -> None:
    args = settings(out.parent / "run", per_device_train_batch_size=batch, max_steps=3, disc_updates=2)
    trainer = AIRLTrainer(nano_llama(), nano_head(), args, DATA, nano_tokenizer(), rollout_func=rollouts)
    trainer.train()
    figures = trainer.state.log_history
    end_processes(trainer)
    if threads := [name for name in running_threads() if "gloo" in name]:
        raise SystemExit(f"the process group has ended, its threads have not: {threads}")
    if trainer.accelerator.is_main_process:
        names = ("loss", "grad_norm", "disc_loss", "disc_group_acc")
        lines = [line for line in figures if "loss" in line]
        out.write_text(json.dumps([[line[name] for name in names] for line in lines]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
