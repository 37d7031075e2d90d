"""GRPO with the outcome as its reward: what a policy learns when it is told which answers are right.

    python -m train.grpo --config train/configs/airl-embedded.yaml --output_dir runs/grpo

The upper bound for adversarial IRL, which is not told. Takes the same configuration; what belongs to the
discriminator is not used. A killed run goes on with `--resume true`.
"""

from __future__ import annotations

from collections.abc import Sequence

from train.cli import parse_dataclasses, print_figures


def main(argv: Sequence[str] | None = None) -> None:
    from irl_core.learning.airl.config import AIRLConfig
    from irl_core.learning.airl.grpo import PolicyTrainer
    from irl_core.learning.airl.outcomes import solved
    from irl_core.learning.airl.policy_run import go, prepare
    from irl_core.models.download import BackboneError
    from train.airl import AIRLRun

    run, args = parse_dataclasses([AIRLRun, AIRLConfig], argv, prog="python -m train.grpo", description=__doc__)
    try:
        ground = prepare(run, args)
    except (BackboneError, OSError, ValueError) as problem:
        raise SystemExit(f"error: {problem}") from problem
    trainer = PolicyTrainer(
        model=ground.model,
        reward_funcs=solved,
        args=args,
        train_dataset=ground.dataset,
        processing_class=ground.tokenizer,
        rollout_func=ground.rollout_func,
    )
    if (figures := go(trainer, run, ground, supervision="outcomes")) is not None:
        print_figures(figures)


if __name__ == "__main__":
    main()
