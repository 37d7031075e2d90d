"""What we rely on in OpenVINO's paged attention: the critic reads with it what PyTorch reads in float32."""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model

from irl_core.critic.model import Critic
from irl_core.critic.names import locate_critic
from irl_core.critic.prefix_reader import Work
from irl_core.critic.weights import CriticError, adapter_folder
from irl_core.loading import load_critic
from irl_core.models.backbones import load_config
from irl_core.models.download import BackboneError
from irl_core.models.openvino_graphs import GRAPH, packed_graph
from irl_core.models.pairs import SMALL, STANDARD
from irl_core.policy.names import locate_policy
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace
from tests.support.nano import nano_llama

pytest.importorskip("openvino_genai")
import openvino

from irl_core.critic.engines.openvino import OpenVINOKVCache, OpenVINOModel, can_use_openvino

pytestmark = pytest.mark.slow

QUESTION = "Tom has 3 boxes of 5 pens and gives 4 away. How many pens are left?"
SOLUTION = (
    "\n".join(f"In week {i} he has {i} * 7 = {7 * i} pens and gives {i} away." for i in range(1, 9)) + "\n#### 49"
)
CLOSE, ONE_TOKEN = 0.05, 0.5  # nats: the mean over tokens and any of them


@pytest.fixture(scope="module")
def openvino_critic() -> Critic:
    try:
        critic = load_critic(SMALL.name)
    except BackboneError as problem:
        pytest.skip(f"the embedded backbone cannot be fetched: {problem}")
    assert isinstance(critic.model, OpenVINOModel), "OpenVINO does not read the critic any more; the log says why"
    return critic


@pytest.fixture(scope="module")
def exact() -> Critic:
    return load_critic(SMALL.name, dtype=torch.float32)


def differences(scores: list[TraceScore], exact: list[TraceScore]) -> torch.Tensor:
    return torch.cat(
        [(torch.tensor(a.rewards) - torch.tensor(b.rewards)).abs() for a, b in zip(scores, exact, strict=True)]
    )


def traces(*texts: str) -> list[Trace]:
    return [Trace.from_text(text) for text in texts]


def test_rewards_are_those_of_float32_up_to_rounding(openvino_critic: Critic, exact: Critic) -> None:
    texts = [SOLUTION[:length] for length in (40, 90, 91, 200)]
    some = traces(SOLUTION, "3 * 5 = 15 and 15 - 4 = 11.\n#### 11", *texts, SOLUTION[:100] + "8" + SOLUTION[100:])
    rounding = differences(openvino_critic.score(QUESTION, some), exact.score(QUESTION, some))
    assert rounding.mean() < CLOSE
    assert rounding.max() < ONE_TOKEN


def test_traces_that_grow_part_and_are_edited_are_read_as_afresh(openvino_critic: Critic, exact: Critic) -> None:
    """Within a page and at its edge, several edits of one trace, and one trace that takes another's beginning."""
    dice, scorer = random.Random(0), openvino_critic.problem_scorer(QUESTION)
    texts = [SOLUTION[: dice.randrange(20, 60)] for _ in range(4)]
    for _ in range(12):
        match dice.randrange(3):
            case 0:
                texts = [text + SOLUTION[len(text) : len(text) + dice.randrange(60)] for text in texts]
            case 1:
                at = dice.randrange(len(texts[0]))
                texts = [texts[0], *(texts[0][:at] + digit + texts[0][at:] for digit in "058")]
            case 2:
                texts[-1] = texts[0][: dice.randrange(5, len(texts[0]))] + " so 2"
        rounding = differences(scorer.score(traces(*texts)), exact.score(QUESTION, traces(*texts)))
        assert rounding.mean() < CLOSE
        assert rounding.max() < ONE_TOKEN


def test_each_token_is_read_once_and_pages_are_used_again(
    openvino_critic: Critic, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, engines = [], []

    def counted(self: OpenVINOKVCache, work: Sequence[Work]) -> torch.Tensor:
        read.append(sum(len(new) for _, new in work))
        engines.append(self)
        return as_it_is(self, work)

    as_it_is = OpenVINOKVCache.read
    monkeypatch.setattr(OpenVINOKVCache, "read", counted)
    beginning = SOLUTION[:120]
    openvino_critic.problem_scorer(QUESTION).score(traces(beginning))
    scorer = openvino_critic.problem_scorer(QUESTION)
    scorer.score(traces(beginning, f"{beginning} 5", f"{beginning} 7"))
    assert read[1] == read[0] + 1 + 2, "a space that two have more, and a digit each"
    scorer.score(traces(f"{beginning} 5", f"{beginning} 7"))
    assert len(read) == 2, "all of it was known"
    places = engines[1]._pool.places
    for i in range(2 * places):
        scorer.score(traces(f"{beginning} 5{i % 10}"))
    assert read[2:] == [1] * len(read[2:])
    assert engines[-1]._pool.places == places, "a page that nobody remembers is free again"


def test_what_others_left_in_a_pool_that_is_used_again_changes_nothing(openvino_critic: Critic) -> None:
    some = traces(SOLUTION[:150], SOLUTION[:90] + " 12")
    before = [score.rewards for score in openvino_critic.score(QUESTION, some)]
    scorer = openvino_critic.problem_scorer(QUESTION)
    scorer.score(traces(SOLUTION))
    held = scorer._readers[0]._engine._pool
    assert openvino_critic.problem_scorer(QUESTION)._readers[0]._engine._pool is not held, "one is still in use"
    del scorer
    gc.collect()
    assert openvino_critic.problem_scorer("How many?")._readers[0]._engine._pool is held
    assert [score.rewards for score in openvino_critic.score(QUESTION, some)] == before


def test_an_adapter_of_another_model_is_refused_in_words(openvino_critic: Critic, tmp_path: Path) -> None:
    card = openvino_critic.card.model_copy(update={"name": "strange", "adapter": "."})
    (tmp_path / "critic.json").write_text(card.model_dump_json())
    get_peft_model(nano_llama(), LoraConfig(r=4, target_modules="all-linear")).save_pretrained(tmp_path)
    with pytest.raises(CriticError, match=r"'strange' cannot be loaded: .* does not fit"):
        load_critic(tmp_path)


def test_a_dtype_that_is_asked_for_and_models_without_a_gguf_file_are_read_by_pytorch(
    openvino_critic: Critic, exact: Critic
) -> None:
    assert not isinstance(exact.model, OpenVINOModel)
    assert not can_use_openvino(replace(openvino_critic.backbone, gguf=None))


def test_policy_and_critic_on_the_same_weights_share_one_file() -> None:
    """As long as the standard critic has no adapter of its own."""
    located, policy = locate_critic(STANDARD.name), locate_policy(STANDARD.name)
    assert located.card.backbone == policy.backbone
    assert adapter_folder(located.card, located.path).resolve() == policy.adapter.resolve()


def test_no_matrix_of_the_vocabulary_is_unpacked_as_a_whole(openvino_critic: Critic) -> None:
    """The embedding's rows are unpacked when they are asked for, the head's within its product."""
    graph = openvino.Core().read_model(packed_graph(openvino_critic.backbone, None, "Q8_0") / GRAPH)
    vocabulary = load_config(openvino_critic.backbone).vocab_size
    gathered = [n.input_value(0).get_node() for n in graph.get_ordered_ops() if n.get_type_name() == "Gather"]
    of_the_vocabulary = [n for n in gathered if n.get_output_partial_shape(0)[0] == vocabulary]
    assert [node.get_type_name() for node in of_the_vocabulary] == ["Constant", "Constant"], "numbers and their scales"
