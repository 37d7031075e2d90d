"""What the policy is taught: which demonstrations, how they are written, and what a bad file is told."""

import json
import random

import pytest

from irl_core.learning.data.demonstrations import Mixture, held_out_stories, load_gsm8k, load_mixture
from irl_core.learning.data.step_alternatives import load_rollouts


@pytest.fixture
def gsm8k(tmp_path):
    path = tmp_path / "train.jsonl"
    rows = [
        {"question": f"Question {i}\u2028?", "answer": "He has 33 - 19 = <<33-19=14>>14.\n#### 14"} for i in range(40)
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return str(path)


def test_marks_are_stripped_and_the_last_twentieth_is_held_out(gsm8k):
    train, held_out = load_gsm8k(gsm8k), load_gsm8k(gsm8k, split="held_out")
    assert (len(train), len(held_out)) == (38, 2)
    assert held_out[0].question == "Question 38\u2028?"
    assert train[0].solution == "He has 33 - 19 = 14.\n#### 14"
    assert train[0].answer == "14"


def test_marks_are_kept_where_they_are_asked_for(gsm8k):
    assert load_gsm8k(gsm8k, keep_marks=True)[0].solution == "He has 33 - 19 = <<33-19=14>>14.\n#### 14"


def test_the_asked_share_is_written_out(gsm8k):
    written = [d.solution for d in load_gsm8k(gsm8k, written_out=0.5, rng=random.Random(0))]
    long = [s for s in written if s == "He has 33 - 19 = 23 - 9 = 14.\n#### 14"]
    assert 10 < len(long) < 30
    assert set(written) - set(long) == {"He has 33 - 19 = 14.\n#### 14"}


def test_a_mixture_holds_what_was_asked_and_is_a_function_of_its_seed(gsm8k):
    mixture = Mixture(gsm8k=gsm8k, gsm8k_skip=10, gsm8k_limit=5, stories=4, drills=3, written_out=1.0, seed=7)
    chosen = load_mixture(mixture)
    assert sorted(d.source for d in chosen) == ["drill"] * 3 + ["gsm8k"] * 5 + ["story"] * 4
    assert {d.question for d in chosen if d.source == "gsm8k"} == {f"Question {i}\u2028?" for i in range(10, 15)}
    assert load_mixture(mixture) == chosen


def test_held_out_stories_share_no_question_with_a_mixture():
    taught = {d.question for d in load_mixture(Mixture(gsm8k="", stories=300, drills=0))}
    held_out = {d.question for d in held_out_stories(100)}
    assert min(len(taught), len(held_out)) > 50
    assert taught.isdisjoint(held_out)


@pytest.mark.parametrize(
    ("line", "reason"),
    [("{", "line 2: not JSON"), ('{"question": "Q"}', "line 2: needs the texts"), ("[]", "line 2: must be")],
)
def test_a_bad_demonstration_is_named_by_its_line(tmp_path, line, reason):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"question": "Q", "answer": "A\\n#### 1"}\n' + line)
    with pytest.raises(ValueError, match=reason):
        load_gsm8k(str(path))


@pytest.mark.parametrize("line", ["{", '{"question": "Q"}', '{"question": "Q", "steps": 3}'])
def test_a_bad_rollout_is_named_by_its_line(tmp_path, line):
    path = tmp_path / "rollouts.jsonl"
    path.write_text('{"question": "Q", "solution": "S"}\n\n' + line)
    with pytest.raises(ValueError, match="line 3: "):
        load_rollouts(path)


def test_rollouts_are_grouped_by_question_and_steps_are_joined(tmp_path):
    rows = [
        {"question": "Q", "solution": "a"},
        {"question": "R", "steps": ["b", "c"]},
        {"question": "Q", "solution": "d"},
    ]
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert load_rollouts(tmp_path / "r.jsonl") == {"Q": ["a", "d"], "R": ["b\nc"]}
