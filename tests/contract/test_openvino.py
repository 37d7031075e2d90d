"""What we rely on in OpenVINO GenAI and in the packaged weights, on the real embedded model."""

from __future__ import annotations

import copy
import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from peft import LoraConfig, get_peft_model
from transformers import PreTrainedModel

from irl_core.loading import load_policy
from irl_core.models.backbones import Backbone, load_causal_lm, load_tokenizer, resolve_backbone
from irl_core.models.catalogue import SMOLLM2
from irl_core.models.download import BackboneError
from irl_core.models.gguf import Packing
from irl_core.models.merging import load_merged
from irl_core.models.openvino_graphs import packed_graph
from irl_core.models.prompts import prompt_ids
from irl_core.models.solution_tokens import encode_solution, end_id
from irl_core.policy.sampling import Sampling, TraceEnded, TraceGrew

pytest.importorskip("openvino_genai")
import openvino
from openvino_genai.py_openvino_genai import GenerationStatus

from irl_core.policy.openvino import _PRIMER, OpenVINOPolicy, _Sequence

pytestmark = pytest.mark.slow

QUESTIONS = [
    "Natalia sold clips to 48 of her friends, and then she sold half as many. How many did she sell?",
    "Tom has 3 boxes of 5 pens and gives 4 away. How many pens are left?",
]
TOKENS = 24


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    try:
        return resolve_backbone(SMOLLM2.name)
    except BackboneError as problem:
        pytest.skip(f"the embedded backbone cannot be fetched: {problem}")


@pytest.fixture(scope="module")
def adapter(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter")
    with torch.random.fork_rng():  # PEFT draws its first weights from the global generator
        torch.manual_seed(0)
        config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear")
        model = get_peft_model(load_causal_lm(backbone), config)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(std=0.02)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def merged(backbone: Backbone, adapter: Path) -> PreTrainedModel:
    return load_merged(backbone, adapter)


@pytest.fixture(scope="module")
def faithful(backbone: Backbone, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenVINOPolicy:
    with pytest.MonkeyPatch.context() as patch:  # the backbone is resolved; only the merged file goes elsewhere
        patch.setenv("ERRATA_CACHE", str(tmp_path_factory.mktemp("cache")))
        return OpenVINOPolicy("random adapter", backbone, adapter, packing="F16")


@pytest.fixture(scope="module")
def default(backbone: Backbone, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenVINOPolicy:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ERRATA_CACHE", str(tmp_path_factory.mktemp("cache")))
        return OpenVINOPolicy("random adapter", backbone, adapter)


@pytest.fixture(scope="module")
def shipped(backbone: Backbone) -> OpenVINOPolicy:
    policy = load_policy("small")
    assert isinstance(policy, OpenVINOPolicy)
    return policy


def traces_of(policy: OpenVINOPolicy, question: str, n: int, **options: object) -> list:
    events = policy.sample(
        question, Sampling(n=n, **{"max_tokens": TOKENS, "temperature": 1.0, "top_p": 1.0, **options})
    )
    return [e.trace for e in sorted((e for e in events if isinstance(e, TraceEnded)), key=lambda e: e.index)]


def logprobs_of(model: PreTrainedModel, prompt: list[int], ids: tuple[int, ...]) -> torch.Tensor:
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *ids]])).logits[0, len(prompt) - 1 : -1]
    return logits.log_softmax(-1).gather(1, torch.tensor(ids)[:, None])[:, 0]


def test_the_tokenizer_is_smollm2s_own(backbone: Backbone) -> None:
    tokenizer = load_tokenizer(backbone)
    assert tokenizer.tokenize("She has  48 clips\n\n12") == "She Ġhas ĠĠ 4 8 Ġclips ĊĊ 1 2".split()
    text = " 5 * 3 = 15.\n\n#### 1,500\té🙂 日本"
    ids, offsets = encode_solution(tokenizer, text)
    assert tokenizer.decode(ids) == text
    assert "".join(text[a:b] for a, b in offsets) == text
    assert tokenizer("x")["input_ids"] == tokenizer("x", add_special_tokens=False)["input_ids"], "no token is added"
    prompt = prompt_ids(tokenizer, QUESTIONS[0])
    assert tokenizer.convert_ids_to_tokens(prompt)[:3] == ["<|im_start|>", "user", "Ċ"]
    assert tokenizer.decode(prompt).endswith("<|im_end|>\n<|im_start|>assistant\n")


