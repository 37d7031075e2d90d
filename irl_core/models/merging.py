"""A backbone with a LoRA adapter's update added to its weights, in float32: as a model, or one weight at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from irl_core.models.backbones import Backbone, load_causal_lm, weights_sha256
from irl_core.models.cache import digest, sha256_of
from irl_core.models.gguf import Weights

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_ADAPTER = "adapter_model.safetensors"
_OF_ADAPTERS = "base_model.model."
# What an adapter may have beside the two matrices of each layer; PEFT knows how to merge it.
_BESIDE_PLAIN = (
    "use_dora fan_in_fan_out lora_bias alpha_pattern rank_pattern modules_to_save layer_replication "
    "trainable_token_indices target_parameters use_qalora use_bdlora"
).split()


def load_merged(backbone: Backbone, adapter: Path | None) -> PreTrainedModel:
    """The language model in float32 with the adapter's update added to its weights.

    Raises:
        ValueError: if the adapter cannot be read or was not made for this backbone.
    """
    model = load_causal_lm(backbone)
    if adapter is None:
        return model
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    weights = adapter / "adapter_model.safetensors"
    if not weights.exists():
        raise ValueError(f"{adapter} holds no {weights.name} (only safetensors are read)")
    try:
        adapted = PeftModel.from_pretrained(model, adapter)
    except (RuntimeError, KeyError) as error:
        raise ValueError(f"the adapter in {adapter} does not fit {backbone.name!r}: {error}") from error
    with safe_open(weights, framework="pt") as stored:
        # PEFT passes over tensors that find no place, and the model would speak without them.
        # Told that no embedding was trained, it does not ask the hub for a model of the backbone's name.
        placed = get_peft_model_state_dict(adapted, save_embedding_layers=False)
        unplaced = set(stored.keys()) ^ set(placed)
    if unplaced:
        raise ValueError(f"the adapter in {adapter} does not fit {backbone.name!r}: {min(unplaced)} finds no match")
    merged: PreTrainedModel = adapted.merge_and_unload()
    merged.train(False)
    return merged


def adapter_sha256(adapter: Path) -> str:
    """SHA-256 over the adapter's settings and weights."""
    return digest(sha256_of(adapter / "adapter_config.json"), weights_sha256(adapter))


def policy_sha256(backbone: Backbone, adapter: Path | None) -> str:
    """Which weights speak: the backbone's checksum, or that of backbone and adapter together."""
    return backbone.sha256 if adapter is None else digest(backbone.sha256, adapter_sha256(adapter))


def merged_weights(backbone: Backbone, adapter: Path | None) -> Weights:
    """As the weights of `load_merged`, but never all in memory.

    Raises:
        ValueError: as `load_merged`.
    """
    if adapter is None:
        return _StoredWeights(backbone.path, {})
    config = json.loads((adapter / "adapter_config.json").read_text())
    if config.get("peft_type") != "LORA" or config.get("bias") != "none" or any(map(config.get, _BESIDE_PLAIN)):
        return {name: weight.float() for name, weight in load_merged(backbone, adapter).state_dict().items()}
    root = config["r"] ** 0.5 if config.get("use_rslora") else config["r"]
    try:
        return _StoredWeights(backbone.path, _updates(_adapter_weights(adapter), config["lora_alpha"] / root))
    except ValueError as error:
        raise ValueError(f"the adapter in {adapter} does not fit {backbone.name!r}: {error}") from error


class _Update(NamedTuple):
    """What an adapter adds to a weight (out, in): `scale` · `up` (out, r) @ `down` (r, in)."""

    down: torch.Tensor
    up: torch.Tensor
    scale: float


class _StoredWeights(Mapping[str, "torch.Tensor"]):
    """The weights in a folder's safetensors files, read when they are asked for."""

    def __init__(self, folder: Path, updates: Mapping[str, _Update]) -> None:
        """`updates` are by the name of the weight.

        Raises:
            ValueError: if one of them finds no weight of its shape.
        """
        from safetensors import safe_open

        self._updates, self._files = updates, ExitStack()
        paths = sorted(folder.glob("*.safetensors"))
        opened = [self._files.enter_context(safe_open(path, framework="pt")) for path in paths]
        self._file_of: dict[str, Any] = {name: file for file in opened for name in file.keys()}  # noqa: SIM118
        for name, update in updates.items():
            if name not in self._file_of:
                raise ValueError(f"{name} finds no match")
            wanted = [len(update.up), update.down.shape[1]]
            if (shape := self._file_of[name].get_slice(name).get_shape()) != wanted:
                raise ValueError(f"{name} has the shape {shape} and not {wanted}")

    def __getitem__(self, name: str) -> torch.Tensor:
        weight: torch.Tensor = self._file_of[name].get_tensor(name).float()
        if update := self._updates.get(name):
            weight = weight + update.scale * (update.up.float() @ update.down.float())
        return weight

    def __iter__(self) -> Iterator[str]:
        return iter(self._file_of)

    def __len__(self) -> int:
        return len(self._file_of)


def _updates(stored: Mapping[str, torch.Tensor], scale: float) -> dict[str, _Update]:
    """The updates by the names of their weights.

    Raises:
        ValueError: for a tensor that is not one of a pair.
    """
    layers = {name.rpartition(".lora_")[0] for name in stored}
    pairs = {layer: (f"{layer}.lora_A.weight", f"{layer}.lora_B.weight") for layer in layers}
    known = {name for pair in pairs.values() for name in pair}
    if unplaced := set(stored) ^ known:
        raise ValueError(f"{min(unplaced)} finds no match")
    return {
        f"{layer.removeprefix(_OF_ADAPTERS)}.weight": _Update(stored[down], stored[up], scale)
        for layer, (down, up) in pairs.items()
    }


def _adapter_weights(adapter: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    if not (adapter / _ADAPTER).exists():
        raise ValueError(f"{adapter} holds no {_ADAPTER} (only safetensors are read)")
    return load_file(adapter / _ADAPTER)
