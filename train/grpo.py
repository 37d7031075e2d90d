"""GRPO with the outcome as its reward: what a policy learns when it is told which answers are right.

    python -m train.grpo --config train/configs/airl/small.yaml --out runs/grpo

The upper bound for adversarial IRL, which is not told. Takes the same configuration; what belongs to the
discriminator is not used. Ctrl-C keeps everything, and a stopped or killed run goes on with `--resume`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import cast

from .cli import print_figures


def main(argv: Sequence[str] | None = None) -> None:
    from irl_core.learning.airl.grpo import PolicyTrainer
    from irl_core.learning.airl.outcomes import solved
    from irl_core.learning.airl.policy_run import set_up_policy, train_policy
    from irl_core.models.download import BackboneError

    from .airl import parse

    run, args = parse(argv, prog="python -m train.grpo", description=__doc__, out="runs/grpo")
    try:
        setup = set_up_policy(run, args)
    except (BackboneError, OSError, ValueError) as problem:
        raise SystemExit(f"error: {problem}") from problem
    trainer = PolicyTrainer(
        model=setup.model,
        reward_funcs=cast("Callable[..., list[float | None]]", solved),
        args=args,
        train_dataset=setup.dataset,
        processing_class=setup.tokenizer,
        rollout_func=setup.rollout_func,
    )
    if (figures := train_policy(trainer, run, setup, supervision="outcomes")) is not None:
        print_figures(asdict(figures))


if __name__ == "__main__":
    main()
