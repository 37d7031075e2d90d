"""`python -m train.sample`: problems in, traces out, bad lines named, the same seed the same file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from irl_core.evaluation.problem_files import read_problem
from irl_core.evaluation.trace_files import LabelledTrace, read_traces
from irl_core.text.json_lines import BadLine
from tests.support.nano import nano_llama, nano_tokenizer
from train.sample import main


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy")
    nano_llama().save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)
    return folder


def run(policy: Path, problems: Path, out: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict:
    fixed = ["--policy", str(policy), "--n", "2", "--max-tokens", "6", "--temperature", "1", "--top-p", "1"]
    main(["--problems", str(problems), "--out", str(out), *fixed, *more])
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    lines = [
        '{"question": "What is 3 + 4?", "answer": "7", "id": "sum"}',
        "not json",
        '{"question": "Pick any number."}',
        '{"question": "How many?", "answer": "2 + 2 = <<2+2=4>>4\\n#### 4"}',
        "",
        '{"answer": "1"}',
        json.dumps({"question": "x" * 5000}),
    ]
    path = tmp_path / "problems.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_every_usable_problem_gets_its_traces_and_every_bad_line_is_named(
    policy: Path, problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(policy, problems, tmp_path / "traces.jsonl", capsys)
    lines = [json.loads(line) for line in (tmp_path / "traces.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["sum:0", "sum:1", "line-3:0", "line-3:1", "line-4:0", "line-4:1"]
    assert [line.get("gold_answer") for line in lines] == ["7", "7", None, None, "4", "4"]
    assert ["final_correct" in line for line in lines] == [True, True, False, False, True, True]
    assert {line["generator"] for line in lines} == {policy.name}
    assert [line["line"] for line in figures["skipped"]] == [2, 6, 7]
    assert (figures["n_problems"], figures["n_traces"], figures["n_problems_graded"]) == (3, 6, 2)
    right = [[line["final_correct"] for line in lines[start : start + 2]] for start in (0, 4)]
    assert figures["pass@1"] == sum(map(sum, right)) / 4
    assert figures["pass@2"] == sum(map(any, right)) / 2


def test_what_is_written_can_be_evaluated(
    policy: Path, problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(policy, problems, tmp_path / "traces.jsonl", capsys)
    found = list(read_traces(tmp_path / "traces.jsonl"))
    assert len(found) == 6
    assert all(isinstance(line, LabelledTrace) for line in found)


def test_the_same_seed_gives_the_same_file_and_another_seed_another(
    policy: Path, problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        run(policy, problems, tmp_path / name, capsys, "--seed", seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


def test_a_killed_run_goes_on_behind_the_last_whole_problem_and_ends_with_the_same_file(
    policy: Path, problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "traces.jsonl"
    whole = run(policy, problems, out, capsys)
    written = out.read_bytes()
    ends = [i + 1 for i, byte in enumerate(written) if byte == ord("\n")]
    for kept, resumed in ((0, 0), (ends[0], 0), (ends[2] + 7, 1), (ends[3], 2), (len(written), 3)):
        out.write_bytes(written[:kept])
        figures = run(policy, problems, out, capsys, "--resume")
        assert out.read_bytes() == written
        assert figures["n_problems_resumed"] == resumed
        assert [figures[key] for key in ("n_traces", "pass@1", "ended")] == [
            whole[key] for key in ("n_traces", "pass@1", "ended")
        ]


def test_the_file_of_another_run_is_not_gone_on_with(
    policy: Path, problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "traces.jsonl"
    run(policy, problems, out, capsys)
    other = tmp_path / "other.jsonl"
    other.write_text('{"question": "What is 3 + 5?", "id": "sum"}')
    kept = out.read_bytes()
    for posed, more in ((other, ()), (problems, ("--n", "1")), (problems, ("--n", "3"))):
        with pytest.raises(SystemExit):
            run(policy, posed, out, capsys, "--resume", *more)
        assert "holds traces of other problems, policy or n" in capsys.readouterr().err
        assert out.read_bytes() == kept


def test_a_limit_reads_only_the_first_lines(
    policy: Path, problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(policy, problems, tmp_path / "traces.jsonl", capsys, "--limit", "1")
    assert figures["n_problems"] == 1
    assert figures["skipped"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--limit", "0"], "--limit must be at least 1"),
        (["--n", "0"], "n is 0; it must be at least 1"),
        (["--policy", "no such policy"], "no such policy"),
    ],
)
def test_a_mistake_on_the_command_line_is_named(
    problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        main(["--problems", str(problems), "--out", str(tmp_path / "out"), *arguments])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"{}", b"\xff", b'{"question": 3}', b'{"question": " "}', b'{"question": "a", "answer": []}',
     b'{"question": "\\ud800"}', b"[" * 100_000],
)  # fmt: skip
def test_any_unusable_line_is_a_reason_and_no_crash(raw: bytes) -> None:
    line = read_problem(9, raw)
    assert isinstance(line, BadLine)
    assert line.line == 9
    assert line.reason
