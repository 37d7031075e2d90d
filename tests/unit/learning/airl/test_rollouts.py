"""Rollouts of a merged copy are the trained model's own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from irl_core.learning.airl.rollouts import MergedRollouts
from irl_core.learning.common.encoding import Encoded, collate, completion_logprobs
from irl_core.learning.common.lora import new_adapter
from irl_core.models.backbones import resolve_backbone
from irl_core.models.solution_tokens import end_id
from tests.support.nano import nano_tokenizer

QUESTIONS = ["Tom has 3 pens and gets 4 more. How many?"] * 4 + ["And 2?"] * 4


@pytest.fixture
def trainer(backbone):
    """As much of a trainer as a rollout function may ask for; its adapter does something."""
    model = new_adapter(resolve_backbone(str(backbone)), rank=4, seed=0, float32=True)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.3)
    return SimpleNamespace(
        model=model,
        args=SimpleNamespace(temperature=1.0, top_p=1.0, max_completion_length=150, generation_batch_size=8),
        state=SimpleNamespace(global_step=0),
        accelerator=SimpleNamespace(unwrap_model=lambda model: model, device=torch.device("cpu")),
        processing_class=nano_tokenizer(),
        num_generations=4,
        num_generations_eval=4,
    )


def test_rollouts_come_from_the_adapted_weights_with_their_probabilities_and_are_renewed(backbone, trainer):
    rollouts = MergedRollouts(resolve_backbone(str(backbone)), refresh_every=2)
    output = rollouts(QUESTIONS, trainer)
    assert any(ids[-1] == end_id(trainer.processing_class) for ids in output["completion_ids"])
    assert_drawn_by(trainer.model, output)
    assert rollouts(QUESTIONS, trainer) == output, "the same step, the same rollouts"
    with torch.no_grad():
        for name, weight in trainer.model.named_parameters():
            if "lora_B" in name:
                weight.mul_(-1)
    trainer.state.global_step = 2
    renewed = rollouts(QUESTIONS, trainer)
    assert renewed["completion_ids"] != output["completion_ids"]
    assert_drawn_by(trainer.model, renewed)


def assert_drawn_by(model, output):
    rows = [Encoded(p, c) for p, c in zip(output["prompt_ids"], output["completion_ids"], strict=True)]
    with torch.no_grad():
        own = completion_logprobs(model, *collate(rows, 0))
    drawn = torch.tensor([logprob for row in output["logprobs"] for logprob in row])
    assert (own - drawn).abs().mean() < 0.1, "the dtype may be bfloat16"
