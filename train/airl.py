"""Adversarial IRL: a policy and a dense reward, learned together from expert demonstrations.

    python -m train.airl --config train/configs/airl/small.yaml
    accelerate launch --config_file train/accelerate/ddp.yaml -m train.airl --config train/configs/airl/qwen2.5-3b.yaml

The policy writes solutions; a discriminator learns to tell them from the expert's and pays them, token by token, for
what makes them the expert's; GRPO raises that pay. With `disc_updates: 0` it pays as it began and never learns. No
step label and no outcome label is used. Ctrl-C keeps everything, and a stopped or killed run goes on with `--resume`.
The critic's warm-up against edited steps is `train.warmup`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from irl_core.learning.airl.policy_run import PolicyRun, output_folder, set_up_policy, train_policy

from .cli import parse_settings, print_figures

if TYPE_CHECKING:
    from irl_core.learning.airl.config import AIRLConfig


@dataclass
class AIRLRun(PolicyRun):
    """The policy, its problems, and the discriminator's body."""

    critic: str | None = field(
        default=None,
        metadata={"help": "its backbone; null takes the policy's, and for log_ratio and log_prob its init too"},
    )
    critic_rank: int | None = field(
        default=16, metadata={"help": "its LoRA rank; null, in the file, trains all its weights"}
    )
    critic_layers: int | None = field(default=None, metadata={"help": "train only so many of its upper layers"})


def main(argv: Sequence[str] | None = None) -> None:
    from irl_core.learning.airl.discriminator_setup import set_up_discriminator
    from irl_core.learning.airl.trainer import AIRLTrainer
    from irl_core.models.download import BackboneError

    run, args = parse(argv, prog="python -m train.airl", description=__doc__, out="runs/airl")
    try:
        setup = set_up_policy(run, args)
        critic = set_up_discriminator(
            setup, args, backbone=run.critic, init=run.init, rank=run.critic_rank, upper_layers=run.critic_layers
        )
        trainer = AIRLTrainer(
            model=setup.model,
            critic=critic.model,
            args=args,
            train_dataset=setup.dataset,
            processing_class=setup.tokenizer,
            critic_tokenizer=critic.tokenizer,
            rollout_func=setup.rollout_func,
        )
    except (BackboneError, OSError, ValueError) as problem:
        raise SystemExit(f"error: {problem}") from problem
    folder = output_folder(args) / "critic"
    figures = train_policy(trainer, run, setup, supervision=args.supervision, critic=folder)
    if figures is not None:
        trainer.discriminator.save_pretrained(folder, backbone=run.critic or run.backbone)
        print_figures(asdict(figures))


def parse(argv: Sequence[str] | None, *, prog: str, description: str | None, out: str) -> tuple[AIRLRun, AIRLConfig]:
    """The settings of a run; `out` is where it is written if nothing says so."""
    from irl_core.learning.airl.config import AIRLConfig, DiscriminatorConfig

    groups: dict[type, str] = {
        PolicyRun: "the policy and its problems",
        AIRLRun: "the discriminator's model",
        DiscriminatorConfig: "the discriminator and its reward",
        AIRLConfig: "from rewards to advantages",
    }
    return parse_settings(
        AIRLRun, AIRLConfig, argv, prog=prog, description=description, groups=groups, defaults={"output_dir": out}
    )


if __name__ == "__main__":
    main()
