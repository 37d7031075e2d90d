"""Small tokenizers of the two kinds that the backbones have."""

from __future__ import annotations

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

TEXT = "Sie hat 12 + 30 = 42 Äpfel – gut. 😀\n#### 42"
CORPUS = [TEXT, "She has 12 apples and gets 30 more.", "12 + 30 = 42", "hat hat 42 42 gut gut Äpfel"] * 3


def llama() -> PreTrainedTokenizerFast:
    """BPE over characters with byte fallback, words marked by ▁."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<unk>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
    plain = [text.replace("😀", "") for text in CORPUS]  # the emoji is left to the bytes
    tokenizer.train_from_iterator(plain, trainers.BpeTrainer(vocab_size=330, special_tokens=special))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>")


def qwen() -> PreTrainedTokenizerFast:
    """BPE over bytes, digits one by one."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"])
    tokenizer.train_from_iterator(CORPUS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
