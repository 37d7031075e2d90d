"""A packed model's GGUF file as safetensors in the type it was trained in, with the tokenizer it was trained with."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from irl_core.models.cache import write_stamp
from irl_core.models.catalogue import PackedModel

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)


def convert(packed: PackedModel, gguf: Path, folder: Path) -> None:
    """Dequantise to safetensors in a folder beside `folder`, which takes its place when it is whole."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    log.info("converting %s once", gguf.name)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="convert-") as scratch:
        made = Path(scratch) / packed.dtype
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        vars(model).pop("hf_quantizer", None)
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        if not model.config.tie_word_embeddings:
            _tie(model)
        model.to(getattr(torch, packed.dtype)).save_pretrained(made)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        if packed.splits_digits:
            _split_digits(tokenizer)
        _name_ends(tokenizer, gguf)
        tokenizer.model_max_length = model.config.max_position_embeddings
        tokenizer.save_pretrained(made)
        write_stamp(made, sorted(p for p in made.iterdir() if p.is_file()), packed.conversion)
        if folder.exists():
            folder.replace(Path(scratch) / "old")
        made.replace(folder)


def _tie(model: PreTrainedModel) -> None:
    """One matrix for both ends, as the model was trained: the file holds it twice; the output's is finer and kept."""
    model.config.tie_word_embeddings = True
    model.get_input_embeddings().weight = model.get_output_embeddings().weight
    model.tie_weights()


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
