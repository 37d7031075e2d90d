"""What the study's runs are made of: the settings of a method, and demonstrations."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from torch import Tensor

from irl_core.learning.advantages import Advantage
from irl_core.learning.densities import Density
from irl_core.learning.losses import DiscriminatorLoss
from irl_core.learning.reward_forms import RewardForm


@dataclass(frozen=True)
class Method:
    """How demonstrations, or with `outcome` the right answers, become a policy; names and meanings of `AIRLConfig`.

    Attributes:
        token_baseline: pay what a token has above what the critic expects there (`reward_forms.less_expected`).
        class_weight: of the loss that tells experts' solutions from rollouts.
        departure_weight: of the loss over steps at which rollouts depart from the expert, see `nano_pairs`.
        anchor_weight: of the likelihood of the experts' tokens, for a critic that is a language model.
    """

    name: str
    density: Density = "dense"
    interval: int = 5
    reward_form: RewardForm = "difference"
    advantage: Advantage = "returns"
    returns_gamma: float = 1.0
    step_weight: float = 0.0
    outcome: bool = False
    exact: bool = False
    ratio_beta: float = 1.0
    token_baseline: bool = False
    disc_loss: DiscriminatorLoss = "bce"
    disc_label_smoothing: float = 0.0
    disc_temperature: float = 1.0
    expert_share: float = 0.0
    gradient_penalty: float = 10.0
    class_weight: float = 1.0
    local_weight: float = 0.0
    departure_weight: float = 0.0
    anchor_weight: float = 0.0
    replay_share: float = 0.0
    disc_learning_rate: float = 1e-3
    disc_updates: int = 1
    disc_warmup_steps: int = 0
    learning_rate: float = 4e-4
    steps: int = 40
    prompts_per_step: int = 16
    num_generations: int = 4

    def changed(self) -> dict[str, Any]:
        """The settings that differ from their default, by name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) != f.default}


class Demonstrations(NamedTuple):
    """Expert solutions (N, T) of N prompts (N, P)."""

    prompts: Tensor
    solutions: Tensor
