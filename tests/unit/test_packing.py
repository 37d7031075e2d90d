"""A packed model says what it said before, as far as bfloat16 goes."""

from __future__ import annotations

import pytest
import torch

from irl_core.critic import load_critic
from irl_core.packing import PackedLinear, pack
from irl_core.traces import trace_from_text
from tests.nano import nano_llama

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")


@needs_onednn
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [1, 7, 64])
@torch.inference_mode()
def test_a_packed_layer_gives_the_same_product(rows: int, bias: bool):
    torch.manual_seed(0)
    linear = torch.nn.Linear(48, 80, bias=bias).bfloat16()
    states = torch.randn(1, rows, 48).bfloat16()
    found = PackedLinear(linear)(states)
    assert found.shape == (1, rows, 80)
    exact = torch.nn.functional.linear(states.float(), linear.weight.float(), linear.bias.float() if bias else None)
    torch.testing.assert_close(found.float(), exact, atol=0.02, rtol=0.01)


@needs_onednn
@torch.inference_mode()
def test_every_linear_layer_is_packed_and_the_embedding_stays():
    model = nano_llama().bfloat16()
    ids = torch.arange(3, 40)[None]
    before = model(ids).logits.float()
    pack(model)
    assert not any(isinstance(layer, torch.nn.Linear) for layer in model.modules())
    assert isinstance(model.lm_head, PackedLinear)
    assert model.get_input_embeddings().weight.dtype == torch.bfloat16
    torch.testing.assert_close(model(ids).logits.float(), before, atol=0.05, rtol=0.05)


def test_float32_is_left_alone():
    model = nano_llama()
    pack(model)
    assert not any(isinstance(layer, PackedLinear) for layer in model.modules())


@needs_onednn
def test_a_critic_in_bfloat16_is_packed_and_scores_as_in_float32(make_critic):
    exact = make_critic(adapter=None)
    rounded = load_critic(exact.path, dtype=torch.bfloat16)
    assert isinstance(rounded.model.lm_head, PackedLinear)
    trace = trace_from_text("3 * 4 = 12\n#### 12")
    found, expected = (critic.score("3 boxes of 4 pens?", [trace])[0] for critic in (rounded, exact))
    assert found.trace_score == pytest.approx(expected.trace_score, abs=0.05)
