"""Models and a tokenizer of no size, built from config: tests need no download."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForTokenClassification,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)


def nano_tokenizer() -> PreTrainedTokenizerFast:
    """One token per byte, ChatML's control tokens beside them."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {token: i for i, token in enumerate(special + alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>")


def nano_llama(seed: int = 0, layers: int = 2, head_dim: int = 8) -> LlamaForCausalLM:
    """A random Llama of some 50,000 parameters with sharp enough predictions to tell tokens apart.

    vLLM's kernels want heads of at least 32.
    """
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=259,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=head_dim,
        max_position_embeddings=2048,
        initializer_range=0.3,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def nano_qwen2(seed: int = 0) -> Qwen2ForCausalLM:
    """The same as a Qwen2, whose queries, keys and values have biases."""
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=259,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.3,
        tie_word_embeddings=True,
    )
    model = Qwen2ForCausalLM(config).eval()
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            weight.data.normal_(std=0.3)
    return model


def nano_head(seed: int = 0) -> LlamaForTokenClassification:
    """`nano_llama`'s body under a head with one label."""
    config = nano_llama().config
    config.num_labels, config.classifier_dropout = 1, 0.0
    torch.manual_seed(seed)
    return LlamaForTokenClassification(config)
