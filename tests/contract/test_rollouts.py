"""Rollouts for training, on the real embedded model."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from irl_core.learning.common.encoding import Encoded, collate, completion_logprobs
from irl_core.learning.common.lora import load_adapter_weights, new_adapter
from irl_core.models.backbones import load_tokenizer, resolve_backbone
from irl_core.models.catalogue import SMOLLM2
from irl_core.models.download import BackboneError
from irl_core.models.pairs import SMALL
from irl_core.models.prompts import prompt_ids
from irl_core.models.solution_tokens import end_id

pytest.importorskip("openvino_genai")
from irl_core.learning.airl.rollouts import OpenVINORollouts

pytestmark = pytest.mark.slow

QUESTION = "Tom has 3 pens and gets 4 more. How many pens does he have?"


@pytest.fixture(scope="module")
def backbone():
    try:
        return resolve_backbone(SMOLLM2.name)
    except BackboneError as problem:
        pytest.skip(f"the embedded backbone cannot be fetched: {problem}")


@pytest.fixture(scope="module")
def trainer(backbone):
    """As much of a trainer as a rollout function may ask for."""
    model = new_adapter(backbone, rank=16, seed=0, float32=True)
    load_adapter_weights(model, SMALL.adapter)
    return SimpleNamespace(
        model=model,
        args=SimpleNamespace(temperature=1.0, top_p=1.0, max_completion_length=60),
        state=SimpleNamespace(global_step=0),
        accelerator=SimpleNamespace(unwrap_model=lambda model: model),
        processing_class=load_tokenizer(backbone),
        num_generations=4,
        num_generations_eval=4,
    )


def test_rollouts_come_from_the_adapted_weights_with_their_probabilities_and_are_renewed(backbone, trainer):
    rollouts = OpenVINORollouts(backbone, refresh_every=2)
    output = rollouts([QUESTION] * 4, trainer)
    tokenizer = trainer.processing_class
    assert output["prompt_ids"] == [prompt_ids(tokenizer, QUESTION)] * 4
    ended = [ids[-1] == end_id(tokenizer) for ids in output["completion_ids"]]
    assert any(ended)
    assert [len(ids) for ids in output["completion_ids"]] == [len(lp) for lp in output["logprobs"]]
    rows = [Encoded(p, c) for p, c in zip(output["prompt_ids"], output["completion_ids"], strict=True)]
    with torch.no_grad():
        own = completion_logprobs(trainer.model, *collate(rows, 0))
    drawn = torch.tensor([lp for row in output["logprobs"] for lp in row])
    assert (own - drawn).abs().mean() < 0.1  # bfloat16 here, 8 bits there

    assert rollouts([QUESTION] * 4, trainer) == output  # the same step, the same rollouts
    with torch.no_grad():
        for name, weight in trainer.model.named_parameters():
            if "lora_B" in name:
                weight.mul_(0.0)
    trainer.state.global_step = 1
    stale = rollouts._policy
    rollouts([QUESTION] * 4, trainer)
    assert rollouts._policy is stale
    trainer.state.global_step = 2
    plain = rollouts([QUESTION] * 4, trainer)
    assert rollouts._policy is not stale
    rows = [Encoded(p, c) for p, c in zip(plain["prompt_ids"], plain["completion_ids"], strict=True)]
    with torch.no_grad():
        own = completion_logprobs(trainer.model, *collate(rows, 0))
    drawn = torch.tensor([lp for row in plain["logprobs"] for lp in row])
    assert (own - drawn).abs().mean() < 0.1


def test_a_sampling_whose_probabilities_would_be_others_is_refused(backbone, trainer, monkeypatch):
    monkeypatch.setattr(trainer.args, "temperature", 0.7)
    with pytest.raises(ValueError, match="need temperature 1 and top_p 1"):
        OpenVINORollouts(backbone)([QUESTION] * 4, trainer)
    with pytest.raises(ValueError, match="at least 1"):
        OpenVINORollouts(backbone, refresh_every=0)
