"""`python -m train.broken`: right and wrong solutions in many manners, in a file of traces."""

from __future__ import annotations

import json

import pytest

from irl_core.evaluation.trace_files import read_traces
from irl_core.text import split_steps
from tests.support.worked_solutions import SAMPLE
from train import broken


@pytest.fixture
def demonstrations(tmp_path):
    path = tmp_path / "gsm8k.jsonl"
    rows = [{"question": d.question, "answer": d.solution} for d in [*SAMPLE, SAMPLE[0]]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def written(out, demonstrations, *more):
    broken.main(["--demonstrations", demonstrations, "--out", str(out), *more])
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def test_one_seed_writes_one_file(tmp_path, demonstrations):
    made = written(tmp_path / "a.jsonl", demonstrations, "--n", "8", "--seed", "3")
    assert len(made) == 8
    assert made == written(tmp_path / "b.jsonl", demonstrations, "--n", "8", "--seed", "3")


def test_the_lines_are_traces_with_a_labelled_step(tmp_path, demonstrations):
    made = written(tmp_path / "a.jsonl", demonstrations, "--n", "10")
    traces = list(read_traces(tmp_path / "a.jsonl"))
    assert [trace.first_error_step for trace in traces] == [row["first_error_step"] for row in made]
    assert [trace.trace.text for trace in traces] == [row["solution"] for row in made]
    for row in made:
        steps = split_steps(row["solution"])
        assert -1 <= row["first_error_step"] < len(steps)
        assert (row["first_error_step"] == -1) == (row["kind"] == "right")
        assert {"question", "solution", "final_correct", "gold_answer", "generator", "style"} <= set(row)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"nothing\.jsonl"):
        broken.main(["--demonstrations", str(tmp_path / "nothing.jsonl"), "--out", str(tmp_path / "a.jsonl")])
