"""A critic's weights as one plain checkpoint, which is what vLLM reads: kept in the user's cache."""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path

import torch
from filelock import FileLock

from irl_core.critic.card import CriticCard
from irl_core.critic.weights import critic_sha256, load_critic_model
from irl_core.models.backbones import Backbone, load_tokenizer
from irl_core.models.cache import cache_root, is_intact, write_stamp

_VERSION = 1  # count it up when what is written changes: caches are made anew


def merged_checkpoint(card: CriticCard, backbone: Backbone, adapter: Path | None) -> Path:
    """The folder with backbone and adapter in one, in float32, and the tokenizer; the backbone's own without adapter.

    Raises:
        CriticError: if the adapter's weights are missing.
    """
    if adapter is None:
        return backbone.path
    made_from = f"{critic_sha256(backbone, adapter)}, {card.form}, version {_VERSION}"
    folder = cache_root() / "critics" / sha256(made_from.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not is_intact(folder, {"config.json", "tokenizer.json"}, made_from):
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                load_critic_model(card, backbone, adapter, torch.float32).save_pretrained(scratch)
                load_tokenizer(backbone).save_pretrained(scratch)
                files = [file.replace(folder / file.name) for file in Path(scratch).iterdir()]
            write_stamp(folder, files, made_from)
        os.utime(folder)
    return folder
