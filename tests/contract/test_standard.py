"""The standard pair on its real backbone: its own tokens, the same model in both engines, and a slip that it finds."""

from __future__ import annotations

import pytest
import torch

from irl_core.diagnosis.suspect_step import diagnose
from irl_core.loading import load_critic, load_policy
from irl_core.models.backbones import Backbone, load_tokenizer, resolve_backbone
from irl_core.models.catalogue import QWEN_CODER
from irl_core.models.download import BackboneError
from irl_core.models.merging import load_merged
from irl_core.models.pairs import STANDARD
from irl_core.models.prompts import prompt_ids
from irl_core.policy.sampling import Sampling, TraceEnded
from irl_core.text.answers import extract_answer
from irl_core.text.traces import Trace

pytest.importorskip("openvino_genai")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

QUESTION = "Tom has 3 boxes of 15 pens and gives 4 pens away. How many pens are left?"


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    try:
        return resolve_backbone(QWEN_CODER.name)
    except BackboneError as problem:
        pytest.skip(f"the standard backbone cannot be fetched: {problem}")


def test_the_tokenizer_is_qwen2s_own(backbone: Backbone) -> None:
    tokenizer = load_tokenizer(backbone)
    assert tokenizer.tokenize("She has  48 clips.\n\n12") == "She Ġhas Ġ Ġ 4 8 Ġclips .ĊĊ 1 2".split()
    ids = tokenizer("<|im_start|>user\nHi<|im_end|>", add_special_tokens=False)["input_ids"]
    assert ids == [151644, 872, 198, 13048, 151645]


def test_the_policy_draws_from_the_merged_model_and_solves(backbone: Backbone) -> None:
    policy = load_policy("standard")
    events = list(policy.sample(QUESTION, Sampling(n=4, max_tokens=80, temperature=0.7, seed=0)))
    traces = [e.trace for e in events if isinstance(e, TraceEnded)]
    assert "41" in {extract_answer(trace.text) for trace in traces}
    prompt = prompt_ids(policy.tokenizer, QUESTION)
    with torch.inference_mode():
        model = load_merged(backbone, STANDARD.adapter)
        for trace in traces:
            logits = model(torch.tensor([[*prompt, *trace.token_ids]])).logits[0, len(prompt) - 1 : -1]
            exact = logits.log_softmax(-1).gather(1, torch.tensor(trace.token_ids)[:, None])[:, 0]
            assert (exact - torch.tensor(trace.logprobs)).abs().mean() < 0.15  # 8-bit weights


def test_the_critic_names_the_step_whose_reasoning_slips(backbone: Backbone) -> None:
    """No equation is false here: "gives away" was read as "gets"."""
    critic = load_critic("standard")
    wrong = Trace.from_text("Tom has 3 * 15 = 45 pens.\nThen he has 45 + 4 = 49 pens.\n#### 49")
    right = Trace.from_text("Tom has 3 * 15 = 45 pens.\nThen he has 45 - 4 = 41 pens.\n#### 41")
    score, better = critic.score(QUESTION, [wrong, right])
    assert better.trace_score > score.trace_score
    found = diagnose(QUESTION, wrong, critic, score=score)
    assert max(range(3), key=lambda k: found.steps[k].error_probability) == 1
