"""Policies and critics behind a real HTTP server that speaks OpenAI's protocol over a model of no size."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForTokenClassification

from irl_core.critic.card import CriticCard
from irl_core.critic.weights import CriticError
from irl_core.loading import load_critic, load_policy
from irl_core.policy.base import Policy
from irl_core.policy.names import PolicyError
from irl_core.policy.sampling import Sampling, TraceEnded, TraceGrew
from irl_core.policy.transformers import TransformersPolicy
from irl_core.serving.client import Patience
from irl_core.serving.errors import ServerError
from irl_core.serving.models import find_model
from irl_core.text.traces import Trace
from tests.support.critics import CALIBRATION
from tests.support.nano import nano_llama, nano_tokenizer
from tests.support.openai_server import MODEL, NanoServer
from train import evaluate, sample

QUESTION = "Ann has 3 apples and buys 4. How many?"
HOW = Sampling(n=6, temperature=1.0, top_p=1.0, seed=3, max_tokens=12)
QUICK = Patience(outage=1.0, longest_pause=0.2)
LONG = Patience(connect=60.0, longest_pause=0.2, rest=0.2)


@pytest.fixture(scope="module")
def local() -> TransformersPolicy:
    torch.set_num_threads(1)
    return TransformersPolicy("nano", None, nano_llama(), nano_tokenizer(), form="chat")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nano")
    nano_llama().save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def server(local: TransformersPolicy) -> Iterator[NanoServer]:
    with NanoServer(local) as server:
        yield server


def patient(policy: Policy, patience: Patience = QUICK) -> Policy:
    policy._served = policy._served._replace(patience=patience)
    return policy


def draw_into(ended: dict[tuple[int, int], Trace], policy: Policy, questions: list[str]) -> None:
    for request, event in policy.sample_many(questions, HOW):
        ended[request, event.index] = event.trace


def drawn(policy: Policy, questions: list[str]) -> dict[tuple[int, int], Trace]:
    ended: dict[tuple[int, int], Trace] = {}
    draw_into(ended, policy, questions)
    return ended


def same(one: dict[tuple[int, int], Trace], other: dict[tuple[int, int], Trace]) -> bool:
    return {k: (t.token_ids, t.stopped) for k, t in one.items()} == {
        k: (t.token_ids, t.stopped) for k, t in other.items()
    }


# Drawing -------------------------------------------------------------------------------------------------------------


def test_a_server_draws_what_the_model_draws_here(server: NanoServer, folder: Path, local: TransformersPolicy) -> None:
    found, expected = drawn(load_policy(f"{folder}@{server.url}"), [QUESTION]), drawn(local, [QUESTION])
    assert same(found, expected)
    for key, trace in found.items():
        assert trace.logprobs == pytest.approx(expected[key].logprobs, abs=1e-5)
    assert server.most > 1, "traces are drawn side by side"


def test_a_trace_grows_as_prefixes_of_what_it_becomes(server: NanoServer, folder: Path) -> None:
    policy = load_policy(f"{folder}@{server.url}")
    seen: dict[int, list[str]] = {}
    ended: dict[int, str] = {}
    for event in policy.sample(QUESTION, Sampling(n=3, max_tokens=10, temperature=1.0, top_p=1.0)):
        if isinstance(event, TraceGrew):
            seen.setdefault(event.index, []).append(event.text)
        else:
            ended[event.index] = event.trace.text
    assert sorted(ended) == [0, 1, 2]
    assert seen
    assert all(ended[index].startswith(text) for index, texts in seen.items() for text in texts)


def test_a_prefix_is_continued_where_the_tokens_are_known(
    server: NanoServer, folder: Path, local: TransformersPolicy
) -> None:
    options = {"max_tokens": 8, "temperature": 1.0, "top_p": 1.0, "prefix": "3 + 4 = 7\n"}
    texts = [
        {e.index: e.trace.text for e in policy.sample(QUESTION, Sampling(n=2, **options)) if isinstance(e, TraceEnded)}
        for policy in (load_policy(f"{folder}@{server.url}"), local)
    ]
    assert texts[0] == texts[1]
    with pytest.raises(NotImplementedError, match="cannot go on with a solution"):
        next(load_policy(server.url).sample(QUESTION, Sampling(n=2, prefix="3")))


def test_a_chat_tells_text_and_the_tokens_that_spell_it(server: NanoServer) -> None:
    server.vllm = False
    policy = load_policy(server.url)
    assert policy.name == MODEL
    for trace in drawn(policy, [QUESTION]).values():
        assert trace.stopped in ("end", "length")
        assert "".join(trace.text[a:b] for a, b in trace.offsets) == trace.text
        assert trace.token_ids == ()
        assert len(trace.logprobs) == trace.n_tokens == len(trace.offsets) > 0
        assert max(trace.logprobs) <= 0


def test_a_chat_that_gives_no_log_probabilities_gives_its_text_all_the_same(server: NanoServer) -> None:
    with_them = {key: trace.text for key, trace in drawn(load_policy(server.url), [QUESTION]).items()}
    server.knows_logprobs = False
    without = drawn(load_policy(server.url), [QUESTION])
    assert {key: trace.text for key, trace in without.items()} == with_them
    assert all(trace.logprobs == () for trace in without.values())


def test_a_stop_request_ends_every_trace_and_closes_the_connections(server: NanoServer, folder: Path) -> None:
    server.pause = 0.05
    stop, ended, grew = threading.Event(), [], 0
    for event in load_policy(f"{folder}@{server.url}").sample(
        QUESTION, Sampling(n=3, max_tokens=500, temperature=1.0, top_p=1.0), stop
    ):
        if isinstance(event, TraceEnded):
            ended.append(event.trace)
        else:
            grew += 1
            if grew == 9:
                stop.set()
    assert {trace.stopped for trace in ended} <= {"cancelled", "end"}
    assert len(ended) == 3
    assert any(trace.stopped == "cancelled" and trace.text for trace in ended)
    deadline = time.monotonic() + 60
    while server.active and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.active == 0, "the server goes on drawing for nobody"


def test_a_caller_who_goes_away_leaves_no_thread_behind(server: NanoServer, folder: Path) -> None:
    server.pause = 0.05
    events = load_policy(f"{folder}@{server.url}").sample(QUESTION, Sampling(n=3, max_tokens=100))
    next(events)
    assert "serving" in {thread.name for thread in threading.enumerate()}
    events.close()
    assert "serving" not in {thread.name for thread in threading.enumerate()}


# When a server fails -------------------------------------------------------------------------------------------------


def test_a_server_that_dies_and_comes_back_costs_time_and_no_trace(
    server: NanoServer, folder: Path, local: TransformersPolicy
) -> None:
    policy = patient(load_policy(f"{folder}@{server.url}"), LONG)
    server.pause, server.dies_after = 0.002, 5

    def come_back() -> None:
        while server.alive:
            time.sleep(0.02)
        time.sleep(0.3)
        server.dies_after = None
        server.start()

    threading.Thread(target=come_back, daemon=True).start()
    questions = [QUESTION, "And 2 more?", "And 5 fewer?"]
    found = drawn(policy, questions)
    assert same(found, drawn(local, questions))
    assert len(found) == 18


@pytest.mark.parametrize("chat", [False, True])
def test_a_server_that_stays_away_leaves_the_finished_traces_and_one_sentence(
    server: NanoServer, folder: Path, chat: bool
) -> None:
    policy = patient(load_policy(server.url if chat else f"{folder}@{server.url}"))
    server.pause, server.dies_after = 0.002, 5
    ended: dict[tuple[int, int], Trace] = {}
    started = time.monotonic()
    with pytest.raises(ServerError, match=r"requests came to nothing: .*(no server answers at|broke off)") as error:
        draw_into(ended, policy, ["a", "bb", "ccc", "dddd"])
    assert time.monotonic() - started < 120
    assert "\n" not in str(error.value)
    assert len(ended) == 24, "every trace has an end"
    whole = [trace for trace in ended.values() if trace.stopped != "cancelled"]
    assert 0 < len(whole) <= server.served < 24


def test_a_server_that_falls_silent_is_given_up_in_bounded_time(server: NanoServer, folder: Path) -> None:
    policy = patient(load_policy(f"{folder}@{server.url}"), Patience(silence=0.3, outage=0.5, longest_pause=0.1))
    server.pause = 30
    started = time.monotonic()
    with pytest.raises(ServerError, match="has fallen silent"):
        drawn(policy, [QUESTION])
    assert time.monotonic() - started < 60


def test_replicas_share_the_work_and_stand_in_for_one_another(local: TransformersPolicy, folder: Path) -> None:
    with NanoServer(local) as one, NanoServer(local) as other:
        policy = patient(load_policy(f"{folder}@{one.url},{other.url}"), LONG)
        assert same(drawn(policy, [QUESTION]), drawn(local, [QUESTION]))
        assert one.served == other.served == 3
        one.dies_after = one.served + 1
        questions = [QUESTION, "And 2 more?"]
        assert same(drawn(policy, questions), drawn(local, questions))
        assert other.served > 3 + 6


def test_a_replica_that_comes_back_is_given_work_again(
    local: TransformersPolicy, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("irl_core.serving.client.IN_FLIGHT", 2)
    with NanoServer(local) as one, NanoServer(local) as other:
        policy = load_policy(f"{folder}@{one.url},{other.url}")
        patient(policy, LONG)
        one.dies_after, other.pause = 2, 0.005  # however fast the machine, it is not done when `one` is back
        events = policy.sample_many([f"{i} + 4?" for i in range(12)], HOW)
        first = next(events)
        while one.alive:
            time.sleep(0.02)
        one.dies_after, served = None, one.served
        one.start()
        assert len([first, *events]) == 72
        assert one.served > served


def test_an_answer_that_is_not_understood_is_an_error_in_one_sentence(server: NanoServer, folder: Path) -> None:
    policy = load_policy(f"{folder}@{server.url}")
    server.garbled = True
    with pytest.raises(ServerError, match="is not understood"):
        drawn(policy, [QUESTION])


def test_one_question_that_a_server_refuses_does_not_cost_the_others(server: NanoServer) -> None:
    ended: dict[tuple[int, int], Trace] = {}
    with pytest.raises(ServerError, match="maximum context length"):
        draw_into(ended, load_policy(server.url), ["short", "x" * 2000, "brief"])
    assert {question for (question, _), trace in ended.items() if trace.stopped == "cancelled"} == {1}
    assert len(ended) == 18


# Names and keys ------------------------------------------------------------------------------------------------------


def test_a_model_that_is_not_served_is_named_beside_those_that_are(server: NanoServer) -> None:
    with pytest.raises(PolicyError, match="serves nano; not other"):
        load_policy(f"{server.url}#other")
    assert load_policy(f"{server.url}#nano").name == "nano"


def test_a_server_that_wants_a_key_is_given_ours_and_no_one_elses(
    server: NanoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = "right"
    monkeypatch.delenv("ERRATA_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "not for this server")
    with pytest.raises(PolicyError, match="wants a key: set ERRATA_API_KEY"):
        load_policy(server.url)
    assert "authorization" not in server.headers
    monkeypatch.setenv("ERRATA_API_KEY", "wrong")
    with pytest.raises(PolicyError, match="does not accept the key in ERRATA_API_KEY"):
        load_policy(server.url)
    monkeypatch.setenv("ERRATA_API_KEY", "right")
    assert len(drawn(load_policy(server.url), [QUESTION])) == 6


def test_where_nothing_answers_the_error_says_so_in_bounded_time(server: NanoServer) -> None:
    server.kill()
    started = time.monotonic()
    with pytest.raises(ServerError, match=r"no server answers at .*: is it running"):
        find_model((server.url,), None, QUICK)
    assert time.monotonic() - started < 60


def test_what_does_not_speak_the_protocol_is_told_from_a_server_that_does(server: NanoServer) -> None:
    with pytest.raises(PolicyError, match="refuses the request"):
        load_policy(server.url.removesuffix("/v1"))


def test_a_server_with_another_tokenizer_is_refused(server: NanoServer, tmp_path: Path) -> None:
    tokenizer = nano_tokenizer()
    tokenizer.add_tokens(["pens"])
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(PolicyError, match="other tokens"):
        load_policy(f"{tmp_path}@{server.url}")


def test_a_served_policy_has_no_calculator(server: NanoServer) -> None:
    with pytest.raises(PolicyError, match="no calculator"):
        load_policy(server.url, calculator=True)


# Scoring -------------------------------------------------------------------------------------------------------------

ITEMS = [
    (QUESTION, Trace.from_text("3 + 4 = 7\n#### 7")),
    ("What is 2 + 2?", Trace.from_text("2 + 2 = 5 🙂\nSo 5.\n#### 5")),
    (QUESTION, Trace.from_text("She has 3.\nShe buys <<3+4=7>>4, so 7.\n#### 7")),
] * 3


@pytest.fixture(scope="module")
def critic_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    critic = tmp_path_factory.mktemp("critic")
    card = CriticCard(name="nano", backbone=str(folder), adapter=None)
    (critic / "critic.json").write_text(card.model_dump_json())
    (critic / "calibration.json").write_text(json.dumps(CALIBRATION))
    return critic


def assert_same_scores(one: object, other: object) -> None:
    for found, expected in zip(one.score_many(ITEMS), other.score_many(ITEMS), strict=True):
        assert found.rewards == pytest.approx(expected.rewards, abs=1e-3)
        assert found.trace_score == pytest.approx(expected.trace_score, abs=1e-3)
        assert found.offsets == expected.offsets


@pytest.mark.parametrize("vllm", [True, False])
def test_a_critic_on_a_server_scores_as_it_does_here(server: NanoServer, critic_folder: Path, vllm: bool) -> None:
    server.vllm = vllm
    served = load_critic(f"{critic_folder}@{server.url}")
    assert_same_scores(served, load_critic(critic_folder, dtype=torch.float32))
    assert served.sha256 is None
    assert server.served > 1, "several requests are under way at a time"


def test_a_head_on_a_server_scores_as_it_does_here(local: TransformersPolicy, folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    head = AutoModelForTokenClassification.from_pretrained(folder, num_labels=1).eval()
    head.save_pretrained(tmp_path)
    nano_tokenizer().save_pretrained(tmp_path)
    (tmp_path / "critic.json").write_text(
        CriticCard(name="head", form="head", backbone=".", adapter=None).model_dump_json()
    )
    (tmp_path / "calibration.json").write_text(json.dumps(CALIBRATION))
    with NanoServer(local, head) as server:
        assert_same_scores(load_critic(f"{tmp_path}@{server.url}"), load_critic(tmp_path, dtype=torch.float32))


def test_a_critic_of_two_models_is_not_served(server: NanoServer) -> None:
    with pytest.raises(CriticError, match="compares two models"):
        load_critic(f"log-ratio@{server.url}")


def test_a_trace_that_does_not_fit_the_engine_is_refused_with_the_numbers(
    server: NanoServer, critic_folder: Path
) -> None:
    critic = load_critic(f"{critic_folder}@{server.url}")
    with pytest.raises(ValueError, match=r"take 2,\d\d\d tokens; nano reads 2,048"):
        critic.score("x" * 1400, [Trace.from_text("y" * 700)])


# Scripts -------------------------------------------------------------------------------------------------------------


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    path = tmp_path / "problems.jsonl"
    path.write_text(
        "".join(json.dumps({"question": f"What is {i} + 4?", "answer": str(i + 4)}) + "\n" for i in range(8))
    )
    return path


def sampled(policy: str, problems: Path, out: Path) -> None:
    sample.main(["--problems", str(problems), "--out", str(out), "--policy", policy, "--n", "3", "--max-tokens", "8"])


def test_sampling_from_replicas_writes_the_file_that_sampling_here_writes(
    local: TransformersPolicy, folder: Path, problems: Path, tmp_path: Path
) -> None:
    with NanoServer(local) as one, NanoServer(local) as other:
        sampled(f"{folder}@{one.url},{other.url}", problems, tmp_path / "served.jsonl")
    sampled(str(folder), problems, tmp_path / "here.jsonl")
    served, here = lines_of(tmp_path / "served.jsonl"), lines_of(tmp_path / "here.jsonl")
    assert [line["solution"] for line in served] == [line["solution"] for line in here]
    assert [line["id"] for line in served] == [line["id"] for line in here]


def test_a_run_whose_server_dies_keeps_what_is_finished_and_says_why_it_ended(
    server: NanoServer,
    folder: Path,
    problems: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("irl_core.serving.models.Served.__new__.__defaults__", (QUICK,))
    server.dies_after = 5
    with pytest.raises(SystemExit) as ended:
        sampled(f"{folder}@{server.url}", problems, tmp_path / "out.jsonl")
    assert ended.value.code == 2
    assert "requests came to nothing: " in capsys.readouterr().err.splitlines()[-1]
    assert 0 < len(lines_of(tmp_path / "out.jsonl")) <= server.served < 24


def test_a_report_made_with_a_served_critic_is_the_one_made_here(
    server: NanoServer, critic_folder: Path, tmp_path: Path
) -> None:
    traces = tmp_path / "traces.jsonl"
    steps = [["2 + 2 = 4", "#### 4"], ["2 + 2 = 5", "#### 5"]]
    records = [{"question": QUESTION, "steps": s, "first_error_step": -i} for i, s in enumerate(steps)]
    traces.write_text("".join(json.dumps(record) + "\n" for record in records))
    for name, out in ((f"{critic_folder}@{server.url}", "served"), (str(critic_folder), "here")):
        scores = tmp_path / f"{out}.jsonl"
        arguments = ["--traces", str(traces), "--out", str(tmp_path / out), "--save-scores", str(scores)]
        evaluate.main([*arguments, "--critic", name, "--resamples", "10"])
    for served, here in zip(lines_of(tmp_path / "served.jsonl"), lines_of(tmp_path / "here.jsonl"), strict=True):
        assert served["trace_score"] == pytest.approx(here["trace_score"], abs=2e-2), "here may be in bfloat16"
