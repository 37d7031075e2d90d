"""Draws traces from a language model: finds the model that a name means and the engine that draws fastest from it."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path
from typing import NamedTuple

from irl_core.backbones import (
    EMBEDDED,
    Backbone,
    BackboneError,
    load_causal_lm,
    load_tokenizer,
    native_device,
    native_dtype,
    resolve_backbone,
)
from irl_core.gguf_export import load_merged, policy_sha256
from irl_core.packed_models import PACKED
from irl_core.prompts import PromptForm
from irl_core.sampling import Policy, Sampling, TraceEnded, TraceEvent, TraceGrew
from irl_core.served_names import parse_served_name
from irl_core.shipped import PAIRS, STANDARD

__all__ = ["Policy", "PolicyError", "Sampling", "TraceEnded", "TraceEvent", "TraceGrew", "load_policy"]

log = logging.getLogger(__name__)

SHIPPED = STANDARD.policy
ON_GPU = "Qwen/Qwen2.5-0.5B-Instruct"


class PolicyError(RuntimeError):
    """The policy asked for cannot be had; the message says why and what to do."""


class PolicyName(NamedTuple):
    """What a name means: what a page may show of it, the weights, an adapter over them, how questions are put."""

    label: str
    backbone: str
    adapter: Path | None
    form: PromptForm


def load_policy(name: str = "auto", *, backbone: str | None = None, calculator: bool = False) -> Policy:
    """Load the policy called `name`.

    Args:
        name: "auto" (see `choose_policy`), "standard" or "larger" (those shipped with Errata), "embedded" or another
            packed model (the plain backbone), a folder with a LoRA adapter or a whole model, or a hub name; or one
            that an engine serves (`irl_core.served_names`): "vllm:NAME", a URL of a server, or "NAME@URL".
        backbone: what an adapter is put on; None takes what its configuration says.
        calculator: fill in results after '=' by exact arithmetic; needs the transformers engine, which is slower.

    Raises:
        PolicyError: if it cannot be loaded.
    """
    try:
        if served := parse_served_name(name):
            from irl_core.serving.policy import load_served_policy

            return load_served_policy(served, backbone=backbone, calculator=calculator)
        found = locate_policy(name, backbone)
        base = resolve_backbone(found.backbone)
        return _openvino(found, base, calculator) or _transformers(found, base, calculator)
    except (BackboneError, ValueError, OSError) as error:
        raise PolicyError(f"the policy {name!r} cannot be loaded: {error}") from error


def locate_policy(name: str, backbone: str | None = None) -> PolicyName:
    """What `name`, which no engine serves, means.

    Raises:
        PolicyError: if an adapter does not say what it is put on.
    """
    if name == "auto":
        name = choose_policy()
    elif name in PAIRS:
        name = str(PAIRS[name].policy)
    adapter = Path(name) if (Path(name) / "adapter_config.json").exists() else None
    # An adapter of ours was taught the short form; any other model is asked in its own.
    form = "chat" if adapter is None else "short"
    return PolicyName(display_name(name), (backbone or _base_of(adapter)) if adapter else name, adapter, form)


def display_name(name: str) -> str:
    """What a page may show of a policy's name: never a path of this machine."""
    for pair in PAIRS.values():
        if name == str(pair.policy):
            return pair.label
    if packed := PACKED.get(name):
        return packed.label
    return Path(name).name if Path(name).exists() else name


def choose_policy() -> str:
    """What "auto" means here, which is also logged.

    Qwen2.5-0.5B-Instruct where a GPU is present and the hub's local cache holds it (on a CPU it would be several
    times slower); else the policy that is shipped with Errata; else the plain embedded model.
    """
    from huggingface_hub import try_to_load_from_cache

    if native_device().type == "cuda" and isinstance(try_to_load_from_cache(ON_GPU, "model.safetensors"), str):
        log.info("policy: %s, found in the local hub cache", ON_GPU)
        return ON_GPU
    if (SHIPPED / "adapter_config.json").exists():
        log.info("policy: %s", STANDARD.label)
        return str(SHIPPED)
    log.warning("policy: the plain embedded model, because no adapter lies in %s", SHIPPED)
    return EMBEDDED


def _base_of(adapter: Path) -> str:
    try:
        base = json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
    except (KeyError, json.JSONDecodeError) as error:
        raise PolicyError(f"{adapter}/adapter_config.json does not name a base model ({error})") from error
    return base or EMBEDDED


def _openvino(found: PolicyName, base: Backbone, calculator: bool) -> Policy | None:
    if base.gguf is None or calculator or native_device().type == "cuda":
        return None
    if importlib.util.find_spec("openvino_genai") is None:
        log.warning(
            "openvino-genai is not installed: sampling is about four times slower (pip install openvino-genai)"
        )
        return None
    from irl_core.sampling_openvino import OpenVINOPolicy

    return OpenVINOPolicy(found.label, base, found.adapter, form=found.form)


def _transformers(found: PolicyName, base: Backbone, calculator: bool) -> Policy:
    from irl_core.sampling_transformers import TransformersPolicy

    model = load_merged(base, found.adapter) if found.adapter else load_causal_lm(base)
    if native_device().type == "cuda":
        model = model.to(native_device(), native_dtype())
    return TransformersPolicy(
        found.label,
        policy_sha256(base, found.adapter),
        model,
        load_tokenizer(base),
        form=found.form,
        calculator=calculator,
    )
