"""The trainable reward model: what it says, how it learns, how it is kept."""

from __future__ import annotations

import json
import random
from math import isfinite
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model

from irl_core.learning.airl import discriminator as discriminator_module
from irl_core.learning.airl.comparisons import Group, edit_pair
from irl_core.learning.airl.config import DiscriminatorConfig
from irl_core.learning.airl.discriminator import Discriminator
from irl_core.learning.airl.traces import TokenizedTrace, tokenize_trace
from irl_core.learning.common.encoding import Encoded, encode
from irl_core.learning.common.lora import new_critic
from irl_core.loading import load_critic
from irl_core.text.traces import Trace
from tests.support.critics import CALIBRATION
from tests.support.nano import nano_head, nano_llama, nano_tokenizer

TOKENIZER = nano_tokenizer()
EXPERTS = ["2 + 3 = 5\n#### 5", "4 + 4 = 8\n#### 8"]
ROLLOUTS = ["9 9 9\n9", "2 + 3 = 6\n#### 6", "five"]


def row(text: str, question: str = "How many?", ended: bool = True) -> Encoded:
    return encode(TOKENIZER, question, text, ended=ended)


def trace(text: str, question: str = "How many?") -> TokenizedTrace:
    return tokenize_trace(TOKENIZER, question, text)


def discriminator(form: str = "difference", **settings) -> Discriminator:
    model = nano_head() if form in ("level", "difference") else nano_llama()
    config = DiscriminatorConfig(**{"reward_form": form, "disc_learning_rate": 3e-3, "density": "dense", **settings})
    return Discriminator(model, TOKENIZER, config, steps=100)


def groups(n: int = 2) -> list[Group]:
    made = []
    for i in range(n):
        expert, *rollouts = [trace(text, f"Question {i}") for text in (EXPERTS[i % 2], *ROLLOUTS)]
        made.append(Group(expert, rollouts, [False] * len(rollouts)))
    return made


def test_the_differences_add_up_to_the_heads_value_less_that_of_the_prompt():
    rows = [row(EXPERTS[0]), row(ROLLOUTS[2])]
    found = discriminator()
    for rewards, r in zip(found.rewards(rows), rows, strict=True):
        values = found.model(input_ids=torch.tensor([r.prompt + r.completion])).logits[0, len(r.prompt) - 1 :, 0]
        length = len(r.completion)
        torch.testing.assert_close(rewards[:length].cumsum(0), values[1:] - values[0], atol=1e-5, rtol=1e-4)
        assert not rewards[length:].any()


def test_a_log_probability_is_that_of_the_token_after_all_before_it():
    rows = [row(EXPERTS[0]), row(ROLLOUTS[2])]
    found = discriminator("log_prob", disc_loss="relativistic")
    for rewards, r in zip(found.rewards(rows), rows, strict=True):
        logits = found.model(input_ids=torch.tensor([r.prompt + r.completion])).logits[0, len(r.prompt) - 1 : -1]
        expected = logits.log_softmax(-1).gather(1, torch.tensor(r.completion)[:, None])[:, 0]
        torch.testing.assert_close(rewards[: len(r.completion)], expected, atol=1e-5, rtol=1e-4)


def test_a_reward_does_not_depend_on_what_is_scored_beside_it():
    rows = [row(t) for t in (*EXPERTS, *ROLLOUTS)]
    found = discriminator(disc_batch_size=2)
    together = found.score(rows)
    for i, r in enumerate(rows):
        alone = found.score([r])[0]
        torch.testing.assert_close(together[i, : len(alone)], alone, atol=1e-5, rtol=1e-4)


def test_a_fresh_critic_says_nothing_of_anything(tmp_path):
    nano_llama().save_pretrained(tmp_path)
    model = new_critic(tmp_path, rank=2, seed=0)
    found = Discriminator(model, TOKENIZER, DiscriminatorConfig(), steps=1)
    assert not found.score([row(EXPERTS[0])]).any()
    trainable = {name.split(".")[-3] for name, p in model.named_parameters() if p.requires_grad}
    assert trainable == {"lora_A", "lora_B", "modules_to_save"}


def test_a_log_ratio_is_zero_until_something_was_learnt():
    found = discriminator("log_ratio")
    assert not found.score([row(EXPERTS[0])]).any()
    found.update(groups())
    assert found.score([row(EXPERTS[0])]).any()


