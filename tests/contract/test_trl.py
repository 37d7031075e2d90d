"""The private names and dictionary keys of TRL that `irl_core.learning` leans on: each breaks here first."""

from __future__ import annotations

import inspect
import re

import pytest
import torch
from trl import GRPOTrainer
from trl.trainer import utils

from irl_core.learning.airl.grpo import PolicyTrainer
from irl_core.learning.airl.outcomes import solved
from irl_core.models.prompts import prompt_ids
from tests.support.airl import DATA, settings
from tests.support.nano import nano_llama, nano_tokenizer

ROWS = [DATA[0]] * 4 + [DATA[1]] * 4


def trainer(out, **more) -> PolicyTrainer:
    policy = nano_llama().train()
    made = PolicyTrainer(policy, solved, settings(out), DATA, processing_class=nano_tokenizer(), **more)
    made.current_gradient_accumulation_steps = 1  # the training loop sets it
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> PolicyTrainer:
    return trainer(tmp_path_factory.mktemp("trl"))


@pytest.fixture(scope="module")
def output(made) -> dict:
    return made._generate_and_score_completions(list(ROWS))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_tokenize_prompts", ["self", "prompts"]),
        ("_generate_and_score_completions", ["self", "inputs"]),
        ("_get_train_sampler", ["self", "dataset"]),
        ("_save_checkpoint", ["self", "model", "trial"]),
        ("_load_optimizer_and_scheduler", ["self", "checkpoint"]),
        ("_load_from_checkpoint", ["self", "resume_from_checkpoint", "model"]),
    ],
)
def test_the_methods_that_are_overridden_have_the_signature_we_know(name, parameters):
    assert list(inspect.signature(getattr(GRPOTrainer, name)).parameters) == parameters


def test_log_probabilities_come_first_from_a_call_by_position(made):
    ids = torch.tensor([[5, 6, 7, 8]])
    found, *_ = made._get_per_token_logps_and_entropies(made.model, ids, torch.ones_like(ids), 2, 1)
    logits = made.model(ids).logits.float().log_softmax(-1)
    expected = logits[0, 1:3].gather(1, ids[0, 2:, None])[:, 0]
    torch.testing.assert_close(found[0].detach(), expected, atol=1e-5, rtol=1e-4)


def test_the_batch_has_the_keys_we_read_and_overwrite(output):
    wanted = {"prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "advantages", "num_items_in_batch"}
    assert wanted <= set(output)
    assert output["completion_ids"].shape == output["completion_mask"].shape
    assert output["advantages"].shape == (len(ROWS),)


def test_prompts_are_padded_on_the_left_and_completions_on_the_right(output):
    assert (output["prompt_mask"].diff(dim=1) >= 0).all()
    assert (output["completion_mask"].diff(dim=1) <= 0).all()
    first = output["prompt_ids"][0][output["prompt_mask"][0].bool()].tolist()
    assert first == prompt_ids(nano_tokenizer(), ROWS[0]["prompt"])


def test_advantages_may_have_one_value_per_token(made, output):
    one = output["advantages"] + torch.arange(8.0)
    loss = made._compute_loss(made.model, {**output, "advantages": one})
    spread = one[:, None].expand(output["completion_ids"].shape).clone()
    torch.testing.assert_close(made._compute_loss(made.model, {**output, "advantages": spread}), loss)
    spread[0, 0] += 5
    assert made._compute_loss(made.model, {**output, "advantages": spread}) != loss


def test_old_log_probabilities_are_the_denominator_of_the_ratio(made, output):
    with torch.no_grad():
        ids = torch.cat([output["prompt_ids"], output["completion_ids"]], 1)
        mask = torch.cat([output["prompt_mask"], output["completion_mask"]], 1)
        own, *_ = made._get_per_token_logps_and_entropies(made.model, ids, mask, output["completion_ids"].shape[1])
    batch = {**output, "advantages": torch.ones(8)}
    same = made._compute_loss(made.model, {**batch, "old_per_token_logps": own})
    torch.testing.assert_close(same, made._compute_loss(made.model, batch))
    doubled = made._compute_loss(made.model, {**batch, "old_per_token_logps": own + torch.tensor(2.0).log()})
    torch.testing.assert_close(doubled, same / 2)


def test_a_batch_is_shuffled_and_split_with_its_token_advantages(output):
    made = {**output, "advantages": torch.arange(8.0)[:, None].expand(8, 3).clone(), "row": torch.arange(8)}
    parts = utils.split_tensor_dict(utils.shuffle_sequence_dict(made), 2)
    assert [p["advantages"].shape for p in parts] == [(4, 3), (4, 3)]
    assert all(torch.equal(p["advantages"][:, 0], p["row"].float()) for p in parts)


def test_the_copies_of_a_question_stand_next_to_each_other(made):
    order = list(made._get_train_sampler())
    assert all(len(set(order[i : i + 4])) == 1 for i in range(0, len(order), 4))


def test_the_sampler_has_a_seed_and_a_generator(made):
    sampler = GRPOTrainer._get_train_sampler(made)
    assert sampler.shuffle
    assert isinstance(sampler.generator, torch.Generator)
    assert sampler.seed == made.args.seed


def test_a_rollout_function_gets_every_copy_and_its_log_probabilities_come_back(tmp_path):
    seen = []

    def rollouts(questions, trainer):
        seen.extend(questions)
        ids = [prompt_ids(trainer.processing_class, q) for q in questions]
        return {"prompt_ids": ids, "completion_ids": [[60, 61]] * 8, "logprobs": [[-1.0, -2.0]] * 8}

    found = trainer(tmp_path, rollout_func=rollouts)
    output = GRPOTrainer._generate_and_score_completions(found, list(ROWS))
    assert seen == [row["prompt"] for row in ROWS]
    assert output["sampling_per_token_logps"].tolist() == [[-1.0, -2.0]] * 8


def test_metrics_are_lists_by_name_that_are_averaged_when_logged(made):
    made._metrics["train"]["ours"] += [1.0, 3.0]
    made.log({})
    assert made.state.log_history[-1]["ours"] == 2.0


def test_rewards_get_the_columns_of_the_data_set_and_the_answers_as_text(tmp_path):
    seen = {}

    def spy(prompts, completions, **columns):
        seen.update(columns, completions=completions)
        return [0.0] * len(completions)

    made = PolicyTrainer(nano_llama(), spy, settings(tmp_path), DATA, processing_class=nano_tokenizer())
    made._generate_and_score_completions(list(ROWS))
    assert seen["demonstration"] == [row["demonstration"] for row in ROWS]
    assert all(isinstance(text, str) for text in seen["completions"])


def test_a_checkpoint_lies_where_we_put_the_discriminator(made):
    assert made._get_output_dir(trial=None) == made.args.output_dir
    source = inspect.getsource(GRPOTrainer.__mro__[2]._save_checkpoint)
    assert re.search(r"checkpoint_folder = f\"\{PREFIX_CHECKPOINT_DIR\}-\{self\.state\.global_step\}\"", source)
