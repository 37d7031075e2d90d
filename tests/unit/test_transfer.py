"""Rewards between tokenisers, on a SentencePiece-like Llama and a byte-level Qwen made here."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from irl_core.learning.transfer import transfer, with_end
from irl_core.prompts import encode_solution

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


@pytest.mark.parametrize(("critic", "policy"), [(llama(), qwen()), (qwen(), llama())], ids=["llama", "qwen"])
def test_local_rewards_keep_their_sum_up_to_every_line_of_the_text(critic, policy):
    theirs, ours = (encode_solution(t, TEXT)[1] for t in (critic, policy))
    assert theirs != ours
    rewards = [float(2**i % 7) for i in range(len(theirs))]
    found = transfer(rewards, theirs, ours, add=True)
    assert sum(found) == sum(rewards)
    for cut in (i for i, c in enumerate(TEXT) if c in " \n"):
        known = sum(r for r, (_, end) in zip(rewards, theirs, strict=True) if end <= cut)
        paid = sum(r for r, (_, end) in zip(found, ours, strict=True) if end <= cut)
        assert paid <= known  # nothing is paid for text that is not yet written


def test_the_reward_belongs_to_the_token_that_holds_the_last_character():
    theirs, ours = [(0, 3), (3, 5), (5, 6)], [(0, 1), (1, 4), (4, 6)]
    assert transfer([1.0, 2.0, 4.0], theirs, ours, add=True) == [0.0, 1.0, 6.0]


def test_a_level_holds_until_another_one_is_read():
    theirs, ours = [(0, 3), (3, 5), (5, 6)], [(0, 1), (1, 4), (4, 6)]
    assert transfer([1.0, 2.0, 4.0], theirs, ours, add=False) == [0.0, 1.0, 4.0]
    assert transfer([5.0], [(0, 3)], [(0, 3), (3, 3)], add=False) == [5.0, 5.0]


def test_the_end_token_is_one_character_past_the_text():
    theirs, ours = with_end([(0, 2)], True), with_end([(0, 1), (1, 2)], True)
    assert transfer([1.0, 9.0], theirs, ours, add=True) == [0.0, 1.0, 9.0]
    assert with_end([(0, 2)], False) == [(0, 2)]
