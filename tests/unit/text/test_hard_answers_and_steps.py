"""What people really write, from bug reports of other projects: answers, votes, steps, reasons and trace files.

`hard_inputs.jsonl` holds the reports and guards, `answers_and_steps_variants.jsonl` variants of each kind; half of the
variants were set aside until the rules were written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from irl_core.diagnosis.evidence import gather
from irl_core.diagnosis.rerank import count_votes
from irl_core.evaluation.trace_files import read_traces
from irl_core.text.answers import answers_match, extract_answer
from irl_core.text.json_lines import BadLine
from irl_core.text.scores import TraceScore
from irl_core.text.steps import split_steps
from irl_core.text.traces import Trace

DATA = Path(__file__).parents[2] / "data"
GROUPS = ("answer", "match", "vote", "steps", "reason", "loader")


def lines(group: str) -> Iterator[Any]:
    for name in ("hard_inputs", "answers_and_steps_variants"):
        for number, line in enumerate((DATA / f"{name}.jsonl").read_text(encoding="utf-8").split("\n"), 1):
            record = json.loads(line) if line else {"kind": ""}
            if record["kind"].removeprefix("guard/").startswith(group + "/"):
                yield pytest.param(record, id=f"{name}-{number}")


def reasons(question: str, solution: str) -> list[str]:
    trace = Trace.from_text(solution)
    zeros = (0.0,) * len(trace.steps)
    score = TraceScore(offsets=trace.steps, rewards=zeros, values=zeros, step_rewards=zeros, trace_score=0.0)
    said = []
    for evidence in gather(question, trace, score).steps:
        if evidence.unknown:
            said.append(f"uses {', '.join(evidence.unknown)}, which neither the problem nor an earlier step gives")
        if evidence.answer_mismatch:
            said.append("the answer differs from the last computed result")
    return said


@pytest.mark.parametrize("record", lines("answer"))
def test_the_answer_that_a_text_states_is_read(record):
    expected = record["expect"]["answer"]
    found = extract_answer(record["text"])
    wanted = expected if isinstance(expected, list) else [expected]
    assert found in wanted or any(answers_match(one, found) for one in wanted)


@pytest.mark.parametrize("record", lines("match"))
def test_an_answer_matches_the_known_one_if_it_is_the_same(record):
    assert answers_match(record["expect"]["gold"], record["text"]) is record["expect"]["match"]


@pytest.mark.parametrize("record", lines("vote"))
def test_equal_answers_vote_together(record):
    traces = [Trace.from_text(text) for text in record["text"]]
    votes = [vote for vote in count_votes(traces, [1.0] * len(traces)) if vote.answer is not None]
    elected = max(votes, key=lambda vote: (vote.count, -vote.members[0]))
    assert answers_match(record["expect"]["majority"], elected.answer)


@pytest.mark.parametrize("record", lines("steps"))
def test_steps_are_what_a_reader_would_call_so(record):
    text, expected = record["text"], record["expect"]
    if "seconds" in expected:
        begun = time.process_time()
        split_steps(text + expected["append"] * expected["times"])
        assert time.process_time() - begun < expected["seconds"]
        return
    steps = [text[a:b].strip() for a, b in split_steps(text)]
    assert len(steps) == expected["n_steps"] if "n_steps" in expected else steps == expected["steps"]


@pytest.mark.parametrize("record", lines("reason"))
def test_no_reason_is_false(record):
    said, expected = " | ".join(reasons(record["question"], record["solution"])), record["expect"]
    assert expected.get("says", "") in said
    assert "says not" not in expected or expected["says not"] not in said


@pytest.mark.parametrize("record", lines("loader"))
def test_a_label_is_read_as_it_is_meant_or_refused(record, tmp_path):
    path = tmp_path / "traces.jsonl"
    path.write_text(record["text"] + "\n", encoding="utf-8", newline="")
    (found,) = read_traces(path)
    label = "refused" if isinstance(found, BadLine) else found.first_error_step
    assert label in record["expect"]["first_error_step"]


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_lines(group):
    assert any(True for _ in lines(group))
