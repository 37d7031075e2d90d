"""A model with reordered linear layers computes what it computed before, as far as bfloat16 goes."""

from __future__ import annotations

import pytest
import torch

from irl_core.critic.engines.reordered_linear import ReorderedLinear, reorder_linear_layers
from irl_core.loading import load_critic
from irl_core.text.traces import Trace
from tests.support.nano import nano_llama

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available() or not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="oneDNN is missing, or does not multiply bfloat16 on this processor",
)


@needs_onednn
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [1, 7, 64])
@torch.inference_mode()
def test_a_reordered_layer_gives_the_same_product(rows: int, bias: bool):
    torch.manual_seed(0)
    linear = torch.nn.Linear(48, 80, bias=bias).bfloat16()
    states = torch.randn(1, rows, 48).bfloat16()
    found = ReorderedLinear(linear)(states)
    assert found.shape == (1, rows, 80)
    exact = torch.nn.functional.linear(states.float(), linear.weight.float(), linear.bias.float() if bias else None)
    torch.testing.assert_close(found.float(), exact, atol=0.02, rtol=0.01)


@needs_onednn
@torch.inference_mode()
def test_every_linear_layer_is_reordered_and_the_embedding_stays():
    model = nano_llama().bfloat16()
    ids = torch.arange(3, 40)[None]
    before = model(ids).logits.float()
    reorder_linear_layers(model)
    assert not any(isinstance(layer, torch.nn.Linear) for layer in model.modules())
    assert isinstance(model.lm_head, ReorderedLinear)
    assert model.get_input_embeddings().weight.dtype == torch.bfloat16
    torch.testing.assert_close(model(ids).logits.float(), before, atol=0.05, rtol=0.05)


def test_float32_is_left_alone():
    model = nano_llama()
    reorder_linear_layers(model)
    assert not any(isinstance(layer, ReorderedLinear) for layer in model.modules())


@needs_onednn
def test_a_critic_in_bfloat16_has_reordered_layers_and_scores_as_in_float32(make_critic):
    exact = make_critic(adapter=None)
    rounded = load_critic(exact.path, dtype=torch.bfloat16)
    assert isinstance(rounded.model.lm_head, ReorderedLinear)
    trace = Trace.from_text("3 * 4 = 12\n#### 12")
    found, expected = (critic.score("3 boxes of 4 pens?", [trace])[0] for critic in (rounded, exact))
    assert found.trace_score == pytest.approx(expected.trace_score, abs=0.05)
