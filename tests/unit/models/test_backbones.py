"""Weights are found or refused by name, and nothing damaged is ever used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from irl_core.models.backbones import load_causal_lm, load_tokenizer, resolve_backbone
from irl_core.models.cache import cache_root, is_intact, sha256_of, write_stamp
from irl_core.models.download import BackboneError
from tests.conftest import ROOT
from tests.support.nano import nano_llama, nano_tokenizer


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "nano"
    nano_llama().save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)
    return folder


def test_a_local_folder_works_in_place_of_the_embedded_model(checkpoint: Path) -> None:
    backbone = resolve_backbone(str(checkpoint))
    assert backbone.sha256 == sha256_of(checkpoint / "model.safetensors")
    model, tokenizer = load_causal_lm(backbone), load_tokenizer(backbone)
    assert model.dtype == torch.float32
    assert not model.training
    expected = nano_llama().state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())
    assert tokenizer.decode(tokenizer("7 + 8")["input_ids"]) == "7 + 8"


def test_a_plain_tokenizer_is_loaded_without_what_takes_transformers_seconds_to_import(checkpoint: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from irl_core.models.backbones import Backbone, load_tokenizer;"
        "load_tokenizer(Backbone('nano', Path(sys.argv[1]), None, ''));"
        "sys.exit('transformers.models.auto.auto_factory' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(checkpoint)], cwd=ROOT).returncode == 0
    text = "3 * 4 = 12 é\n#### 12"
    expected = AutoTokenizer.from_pretrained(checkpoint, local_files_only=True)
    found = load_tokenizer(resolve_backbone(str(checkpoint)))
    assert found(text).input_ids == expected(text).input_ids
    assert (found.eos_token_id, found.pad_token_id) == (expected.eos_token_id, expected.pad_token_id)


def test_a_name_that_is_neither_folder_nor_hub_name_is_refused_with_the_choices() -> None:
    with pytest.raises(
        BackboneError,
        match=r"neither 'smollm2-135m' nor 'qwen2\.5-coder-0\.5b' nor 'qwen2\.5-coder-1\.5b', a folder on this disk,",
    ):
        resolve_backbone("no such thing")


def test_an_adapter_is_not_taken_for_a_whole_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(BackboneError, match="holds an adapter"):
        resolve_backbone(str(tmp_path))


def test_pickled_weights_are_not_read(checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").rename(checkpoint / "pytorch_model.bin")
    with pytest.raises(BackboneError, match="only safetensors are read"):
        resolve_backbone(str(checkpoint))


def test_the_cache_follows_its_own_variable_then_xdg_then_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_root() == tmp_path / "own"
    monkeypatch.delenv("ERRATA_CACHE")
    assert cache_root() == tmp_path / "xdg" / "errata"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == tmp_path / "home" / ".cache" / "errata"


def _stamped(folder: Path) -> Path:
    file = folder / "weights"
    file.write_bytes(b"0123456789")
    write_stamp(folder, [file], "version 1")
    return file


def test_a_folder_that_agrees_with_its_stamp_is_intact(tmp_path: Path) -> None:
    file = _stamped(tmp_path)
    assert is_intact(tmp_path, {"weights"}, "version 1")
    file.touch()
    assert is_intact(tmp_path, {"weights"}, "version 1"), "the same bytes with another time are the same"


@pytest.mark.parametrize("damage", [b"01234", b"0123456780", b""])
def test_a_file_cut_short_or_changed_is_noticed(tmp_path: Path, damage: bytes) -> None:
    _stamped(tmp_path).write_bytes(damage)
    assert not is_intact(tmp_path, {"weights"}, "version 1")


def test_a_missing_file_another_version_and_a_damaged_stamp_are_noticed(tmp_path: Path) -> None:
    file = _stamped(tmp_path)
    assert not is_intact(tmp_path, {"weights"}, "version 2")
    assert not is_intact(tmp_path, {"weights", "tokenizer"}, "version 1")
    (stamp,) = (p for p in tmp_path.iterdir() if p != file)
    text = stamp.read_text()
    for damaged in (text[:20], "[]", json.dumps({"made_from": "version 1", "files": 3})):
        stamp.write_text(damaged)
        assert not is_intact(tmp_path, {"weights"}, "version 1")
    stamp.write_text(text)
    file.unlink()
    assert not is_intact(tmp_path, {"weights"}, "version 1")
