"""A packed model's GGUF file as safetensors in the type it was trained in, with the tokenizer it was trained with.

One weight after the other is unpacked, so that the memory which this takes is that of the result.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from irl_core.models.cache import write_stamp
from irl_core.models.catalogue import PackedModel
from irl_core.models.gguf import pair_rotary, tensors_of

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

log = logging.getLogger(__name__)


def convert(packed: PackedModel, gguf: Path, folder: Path) -> None:
    """Dequantise to safetensors in a folder beside `folder`, which takes its place when it is whole."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    log.info("converting %s once", gguf.name)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="convert-") as scratch:
        made = Path(scratch) / packed.dtype
        config = AutoConfig.from_pretrained(gguf.parent, gguf_file=gguf.name)
        # One matrix for both ends, as the model was trained: where the file holds two, the output's is finer.
        config.tie_word_embeddings = True
        config.dtype = dtype = getattr(torch, packed.dtype)
        config.architectures = [MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[config.model_type]]
        config.save_pretrained(made)
        GenerationConfig.from_model_config(config).save_pretrained(made)
        save_file(dict(unpacked_weights(config, gguf, dtype)), made / "model.safetensors", metadata={"format": "pt"})
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        if packed.splits_digits:
            _split_digits(tokenizer)
        _name_ends(tokenizer, gguf)
        tokenizer.model_max_length = config.max_position_embeddings
        tokenizer.save_pretrained(made)
        write_stamp(made, sorted(p for p in made.iterdir() if p.is_file()), packed.conversion)
        if folder.exists():
            folder.replace(Path(scratch) / "old")
        made.replace(folder)


def unpacked_weights(config: PretrainedConfig, gguf: Path, dtype: torch.dtype) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights of a GGUF file by transformers' names, each in float32 before it is rounded to `dtype`."""
    import torch
    from gguf import GGUFReader, dequantize

    stored = {tensor.name: tensor for tensor in GGUFReader(gguf).tensors}
    stored["token_embd.weight"] = stored.get("output.weight", stored["token_embd.weight"])
    for tensor in tensors_of(config):
        if tensor.optional and tensor.name not in stored:
            continue
        source = stored[tensor.name]
        weight = dequantize(source.data, source.tensor_type).reshape(tuple(reversed(source.shape.tolist())))
        if tensor.heads:
            weight = pair_rotary(weight, tensor.heads)
        yield tensor.weight, torch.tensor(weight).to(dtype)


def _name_ends(tokenizer: PreTrainedTokenizerBase, gguf: Path) -> None:
    """End and padding token as the file names them: transformers 5.17 takes the beginning for the end."""
    from gguf import GGUFReader

    fields = GGUFReader(gguf).fields
    for name, key in (("eos_token", "eos_token_id"), ("pad_token", "padding_token_id")):
        if field := fields.get(f"tokenizer.ggml.{key}"):
            setattr(tokenizer, name, tokenizer.convert_ids_to_tokens(int(field.contents())))


def _split_digits(tokenizer: PreTrainedTokenizerBase) -> None:
    """Restore SmolLM2's own pre-tokenizer: the GGUF names it ("smollm"), transformers reads it as plain GPT-2.

    They differ where white space runs into a number: "  48" is 'ĠĠ', '4', '8' for SmolLM2.
    """
    from tokenizers import pre_tokenizers

    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
