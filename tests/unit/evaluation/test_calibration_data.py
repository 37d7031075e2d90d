"""Which labels a file has, and to which problem each of its traces belongs."""

from __future__ import annotations

import json

import numpy as np

from irl_core.evaluation.calibration_data import NO_ERROR, WRONG_SOMEWHERE, labelled_traces
from tests.support.simulated import data_of, trace_of

LINES = [
    {"question": "A", "steps": ["1", "2"], "first_error_step": 1, "final_correct": True},
    {"question": "A", "steps": ["1", "2"], "first_error_step": -1},
    {"question": "B", "solution": "1", "final_correct": True},
    {"question": "B", "solution": "1", "final_correct": False, "qid": 7},
    {"question": "C", "solution": "1"},
    {"question": "D", "solution": "1", "final_correct": True, "qid": "x", "seed_qid": 5},
]


def write(path, lines):
    path.write_text("not json\n" + "\n".join(map(json.dumps, lines)))
    return path


def test_a_label_of_the_step_goes_before_the_outcome_and_a_trace_without_either_is_passed_over(tmp_path):
    found = list(labelled_traces(write(tmp_path / "t.jsonl", LINES)))
    assert [x.first_error for x in found] == [1, NO_ERROR, NO_ERROR, WRONG_SOMEWHERE, NO_ERROR]


def test_a_problem_that_was_altered_is_named_by_the_one_that_it_was_made_from(tmp_path):
    found = list(labelled_traces(write(tmp_path / "t.jsonl", LINES)))
    assert [x.group for x in found] == ["A", "A", "B", "7", "5"]


def test_the_first_traces_that_have_a_label_are_taken(tmp_path):
    path = write(tmp_path / "t.jsonl", [LINES[4], *LINES])
    assert [x.question for x in labelled_traces(path, 3)] == ["A", "A", "B"]
    assert list(labelled_traces(path, 0)) == []


def test_a_trace_that_is_wrong_somewhere_is_wrong_and_not_located():
    data = data_of([trace_of([{}, {}])] * 3, [NO_ERROR, 1, WRONG_SOMEWHERE])
    assert data.erroneous.tolist() == [False, True, True]
    assert data.located.tolist() == [True, True, False]
    kept = data.where(np.array([True, False, True]))
    assert (kept.first_error.tolist(), kept.groups.tolist(), len(kept.traces)) == ([-1, -2], ["one-0", "one-2"], 2)
