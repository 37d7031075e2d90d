"""What a model said of a file is kept, gone on with after a kill, and turned into tables."""

import json

import numpy as np
import pytest

from benchmarks import critics
from benchmarks.token_statistics import read_file
from benchmarks.trace_scores import Form, Pools

LINES = [
    {"question": f"What is {a} * 4?", "steps": [f"{a} * 4 = {r}", f"#### {r}"], "final_correct": r == 4 * a}
    | {"first_error_step": -1 if r == 4 * a else 0}
    for a in (2, 3, 5, 6)
    for r in (4 * a, 4 * a + 1, 4 * a)
]


@pytest.fixture
def traces(tmp_path):
    path = tmp_path / "traces.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES)))
    return path


def logprobs(said):
    return np.concatenate([found.logprobs.numpy() for _, found in said])


def test_a_reading_that_was_cut_short_goes_on_and_ends_as_one_that_was_not(make_critic, traces, tmp_path):
    critic, cache = make_critic(), tmp_path / "cache"
    _, whole = read_file(critic, traces, None, cache)
    [kept] = cache.iterdir()
    complete = kept.read_bytes()
    kept.write_bytes(complete[: len(complete) // 2 - 3])
    _, again = read_file(critic, traces, None, cache)
    np.testing.assert_allclose(logprobs(again), logprobs(whole), atol=1e-4)
    assert len(kept.read_bytes()) == len(complete)


def test_what_is_kept_is_not_read_again(make_critic, traces, tmp_path, monkeypatch):
    critic, cache = make_critic(), tmp_path / "cache"
    _, whole = read_file(critic, traces, None, cache)
    monkeypatch.setattr(critic, "statistics", lambda items: pytest.fail("the model was asked again"))
    items, first = read_file(critic, traces, 5, cache)
    assert len(items) == 5
    np.testing.assert_array_equal(logprobs(first), logprobs(whole)[: len(logprobs(first))])
    np.testing.assert_array_equal(logprobs(read_file(critic, traces, None, cache)[1]), logprobs(whole))


def test_arithmetic_alone_tells_these_candidates_apart_on_problems_it_did_not_see(make_critic, traces):
    items, said = read_file(make_critic(), traces, None, None)
    pools = Pools(make_critic().card, items, said)
    form = Form(word_weight=0.3, trust=True, checks=1)
    assert pools.features(form)[:, 1].tolist() == [0.0, 1.0, 0.0] * 4
    figures = pools.held_out(form)
    assert figures["within"]["value"] == figures["critic"]["value"] == figures["weighted_vote"]["value"] == 1.0
    assert pools.fitted(form)["unused_number_penalty"] == 0.0


def test_the_command_writes_a_table_of_steps_and_one_of_trace_scores(make_critic, traces, tmp_path, monkeypatch):
    monkeypatch.setattr(critics, "load_critic", lambda name: make_critic())
    monkeypatch.setattr(critics, "GRID", {"word_weight": (1.0,), "number_baseline": (0.0, 0.2)})
    critics.main(["--traces", str(traces), "--out", str(tmp_path / "table.md")])
    text = (tmp_path / "table.md").read_text()
    assert text.count("\n| 1.0 | 0") == 2
    assert "Best within a problem" in text