@pytest.mark.parametrize(
    ("form", "settings"),
    [
        ("level", {}),
        ("difference", {}),
        ("difference", {"density": "step"}),
        ("difference", {"disc_loss": "relativistic"}),
        ("log_ratio", {"ratio_beta": 1.0, "density": "sparse"}),
        ("log_prob", {"disc_loss": "relativistic"}),
    ],
)
def test_every_form_learns_who_wrote_what(form, settings):
    found = discriminator(form, **settings)
    seen = [found.update(groups()) for _ in range(40)]
    assert seen[-1]["disc_group_acc"] == 1.0
    assert seen[-1]["disc_loss"] < seen[0]["disc_loss"]


def test_an_update_in_parts_is_the_update_in_one():
    whole, split = discriminator(disc_batch_size=100), discriminator(disc_batch_size=1)
    seen = [d.update(groups(4)) for d in (whole, split)]
    assert seen[0] == pytest.approx(seen[1], abs=1e-5)
    torch.testing.assert_close(whole.score([row("2 + 2")]), split.score([row("2 + 2")]), atol=1e-4, rtol=1e-3)


def test_a_discriminator_that_is_too_good_stops_learning_and_goes_on_when_it_is_not():
    found = discriminator(disc_stop_accuracy=0.9)
    seen = [found.update(groups()) for _ in range(40)]
    assert seen[-1]["disc_skipped"] == 1.0
    before = [m.clone() for m in found.optimizer.masters]
    found.update(groups())
    assert all(torch.equal(a, b) for a, b in zip(before, found.optimizer.masters, strict=True))
    swapped = [Group(g.rollouts[0], [g.expert], [False]) for g in groups()]
    assert found.update(swapped)["disc_skipped"] == 0.0


def test_the_policy_is_paid_by_averaged_weights():
    newest, averaged = discriminator(disc_ema=0.0), discriminator(disc_ema=0.9)
    for d in (newest, averaged):
        for _ in range(3):
            d.update(groups())
    assert torch.equal(newest.score([row("2 + 2")]), newest.rewards([row("2 + 2")]).detach())
    assert not torch.equal(averaged.score([row("2 + 2")]), averaged.rewards([row("2 + 2")]).detach())


def test_the_average_keeps_n_of_ten_plus_n_parts_of_itself_at_update_n_but_never_more_than_disc_ema():
    found = discriminator(disc_ema=0.2)
    expected = [m.detach().clone() for m in found.optimizer.masters]
    for kept in (1 / 11, 2 / 12, 0.2):  # 3 / 13 would be more
        found.update(groups())
        expected = [kept * a + (1 - kept) * m.detach() for a, m in zip(expected, found.optimizer.masters, strict=True)]
    torch.testing.assert_close(found.average, expected)


def test_rewards_can_be_bounded():
    assert discriminator(reward_clip=0.01).score([row(EXPERTS[0])]).abs().max() == pytest.approx(0.01)


def test_a_discriminator_that_is_saved_and_loaded_goes_on_as_if_it_had_not_stopped(tmp_path):
    whole, split, resumed = (discriminator("log_ratio") for _ in range(3))
    for _ in range(4):
        whole.update(groups())
    for _ in range(2):
        split.update(groups())
    split.save_checkpoint(tmp_path / "d")
    resumed.load_checkpoint(tmp_path / "d")
    for _ in range(2):
        resumed.update(groups())
    assert torch.equal(whole.score([row("2 + 2")]), resumed.score([row("2 + 2")]))


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no discriminator was saved"):
        discriminator().load_checkpoint(tmp_path)


def test_references_are_still_known_while_the_memory_of_them_turns_over(monkeypatch):
    monkeypatch.setattr(discriminator_module, "_REMEMBERED", 3)
    made = discriminator("log_ratio", ratio_beta=1.0)
    old, fresh = [row(t) for t in ("1 + 1", "2", "3 = 3")], [row(t) for t in ("four", "5 5", "6")]
    made.update(groups())
    alone = [made.rewards([r])[0].detach() for r in (*old, *fresh)]
    made.rewards(old)
    together = made.rewards([*old, *fresh]).detach()
    for one, rewards in zip(alone, together, strict=True):
        torch.testing.assert_close(rewards[: len(one)], one, atol=1e-5, rtol=1e-4)
    assert len(made._remembered) == 3


