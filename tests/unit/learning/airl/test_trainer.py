"""Policy and reward learned together, at nano size."""

from __future__ import annotations

import math

import pytest
import torch
import yaml
from datasets import Dataset

from irl_core.learning.airl import trainer as trainer_module
from irl_core.learning.airl.grpo import PolicyTrainer, completions_of
from irl_core.learning.airl.outcomes import solved
from irl_core.learning.airl.rewards import HEAD_FORMS
from irl_core.learning.airl.traces import tokenize_trace
from irl_core.learning.airl.trainer import AIRLTrainer
from irl_core.models.prompts import prompt_ids
from tests.conftest import ROOT
from tests.support.airl import DATA, settings
from tests.support.nano import nano_head, nano_llama, nano_tokenizer
from tests.support.tokenizers import llama


def trainer(out, critic=None, critic_tokenizer=None, **more) -> AIRLTrainer:
    args = settings(out, **more)
    if critic is None:
        critic = nano_head() if args.reward_form in HEAD_FORMS else nano_llama(1)
    return AIRLTrainer(nano_llama(), critic, args, DATA, nano_tokenizer(), critic_tokenizer=critic_tokenizer)


def weights(model) -> list[torch.Tensor]:
    return [p.detach().clone() for p in model.parameters()]


def same(a, b) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    "more",
    [
        {"reward_form": "level", "density": "dense", "advantage": "returns", "returns_gamma": 0.9},
        {"reward_form": "difference", "disc_updates": 2},
        {"reward_form": "log_ratio", "local_weight": 1.0, "advantage": "grpo", "density": "sparse"},
        {"reward_form": "log_prob", "disc_loss": "relativistic", "supervision": "answer_relabel"},
        {"reward_form": "log_prob", "disc_loss": "relativistic", "false_equation_penalty": 5.0},
        {"reward_form": "difference", "disc_loss": "relativistic", "entropy_coef": 0.01},
    ],
    ids=lambda more: "-".join(map(str, more.values())),
)
def test_policy_and_critic_learn_together(tmp_path, more):
    made = trainer(tmp_path, **more)
    policy, critic = weights(made.model), weights(made.discriminator.model)
    made.train()
    assert not same(policy, weights(made.model))
    assert not same(critic, weights(made.discriminator.model))
    logged = made.state.log_history[0]
    assert {"disc_loss", "disc_acc_expert", "disc_acc_policy", "disc_entropy", "disc_reward_length_corr"} <= set(
        logged
    )
    assert {"disc_reward_quarter_1", "shortcut_length_auc", "rewards/solved/mean", "false_equations"} <= set(logged)


def test_without_a_step_term_the_mixed_advantage_trains_the_sparse_policy_exactly(tmp_path):
    def trained(**more):
        made = trainer(tmp_path, **more)
        made.train()
        return weights(made.model)

    sparse = trained(advantage="grpo")
    assert same(sparse, trained(advantage="mixed", step_weight=0.0))
    assert not same(sparse, trained(advantage="mixed", step_weight=0.5))


def test_a_false_equation_costs_what_the_configuration_says(tmp_path):
    made = trainer(tmp_path, false_equation_penalty=5.0, reward_form="log_prob", disc_loss="relativistic")
    made.accelerator.unwrap_model(made.model).train()
    tokenizer, question = nano_tokenizer(), DATA[0]["prompt"]
    drawn = [tokenize_trace(tokenizer, question, text) for text in ("2 + 2 = 4", "2 + 2 = 5")]
    false = made._false_equations(drawn, torch.zeros(2, max(len(trace.spans) for trace in drawn)))
    assert false.sum(1).tolist() == [0.0, 1.0]
    assert made._metrics["train"]["false_equations"] == [0.5]


@pytest.mark.parametrize("form", [{"reward_form": "level"}, {"reward_form": "log_prob", "disc_loss": "relativistic"}])
def test_rollouts_that_were_cut_off_may_be_masked_out_of_the_policys_loss(tmp_path, form):
    """TRL empties their mask; the critic still reads what was drawn, and the group's mean still counts it."""
    made = trainer(tmp_path, mask_truncated_completions=True, **form)
    made.train()
    logged = made.state.log_history[0]
    assert logged["completions/clipped_ratio"] > 0
    assert all(math.isfinite(value) for name, value in logged.items() if name.startswith(("disc_", "shortcut_")))


