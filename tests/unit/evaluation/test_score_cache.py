"""Scores that are kept on disk: nothing is scored twice, and a torn file is gone on with."""

from __future__ import annotations

import pytest

from irl_core.evaluation.calibration_data import CalibrationExample, collect
from irl_core.evaluation.score_cache import ScoreCache
from irl_core.text.traces import Trace
from tests.support.arithmetic import ArithmeticCritic

ITEMS = [("2 boxes of 3?", Trace.from_text(f"2 * 3 = {n}\n#### {n}")) for n in (6, 7, 8)]
SHA = "0" * 64


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scores.jsonl"


def test_what_is_known_is_not_scored_again_and_is_the_same(path):
    critic = ArithmeticCritic()
    first = ScoreCache(path, SHA).scores(critic, ITEMS[:2])
    again = ScoreCache(path, SHA).scores(critic, ITEMS)
    assert critic.windows == [2, 1]
    assert again[:2] == first
    assert again == ArithmeticCritic().score_many(ITEMS)
    assert len(path.read_text().splitlines()) == 3


def test_without_a_file_a_cache_still_scores_nothing_twice():
    critic, cache = ArithmeticCritic(), ScoreCache(None, SHA)
    cache.scores(critic, [*ITEMS, ITEMS[0]])
    cache.scores(critic, ITEMS)
    assert critic.windows == [3]


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_torn_last_line_is_scored_again_and_what_follows_it_is_kept(path, cut):
    ScoreCache(path, SHA).scores(ArithmeticCritic(), ITEMS[:2])
    path.write_bytes(path.read_bytes()[:-cut])
    critic = ArithmeticCritic()
    assert ScoreCache(path, SHA).scores(critic, ITEMS) == ArithmeticCritic().score_many(ITEMS)
    assert sum(critic.windows) == (1 if cut == 1 else 2), "a line without its line break is whole"
    later = ArithmeticCritic()
    ScoreCache(path, SHA).scores(later, ITEMS)
    assert later.windows == [], "what was written behind the torn line is found"


def test_scores_of_another_critic_or_another_question_are_others(path):
    ScoreCache(path, SHA).scores(ArithmeticCritic(), ITEMS)
    for sha, question in (("1" * 64, ITEMS[0][0]), (SHA, "5 boxes?"), (None, ITEMS[0][0])):
        critic = ArithmeticCritic()
        ScoreCache(path, sha).scores(critic, [(question, ITEMS[0][1])])
        assert critic.windows == [1]


def test_other_steps_of_the_same_text_are_another_score():
    cache = ScoreCache(None, SHA)
    one, two = (Trace(text="a\nb", steps=steps) for steps in (((0, 3),), ((0, 2), (2, 3))))
    assert cache.key("Q", one) != cache.key("Q", two)


def test_what_is_collected_of_a_file_is_scored_once_in_windows(path):
    examples = [
        CalibrationExample(f"Q{i}", Trace.from_text("2 * 3 = 7\n#### 7"), i % 2 - 1, f"g{i}") for i in range(70)
    ]
    critic = ArithmeticCritic()
    data = collect(critic, "name", "source", examples, ScoreCache(path, SHA))
    assert critic.windows == [64, 6]
    assert (data.name, data.source, len(data)) == ("name", "source", 70)
    assert data.first_error.tolist() == [-1, 0] * 35
    assert data.groups[:2].tolist() == ["g0", "g1"]
    assert data.traces[0].n_tokens == len("2 * 3 = 7\n#### 7")
    collect(critic, "name", "source", examples, ScoreCache(path, SHA))
    assert critic.windows == [64, 6]
