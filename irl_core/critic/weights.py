"""A critic's weights: where they lie, which they are, and the model that they make."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch

from irl_core.critic.card import CriticCard
from irl_core.models.backbones import Backbone, load_causal_lm, resolve_backbone, stored_dtype

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class CriticError(RuntimeError):
    """A critic could not be loaded; the message says why and what to do."""


def load_critic_model(
    card: CriticCard, backbone: Backbone, adapter: Path | None, dtype: torch.dtype
) -> PreTrainedModel:
    """The card's model with its adapter, if any, merged into it.

    Raises:
        CriticError: if the adapter's weights are missing.
    """
    model: Any
    if card.form == "head":
        from transformers import AutoModelForTokenClassification

        model = AutoModelForTokenClassification.from_pretrained(
            backbone.path,
            num_labels=1,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    else:
        # In the dtype it is stored in, if that is the one it will have: the same weights for a third of the memory.
        model = load_causal_lm(backbone, dtype if dtype == stored_dtype(backbone) else torch.float32)
    if adapter is not None:
        from peft import PeftModel

        _adapter_weights(adapter)
        # PEFT holds the adapter in float32 and adds it there: what is rounded is the sum, once. Weights that are
        # stored finer than `dtype` are merged as they are and only then rounded.
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    return cast("PreTrainedModel", model.to(dtype).train(False))


def adapter_folder(card: CriticCard, path: Path) -> Path | None:
    """Where the adapter of the critic in the folder `path` lies, None if it has none."""
    return None if card.adapter is None else (path / card.adapter).resolve()


class ReferenceWeights(NamedTuple):
    """π_0 of a `log_ratio` critic."""

    backbone: Backbone
    adapter: Path | None


def reference_weights(card: CriticCard, path: Path, backbone: Backbone) -> ReferenceWeights | None:
    """What the card of the critic in the folder `path` names as π_0; None where it is the backbone as it is.

    Raises:
        BackboneError: if a whole model is named that cannot be had.
    """
    if card.form != "log_ratio" or card.reference_backbone is card.reference_adapter is None:
        return None
    whole = backbone if card.reference_backbone is None else resolve_backbone(card.reference_backbone)
    adapter = None if card.reference_adapter is None else (path / card.reference_adapter).resolve()
    return ReferenceWeights(whole, adapter)


def critic_sha256(backbone: Backbone, adapter: Path | None, reference: ReferenceWeights | None = None) -> str:
    """Which weights judge: backbone and adapter together, and those of a reference that the card names.

    Raises:
        CriticError: if the adapter's weights are missing.
    """
    weights = b"" if adapter is None else _adapter_weights(adapter).read_bytes()
    if reference is not None:
        weights += critic_sha256(*reference).encode()
    return hashlib.sha256(backbone.sha256.encode() + weights).hexdigest()


def _adapter_weights(adapter: Path) -> Path:
    weights = adapter / "adapter_model.safetensors"
    if not weights.exists():
        raise CriticError(f"the critic's adapter is missing: no {weights.name} in {adapter}")
    return weights
