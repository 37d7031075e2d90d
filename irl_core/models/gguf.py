"""A language model as one GGUF file that OpenVINO reads.

OpenVINO's own LoRA road does not match the tensors of a GGUF model, and its reader rounds the zero points of Q4_1
weights so far that the packaged file samples from a different model than the one the adapters were trained on. So
the adapter is merged in float32 and everything is written anew, with the header of the packaged file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import gguf
    import torch
    from transformers import PretrainedConfig

Packing = Literal["F16", "Q8_0"]
Weights = Mapping[str, "torch.Tensor"]
"""Weights by transformers' names, (out, in); one that is read from a file is there only while it is held."""

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


class Tensor(NamedTuple):
    """A tensor of a GGUF file and the weight of transformers that it holds.

    `heads` is a number where its rows are interleaved; `optional` are the biases, which some models do without.
    """

    name: str
    weight: str
    heads: int | None = None
    optional: bool = False


def write_gguf(config: PretrainedConfig, weights: Weights, header_of: Path, target: Path, packing: Packing) -> None:
    """Write a Llama or Qwen2 as GGUF: fields and tokenizer from `header_of`. One weight at a time is in memory.

    Raises:
        ValueError: if the model is not of the header's kind.
    """
    import gguf

    reader = gguf.GGUFReader(header_of)
    architecture = reader.fields["general.architecture"].contents()
    if architecture != config.model_type or architecture not in _ARCHITECTURES:
        kinds = " or ".join(_ARCHITECTURES)
        raise ValueError(f"can write {kinds} only, not {config.model_type!r} with a {architecture!r} header")
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        value_type, *rest = field.types
        writer.add_key_value(name, field.contents(), value_type, sub_type=rest[-1] if rest else None)
    writer.add_file_type(getattr(gguf.LlamaFileType, f"MOSTLY_{packing}"))
    tensors = [tensor for tensor in tensors_of(config) if not tensor.optional or tensor.weight in weights]
    shapes = {t.name: tuple(int(n) for n in reversed(t.shape)) for t in reader.tensors}
    if config.tie_word_embeddings:
        shapes.pop("output.weight", None)  # some files hold the one matrix twice
    if lacking := shapes.keys() - {tensor.name for tensor in tensors}:
        raise ValueError(f"the model lacks {', '.join(sorted(lacking))}")
    kinds_of = {name: packing if len(shape) == 2 else "F32" for name, shape in shapes.items()}
    for tensor in tensors:
        if tensor.name not in shapes:
            raise ValueError(f"tensor {tensor.name} does not belong to {header_of.name}")
        _announce(writer, tensor.name, shapes[tensor.name], kinds_of[tensor.name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors:
        weight = weights[tensor.weight].detach().float().numpy()
        if weight.shape != shapes[tensor.name]:
            raise ValueError(f"tensor {tensor.name} of shape {weight.shape} does not belong to {header_of.name}")
        if tensor.heads:
            weight = interleave_rotary(weight, tensor.heads)
        writer.write_tensor_data(gguf.quants.quantize(weight, gguf.GGMLQuantizationType[kinds_of[tensor.name]]))
    writer.close()


def _announce(writer: gguf.GGUFWriter, name: str, shape: tuple[int, ...], kind: str) -> None:
    """Tell the writer of a tensor whose data comes later."""
    import gguf

    quantised = gguf.GGMLQuantizationType[kind]
    in_bytes = gguf.quants.quant_shape_to_byte_shape(shape, quantised)
    writer.add_tensor_info(name, in_bytes, np.dtype(np.uint8), math.prod(in_bytes), raw_dtype=quantised)


def tensors_of(config: PretrainedConfig) -> Iterator[Tensor]:
    """The tensors of a Llama or Qwen2 under llama.cpp's names, in the order of the file."""
    yield Tensor("token_embd.weight", "model.embed_tokens.weight")
    if not config.tie_word_embeddings:
        yield Tensor("output.weight", "lm_head.weight")
    yield Tensor("output_norm.weight", "model.norm.weight")
    # llama.cpp rotates a Llama's neighbouring rows, but a Qwen2's halves, as transformers does with both.
    llama = config.model_type == "llama"
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads} if llama else {}
    for layer in range(config.num_hidden_layers):
        for ours, theirs in _LAYER_TENSORS.items():
            stem = f"model.layers.{layer}.{ours}"
            yield Tensor(f"blk.{layer}.{theirs}.weight", f"{stem}.weight", heads.get(theirs))
            yield Tensor(f"blk.{layer}.{theirs}.bias", f"{stem}.bias", optional=True)


def interleave_rotary(weight: np.ndarray, heads: int) -> np.ndarray:
    """Reorder the rows of a query or key projection (out, in) from halves to pairs, head by head.

    transformers rotates row i of a head with row i + d/2, llama.cpp rotates neighbours
    (`convert_hf_to_gguf.py`, `LlamaModel.permute`).
    """
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def pair_rotary(weight: np.ndarray, heads: int) -> np.ndarray:
    """The rows of `interleave_rotary` in transformers' order again."""
    rows, columns = weight.shape
    pairs = weight.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(rows, columns))
