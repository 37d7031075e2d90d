"""`python -m train.problems`: what is learned from, in a file."""

from __future__ import annotations

import json

import pytest

from train import problems


def written(out, *more):
    problems.main(["--out", str(out), "--seed", "3", *more])
    return [json.loads(line) for line in out.read_text().splitlines()]


@pytest.fixture
def gsm8k(tmp_path):
    steps = ["1 + 1 = <<1+1=2>>2", "2 + 1 = <<2+1=3>>3", "3 + 1 = <<3+1=4>>4"]
    rows = [{"question": f"Q{i}?", "answer": "\n".join([*steps[: 1 + i % 3], "#### 4"])} for i in range(20)]
    path = tmp_path / "gsm8k.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_one_seed_writes_one_file(tmp_path):
    made = written(tmp_path / "a.jsonl", "--n", "5", "--drills", "2")
    assert len(made) == 7
    assert made == written(tmp_path / "b.jsonl", "--n", "5", "--drills", "2")


def test_short_problems_of_gsm8k_stand_between_the_others(tmp_path, gsm8k):
    made = written(tmp_path / "a.jsonl", "--n", "10", "--gsm8k", gsm8k, "--gsm8k-skip", "6")
    theirs = [row for row in made if row["source"] == "gsm8k"]
    # The last of twenty is the validation part; of the numbers 6 to 18 every third has three steps.
    assert sorted(int(row["question"][1:-1]) for row in theirs) == [6, 7, 9, 10, 12, 13, 15, 16, 18]
    assert {row["answer"] for row in theirs} == {"1 + 1 = 2\n#### 4", "1 + 1 = 2\n2 + 1 = 3\n#### 4"}
    assert [row["source"] for row in made] != sorted(row["source"] for row in made)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"error: .*no\.jsonl"):
        written(tmp_path / "a.jsonl", "--gsm8k", str(tmp_path / "no.jsonl"))
