"""What the name of a policy means: the weights, an adapter over them, and how questions are put."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import NamedTuple

from irl_core.models.catalogue import SMOLLM2, packed_called
from irl_core.models.devices import native_device
from irl_core.models.pairs import PAIRS, choose_pair, pair_called
from irl_core.models.prompts import PromptForm

log = logging.getLogger(__name__)

ON_GPU = "Qwen/Qwen2.5-0.5B-Instruct"


class PolicyError(RuntimeError):
    """The policy asked for cannot be had; the message says why and what to do."""


class LocatedPolicy(NamedTuple):
    """A policy: what a page may show of it (`label`), its weights, an adapter over them, how questions are put."""

    label: str
    backbone: str
    adapter: Path | None
    form: PromptForm


def locate_policy(name: str, backbone: str | None = None) -> LocatedPolicy:
    """What `name`, which no engine serves, means.

    Raises:
        PolicyError: if an adapter does not say what it is put on.
        ValueError: if `ERRATA_PAIR` names no pair.
    """
    if name == "auto":
        name = choose_policy()
    elif pair := pair_called(name):
        name = pair.policy
    adapter = Path(name) if (Path(name) / "adapter_config.json").exists() else None
    # An adapter of ours was taught the short form; any other model is asked in its own.
    form: PromptForm = "chat" if adapter is None else "short"
    return LocatedPolicy(display_name(name), (backbone or _base_of(adapter)) if adapter else name, adapter, form)


def display_name(name: str) -> str:
    """What a page may show of a policy's name: never a path of this machine."""
    for pair in PAIRS.values():
        if name == pair.policy:
            return pair.label
    if packed := packed_called(name):
        return packed.label
    return Path(name).name if Path(name).exists() else name


def choose_policy() -> str:
    """What "auto" means here, which is also logged.

    Qwen2.5-0.5B-Instruct where a GPU is present and the hub's local cache holds it (on a CPU it would be several
    times slower); else the policy of `irl_core.models.pairs.choose_pair`.
    """
    from huggingface_hub import try_to_load_from_cache

    if native_device().type == "cuda" and isinstance(try_to_load_from_cache(ON_GPU, "model.safetensors"), str):
        log.info("policy: %s, found in the local hub cache", ON_GPU)
        return ON_GPU
    pair = choose_pair()
    log.info("policy: %s", pair.label)
    return pair.policy


def _base_of(adapter: Path) -> str:
    try:
        base = json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
    except (KeyError, json.JSONDecodeError) as error:
        raise PolicyError(f"{adapter}/adapter_config.json does not name a base model ({error})") from error
    return base or SMOLLM2.name
