"""Adversarial IRL: a policy and a dense reward, learned together from expert demonstrations.

    python -m train.airl --config train/configs/airl/embedded.yaml
    accelerate launch --config_file train/accelerate/ddp.yaml -m train.airl --config train/configs/airl/qwen2.5-3b.yaml

The policy writes solutions; a discriminator learns to tell them from the expert's and pays them, token by token, for
what makes them the expert's; GRPO raises that pay. With `disc_updates: 0` it pays as it began and never learns. No
step label and no outcome label is used. Ctrl-C keeps everything, and a stopped or killed run goes on with `--resume`.
The critic's warm-up against edited steps is `train.warmup`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from irl_core.learning.airl.policy_run import PolicyRun, PolicySetup, output_folder, set_up_policy, train_policy
from train.cli import parse_settings, print_figures

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

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


class CriticModel(NamedTuple):
    """The discriminator's model and the tokenizer that belongs to it."""

    model: torch.nn.Module
    tokenizer: PreTrainedTokenizerBase


def main(argv: Sequence[str] | None = None) -> None:
    from irl_core.learning.airl.trainer import AIRLTrainer
    from irl_core.models.download import BackboneError

    run, args = parse(argv, prog="python -m train.airl", description=__doc__, out="runs/airl")
    try:
        setup = set_up_policy(run, args)
        critic = load_critic_model(run, args, setup)
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


def load_critic_model(run: AIRLRun, args: AIRLConfig, setup: PolicySetup) -> CriticModel:
    """The discriminator's model and its tokenizer: a scalar head for head forms, else a language model.

    A language model on the policy's backbone starts as the policy, which is where `log_prob` and `log_ratio` begin.
    """
    from irl_core.learning.airl.rewards import HEAD_FORMS
    from irl_core.learning.common.lora import load_adapter_weights, new_adapter, new_critic, train_upper_layers
    from irl_core.models.backbones import load_causal_lm, load_tokenizer, resolve_backbone
    from irl_core.models.devices import native_dtype

    backbone = setup.backbone if run.critic is None else resolve_backbone(run.critic)
    tokenizer = load_tokenizer(backbone)
    model: torch.nn.Module
    if args.reward_form in HEAD_FORMS:
        model = new_critic(backbone.path, rank=run.critic_rank, seed=args.seed, dtype=native_dtype())
    elif run.critic_rank is None:
        model = load_causal_lm(backbone, dtype=native_dtype())
    else:
        model = new_adapter(backbone, rank=run.critic_rank, seed=args.seed)
        if run.critic is None and run.init:
            load_adapter_weights(model, Path(run.init))
    if run.critic_layers is not None:
        train_upper_layers(model, run.critic_layers)
    return CriticModel(model, tokenizer)


if __name__ == "__main__":
    main()
