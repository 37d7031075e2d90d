"""A language model, with or without a LoRA adapter, as one GGUF file that OpenVINO reads.

OpenVINO's own LoRA road does not match the tensors of a GGUF model, and its reader rounds the zero points of Q4_1
weights so far that the packaged file samples from a different model than the one the adapters were trained on. So
the adapter is merged in float32 and everything is written anew, with the header of the packaged file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from irl_core.models.backbones import Backbone, load_causal_lm, weights_sha256
from irl_core.models.cache import digest, sha256_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Packing = Literal["F16", "Q8_0"]

_ARCHITECTURES = ("llama", "qwen2")
_LAYER_TENSORS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


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


def write_gguf(model: PreTrainedModel, header_of: Path, target: Path, packing: Packing) -> None:
    """Write a Llama or Qwen2 as GGUF: fields and tokenizer from `header_of`, weights from `model`.

    Raises:
        ValueError: if the model is not of the header's kind.
    """
    import gguf

    reader = gguf.GGUFReader(header_of)
    architecture = reader.fields["general.architecture"].contents()
    if architecture != model.config.model_type or architecture not in _ARCHITECTURES:
        kinds = " or ".join(_ARCHITECTURES)
        raise ValueError(f"can write {kinds} only, not {model.config.model_type!r} with a {architecture!r} header")
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        value_type, *rest = field.types
        writer.add_key_value(name, field.contents(), value_type, sub_type=rest[-1] if rest else None)
    writer.add_file_type(getattr(gguf.LlamaFileType, f"MOSTLY_{packing}"))
    quantised = gguf.GGMLQuantizationType[packing]
    known = {t.name: tuple(int(n) for n in reversed(t.shape)) for t in reader.tensors}
    if model.config.tie_word_embeddings:
        known.pop("output.weight", None)  # some files hold the one matrix twice
    for name, weight in _tensors(model):
        if known.pop(name, None) != weight.shape:
            raise ValueError(f"tensor {name} of shape {weight.shape} does not belong to {header_of.name}")
        kind = quantised if weight.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(weight, kind), raw_dtype=kind)
    if known:
        raise ValueError(f"the model lacks {', '.join(sorted(known))}")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tensors(model: PreTrainedModel) -> Iterator[tuple[str, np.ndarray]]:
    """Weights under llama.cpp's names, float32, shape (out, in)."""
    weights: Mapping[str, np.ndarray] = {k: v.detach().float().numpy() for k, v in model.state_dict().items()}
    config = model.config
    yield "token_embd.weight", weights["model.embed_tokens.weight"]
    if not config.tie_word_embeddings:
        yield "output.weight", weights["lm_head.weight"]
    yield "output_norm.weight", weights["model.norm.weight"]
    # llama.cpp rotates a Llama's neighbouring rows, but a Qwen2's halves, as transformers does with both.
    interleaved = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for layer in range(config.num_hidden_layers):
        for ours, theirs in _LAYER_TENSORS.items():
            weight = weights[f"model.layers.{layer}.{ours}.weight"]
            if config.model_type == "llama" and theirs in interleaved:
                weight = interleave_rotary(weight, interleaved[theirs])
            yield f"blk.{layer}.{theirs}.weight", weight
            if (bias := weights.get(f"model.layers.{layer}.{ours}.bias")) is not None:
                yield f"blk.{layer}.{theirs}.bias", bias


def interleave_rotary(weight: np.ndarray, heads: int) -> np.ndarray:
    """Reorder the rows of a query or key projection (out, in) from halves to pairs, head by head.

    transformers rotates row i of a head with row i + d/2, llama.cpp rotates neighbours
    (`convert_hf_to_gguf.py`, `LlamaModel.permute`).
    """
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))