def test_a_figure_of_a_class_without_a_trace_is_left_out_and_the_weights_stay_finite():
    for loss in ("bce", "relativistic"):
        made = discriminator(disc_loss=loss)
        figures = made.update([g._replace(solved=[True] * 3) for g in groups()])
        assert "disc_acc_policy" not in figures
        assert all(isfinite(value) for value in figures.values())
        assert all(weight.isfinite().all() for weight in made.optimizer.masters)
        half = groups()
        half[0] = half[0]._replace(solved=[True] * 3)
        alone, both = discriminator(disc_loss=loss), discriminator(disc_loss=loss, disc_batch_size=1)
        assert both.update(half)["disc_acc_policy"] == alone.update(half[1:])["disc_acc_policy"]


def saved(form: str, whole: bool, folder: Path) -> Discriminator:
    """A discriminator that has learnt something and was saved; with an adapter it started from one that says much."""
    head = form == "difference"
    backbone = folder / "backbone"
    (nano_head() if head else nano_llama()).save_pretrained(backbone)
    TOKENIZER.save_pretrained(backbone)
    model = nano_head() if head else nano_llama()
    if not whole:
        torch.manual_seed(7)
        task, skip = ("TOKEN_CLS", ["score"]) if head else ("CAUSAL_LM", None)
        lora = LoraConfig(
            r=4, target_modules="all-linear", exclude_modules=skip, task_type=task, init_lora_weights=False
        )
        model = get_peft_model(model, lora)
    config = DiscriminatorConfig(
        reward_form=form, disc_loss="relativistic", disc_learning_rate=3e-3, density="dense", ratio_beta=0.3
    )
    made = Discriminator(model, TOKENIZER, config, steps=100)
    for _ in range(3):
        made.update(groups())
    made.save_pretrained(folder / "critic", backbone=str(backbone))
    (folder / "critic" / "calibration.json").write_text(json.dumps(CALIBRATION))
    return made


@pytest.mark.parametrize("whole", [True, False], ids=["full", "adapter"])
@pytest.mark.parametrize("form", ["difference", "log_prob", "log_ratio"])
def test_the_loaded_critic_pays_every_token_what_the_discriminator_did(tmp_path, monkeypatch, form, whole):
    monkeypatch.chdir(tmp_path)
    made = saved(form, whole, Path("run"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    texts = ["2 + 3 = 5", "so 9\n#### 9"]
    critic = load_critic(tmp_path / "run" / "critic", dtype=torch.float32)
    for text, score in zip(texts, critic.score("How many?", [Trace.from_text(t) for t in texts]), strict=True):
        expected = made.score([row(text, ended=False)])[0].tolist()
        assert score.rewards == pytest.approx(expected, abs=2e-4)
    assert made.score([row(texts[0])]).abs().max() > 0.01


def test_the_weights_that_a_log_ratio_is_read_against_are_part_of_what_judges(tmp_path):
    saved("log_ratio", False, tmp_path)
    folder = tmp_path / "critic"
    card = json.loads((folder / "critic.json").read_text())
    assert (card["form"], card["number_weight"], card["word_weight"]) == ("log_ratio", 0.3, 0.3)
    whole = load_critic(folder).sha256
    (folder / "critic.json").write_text(json.dumps({**card, "reference_adapter": None}))
    assert load_critic(folder).sha256 != whole


def test_a_model_without_the_head_is_refused():
    with pytest.raises(ValueError, match="reads 'score', which LlamaForCausalLM lacks"):
        Discriminator(nano_llama(), TOKENIZER, DiscriminatorConfig(), steps=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reward_form": "log_prob"}, "use disc_loss relativistic"),
        ({"length_ratio": 0.5}, "at least 1"),
        ({"disc_updates": 0}, "says nothing until something was learnt"),
        ({"disc_ema": 1.0}, "below 1"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_with_what_to_do(settings, message):
    with pytest.raises(ValueError, match=message):
        DiscriminatorConfig(**settings).check()


def test_counterfactual_edits_alone_teach_which_step_is_right():
    made = groups(1)[0]
    pair = edit_pair(TOKENIZER, "Question 0", EXPERTS[0], random.Random(3))
    alike = Group(made.expert, [made.expert], [False], [pair])  # nothing to learn from the classes
    found = discriminator(local_weight=1.0)

    def margin() -> float:
        right, wrong = (r[pair.start :].sum().item() for r in found.score([pair.expert, pair.edited]))
        return right - wrong

    before = margin()
    for _ in range(40):
        found.update([alike])
    assert margin() > max(0.0, before) + 1.0
