"""Saving and merging what lies on this disk asks no hub, whatever the backbone is called."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from irl_core.critic.card import CriticCard
from irl_core.export.merged import merged_checkpoint
from irl_core.export.plain_checkpoints import save_plain
from irl_core.learning.airl.config import DiscriminatorConfig
from irl_core.learning.airl.discriminator import Discriminator
from irl_core.learning.common.lora import new_adapter, new_critic, save_adapter
from irl_core.loading import load_critic
from irl_core.models.backbones import Backbone, resolve_backbone
from tests.support.nano import nano_llama, nano_tokenizer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Where anybody tried to connect to: nobody gets through, and libraries that pass over it are noticed too."""
    tries: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        tries.append(arguments[-1] if arguments else None)
        raise OSError("no network in this test")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tries


@pytest.fixture
def backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backbone:
    """On this disk, under the name of a repository that a hub might know."""
    nano_llama().save_pretrained(tmp_path / "backbone")
    nano_tokenizer().save_pretrained(tmp_path / "backbone")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path / "cache"))
    local = resolve_backbone(str(tmp_path / "backbone"))
    return Backbone("somebody/tiny-model", local.path, None, local.sha256)


def test_saving_an_adapter(backbone: Backbone, tmp_path: Path, asked: list[object]) -> None:
    save_adapter(new_adapter(backbone, rank=2, seed=0), tmp_path / "adapter")
    assert asked == []
    saved = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert saved["base_model_name_or_path"] == "somebody/tiny-model"


def test_saving_an_adapter_as_a_trainer_does_at_every_checkpoint(
    backbone: Backbone, tmp_path: Path, asked: list[object]
) -> None:
    new_adapter(backbone, rank=2, seed=0).save_pretrained(str(tmp_path / "checkpoint"))
    new_critic(backbone.path, rank=2, seed=0).save_pretrained(str(tmp_path / "critic"))
    assert asked == []


@pytest.mark.parametrize("form", ["log_prob", "difference"])
@pytest.mark.parametrize("rank", [2, None])
def test_saving_a_discriminator(
    backbone: Backbone, tmp_path: Path, asked: list[object], form: str, rank: int | None
) -> None:
    if form == "difference":
        model = new_critic(backbone.path, rank=rank, seed=0)
        config = DiscriminatorConfig()
    else:
        model = new_adapter(backbone, rank=2, seed=0) if rank else nano_llama()
        config = DiscriminatorConfig(reward_form="log_prob", disc_loss="relativistic")
    Discriminator(model, nano_tokenizer(), config, steps=1).save_pretrained(tmp_path / "critic", backbone="b")
    assert asked == []


def test_merging_and_exporting_a_critic(backbone: Backbone, tmp_path: Path, asked: list[object]) -> None:
    save_adapter(new_adapter(backbone, rank=2, seed=0), tmp_path / "critic")
    card = CriticCard(name="nano", backbone=str(backbone.path))
    (tmp_path / "critic" / "critic.json").write_text(card.model_dump_json())
    folder = merged_checkpoint(card, backbone, tmp_path / "critic")
    assert (folder / "tokenizer.json").exists()
    critic = load_critic(tmp_path / "critic", dtype=torch.float32)
    save_plain(critic, critic.model, tmp_path / "plain", torch.float32)
    assert (tmp_path / "plain" / "config.json").exists()
    assert asked == []
    shutil.rmtree(folder)
