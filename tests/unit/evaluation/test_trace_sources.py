"""Several files of traces read one after the other."""

from __future__ import annotations

import json

import pytest

from irl_core.evaluation.trace_files import BadLineOfFile
from irl_core.evaluation.trace_sources import is_hub_name, read_sources, source_names

LINE = json.dumps({"question": "1 + 1?", "solution": "2"}) + "\n"


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["dev.jsonl"], ("dev",)),
        (["a/dev.jsonl", "b/other.json"], ("dev", "other")),
        (["a/dev.jsonl", "b/dev.jsonl", "other.jsonl"], ("a/dev", "b/dev", "other")),
        (["x/a/dev.jsonl", "y/a/dev.jsonl"], ("x/a/dev", "y/a/dev")),
        (["a/dev.jsonl", "a/dev.json"], ("dev.jsonl", "dev.json")),
        (["dev.v1.jsonl", "dev.v2.jsonl"], ("dev.v1", "dev.v2")),
        (["owner/dev", "owner/dev.jsonl"], ("owner/dev", "dev")),
        (["owner/dev", "owner/dev.jsonl", "x/dev.jsonl"], ("owner/dev", "owner/dev.jsonl", "x/dev")),
    ],
)
def test_files_are_called_by_their_stems_and_by_as_much_more_as_tells_them_apart(sources, names):
    assert source_names(sources) == names


def test_the_same_file_twice_is_refused_however_it_is_written():
    with pytest.raises(ValueError, match=r"a/dev\.jsonl is given more than once"):
        source_names(["a/dev.jsonl", "a/../a/dev.jsonl"])
    with pytest.raises(ValueError, match="owner/set is given more than once"):
        source_names(["owner/set", "owner/set"])


def test_a_name_with_a_suffix_of_ours_is_no_name_of_the_hub():
    assert is_hub_name("Qwen/ProcessBench")
    assert not is_hub_name("data/bench.jsonl")
    assert not is_hub_name("bench")


def test_each_trace_and_each_bad_line_of_several_files_carries_the_name_of_its_file(tmp_path):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text(LINE + "bad\n")
    second.write_text(LINE * 3)
    one, bad, *rest = read_sources([str(first), str(second)])
    assert (one.file, one.line) == ("first", 1)
    assert isinstance(bad, BadLineOfFile)
    assert (bad.file, bad.line) == ("first", 2)
    assert [(trace.file, trace.line) for trace in rest] == [("second", 1), ("second", 2), ("second", 3)]


def test_of_one_file_no_name_is_carried(tmp_path):
    path = tmp_path / "only.jsonl"
    path.write_text(LINE + "bad\n")
    one, bad = read_sources([str(path)])
    assert one.file is None
    assert not isinstance(bad, BadLineOfFile)


def test_a_limit_is_of_each_file(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(LINE * 5)
    found = read_sources([str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")], limit=2)
    assert [(trace.file, trace.line) for trace in found] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
