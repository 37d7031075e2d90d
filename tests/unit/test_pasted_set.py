"""The sixty pasted solutions of our own: what the set holds, and that its labels fit the texts as they are cut."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

import irl_core as irl
from tests.conftest import ROOT

PASTED: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOT / "tests" / "pasted.jsonl").read_text(encoding="utf-8").splitlines()
]
RIGHT = [line for line in PASTED if line["first_error_step"] == -1]
WRONG = [line for line in PASTED if line["first_error_step"] >= 0]
FIELDS = ["id", "question", "solution", "gold_answer", "final_correct", "first_error_step"]
FIELDS += ["error_text", "style", "error_kind", "generator"]
STYLES = {"chat": 18, "pupil": 13, "bullets": 6, "paragraph": 8, "numbered": 8, "terse": 5, "table": 2}
SLIPS = ("arithmetic", "copied number")  # every other kind is a wrong plan

# Its last sentence is a check that ends with a number of the problem; the answer stands in the sentence before.
READ_OTHERWISE = {"pasted-11"}

each_line = pytest.mark.parametrize("line", PASTED, ids=lambda line: line["id"])
each_wrong_line = pytest.mark.parametrize("line", WRONG, ids=lambda line: line["id"])


def test_the_set_has_thirty_right_and_thirty_wrong_solutions_with_ids_of_their_own():
    assert [line["id"] for line in PASTED] == [f"pasted-{number:02d}" for number in range(1, 61)]
    assert len(RIGHT) == len(WRONG) == 30
    assert len({line["question"] for line in PASTED}) == 60


def test_every_style_is_there_both_right_and_wrong():
    assert Counter(line["style"] for line in PASTED) == STYLES
    assert {line["style"] for line in RIGHT} == {line["style"] for line in WRONG} == set(STYLES)


def test_most_errors_are_wrong_plans_and_few_are_slips_of_arithmetic():
    kinds = Counter(line["error_kind"] for line in WRONG)
    assert 1 <= kinds["arithmetic"] <= 10
    assert kinds["copied number"] >= 4
    assert sum(count for kind, count in kinds.items() if kind not in SLIPS) >= 12


@each_line
def test_a_line_has_all_fields_and_two_to_ten_steps(line: dict[str, Any]):
    assert list(line) == FIELDS
    assert line["generator"] == "own"
    assert 2 <= len(irl.split_steps(line["solution"])) <= 10


@pytest.mark.parametrize("line", RIGHT, ids=lambda line: line["id"])
def test_a_right_solution_names_no_error_and_ends_right(line: dict[str, Any]):
    assert (line["error_text"], line["error_kind"], line["final_correct"]) == ("", "", True)


@each_wrong_line
def test_the_text_of_the_error_stands_once_and_in_the_step_named(line: dict[str, Any]):
    start, end = irl.split_steps(line["solution"])[line["first_error_step"]]
    assert line["error_kind"]
    assert line["solution"].count(line["error_text"]) == 1
    assert line["error_text"] in line["solution"][start:end]


def test_the_library_reads_the_final_answer_as_labelled_but_for_the_known_one():
    def agrees(line: dict[str, Any]) -> bool:
        read = irl.extract_answer(line["solution"])
        return irl.answers_match(line["gold_answer"], read) == line["final_correct"]

    assert {line["id"] for line in PASTED if not agrees(line)} == READ_OTHERWISE