def test_a_merged_adapter_in_f16_writes_greedily_what_transformers_finds_most_probable(
    faithful: OpenVINOPolicy, merged: PreTrainedModel
) -> None:
    for question in QUESTIONS:
        prompt = prompt_ids(faithful.tokenizer, question)
        (trace,) = traces_of(faithful, question, 1, temperature=0.0)
        with torch.no_grad():
            logits = merged(torch.tensor([[*prompt, *trace.token_ids]])).logits[0, len(prompt) - 1 : -1]
        short_of_best = logits.amax(-1) - logits.gather(1, torch.tensor(trace.token_ids)[:, None])[:, 0]
        # A tie within the rounding of 16-bit weights may fall either way.
        assert short_of_best.max() < 0.05
        assert (short_of_best == 0).float().mean() > 0.9


@pytest.mark.parametrize("packing", ["F16", "Q8_0"])
def test_the_graph_that_is_kept_calls_four_products_a_layer_and_the_head(
    backbone: Backbone, adapter: Path, packing: Packing
) -> None:
    """Queries, keys and values as one; gate and up as one. One more turns the rotary angles."""
    graph = openvino.Core().read_model(packed_graph(backbone, adapter, packing) / "openvino_model.xml")
    layers = load_causal_lm(backbone).config.num_hidden_layers
    assert sum(node.get_type_name() == "MatMul" for node in graph.get_ordered_ops()) == 4 * layers + 2


@pytest.mark.parametrize(("kind", "tolerance"), [("faithful", 0.02), ("default", 0.15)])
def test_log_probabilities_are_those_of_the_whole_model_at_temperature_one(
    kind: str, tolerance: float, merged: PreTrainedModel, request: pytest.FixtureRequest
) -> None:
    policy: OpenVINOPolicy = request.getfixturevalue(kind)
    prompt = prompt_ids(policy.tokenizer, QUESTIONS[0])
    for trace in traces_of(policy, QUESTIONS[0], 2, temperature=0.5, top_p=0.9):
        difference = (torch.tensor(trace.logprobs) - logprobs_of(merged, prompt, trace.token_ids)).abs()
        assert difference.mean() < tolerance


def test_in_f16_log_probabilities_are_those_of_the_rounded_weights_within_a_thousandth(
    faithful: OpenVINOPolicy, merged: PreTrainedModel
) -> None:
    rounded = copy.deepcopy(merged).half().float()
    prompt = prompt_ids(faithful.tokenizer, QUESTIONS[0])
    for trace in traces_of(faithful, QUESTIONS[0], 2, temperature=0.7):
        difference = (torch.tensor(trace.logprobs) - logprobs_of(rounded, prompt, trace.token_ids)).abs()
        assert difference.max() < 1e-3


@pytest.mark.parametrize("kind", ["faithful", "default"])
def test_drawn_tokens_follow_the_models_distribution(
    kind: str, merged: PreTrainedModel, request: pytest.FixtureRequest
) -> None:
    """Chi-square of the first token against the exact probabilities; the rare tokens are one class."""
    policy: OpenVINOPolicy = request.getfixturevalue(kind)
    prompt = prompt_ids(policy.tokenizer, QUESTIONS[0])
    with torch.no_grad():
        expected = merged(torch.tensor([prompt])).logits[0, -1].softmax(-1).numpy()
    draws = 1000
    counts = np.zeros_like(expected)
    for trace in traces_of(policy, QUESTIONS[0], draws, max_tokens=1, seed=4):
        counts[[*trace.token_ids, end_id(policy.tokenizer)][0]] += 1  # no token: the end was drawn
    common = expected * draws >= 5
    seen = np.append(counts[common], counts[~common].sum())
    wanted = np.append(expected[common], expected[~common].sum()) * draws
    assert scipy.stats.chisquare(seen, wanted).pvalue > 0.001


def test_the_same_seed_draws_the_same_traces_and_another_seed_others(default: OpenVINOPolicy) -> None:
    first = traces_of(default, QUESTIONS[0], 4, seed=1)
    assert [t.text for t in first] == [t.text for t in traces_of(default, QUESTIONS[0], 4, seed=1)]
    assert [t.text for t in first] != [t.text for t in traces_of(default, QUESTIONS[0], 4, seed=2)]
    assert len({t.text for t in first}) == 4


def long_question(policy: OpenVINOPolicy, tokens: int) -> str:
    """One that no other test asks, so that nothing of its prompt is in the prefix cache, with that many tokens."""
    story = "".join(f"On day {day} of {tokens} Tom buys {day} pens. " for day in range(tokens))
    ids = policy.tokenizer(story)["input_ids"][:tokens]
    return policy.tokenizer.decode(ids) + " How many pens does he have?"


