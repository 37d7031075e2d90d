"""vLLM itself, over a model of no size: what it draws and what it scores is what the local engines draw and score.

Each engine takes minutes to start, even this one: run them where vLLM is installed, in an environment of its own
(docs/serve.md), with `pytest -m slow tests/contract/test_vllm.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForTokenClassification

from irl_core.critic.card import CriticCard
from irl_core.loading import load_critic, load_policy
from irl_core.models.backbones import resolve_backbone
from irl_core.models.merging import load_merged
from irl_core.policy.base import Policy
from irl_core.policy.sampling import Sampling, TraceGrew
from irl_core.policy.transformers import TransformersPolicy
from irl_core.text.traces import Trace
from tests.support.critics import CALIBRATION
from tests.support.nano import nano_llama, nano_tokenizer
from tests.support.ports import free_port

pytest.importorskip("vllm", reason="vllm is not installed (docs/serve.md says how)")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
# Compiling takes minutes and serves speed alone.
os.environ.setdefault("TORCH_COMPILE_DISABLE", "1")
os.environ.setdefault("ERRATA_VLLM_ENGINE", '{"enforce_eager": true}')

QUESTION = "Ann has 3 apples and buys 4. How many?"
OTHER = "And 2 more?"
GREEDY = Sampling(n=2, temperature=0.0, max_tokens=24)
ITEMS = [
    (QUESTION, Trace.from_text("3 + 4 = 7\n#### 7")),
    (OTHER, Trace.from_text("2 + 2 = 5 🙂\nSo 5.\n#### 5")),
    (QUESTION, Trace.from_text("She has 3.\nShe buys <<3+4=7>>4, so 7.\n#### 7")),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    nano_llama(head_dim=32).save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is a policy's adapter and a critic over the same weights."""
    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(1)
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, base_model_name_or_path=str(base))
    model = get_peft_model(nano_llama(head_dim=32), lora)
    model.peft_config["default"].base_model_name_or_path = str(base)
    model.save_pretrained(folder)
    write_card(folder, CriticCard(name="nano", backbone=str(base)))
    return folder


@pytest.fixture(scope="module")
def head(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("head")
    torch.manual_seed(5)
    AutoModelForTokenClassification.from_pretrained(base, num_labels=1).save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)
    write_card(folder, CriticCard(name="head", form="head", backbone=".", adapter=None))
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path / "cache"))


def write_card(folder: Path, card: CriticCard) -> None:
    (folder / "critic.json").write_text(card.model_dump_json())
    (folder / "calibration.json").write_text(json.dumps(CALIBRATION))


def local_policy(base: Path, adapter: Path | None) -> TransformersPolicy:
    form = "chat" if adapter is None else "short"
    return TransformersPolicy(
        "local", None, load_merged(resolve_backbone(str(base)), adapter), nano_tokenizer(), form=form
    )


def drawn(policy: Policy, how: Sampling) -> dict[tuple[int, int], Trace]:
    return {(request, event.index): event.trace for request, event in policy.sample_many([QUESTION, OTHER], how)}


def assert_same_greedy_text(served: Policy, local: Policy) -> None:
    expected = drawn(local, GREEDY)
    for key, trace in drawn(served, GREEDY).items():
        assert trace.token_ids == expected[key].token_ids
        assert trace.text == expected[key].text
        assert trace.stopped == expected[key].stopped
        assert trace.logprobs == pytest.approx(expected[key].logprobs, abs=1e-3)


def assert_same_scores(served: str, local: Path) -> None:
    expected = load_critic(local, dtype=torch.float32).score_many(ITEMS)
    for found, wanted in zip(load_critic(served).score_many(ITEMS), expected, strict=True):
        assert found.rewards == pytest.approx(wanted.rewards, abs=1e-3)
        assert found.trace_score == pytest.approx(wanted.trace_score, abs=1e-3)


@contextmanager
def vllm_server(model: Path, *options: str) -> Iterator[str]:
    """The URL of a vLLM server of `model`, called "nano", once it answers."""
    port = free_port()
    served = ["--served-model-name", "nano", "--dtype", "float32", "--max-model-len", "2048", "--enforce-eager"]
    # The module and not the command: `vllm serve` looks for a package called vllm, and vllm-cpu is called otherwise.
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model), "--port", str(port)]
    server = subprocess.Popen([*command, "--host", "127.0.0.1", *served, *options])
    try:
        deadline = time.monotonic() + 1200
        while True:
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health").is_success:
                    break
            except httpx.TransportError:
                time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(60)


def test_an_adapter_named_with_each_request_writes_what_the_merged_model_writes_here(
    base: Path, adapter: Path
) -> None:
    policy = load_policy(f"vllm:{adapter}")
    assert_same_greedy_text(policy, local_policy(base, adapter))
    how = Sampling(n=3, temperature=1.0, top_p=1.0, seed=7, max_tokens=16)
    first = drawn(policy, how)
    assert {k: t.token_ids for k, t in drawn(policy, how).items()} == {k: t.token_ids for k, t in first.items()}
    assert len({trace.text for trace in first.values()}) > 1

    stop, traces = threading.Event(), []
    for event in policy.sample(QUESTION, Sampling(n=3, max_tokens=1000, temperature=1.0, top_p=1.0), stop):
        stop.set() if isinstance(event, TraceGrew) else traces.append(event.trace)
    assert {trace.stopped for trace in traces} <= {"cancelled", "end"}
    assert len(traces) == 3
    assert len(drawn(policy, GREEDY)) == 4, "what was stopped does not stand in the way of the next"


def test_log_probabilities_of_a_merged_critic_make_the_scores_made_here(adapter: Path) -> None:
    assert_same_scores(f"vllm:{adapter}", adapter)


def test_values_of_a_head_make_the_scores_made_here(head: Path) -> None:
    assert_same_scores(f"vllm:{head}", head)


def test_a_server_draws_as_it_is_done_here_with_and_without_an_adapter(base: Path, adapter: Path) -> None:
    lora = ["--enable-lora", "--max-lora-rank", "8", "--lora-modules", f"errata={adapter}"]
    with vllm_server(base, *lora) as url:
        assert_same_greedy_text(load_policy(f"{adapter}@{url}#errata"), local_policy(base, adapter))
        assert_same_greedy_text(load_policy(f"{base}@{url}#nano"), local_policy(base, None))


def test_a_server_of_a_whole_model_scores_as_it_is_done_here(base: Path, tmp_path: Path) -> None:
    # A server of its own: with --enable-lora, vllm-cpu 0.32.0 dies of the first request for prompt log-probabilities.
    write_card(tmp_path, CriticCard(name="plain", backbone=str(base), adapter=None))
    with vllm_server(base) as url:
        assert_same_scores(f"{tmp_path}@{url}#nano", tmp_path)


def test_a_server_of_a_head_scores_as_it_is_done_here(head: Path) -> None:
    with vllm_server(head, "--runner", "pooling", "--convert", "classify") as url:
        assert_same_scores(f"{head}@{url}", head)
