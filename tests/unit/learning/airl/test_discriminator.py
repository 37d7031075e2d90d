"""The trainable reward model: what it says, how it learns, how it is kept."""

from __future__ import annotations

import json
import random

import pytest
import torch

from irl_core.learning.airl.comparisons import Group, compare, edit_pair, judge, parts, steps_of
from irl_core.learning.airl.config import DiscriminatorConfig
from irl_core.learning.airl.discriminator import Discriminator
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


def discriminator(form: str = "difference", **settings) -> Discriminator:
    model = nano_head() if form in ("level", "difference") else nano_llama()
    config = DiscriminatorConfig(**{"reward_form": form, "disc_learning_rate": 3e-3, "density": "dense", **settings})
    return Discriminator(model, TOKENIZER, config, steps=100)


def groups(n: int = 2) -> list[Group]:
    made = []
    for i in range(n):
        expert, rollouts = row(EXPERTS[i % 2], f"Question {i}"), [row(t, f"Question {i}") for t in ROLLOUTS]
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
    assert [len(p) for p in parts(groups(4), 8)] == [2, 2]


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


@pytest.mark.parametrize("form", ["difference", "log_prob"])
def test_a_saved_critic_is_one_that_the_app_can_load(tmp_path, form):
    found = discriminator(form, disc_loss="relativistic")
    found.update(groups())
    found.save_pretrained(tmp_path / "critic", backbone="embedded")
    (tmp_path / "critic" / "calibration.json").write_text(json.dumps(CALIBRATION))
    text = "2 + 3 = 5"
    score = load_critic(tmp_path / "critic", dtype=torch.float32).score("How many?", [Trace.from_text(text)])[0]
    expected = found.score([row(text, ended=False)])[0].tolist()
    assert score.rewards == pytest.approx(expected, abs=1e-4)


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


def test_a_cut_trace_and_an_ended_one_are_judged_alike():
    rows = [row("abc"), row("abc", ended=False)]
    hidden = judge(rows, TOKENIZER, DiscriminatorConfig(density="sparse"), "cpu")
    assert hidden.mask.tolist() == [[True, True, True, False]] * 2
    assert hidden.positions.tolist() == [[False, False, True, False]] * 2
    shown = judge(rows, TOKENIZER, DiscriminatorConfig(density="sparse", score_end=True), "cpu")
    assert shown.mask.sum(1).tolist() == [4, 3]


def test_the_end_token_belongs_to_the_last_step():
    assert steps_of(TOKENIZER, row("a\nbc").completion) == [0, 0, 1, 1, 1]


def test_solved_rollouts_join_the_experts_and_lengths_are_matched():
    made = groups(1)[0]._replace(solved=[False, True, False])
    everything = compare([made], DiscriminatorConfig())
    assert everything.expert == [True, False, True, False]
    lengths = [len(made.expert.completion), *(len(r.completion) for r in made.rollouts)]
    assert lengths == [17, 8, 17, 5]
    near = compare([made], DiscriminatorConfig(length_ratio=2.5))
    assert [len(r.completion) for r in near.rows] == [17, 8, 17]


def test_an_edit_differs_from_the_expert_first_where_it_says_and_ends_with_the_edited_step():
    solution = "She has 2 + 3 = 5 pens.\nThen 5 * 2 = 10.\n#### 10"
    found = [edit_pair(TOKENIZER, "Q", solution, random.Random(seed)) for seed in range(20)]
    assert len([pair for pair in found if pair]) > 10
    for pair in filter(None, found):
        a, b = pair.expert.completion, pair.edited.completion
        assert a[: pair.start] == b[: pair.start]
        assert a[pair.start] != b[pair.start]
        text = TOKENIZER.decode(a)
        assert text in ("She has 2 + 3 = 5 pens.", "She has 2 + 3 = 5 pens.\nThen 5 * 2 = 10.")
    assert edit_pair(TOKENIZER, "Q", "No sum here.\n#### 1", random.Random(0)) is None


def test_counterfactual_edits_alone_teach_which_step_is_right():
    made = groups(1)[0]
    pair = edit_pair(TOKENIZER, "Question 0", EXPERTS[0], random.Random(3))
    same = Group(made.expert, [made.expert], [False], [pair])  # nothing to learn from the classes
    found = discriminator(local_weight=1.0)

    def margin() -> float:
        right, wrong = (r[pair.start :].sum().item() for r in found.score([pair.expert, pair.edited]))
        return right - wrong

    before = margin()
    for _ in range(40):
        found.update([same])
    assert margin() > max(0.0, before) + 1.0
