"""Adapters are merged exactly, and a model written as GGUF is the same model."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from irl_core.loading import load_policy
from irl_core.models.backbones import resolve_backbone
from irl_core.models.conversion import unpacked_weights
from irl_core.models.gguf import interleave_rotary, pair_rotary, write_gguf
from irl_core.models.merging import load_merged, policy_sha256
from irl_core.policy.names import PolicyError
from irl_core.policy.sampling import Sampling, TraceEnded
from tests.support.nano import nano_llama, nano_qwen2, nano_tokenizer


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    nano_llama().save_pretrained(tmp_path / "base")
    nano_tokenizer().save_pretrained(tmp_path / "base")
    model = get_peft_model(nano_llama(), LoraConfig(r=4, lora_alpha=8, target_modules="all-linear"))
    for name, weight in model.named_parameters():  # nano_llama has seeded the generator
        if "lora_B" in name:
            weight.data.normal_(std=0.2)
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_merging_gives_the_logits_of_the_adapted_model(adapter: Path) -> None:
    from peft import PeftModel

    base = resolve_backbone(str(adapter.parent / "base"))
    ids = torch.arange(3, 40)[None]
    with torch.no_grad():
        adapted = PeftModel.from_pretrained(nano_llama(), adapter)(ids).logits
        merged = load_merged(base, adapter)(ids).logits
        plain = load_merged(base, None)(ids).logits
    torch.testing.assert_close(merged, adapted, atol=1e-4, rtol=1e-4)
    assert (merged - plain).abs().max() > 0.01
    assert policy_sha256(base, adapter) != policy_sha256(base, None) == base.sha256


def test_an_adapter_of_another_model_is_refused(adapter: Path, tmp_path: Path) -> None:
    nano_llama(layers=1).save_pretrained(tmp_path / "other")
    with pytest.raises(PolicyError, match="does not fit"):
        load_policy(str(adapter), backbone=str(tmp_path / "other"))


def test_a_folder_with_an_adapter_is_loaded_on_the_backbone_named(adapter: Path) -> None:
    policy = load_policy(str(adapter), backbone=str(adapter.parent / "base"))
    assert policy.form == "short"
    assert sum(isinstance(e, TraceEnded) for e in policy.sample("3 + 4?", Sampling(n=2, max_tokens=4))) == 2


def test_rows_are_interleaved_within_each_head() -> None:
    rows = np.arange(8, dtype=np.float32)[:, None]
    assert interleave_rotary(rows, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


@pytest.mark.parametrize("make", [nano_llama, nano_qwen2])
def test_a_model_written_as_gguf_reads_back_the_same(make, tmp_path: Path) -> None:
    model = make()
    header = _empty_gguf(tmp_path / "header.gguf", model)
    write_gguf(model.config, model.state_dict(), header, tmp_path / "nano.gguf", "F16")
    again = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="nano.gguf", dtype=torch.float32)
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], weight, atol=1e-3, rtol=1e-3, msg=name)


@pytest.mark.parametrize("make", [nano_llama, nano_qwen2])
def test_a_gguf_file_is_unpacked_weight_by_weight_to_the_model_that_it_was_written_from(make, tmp_path: Path) -> None:
    model = make()
    header = _empty_gguf(tmp_path / "header.gguf", model)
    write_gguf(model.config, model.state_dict(), header, tmp_path / "nano.gguf", "F16")
    unpacked = dict(unpacked_weights(model.config, tmp_path / "nano.gguf", torch.float32))
    assert unpacked.keys() == {name for name in model.state_dict() if name != "lm_head.weight"}
    for name, weight in unpacked.items():
        torch.testing.assert_close(weight, model.state_dict()[name], atol=1e-3, rtol=1e-3, msg=name)


@given(heads=st.integers(1, 4), half=st.integers(1, 4), columns=st.integers(1, 3))
def test_pairing_rows_undoes_interleaving_them(heads: int, half: int, columns: int) -> None:
    rows = np.arange(2 * heads * half * columns, dtype=np.float32).reshape(-1, columns)
    assert (pair_rotary(interleave_rotary(rows, heads), heads) == rows).all()


def test_a_matrix_that_a_file_holds_twice_is_written_once(tmp_path: Path) -> None:
    model = nano_qwen2()
    header = _empty_gguf(tmp_path / "header.gguf", model, twice=True)
    write_gguf(model.config, model.state_dict(), header, tmp_path / "nano.gguf", "F16")
    names = [tensor.name for tensor in gguf.GGUFReader(tmp_path / "nano.gguf").tensors]
    assert "token_embd.weight" in names
    assert "output.weight" not in names


def test_a_model_of_another_shape_is_not_written_under_a_header(tmp_path: Path) -> None:
    header, smaller = _empty_gguf(tmp_path / "header.gguf", nano_llama()), nano_llama(layers=1)
    with pytest.raises(ValueError, match=r"the model lacks blk\.1\."):
        write_gguf(smaller.config, smaller.state_dict(), header, tmp_path / "nano.gguf", "F16")


def _empty_gguf(path: Path, model: torch.nn.Module, twice: bool = False) -> Path:
    """A GGUF with a model's fields and zeros for weights, as a stand-in for the packaged file.

    `twice` writes the output's matrix beside the input's.
    """
    config = model.config
    writer = gguf.GGUFWriter(path, config.model_type)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"t{i}" for i in range(config.vocab_size)])
    writer.add_token_types([gguf.TokenType.NORMAL] * config.vocab_size)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[config.model_type.upper()], config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        if twice or name != "lm_head.weight":
            stem, _, kind = name.rpartition(".")
            writer.add_tensor(f"{names.get_name(stem)}.{kind}", np.zeros(weight.shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
