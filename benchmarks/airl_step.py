"""What the discriminator costs: one step of AIRL beside one plain GRPO step of TRL on the same rollouts' engine.

    python -m benchmarks.airl_step --config train/configs/airl/small.yaml --max-steps 8 \\
        --disc-updates 1 --local-weight 0.3

Both trainers are built from the same configuration and run one after the other. The first step of each, which packs
the weights that draw, is not counted. Processor seconds are told beside seconds, because a busy machine stretches the
latter alone.
"""

from __future__ import annotations

import tempfile
import time
from statistics import mean

from transformers import TrainerCallback

from irl_core.learning.airl.discriminator_setup import set_up_discriminator
from irl_core.learning.airl.grpo import PolicyTrainer
from irl_core.learning.airl.outcomes import solved
from irl_core.learning.airl.policy_run import set_up_policy
from irl_core.learning.airl.trainer import AIRLTrainer
from train.airl import parse
from train.cli import print_figures


class Clock(TrainerCallback):
    """Seconds and processor seconds of every step after the first."""

    def __init__(self) -> None:
        self.steps: list[tuple[float, float]] = []

    def on_step_begin(self, *_, **__) -> None:
        self._begun = time.perf_counter(), time.process_time()

    def on_step_end(self, *_, **__) -> None:
        self.steps.append((time.perf_counter() - self._begun[0], time.process_time() - self._begun[1]))

    def means(self) -> tuple[float, float]:
        seconds, processor = zip(*self.steps[1:], strict=True)
        return mean(seconds), mean(processor)


def main() -> None:
    run, args = parse(None, prog="python -m benchmarks.airl_step", description=__doc__, out="runs/airl-step")
    args.save_strategy, args.disc_warmup_steps = "no", 0
    found = {}
    for name in ("grpo", "airl"):
        with tempfile.TemporaryDirectory() as args.output_dir:
            setup, clock = set_up_policy(run, args), Clock()
            shared = {
                "model": setup.model,
                "args": args,
                "train_dataset": setup.dataset,
                "processing_class": setup.tokenizer,
                "rollout_func": setup.rollout_func,
                "callbacks": [clock],
            }
            if name == "grpo":
                trainer = PolicyTrainer(reward_funcs=solved, **shared)
            else:
                critic, tokenizer = set_up_discriminator(
                    setup,
                    args,
                    backbone=run.critic,
                    init=run.init,
                    rank=run.critic_rank,
                    upper_layers=run.critic_layers,
                )
                trainer = AIRLTrainer(critic=critic, critic_tokenizer=tokenizer, **shared)
            trainer.train()
            found[name] = clock.means()
    print_figures(
        {
            "rollouts_per_step": args.generation_batch_size,
            "grpo_seconds": round(found["grpo"][0], 1),
            "airl_seconds": round(found["airl"][0], 1),
            "ratio": round(found["airl"][0] / found["grpo"][0], 2),
            "grpo_processor_seconds": round(found["grpo"][1], 1),
            "airl_processor_seconds": round(found["airl"][1], 1),
            "processor_ratio": round(found["airl"][1] / found["grpo"][1], 2),
        }
    )


if __name__ == "__main__":
    main()
