"""Exported critics are plain checkpoints that say what the critic says."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification, AutoTokenizer

from irl_core.critic.card import CriticCard
from irl_core.export.distilled_head import LinearHead, TokenStates, agreement, fit_head, token_states
from irl_core.learning.common.lora import new_critic
from irl_core.loading import load_critic
from irl_core.models.prompts import prompt_ids
from irl_core.text.traces import Trace
from tests.support.nano import nano_llama, nano_tokenizer
from train.export import main

QUESTION, SOLUTION = "Tom has 3 boxes of 4 pens. How many pens?", "3 * 4 = 12 pens\n#### 12"


@pytest.fixture
def backbone(tmp_path):
    folder = tmp_path / "backbone"
    nano_llama().save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)
    return folder


def saved_critic(folder, backbone, model, **card):
    model.save_pretrained(folder)
    (folder / "critic.json").write_text(CriticCard(name="nano", backbone=str(backbone), **card).model_dump_json())
    return folder


@pytest.fixture
def log_prob_critic(tmp_path, backbone):
    torch.manual_seed(1)
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    return saved_critic(tmp_path / "critic", backbone, get_peft_model(nano_llama(), lora))


@pytest.fixture
def head_critic(tmp_path, backbone):
    model = new_critic(backbone, rank=4, seed=0)
    for name, parameter in model.named_parameters():
        if "lora" in name or "score" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    return saved_critic(tmp_path / "critic", backbone, model, form="head")


def export(critic, out, capsys, *more):
    main(["--critic", str(critic), "--out", str(out), "--demonstrations", "", "--n", "12", *more])
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def plain_ids(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = prompt_ids(tokenizer, QUESTION)
    return prompt, prompt + tokenizer(SOLUTION, add_special_tokens=False)["input_ids"]


@torch.no_grad()
def test_a_critic_with_a_head_becomes_a_plain_classifier_with_the_same_values(head_critic, tmp_path, capsys):
    figures = export(head_critic, tmp_path / "out", capsys)
    folder = tmp_path / "out" / "token-classification"
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"] == ["LlamaForTokenClassification"]
    assert config["problem_type"] == "regression"
    assert config["classifier_dropout"] == 0.0
    model = AutoModelForTokenClassification.from_pretrained(folder)
    assert model.config.num_labels == 1
    prompt, ids = plain_ids(folder)
    values = model(torch.tensor([ids])).logits[0, :, 0]
    score = load_critic(head_critic, dtype=torch.float32).score(QUESTION, [Trace.from_text(SOLUTION)])
    found = values[len(prompt) :] - values[len(prompt) - 1]
    assert found.tolist() == pytest.approx(score[0].values, abs=1e-4)
    assert np.ptp(score[0].values) > 0.1
    assert figures["token_classification"]["largest_difference"] < 1e-4
    assert not (tmp_path / "out" / "causal").exists()


@torch.no_grad()
def test_a_critic_of_log_probabilities_becomes_a_plain_language_model_with_the_same_ones(
    log_prob_critic, tmp_path, capsys
):
    export(log_prob_critic, tmp_path / "out", capsys)
    folder = tmp_path / "out" / "causal"
    model = AutoModelForCausalLM.from_pretrained(folder)
    prompt, ids = plain_ids(folder)
    logprobs = torch.log_softmax(model(torch.tensor([ids])).logits[0, :-1], -1)
    own = logprobs.gather(1, torch.tensor(ids[1:])[:, None])[len(prompt) - 1 :, 0]
    critic = load_critic(log_prob_critic, dtype=torch.float32)
    ((_, found),) = critic.statistics([(QUESTION, Trace.from_text(SOLUTION))])
    assert own.tolist() == pytest.approx(found.logprobs.tolist(), abs=1e-4)
    assert json.loads((folder / "config.json").read_text())["architectures"] == ["LlamaForCausalLM"]
    again = load_critic(folder, dtype=torch.float32)
    scores = [c.score(QUESTION, [Trace.from_text(SOLUTION)])[0].rewards for c in (critic, again)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4), "what was exported is a critic again"


@torch.no_grad()
def test_the_distilled_classifier_says_what_the_ridge_regression_says_and_its_card_how_well(
    log_prob_critic, tmp_path, capsys
):
    figures = export(log_prob_critic, tmp_path / "out", capsys)["distilled"]
    folder = tmp_path / "out" / "token-classification"
    model = AutoModelForTokenClassification.from_pretrained(folder)
    critic = load_critic(log_prob_critic, dtype=torch.float32)
    (read,) = token_states(critic, QUESTION, [SOLUTION])
    by_hand = read.hidden @ model.score.weight[0].numpy() + model.score.bias.item()
    prompt, ids = plain_ids(folder)
    assert model(torch.tensor([ids])).logits[0, len(prompt) :, 0].tolist() == pytest.approx(by_hand.tolist(), abs=1e-4)
    card = (folder / "README.md").read_text()
    assert f"Pearson correlation of token rewards {figures['token_correlation']:.3f}" in card
    assert card.startswith("---\nlicense: apache-2.0\n")
    assert 0 < figures["token_correlation"] <= 1


def states(hidden, rewards):
    hidden, rewards = np.array(hidden, dtype=float), np.array(rewards, dtype=float)
    return TokenStates(hidden, rewards, np.ones(len(rewards)), np.ones(len(rewards), dtype=bool))


def test_a_linear_reward_is_found_again():
    hidden = np.random.default_rng(0).normal(size=(400, 3))
    head = fit_head([states(hidden, hidden @ [1.0, -2.0, 0.5] + 0.3)])
    assert head.weight == pytest.approx([1.0, -2.0, 0.5], abs=0.02)
    assert head.bias == pytest.approx(0.3, abs=0.02)


def test_agreement_is_that_of_rewards_and_of_the_preference_within_a_pair():
    head = LinearHead(np.array([2.0]), 1.0, 1.0)
    pairs = [
        (states([[1], [2]], [1, 2]), states([[0], [1]], [0, 1])),
        (states([[0], [0]], [5, 5]), states([[1], [1]], [0, 0])),
    ]
    found = agreement(head, pairs[:1])
    assert found["token_correlation"] == pytest.approx(1.0)
    assert (found["n_tokens"], found["n_pairs"]) == (4, 1)
    both = agreement(head, pairs)
    assert (both["right_preferred_by_head"], both["right_preferred_by_critic"]) == (0.5, 1.0)


def test_pushing_without_a_token_is_refused_before_any_work(log_prob_critic, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "nobody"))
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(SystemExit):
        export(log_prob_critic, tmp_path / "out", capsys, "--push", "me/critic")
    assert "set HF_TOKEN" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_hub_that_cannot_be_reached_is_named_and_the_files_are_kept(head_critic, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_made_up")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SystemExit):
        export(head_critic, tmp_path / "out", capsys, "--push", "me/critic")
    assert "is written, but the hub did not take it as me/critic" in capsys.readouterr().err
    assert (tmp_path / "out" / "token-classification" / "model.safetensors").exists()
