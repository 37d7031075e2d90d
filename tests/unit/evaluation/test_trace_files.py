"""Trace files as strangers write them: what is read, what is refused, and that neither ends the run."""

from __future__ import annotations

import doctest
import json

import pytest

from irl_core.evaluation import trace_files
from irl_core.evaluation.trace_files import LabelledTrace, parse_line, read_traces
from irl_core.text.json_lines import MAX_LINE_BYTES, BadLine

GOOD = {"question": "1 + 1?", "steps": ["1 + 1 = 2", "#### 2"]}


def parse(**changes) -> LabelledTrace | BadLine:
    record = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    return next(parse_line(7, json.dumps(record)))


def test_given_steps_are_kept_as_they_are():
    item = parse(steps=["a\nb. c.", "", "#### 2"], first_error_step=2)
    assert item.trace.step_texts() == ["a\nb. c.", "", "#### 2"]
    assert item.trace.answer == "2"
    assert item.first_error_step == 2


def test_a_solution_is_split_into_its_lines():
    item = parse(steps=..., solution="1 + 1 = 2\n\n#### 2")
    assert item.trace.step_texts() == ["1 + 1 = 2", "#### 2"]
    assert item.trace.text == "1 + 1 = 2\n\n#### 2"


def test_null_labels_are_absent_labels():
    item = parse(first_error_step=None, final_correct=None, gold_answer=None, generator=None, solution=None)
    assert (item.first_error_step, item.final_correct, item.gold_answer, item.generator) == (None,) * 4


def test_unknown_keys_are_kept_for_the_output():
    assert parse(qid="x", extra={"a": [1]}).record == {**GOOD, "qid": "x", "extra": {"a": [1]}}


def test_a_gold_answer_may_be_a_number():
    assert parse(gold_answer=72).gold_answer == "72"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"question": ...}, "'question' must be a text"),
        ({"question": " \n"}, "'question' must be a text that is not empty"),
        ({"question": 3}, "'question' must be a text"),
        ({"question": "x" * 100_001}, "'question' is longer than 100,000"),
        ({"steps": ...}, "needs 'steps' or 'solution'"),
        ({"steps": []}, "must hold a step that is not empty"),
        ({"steps": ["", " "]}, "must hold a step that is not empty"),
        ({"steps": "1 + 1 = 2"}, "'steps' must be a list of texts"),
        ({"steps": ["1", 2]}, "'steps' must be a list of texts"),
        ({"steps": ["x"] * 1001}, "has 1,001 steps"),
        ({"steps": ["x" * 100_001]}, "holds 100,001 characters"),
        ({"steps": ..., "solution": ""}, "'solution' must be a text that is not empty"),
        ({"steps": ..., "solution": ["x"]}, "'solution' must be a text"),
        ({"first_error_step": 2}, "'first_error_step' is 2, but the steps are 0 to 1"),
        ({"first_error_step": -2}, "'first_error_step' is -2"),
        ({"first_error_step": 1.0}, "must be a whole number or null, not the number 1.0"),
        ({"first_error_step": True}, "must be a whole number or null, not true or false"),
        ({"first_error_step": "1"}, "must be a whole number or null, not a text"),
        ({"final_correct": 1}, "'final_correct' must be true or false or null"),
        ({"generator": ["x"]}, "'generator' must be a text or null, not a list"),
        ({"gold_answer": {"x": 1}}, "'gold_answer' must be a text or a number, not an object"),
        ({"mean_logprob": "low"}, "'mean_logprob' must be a number, not a text"),
        ({"extra": float("nan")}, "holds NaN"),
        ({"extra": "\ud800"}, "half of a surrogate pair"),
    ],
)
def test_a_line_of_the_wrong_shape_is_refused_with_its_reason(changes, reason):
    bad = parse(**changes)
    assert isinstance(bad, BadLine)
    assert bad.line == 7
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "not JSON: "),
        (b"nonsense", "not JSON: Expecting value at column 1"),
        (b"[1, 2]", "must be a JSON object, not a list"),
        (b"null", "must be a JSON object, not null"),
        (b'{"question": "\xff"}', "not UTF-8"),
        (b'{"extra": 1e999}', "holds 1e999, which is too large a number"),
        (b'{"extra": -Infinity}', "holds -Infinity"),
        (b'{"extra": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"extra": ' + b"1" * 5000 + b"}", "Exceeds the limit"),
    ],
)
def test_a_line_that_is_no_json_object_is_refused_with_its_reason(raw, reason):
    (bad,) = parse_line(1, raw)
    assert isinstance(bad, BadLine)
    assert reason in bad.reason


def test_bad_lines_are_numbered_by_their_place_in_the_file_and_blank_lines_are_none(tmp_path):
    path = tmp_path / "traces.jsonl"
    good = json.dumps(GOOD).encode()
    path.write_bytes(b"\xef\xbb\xbf" + good + b"\r\n\n" + b"oops\n" + good)
    lines = list(read_traces(path))
    assert [line.line for line in lines] == [1, 3, 4]
    assert [isinstance(line, BadLine) for line in lines] == [False, True, False]


@pytest.mark.parametrize("excess", [1, MAX_LINE_BYTES, 3 * MAX_LINE_BYTES])
def test_an_endless_line_is_passed_over_and_the_next_one_is_read(tmp_path, excess):
    path = tmp_path / "traces.jsonl"
    good = json.dumps(GOOD).encode()
    path.write_bytes(b"x" * (MAX_LINE_BYTES + excess) + b"\n" + good + b"\n")
    bad, line = read_traces(path)
    assert bad == BadLine(1, "longer than 1,000,000 bytes")
    assert isinstance(line, LabelledTrace)
    assert line.line == 2


def test_an_entry_of_an_array_may_be_as_long_as_a_line_and_no_longer(tmp_path):
    path = tmp_path / "traces.json"
    path.write_text(json.dumps([GOOD | {"extra": "x" * MAX_LINE_BYTES}, GOOD]))
    bad, line = read_traces(path)
    assert bad == BadLine(1, "longer than 1,000,000 bytes")
    assert isinstance(line, LabelledTrace)


def test_a_byte_order_mark_may_stand_where_two_files_were_joined(tmp_path):
    path = tmp_path / "traces.jsonl"
    path.write_bytes(2 * (b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n"))
    assert all(isinstance(line, LabelledTrace) for line in read_traces(path))


def test_a_file_in_utf_16_is_told_so(tmp_path):
    path = tmp_path / "traces.jsonl"
    path.write_text(json.dumps(GOOD), encoding="utf-16")
    (bad,) = read_traces(path)
    assert bad == BadLine(1, "not UTF-8 but UTF-16: save the file as UTF-8")


def test_a_path_may_be_a_text(tmp_path):
    path = tmp_path / "traces.jsonl"
    path.write_text(json.dumps(GOOD))
    assert [line.question for line in read_traces(str(path))] == ["1 + 1?"]


def test_the_example_in_the_documentation_gives_what_it_says():
    results = doctest.testmod(trace_files)
    assert results.attempted > 0
    assert results.failed == 0
