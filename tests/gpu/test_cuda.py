"""What a GPU computes is what a CPU computes: reading and drawing. `make test-gpu`; skipped where there is none."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
import torch

from irl_core.loading import load_critic, load_policy
from irl_core.models.prompts import prompt_ids
from irl_core.policy.sampling import Sampling
from irl_core.policy.transformers import TransformersPolicy, draw_tokens
from irl_core.session.workbench import Workbench
from irl_core.text.traces import Problem, Trace
from tests.support.nano import nano_llama, nano_tokenizer
from train import calibrate, evaluate, export

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

QUESTION = "Tom has 3 boxes of 4 pens. How many pens is that?"
BEGINNING = "Three boxes of four pens make"
TRACES = [
    Trace.from_text(text)
    for text in (
        "3 * 4 = 12\n#### 12",
        f"{BEGINNING} 3 * 4 = 12 pens.\n#### 12",
        f"{BEGINNING} 3 + 4 = 7 pens.\n#### 7",
        "\n".join(f"Box {i}: {i} + 4 = {i + 4} pens." for i in range(30)),
    )
]


def alike(one, other) -> None:
    assert one.rewards == pytest.approx(other.rewards, abs=1e-4, rel=1e-5)
    assert one.trace_score == pytest.approx(other.trace_score, abs=1e-4)


# Reading -------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["log_prob", "log_ratio", "head"])
def critics(make_critic, monkeypatch, request):
    """One critic on the GPU and on the CPU, in float32."""
    torch.manual_seed(0)  # a head without weights on disk is random
    on_gpu = make_critic(form=request.param, adapter=None if request.param == "head" else ".")
    monkeypatch.setattr("irl_core.critic.model.native_device", lambda: torch.device("cpu"))
    torch.manual_seed(0)
    on_cpu = make_critic(form=request.param, adapter=None if request.param == "head" else ".")
    assert (on_gpu.device_name, on_cpu.device_name) == ("GPU", "CPU")
    return on_gpu, on_cpu


def test_traces_score_on_the_gpu_as_on_the_cpu(critics):
    on_gpu, on_cpu = critics
    for found, expected in zip(on_gpu.score(QUESTION, TRACES), on_cpu.score(QUESTION, TRACES), strict=True):
        alike(found, expected)


def test_a_trace_that_grows_and_is_edited_scores_on_the_gpu_as_afresh_on_the_cpu(critics):
    on_gpu, on_cpu = critics
    session, text = on_gpu.problem_scorer(QUESTION), TRACES[3].text
    for changed in (text[:100], text[:300], text, text[:200] + "9" + text[200:], text[:250]):
        whole, growing = Trace.from_text(changed), Trace.from_text(changed[: len(changed) // 2])
        scored, coloured = session.score([whole], [growing])
        alike(scored, on_cpu.score(QUESTION, [whole])[0])
        assert coloured.rewards == pytest.approx(
            on_cpu.problem_scorer(QUESTION).score([], [growing])[0].rewards, abs=1e-4, rel=1e-5
        )


def test_many_questions_in_many_batches_score_as_each_does_alone(make_critic):
    critic = make_critic()
    items = [(f"{QUESTION} {i}", trace) for i in range(12) for trace in TRACES]
    for (question, trace), found in zip(items, critic.score_many(items), strict=True):
        alike(found, critic.score(question, [trace])[0])


def test_a_critic_as_it_is_loaded_for_use_is_near_to_float32(make_critic):
    exact = make_critic()
    usual = load_critic(exact.path)
    assert usual.device_name == "GPU"
    for found, expected in zip(usual.score(QUESTION, TRACES), exact.score(QUESTION, TRACES), strict=True):
        assert np.abs(np.subtract(found.rewards, expected.rewards)).mean() < 0.1


# Drawing -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def policy() -> TransformersPolicy:
    return TransformersPolicy("nano", None, nano_llama().cuda(), nano_tokenizer())


def drawn(policy, questions, n, **options) -> dict:
    how = Sampling(n, **{"temperature": 1.0, "top_p": 1.0, "seed": 3, "max_tokens": 40, **options})
    return {(q, e.index): e.trace for q, e in policy.sample_many(questions, how)}


def test_log_probabilities_are_those_of_a_plain_forward_pass(policy):
    questions = [QUESTION, "How many?"]
    for (q, _), trace in drawn(policy, questions, 4, temperature=0.7, top_p=0.95).items():
        prompt = prompt_ids(policy.tokenizer, questions[q])
        with torch.no_grad():
            ids = torch.tensor([[*prompt, *trace.token_ids]], device="cuda")
            logprobs = policy.model(ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
        expected = logprobs.gather(1, ids[0, len(prompt) :, None])[:, 0]
        assert trace.logprobs == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_seed_draws_the_same_traces_alone_and_beside_others(policy):
    questions = [QUESTION, "How many?", "And if it were 200 boxes of pens, each as large as before?"]
    beside = {key: trace.token_ids for key, trace in drawn(policy, questions, 6).items()}
    for q, question in enumerate(questions):
        alone = drawn(policy, [question], 2)
        assert {(q, i): trace.token_ids for (_, i), trace in alone.items()} == {k: beside[k] for k in ((q, 0), (q, 1))}
    assert drawn(policy, questions, 6, seed=4)[0, 0].token_ids != beside[0, 0]


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.7)])
def test_tokens_follow_the_tempered_and_truncated_distribution(temperature, top_p):
    logits = torch.tensor([2.0, 1.5, 1.0, 0.0, -1.0, -3.0])
    expected = (logits / temperature).softmax(-1)
    before = expected.cumsum(-1) - expected
    expected[before >= top_p] = 0
    expected = (expected / expected.sum()).numpy()
    generators = [torch.Generator().manual_seed(i) for i in range(4000)]
    tokens = draw_tokens(logits.cuda().expand(4000, -1), temperature, top_p, generators)
    counts, kept = np.bincount(tokens, minlength=6), expected > 0
    assert counts[~kept].sum() == 0
    assert ((counts[kept] - 4000 * expected[kept]) ** 2 / (4000 * expected[kept])).sum() < 20.5


def test_a_policy_is_loaded_onto_the_gpu_and_can_calculate(backbone):
    for calculator in (False, True):
        made = load_policy(str(backbone), calculator=calculator)
        assert made.model.device.type == "cuda"
        assert len(drawn(made, [QUESTION], 3)) == 3


def test_the_workbench_solves_on_the_gpu_and_says_so(backbone, make_critic):
    workbench = Workbench(policy=str(backbone), critic=str(make_critic().path))
    *_, last = workbench.solve(Problem(question=QUESTION), Sampling(n=4, max_tokens=24), threading.Event())
    assert last.done
    assert len(last.session.scores) == 4
    assert workbench.describe().endswith("GPU")
    assert workbench.diagnose(Problem(question=QUESTION), TRACES[0].text).scores


# Commands ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def labelled(tmp_path):
    lines = [
        {
            "question": f"Q{i % 20}",
            "steps": ["2 + 2 = 4", f"4 + 1 = {5 + i % 2}"],
            "first_error_step": -(1 - i % 2) or 1,
        }
        for i in range(40)
    ]
    (tmp_path / "labelled.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path / "labelled.jsonl"


def test_a_critic_is_evaluated_and_calibrated_on_the_gpu(make_critic, labelled, tmp_path):
    critic = str(make_critic().path)
    report = tmp_path / "report.json"
    evaluate.main(["--traces", str(labelled), "--critic", critic, "--out", str(report), "--resamples", "20"])
    assert json.loads(report.read_text())["n_traces"] == 40
    calibrate.main(
        ["--traces", str(labelled), "--critic", critic, "--source", "made up", "--out", str(tmp_path / "c")]
    )
    assert json.loads((tmp_path / "c").read_text())["n_traces"] == 40


@pytest.mark.parametrize("form", ["log_prob", "head"])
def test_what_is_exported_from_the_gpu_says_what_the_critic_says(make_critic, tmp_path, form):
    critic = make_critic(form=form, adapter=None)
    export.main(["--critic", str(critic.path), "--out", str(tmp_path), "--demonstrations", "", "--n", "4"])
    assert (tmp_path / "token-classification" / "model.safetensors").exists()
