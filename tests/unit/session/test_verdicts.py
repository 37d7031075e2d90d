"""A reader's verdicts: kept in the session, exported as step labels, compared with the critic's marks."""

from __future__ import annotations

import json

import pytest

from irl_core.evaluation.trace_files import read_traces
from irl_core.session.edits import change_step, with_version
from irl_core.session.record import ModelCard, Session, load_session
from irl_core.session.verdicts import (
    Agreement,
    agreement,
    collected,
    found_by_critic,
    said_by_reader,
    step_labels,
    to_json_lines,
    with_verdict,
)
from tests.support.pages import QUESTION, made_session, version

TEXTS = ("60 * 3 = 190\n#### 190", "60 * 3 = 180\n#### 180", "60 + 3 = 63\n#### 63")


def three() -> Session:
    session = made_session(TEXTS, (-3.0, 1.0, 0.0), gold="180")
    return session.model_copy(update={"policy": ModelCard(name="a policy")})


def found(session: Session, index: int, **changes):
    return found_by_critic(session.diagnoses[index].model_copy(update=changes))


def judged(session: Session, *said: int | None) -> Session:
    for index, first_error in enumerate(said):
        session = with_verdict(session, index, first_error)
    return session


def test_verdicts_are_words_in_the_session_and_labels_when_they_are_read():
    session = judged(three(), 0, -1, None)
    assert session.verdicts == {"0": "step 1", "1": "nothing wrong"}
    opened = load_session(session.to_json())
    assert [said_by_reader(opened, k) for k in range(3)] == [0, -1, None]


def test_a_verdict_can_be_changed_and_taken_back():
    assert judged(judged(three(), 0), 1).verdicts == {"0": "step 2"}
    assert judged(judged(three(), 0), None).verdicts == {}


@pytest.mark.parametrize("words", ["step 3", "step 0", "step -1", "step 1 ", "Step 1", "", "<b>", "step 99999999999"])
def test_words_that_are_no_verdict_on_this_solution_count_as_none(words):
    session = three().model_copy(update={"verdicts": {"0": words, "7": "step 1", "x": "step 1"}})
    assert [said_by_reader(session, k) for k in (-1, 0, 1, 7)] == [None] * 4
    assert step_labels(session) == []


def test_an_agreement_of_an_older_session_is_read_as_what_the_critic_says():
    session = three().model_copy(update={"verdicts": {"0": "agree", "1": "agree"}})
    assert [said_by_reader(session, k) for k in range(2)] == [0, -1]


@pytest.mark.parametrize(("index", "step"), [(3, 0), (-1, 0), (0, 2), (0, -2)])
def test_a_verdict_on_what_is_not_there_is_refused(index, step):
    with pytest.raises(ValueError, match=r"there is no solution|has no step"):
        with_verdict(three(), index, step)


def test_what_the_marks_say_is_the_first_suspect_else_a_false_equation_else_nothing_wrong():
    session = three()
    assert [found(session, k) for k in range(3)] == [0, -1, -1]
    assert found(session, 0, first_suspect=None, outside=True) == 0, "a false equation is told of any text"
    assert found(session, 1, outside=True) is None
    assert found(session, 1, outside=True, first_suspect=0) is None
    assert found(session, 1, not_sure=True) is None
    assert found(session, 1, first_suspect=9) == -1
    assert found(session, 1, steps=()) is None


def test_labels_are_lines_that_the_evaluation_reads(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text(to_json_lines(step_labels(judged(three(), 0, None, 0))), "utf-8")
    first, second = path.read_text("utf-8").splitlines()
    assert json.loads(first) == {
        "question": QUESTION,
        "steps": ["60 * 3 = 190", "#### 190"],
        "gold_answer": "180",
        "final_correct": False,
        "first_error_step": 0,
        "generator": "a policy",
    }
    assert json.loads(second)["steps"] == ["60 + 3 = 63", "#### 63"]
    assert [read.first_error_step for read in read_traces(path)] == [0, 0]


def test_a_label_of_an_edited_solution_says_that_a_person_edited_it():
    session = three()
    edited = with_version(session, 0, version(change_step(session.traces[0], 0, "60 * 3 = 180")))
    assert step_labels(judged(edited, 1))[0].line["generator"] == "a policy, edited by a person"
    pasted = judged(edited.model_copy(update={"policy": None}), 1, -1)
    assert [one.line.get("generator") for one in step_labels(pasted)] == ["edited by a person", None]


def test_the_critic_agrees_where_its_marks_name_the_same_step_or_none():
    assert agreement(step_labels(judged(three(), 0, -1, 0))) == Agreement(judged=3, same=2, left_open=0)
    assert agreement(step_labels(judged(three(), 1, 0, -1))) == Agreement(judged=3, same=1, left_open=0)
    session = judged(three(), 0, -1)
    unsure = session.diagnoses[1].model_copy(update={"not_sure": True})
    session = session.model_copy(update={"diagnoses": (session.diagnoses[0], unsure, session.diagnoses[2])})
    assert agreement(step_labels(session)) == Agreement(judged=2, same=1, left_open=1)
    assert agreement([]) == Agreement(0, 0, 0)


def test_verdicts_of_several_sessions_are_collected_and_a_later_one_replaces_the_earlier():
    other = made_session(("60 * 3 = 180\n#### 181",), (0.0,))
    kept = collected(collected((), judged(three(), 0, -1)), judged(other, 1))
    assert [one.said for one in kept] == [0, -1, 1]
    again = collected(kept, judged(three(), 1, None))
    assert [(one.said, one.line["steps"][-1]) for one in again] == [(1, "#### 181"), (1, "#### 190")]


def test_a_verdict_on_a_wording_that_was_changed_since_stays_in_the_collection():
    session = judged(three(), 0)
    kept = collected((), session)
    edited = with_version(session, 0, version(change_step(session.traces[0], 0, "60 * 3 = 180")))
    assert [one.line["steps"][0] for one in collected(kept, judged(edited, 1))] == ["60 * 3 = 190", "60 * 3 = 180"]
