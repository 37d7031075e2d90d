"""Models to train: LoRA adapters on a backbone, made and saved; critics with a scalar head."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file

from irl_core.models.backbones import Backbone, load_causal_lm
from irl_core.models.devices import native_dtype

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def attention() -> str:
    """What to train with: PyTorch's fused kernel for bfloat16 on CPU has a backward pass of a fifth of a step."""
    return "sdpa" if torch.cuda.is_available() else "eager"


def new_adapter(
    backbone: Backbone, *, rank: int, seed: int, upper_layers: int | None = None, float32: bool = False
) -> PeftModel:
    """The backbone with fresh LoRA matrices on every linear layer (of the `upper_layers` last blocks, if given).

    Args:
        float32: keep the matrices in float32, for an optimiser that has no master weights of its own.
    """
    torch.manual_seed(seed)
    model = load_causal_lm(backbone, dtype=native_dtype(), attn_implementation=attention())
    depth = model.config.num_hidden_layers
    layers = None if upper_layers is None else list(range(depth - upper_layers, depth))
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        layers_to_transform=layers,
        task_type="CAUSAL_LM",
        base_model_name_or_path=backbone.name,
    )
    adapted = get_peft_model(model, config, autocast_adapter_dtype=float32)
    adapted.peft_config["default"].base_model_name_or_path = backbone.name
    return saved_without_hub(adapted).train()


def saved_without_hub(model: PeftModel) -> PeftModel:
    """The same model, which from now on saves its adapter without asking the hub, whoever saves it.

    No embedding is trained. Left to find that out, PEFT would ask the hub for a model of the backbone's name, at every
    checkpoint that a trainer writes.
    """
    setattr(model, "save_pretrained", functools.partial(model.save_pretrained, save_embedding_layers=False))  # noqa: B010
    return model


def train_upper_layers(model: PreTrainedModel | PeftModel, layers: int) -> None:
    """Hold everything still but the last `layers` blocks and the head: the backward pass ends where they begin."""
    depth = int(model.config.num_hidden_layers)
    for name, parameter in model.named_parameters():
        block = re.search(r"\.layers\.(\d+)\.", name)
        if block and int(block[1]) < depth - layers:
            parameter.requires_grad_(False)


def load_adapter_weights(model: PeftModel, folder: Path) -> None:
    """Put a saved adapter's weights into the model's `default` adapter, to go on training from them.

    Raises:
        ValueError: if the adapter has other matrices than the model.
    """
    saved = {
        k.replace(".weight", ".default.weight"): v for k, v in load_file(folder / "adapter_model.safetensors").items()
    }
    own = {k: p for k, p in model.named_parameters() if "lora_" in k}
    if saved.keys() != own.keys():
        raise ValueError(f"the adapter in {folder} has {len(saved)} matrices, this model wants {len(own)} others")
    with torch.no_grad():
        for key, parameter in own.items():
            parameter.copy_(saved[key])


@torch.no_grad()
def merge_into(target: torch.nn.Module, adapted: PeftModel) -> None:
    """Write each adapted layer into a plain copy of the model: its update added in float32, the sum rounded once."""
    for name, layer in adapted.get_base_model().named_modules():
        if isinstance(layer, LoraLayer):
            adapted_layer = cast(Any, layer)  # what every LoRA layer has, PEFT's base class does not declare
            update = adapted_layer.get_delta_weight("default").float()
            weight = target.get_submodule(name).get_parameter("weight")
            weight.copy_(adapted_layer.get_base_layer().weight.float() + update)


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Write the adapter in PEFT's format, float16: half the size, and the same text in every test made of it.

    Asks no hub.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(
        str(folder), safe_serialization=True, selected_adapters=["default"], save_embedding_layers=False
    )
    weights = folder / "adapter_model.safetensors"
    save_file({k: v.to(torch.float16) for k, v in load_file(weights).items()}, weights, metadata={"format": "pt"})
    for extra in folder.glob("README.md"):
        extra.unlink()


def new_critic(
    body: str | Path, *, rank: int | None, seed: int, dtype: torch.dtype | None = None
) -> PreTrainedModel | PeftModel:
    """A token classifier on a pretrained body whose head says 0 of everything, with LoRA matrices if `rank` is given.

    No dropout: it would make a reward of chance.
    """
    from transformers import AutoConfig, AutoModelForTokenClassification

    torch.manual_seed(seed)
    config = AutoConfig.from_pretrained(body, num_labels=1, trust_remote_code=False)
    config.classifier_dropout = 0.0
    model: PreTrainedModel = AutoModelForTokenClassification.from_pretrained(
        body,
        config=config,
        dtype=dtype,
        attn_implementation=attention(),
        use_safetensors=True,
        trust_remote_code=False,
    )
    for part in model.get_submodule("score").parameters():
        torch.nn.init.zeros_(part)
    if rank is None:
        return model
    lora = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        exclude_modules=["score"],
        task_type="TOKEN_CLS",
    )
    return saved_without_hub(get_peft_model(model, lora))
