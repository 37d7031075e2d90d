"""Critics of no size, for whatever scores: fixtures that a conftest names."""

from __future__ import annotations

import json

import pytest
import torch
from peft import LoraConfig, get_peft_model

from irl_core.critic.card import CriticCard
from irl_core.diagnosis.features import FEATURES
from irl_core.loading import load_critic
from tests.support.nano import nano_llama, nano_tokenizer

CALIBRATION = {
    "features": FEATURES,
    "weights": [0.0] * len(FEATURES),
    "intercept": 0.0,
    "threshold": 0.5,
    "unsure_above": 0.4,
    "heat_scale": 1.0,
    "source": "nothing",
    "n_traces": 0,
    "supervision": "none",
}


@pytest.fixture(scope="session")
def backbone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backbone")
    nano_llama().save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_critic(backbone, tmp_path_factory):
    def make(**card):
        folder = tmp_path_factory.mktemp("critic")
        card = CriticCard(name="nano", backbone=str(backbone), **card)
        (folder / "critic.json").write_text(card.model_dump_json())
        (folder / "calibration.json").write_text(json.dumps(CALIBRATION))
        if card.adapter is not None and card.form != "head":
            torch.manual_seed(1)
            model = get_peft_model(nano_llama(), LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
            model.save_pretrained(folder)
        return load_critic(folder, dtype=torch.float32)

    return make