def test_a_masked_rollout_is_as_long_as_what_was_drawn():
    ids = torch.tensor([[5, 6, 2, 2], [5, 6, 7, 2], [2, 2, 2, 2]])
    mask = torch.tensor([[1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    output = {"completion_ids": ids, "completion_mask": mask}
    assert completions_of(output, pad=2) == [[5, 6, 2], [5, 6, 7], []]


def test_a_step_whose_rollouts_are_all_relabelled_logs_no_nan(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer_module, "solved", lambda completions, demonstration: [1.0] * len(completions))
    made = trainer(tmp_path, supervision="answer_relabel")
    made.train()
    assert all(math.isfinite(value) for value in made.state.log_history[0].values())
    assert "disc_acc_policy" not in made.state.log_history[0]


def test_the_papers_configuration_makes_the_local_pairs_that_it_promises(tmp_path):
    chosen = yaml.safe_load((ROOT / "train" / "configs" / "airl" / "qwen2.5-7b-paper.yaml").read_text())
    made = trainer(tmp_path, reward_form=chosen["reward_form"], local_weight=chosen["local_weight"])
    assert made.args.local_weight > 0
    assert made._edit_pair(0, DATA[0]) is not None


def test_the_policy_holds_still_while_the_discriminator_warms_up(tmp_path):
    made = trainer(tmp_path, disc_warmup_steps=2)
    policy, critic = weights(made.model), weights(made.discriminator.model)
    made.train()
    assert same(policy, weights(made.model))
    assert not same(critic, weights(made.discriminator.model))


def test_a_critic_that_makes_no_updates_pays_what_it_knew_at_the_start(tmp_path):
    made = trainer(tmp_path, reward_form="log_prob", disc_loss="relativistic", disc_updates=0)
    policy, critic = weights(made.model), weights(made.discriminator.model)
    made.train()
    assert not same(policy, weights(made.model))
    assert same(critic, weights(made.discriminator.model))
    assert "disc_loss" not in made.state.log_history[0]


def test_a_critic_with_another_tokenizer_pays_through_characters(tmp_path):
    tokenizer = llama()
    critic = nano_head()
    critic.resize_token_embeddings(len(tokenizer))
    made = trainer(tmp_path, critic=critic, critic_tokenizer=tokenizer)
    policy = weights(made.model)
    made.train()
    assert not same(policy, weights(made.model))


def test_the_policy_is_asked_in_training_as_it_is_asked_later(tmp_path):
    made = trainer(tmp_path)
    ids, images, fields = made._tokenize_prompts(["How many <|im_end|>?"])
    assert ids == [prompt_ids(nano_tokenizer(), "How many <|im_end|>?")]
    assert images is None
    assert fields == {}


def test_the_order_of_the_data_follows_from_seed_and_epoch_alone(tmp_path):
    sampler = trainer(tmp_path)._get_train_sampler()
    sampler.set_epoch(0)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    fresh = trainer(tmp_path)._get_train_sampler()
    fresh.set_epoch(1)
    assert list(fresh) == second != first


def test_older_rollouts_are_weighed_by_the_probability_they_were_drawn_with(tmp_path):
    def rollouts(questions, trainer):
        ids = [prompt_ids(trainer.processing_class, q) for q in questions for _ in range(1)]
        completions = [[60 + i, 61, 2] for i in range(len(ids))]
        return {"prompt_ids": ids, "completion_ids": completions, "logprobs": [[-1.0, -2.0, -3.0] for _ in ids]}

    made = PolicyTrainer(
        nano_llama(), solved, settings(tmp_path), DATA, processing_class=nano_tokenizer(), rollout_func=rollouts
    )
    output = made._generate_and_score_completions([DATA[0]] * 4 + [DATA[1]] * 4)
    assert output["old_per_token_logps"].tolist() == [[-1.0, -2.0, -3.0]] * 8


def test_an_outcome_is_the_demonstrations_answer():
    assert solved(["so\n#### 4", "#### 5", ""], ["#### 4.0"] * 3) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Dataset.from_list([{"prompt": "Q"}]), "lacks the column 'demonstration'"),
        (DATA.select([]), "the training data is empty"),
    ],
)
def test_data_that_cannot_be_learnt_from_is_refused(tmp_path, data, message):
    with pytest.raises(ValueError, match=message):
        AIRLTrainer(nano_llama(), nano_head(), settings(tmp_path), data, nano_tokenizer())


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"per_device_train_batch_size": 6, "gradient_accumulation_steps": 2, "num_generations": 8},
            "divisible|multiple",
        ),
        ({"returns_gamma": 1.5}, "a discount is from 0 to 1"),
        ({"reward_form": "log_prob"}, "use disc_loss relativistic"),
        ({"max_steps": -1}, "max_steps must be given"),
    ],
)
def test_settings_of_a_run_are_checked_with_what_to_do(tmp_path, more, message):
    with pytest.raises(ValueError, match=message):
        trainer(tmp_path, **more)
