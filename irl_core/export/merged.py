"""A critic's weights as one plain checkpoint, which is what vLLM reads: kept in the user's cache."""

from __future__ import annotations

from pathlib import Path

import torch

from irl_core.critic.card import CriticCard
from irl_core.critic.weights import critic_sha256, load_critic_model
from irl_core.models.backbones import Backbone, load_tokenizer
from irl_core.models.cache import cached_folder

_VERSION = 1  # count it up when what is written changes: caches are made anew


def merged_checkpoint(card: CriticCard, backbone: Backbone, adapter: Path | None) -> Path:
    """The folder with backbone and adapter in one, in float32, and the tokenizer; the backbone's own without adapter.

    Raises:
        CriticError: if the adapter's weights are missing.
    """
    if adapter is None:
        return backbone.path
    made_from = f"{critic_sha256(backbone, adapter)}, {card.form}, version {_VERSION}"

    def make(folder: Path) -> None:
        model = load_critic_model(card, backbone, adapter, torch.float32)
        model.save_pretrained(folder)
        load_tokenizer(backbone).save_pretrained(folder)

    return cached_folder("critics", made_from, {"config.json", "tokenizer.json"}, make)
