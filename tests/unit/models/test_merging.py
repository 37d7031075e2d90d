"""Weights merged one at a time are those of the model that PEFT merges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from irl_core.models.backbones import Backbone, resolve_backbone
from irl_core.models.merging import load_merged, merged_weights
from tests.support.nano import nano_llama, nano_qwen2, nano_tokenizer


@pytest.fixture(params=[nano_llama, nano_qwen2])
def make(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def backbone(make: Any, tmp_path: Path) -> Backbone:
    make().save_pretrained(tmp_path / "base", max_shard_size="20KB")  # in several files
    nano_tokenizer().save_pretrained(tmp_path / "base")
    return resolve_backbone(str(tmp_path / "base"))


def adapted(make: Any, folder: Path, **options: Any) -> Path:
    model = get_peft_model(make(), LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", **options))
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data.normal_(std=0.2)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("options", [{}, {"use_rslora": True}, {"use_dora": True}, {"rank_pattern": {"q_proj": 2}}])
def test_each_weight_is_that_of_the_merged_model(make: Any, backbone: Backbone, tmp_path: Path, options) -> None:
    adapter = adapted(make, tmp_path / "adapter", **options)
    wanted, found = load_merged(backbone, adapter).state_dict(), merged_weights(backbone, adapter)
    plain = merged_weights(backbone, None)
    assert {*found} == {*plain} or options, "a matrix for both ends has one name in a file"
    for name in plain:
        torch.testing.assert_close(found[name], wanted[name], atol=1e-6, rtol=1e-6, msg=name)
    assert any(not torch.equal(found[name], plain[name]) for name in plain)


def test_an_update_of_a_weight_that_is_not_there_is_refused_by_its_name(make, backbone, tmp_path) -> None:
    adapter = adapted(make, tmp_path / "adapter")
    stored = load_file(adapter / "adapter_model.safetensors")
    for half in "AB":
        stored[f"base_model.model.model.layers.9.mlp.up_proj.lora_{half}.weight"] = torch.zeros(4, 4)
    save_file(stored, adapter / "adapter_model.safetensors")
    with pytest.raises(ValueError, match=r"does not fit .*: model\.layers\.9\.mlp\.up_proj\.weight finds no match"):
        merged_weights(backbone, adapter)


def test_half_an_update_is_refused_by_its_name(make, backbone, tmp_path) -> None:
    adapter = adapted(make, tmp_path / "adapter")
    stored = load_file(adapter / "adapter_model.safetensors")
    del stored["base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"]
    save_file(stored, adapter / "adapter_model.safetensors")
    with pytest.raises(ValueError, match=r"layers\.0\.self_attn\.q_proj\.lora_B\.weight finds no match"):
        merged_weights(backbone, adapter)


def test_an_update_of_another_shape_is_refused_in_words(make, backbone, tmp_path) -> None:
    adapter = adapted(make, tmp_path / "adapter")
    stored = load_file(adapter / "adapter_model.safetensors")
    stored["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"] = torch.zeros(4, 3)
    save_file(stored, adapter / "adapter_model.safetensors")
    with pytest.raises(ValueError, match=r"q_proj\.weight has the shape \[\d+, \d+\] and not \[\d+, 3\]"):
        merged_weights(backbone, adapter)


def test_an_adapter_without_weights_is_refused(make, backbone, tmp_path) -> None:
    adapter = adapted(make, tmp_path / "adapter")
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(ValueError, match="only safetensors are read"):
        merged_weights(backbone, adapter)