@pytest.mark.parametrize("tokens", [700, 1100])
def test_a_prompt_that_takes_several_steps_is_drawn_from_alike_cold_warm_and_beside_others(
    shipped: OpenVINOPolicy, tokens: int
) -> None:
    question, how = long_question(shipped, tokens), {"seed": 5, "max_tokens": 16}
    cold, warm = ([t.text for t in traces_of(shipped, question, 3, **how)] for _ in range(2))
    assert cold == warm
    sampling = Sampling(n=3, temperature=1.0, top_p=1.0, **how)
    drawn = list(shipped.sample_many([question, *QUESTIONS], sampling))
    assert [e.trace.text for q, e in sorted(drawn, key=lambda pair: pair[1].index) if q == 0] == cold


def test_a_questions_traces_begin_when_its_prompt_has_been_computed(
    shipped: OpenVINOPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two prompts of 600 tokens take three steps of 512."""
    begin, primers, states = OpenVINOPolicy._begin, {}, []

    def recorded(self: OpenVINOPolicy, sequence: _Sequence, live: list[_Sequence], sampling: Sampling) -> None:
        if sequence.index == _PRIMER:
            primers[sequence.request] = sequence
        else:
            states.append(primers[sequence.request].handle.get_status())
        begin(self, sequence, live, sampling)

    monkeypatch.setattr(OpenVINOPolicy, "_begin", recorded)
    questions = [long_question(shipped, tokens) for tokens in (600, 601)]
    assert len(list(shipped.sample_many(questions, Sampling(n=2, max_tokens=2)))) == 4
    assert states == [GenerationStatus.FINISHED] * 4


def test_in_f16_a_trace_does_not_depend_on_how_many_are_drawn_beside_it(faithful: OpenVINOPolicy) -> None:
    """With 8-bit activations the batch's size shows in the rounding, so that only the same run repeats exactly."""
    few, many = (traces_of(faithful, QUESTIONS[1], n, seed=1) for n in (2, 5))
    assert [t.text for t in few] == [t.text for t in many[:2]]


def test_all_traces_grow_side_by_side(default: OpenVINOPolicy) -> None:
    events = list(default.sample(QUESTIONS[0], Sampling(n=4, max_tokens=TOKENS, temperature=1.0, seed=3)))
    halfway = events[: len(events) // 2]
    assert {e.index for e in halfway if isinstance(e, TraceGrew)} == {0, 1, 2, 3}
    assert sorted(e.index for e in events if isinstance(e, TraceEnded)) == [0, 1, 2, 3]


def test_a_stop_request_keeps_what_is_there_and_leaves_the_engine_free(default: OpenVINOPolicy) -> None:
    stop = threading.Event()
    traces = []
    for event in default.sample(QUESTIONS[1], Sampling(n=3, max_tokens=400, temperature=1.0), stop):
        if isinstance(event, TraceEnded):
            traces.append(event.trace)
        elif len(event.text) > 10:
            stop.set()
    assert len(traces) == 3
    assert any(t.stopped == "cancelled" and t.text for t in traces)
    assert len(traces_of(default, QUESTIONS[0], 1)) == 1


def test_a_consumer_that_walks_away_leaves_the_engine_free(default: OpenVINOPolicy) -> None:
    events = default.sample(QUESTIONS[1], Sampling(n=3, max_tokens=400))
    assert len(list(islice(events, 5))) == 5
    events.close()
    assert len(traces_of(default, QUESTIONS[0], 1)) == 1


def test_many_questions_in_flight_give_each_its_own_traces(default: OpenVINOPolicy) -> None:
    how = Sampling(n=2, temperature=0.0, max_tokens=TOKENS)
    drawn = {(q, e.index): e.trace.text for q, e in default.sample_many(QUESTIONS, how)}
    assert sorted(drawn) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for q, question in enumerate(QUESTIONS):
        (alone,) = traces_of(default, question, 1, temperature=0.0)
        assert drawn[q, 0][:20] == alone.text[:20]


def test_questions_end_in_order_however_many_there_are(default: OpenVINOPolicy) -> None:
    """Whoever writes questions down as they end keeps few in memory, and loses few when stopped."""
    questions = [f"Tom has {k} pens and buys {k} more. How many has he?" for k in range(2, 202)]
    ended = [request for request, _ in default.sample_many(questions, Sampling(8, 1.0, 1.0, 0, 3))]
    assert len(ended) == 8 * len(questions)
    whole = [max(i for i, r in enumerate(ended) if r == request) for request in range(len(questions))]
    in_flight = 64
    assert all(last < 8 * (request + 1) + in_flight for request, last in enumerate(whole))
