"""Settings of adversarial IRL beside those of TRL's `GRPOConfig`; each mistake is told with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trl import GRPOConfig  # type: ignore[attr-defined]

from irl_core.learning.airl.advantages import Advantage
from irl_core.learning.airl.losses import DiscriminatorLoss
from irl_core.learning.airl.rewards import Density, RewardForm

Supervision = Literal["demonstrations", "answer_relabel"]


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass
class DiscriminatorConfig:
    """What the discriminator is, how it learns, and what keeps it honest.

    Raises:
        ValueError: for settings that contradict each other; the message says what to change.
    """

    density: Density = field(
        default="step", metadata=_help("which tokens are paid: sparse (the last), step (its end), dense (all)")
    )
    reward_form: RewardForm = field(default="difference", metadata=_help("level, difference, log_ratio or log_prob"))
    ratio_beta: float = field(default=0.05, metadata=_help("log_ratio: the reward is this times the log-ratio"))

    disc_loss: DiscriminatorLoss = field(default="bce", metadata=_help("bce or relativistic"))
    disc_temperature: float = field(default=1.0, metadata=_help("relativistic: nats of score per unit of logit"))
    disc_label_smoothing: float = field(default=0.1, metadata=_help("bce: targets are 1 - this/2 and this/2"))
    local_weight: float = field(
        default=0.0, metadata=_help("weight of the loss over counterfactual edits of expert steps; 0 for none")
    )
    supervision: Supervision = field(
        default="demonstrations",
        metadata=_help(
            "demonstrations: no label of any kind; answer_relabel: rollouts with the demonstration's answer count as"
            " expert's, which is weak outcome supervision"
        ),
    )

    disc_learning_rate: float = field(default=1e-5, metadata=_help("peak learning rate of the discriminator"))
    disc_updates: int = field(
        default=1, metadata=_help("discriminator updates per policy step, before its rollouts are scored; 0 for none")
    )
    disc_warmup_steps: int = field(default=0, metadata=_help("first steps in which only the discriminator learns"))
    disc_batch_size: int = field(default=64, metadata=_help("most traces in one forward pass of the discriminator"))
    disc_ema: float = field(
        default=0.99, metadata=_help("decay of the averaged weights that pay the policy; 0 for the newest")
    )
    disc_stop_accuracy: float = field(
        default=1.0,
        metadata=_help(
            "skip an update when a larger share of expert-rollout pairs of a prompt is told apart; 1 for never"
        ),
    )
    false_equation_penalty: float = field(
        default=0.0,
        metadata=_help("nats off the reward of a token that ends a false equation, which exact reading finds"),
    )
    reward_clip: float | None = field(default=None, metadata=_help("bound on token rewards, in nats"))

    score_end: bool = field(
        default=False,
        metadata=_help(
            "judge the end token; if not, neither class shows it and a cut rollout is not given away by its lack"
        ),
    )
    length_ratio: float | None = field(
        default=None,
        metadata=_help(
            "compare only rollouts whose length is within this factor of the expert's (the nearest one at least)"
        ),
    )

    def check(self) -> None:
        """Raise ValueError for the first contradiction."""
        rules = (
            (
                self.reward_form == "log_prob" and self.disc_loss == "bce",
                "reward_form log_prob has no zero that means even odds: use disc_loss relativistic, or reward_form"
                " log_ratio",
            ),
            (not 0 <= self.disc_label_smoothing < 1, "disc_label_smoothing is from 0 to below 1"),
            (not 0 <= self.disc_ema < 1, f"disc_ema is {self.disc_ema}; it is from 0 (newest weights) to below 1"),
            (not 0.5 <= self.disc_stop_accuracy <= 1, "disc_stop_accuracy is from 0.5 (chance) to 1 (never stop)"),
            (
                self.length_ratio is not None and self.length_ratio < 1,
                f"length_ratio is {self.length_ratio}; it is a factor of at least 1, or null for no matching",
            ),
            (self.disc_updates < 0, "disc_updates is 0 (a critic that never learns) or more"),
            (
                not self.disc_updates and self.reward_form != "log_prob",
                f"disc_updates is 0, and reward_form {self.reward_form} says nothing until something was learnt: use"
                " reward_form log_prob",
            ),
        )
        for broken, message in rules:
            if broken:
                raise ValueError(message)


@dataclass
class AIRLConfig(DiscriminatorConfig, GRPOConfig):
    """`GRPOConfig` with the discriminator and the way from its rewards to advantages.

    TRL's own `beta` (KL to the reference policy) and `entropy_coef` keep the policy near its start.
    """

    advantage: Advantage = field(
        default="mixed", metadata=_help("grpo (of the trace), returns (discounted), mixed (trace and step)")
    )
    returns_gamma: float = field(default=1.0, metadata=_help("returns: discount per token (arXiv 2510.01857 has 0.9)"))
    step_weight: float = field(
        default=0.3, metadata=_help("mixed: weight of the step's own normalised reward; 0 is the sparse advantage")
    )

    def __post_init__(self) -> None:
        super().__post_init__()  # type: ignore[no-untyped-call]
        self.check()
        if self.per_device_train_batch_size * (self.steps_per_generation or 1) % (self.num_generations or 1):
            raise ValueError(
                f"per_device_train_batch_size ({self.per_device_train_batch_size}) x steps_per_generation"
                f" ({self.steps_per_generation}) must be a multiple of num_generations ({self.num_generations}), so"
                " that each process holds whole groups: change one of the three"
            )
        if not 0 <= self.returns_gamma <= 1:
            raise ValueError(f"returns_gamma is {self.returns_gamma}; a discount is from 0 to 1")
        if self.disc_warmup_steps and self.num_iterations > 1:
            raise ValueError("disc_warmup_steps counts steps with fresh rollouts: set num_iterations to 1")
