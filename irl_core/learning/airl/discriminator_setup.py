"""The model that a discriminator begins as."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from irl_core.learning.airl.config import AIRLConfig
from irl_core.learning.airl.policy_run import PolicySetup
from irl_core.learning.airl.rewards import HEAD_FORMS
from irl_core.learning.common.lora import load_adapter_weights, new_adapter, new_critic, train_upper_layers
from irl_core.models.backbones import load_causal_lm, load_tokenizer, resolve_backbone
from irl_core.models.devices import native_dtype

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class DiscriminatorSetup(NamedTuple):
    """The discriminator's model and the tokenizer that belongs to it."""

    model: PreTrainedModel | PeftModel
    tokenizer: PreTrainedTokenizerBase


def set_up_discriminator(
    setup: PolicySetup,
    args: AIRLConfig,
    *,
    backbone: str | None,
    init: str | None,
    rank: int | None,
    upper_layers: int | None,
) -> DiscriminatorSetup:
    """A scalar head for the head forms of `args.reward_form`, else a language model.

    A language model on the policy's backbone starts as the policy, which is where `log_prob` and `log_ratio` begin.

    Args:
        backbone: a name; None takes the policy's, and its `init` too.
        init: the adapter that the policy starts from.
        rank: of LoRA; None trains all weights.
        upper_layers: train only so many of the upper layers; None for all.

    Raises:
        BackboneError: if the backbone cannot be had.
    """
    base = setup.backbone if backbone is None else resolve_backbone(backbone)
    tokenizer = load_tokenizer(base)
    model: PreTrainedModel | PeftModel
    if args.reward_form in HEAD_FORMS:
        model = new_critic(base.path, rank=rank, seed=args.seed, dtype=native_dtype())
    elif rank is None:
        model = load_causal_lm(base, dtype=native_dtype())
    else:
        model = new_adapter(base, rank=rank, seed=args.seed)
        if backbone is None and init:
            load_adapter_weights(model, Path(init))
    if upper_layers is not None:
        train_upper_layers(model, upper_layers)
    return DiscriminatorSetup(model, tokenizer)
