"""What a person changes in a solution: the text that comes of it, the way back, and the new ranking."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.session.edits import (
    EditError,
    change_step,
    compare,
    history_of,
    is_edited,
    merge_steps,
    redo,
    split_step,
    undo,
    with_version,
)
from irl_core.session.record import Session, load_session
from irl_core.session.verdicts import with_verdict
from irl_core.session.versions import MAX_VERSIONS
from irl_core.text.traces import Trace
from tests.support.pages import made_session, version

TEXT = "Each box holds 12.\n3 * 12 = 35\n  35 - 5 = 30\n#### 30"
TRACE = Trace.from_text(TEXT)


def changed(session: Session, index: int, text: str, value: float = 0.0) -> Session:
    return with_version(session, index, version(change_step(session.traces[index], 0, text), value))


def three() -> Session:
    texts = ("60 * 3 = 190\n#### 190", "60 * 3 = 180\n#### 180", "60 + 3 = 63\n#### 63")
    return made_session(texts, (-3.0, 1.0, 0.0), gold="180")


def test_a_step_is_worded_anew_and_all_around_it_stays():
    made = change_step(TRACE, 2, "36 - 5 = 31")
    assert made.text == "Each box holds 12.\n3 * 12 = 35\n  36 - 5 = 31\n#### 30"
    assert made.step_texts() == ["Each box holds 12.", "3 * 12 = 35", "36 - 5 = 31", "#### 30"]
    assert change_step(TRACE, 3, "#### 31").answer == "31"


def test_a_step_of_several_lines_becomes_several_steps():
    made = change_step(TRACE, 1, "3 boxes.\n3 * 12 = 36")
    assert made.step_texts() == ["Each box holds 12.", "3 boxes.", "3 * 12 = 36", "35 - 5 = 30", "#### 30"]
    assert made.text == "Each box holds 12.\n3 boxes.\n3 * 12 = 36\n  35 - 5 = 30\n#### 30"


def test_two_sentences_on_one_line_stay_one_step():
    assert len(change_step(TRACE, 0, "There are boxes. Each holds 12.").steps) == 4


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (0, "3 * 12 = 35\n  35 - 5 = 30\n#### 30"),
        (2, "Each box holds 12.\n3 * 12 = 35\n#### 30"),
        (3, "Each box holds 12.\n3 * 12 = 35\n  35 - 5 = 30\n"),
    ],
)
def test_an_empty_step_is_taken_away(step, left):
    made = change_step(TRACE, step, " \n")
    assert made.text == left
    assert made.step_texts() == [text for k, text in enumerate(TRACE.step_texts()) if k != step]


def test_a_step_is_divided_and_joined_without_a_change_of_the_text():
    halves = split_step(TRACE, 0, 9)
    assert halves.text == TEXT
    assert halves.step_texts()[:2] == ["Each box", "holds 12."]
    assert merge_steps(halves, 0) == TRACE
    joined = merge_steps(TRACE, 1)
    assert joined.text == TEXT
    assert joined.step_texts() == ["Each box holds 12.", "3 * 12 = 35\n  35 - 5 = 30", "#### 30"]


def test_the_place_of_a_cut_is_counted_from_what_is_seen_of_the_step():
    assert split_step(TRACE, 2, 5).step_texts()[2:4] == ["35 -", "5 = 30"]
    assert split_step(Trace.from_text("  ab cd\nef"), 0, 3).step_texts() == ["ab", "cd", "ef"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: change_step(TRACE, 1, " 3 * 12 = 35 "), "nothing was changed"),
        (lambda: change_step(merge_steps(Trace.from_text("a\r\nb\nc"), 0), 0, "a\nb"), "nothing was changed"),
        (lambda: change_step(Trace.from_text("only"), 0, ""), "the only step"),
        (lambda: split_step(TRACE, 0, 0), "on both sides"),
        (lambda: split_step(TRACE, 0, 18), "on both sides"),
        (lambda: split_step(TRACE, 0, 10**9), "on both sides"),
        (lambda: split_step(TRACE, 0, -3), "on both sides"),
        (lambda: merge_steps(TRACE, 3), "the last step"),
    ],
)
def test_what_changes_nothing_or_leaves_nothing_is_refused_in_words(make, words):
    with pytest.raises(EditError, match=words):
        make()


def test_a_step_that_was_cut_off_is_finished_by_who_words_it():
    cut = Trace(text="3 * 12 = 36\n36 - 5 = 3", steps=((0, 12), (12, 22)), stopped="length")
    finished = change_step(cut, 1, "36 - 5 = 31")
    assert (finished.stopped, finished.unfinished, finished.answer) == ("pasted", None, "31")
    assert (change_step(cut, 0, "3 * 12 = 35").unfinished, split_step(cut, 1, 3).unfinished) == (1, 2)
    assert (merge_steps(cut, 0).unfinished, change_step(cut, 1, "").unfinished) == (0, None)


@given(text=st.text(min_size=1, max_size=40), step=st.integers(0, 3))
def test_any_text_becomes_a_step_and_no_character_is_lost(text, step):
    try:
        made = change_step(TRACE, step, text)
    except EditError:
        return
    before, after = TRACE.text[: TRACE.steps[step][0]], TRACE.text[TRACE.steps[step][1] :]
    assert made.text.startswith(before)
    assert made.text.endswith(after)
    assert text.strip() in made.text


def test_a_changed_solution_takes_its_new_place_and_the_vote_counts_its_new_answer():
    session = three()
    assert session.ranking.order == (1, 2, 0)
    after = with_version(session, 0, version(Trace.from_text("60 * 3 = 180\n#### 180"), 2.0))
    assert after.ranking.order == (0, 1, 2)
    assert after.ranking.correct == (True, True, False)
    assert [(vote.answer, vote.count) for vote in after.ranking.votes] == [("180", 2), ("63", 1)]
    assert is_edited(after, 0)
    assert not is_edited(after, 1)
    assert not is_edited(session, 0)


def test_undo_gives_back_exactly_what_was_there_and_redo_what_was_undone():
    session = three()
    once = changed(session, 0, "60 * 3 = 180")
    twice = changed(once, 0, "3 * 60 = 180")
    assert undo(twice, 0).traces == once.traces
    back = undo(undo(twice, 0), 0)
    assert (back.traces, back.scores, back.diagnoses, back.ranking) == (
        session.traces, session.scores, session.diagnoses, session.ranking,
    )  # fmt: skip
    assert not is_edited(back, 0)
    assert redo(redo(back, 0), 0) == twice
    with pytest.raises(EditError, match="nothing to undo"):
        undo(back, 0)
    with pytest.raises(EditError, match="nothing to do again"):
        redo(twice, 0)


def test_what_was_undone_and_then_changed_otherwise_is_still_there_behind_undo():
    first = changed(three(), 0, "60 * 3 = 181")
    other = changed(undo(first, 0), 0, "60 * 3 = 182")
    seen = [other]
    while history_of(seen[-1], 0).at:
        seen.append(undo(seen[-1], 0))
    assert [one.traces[0].step_texts()[0][-3:] for one in seen] == ["182", "190", "181", "190"]


def test_each_solution_has_a_history_of_its_own():
    both = changed(changed(three(), 2, "60 * 3 = 18"), 0, "60 * 3 = 180")
    assert undo(both, 2).traces[0] == both.traces[0]
    assert undo(both, 2).traces[2] == three().traces[2]


def test_a_verdict_is_on_the_wording_that_was_judged():
    judged = with_verdict(three(), 0, 0)
    after = changed(judged, 0, "60 * 3 = 180")
    assert after.verdicts == {}
    assert undo(after, 0).verdicts == {"0": "step 1"}
    assert redo(undo(with_verdict(after, 0, -1), 0), 0).verdicts == {"0": "nothing wrong"}


def test_changes_are_saved_and_opened_with_the_session():
    session = undo(changed(changed(three(), 0, "60 * 3 = 180"), 0, "3 * 60 = 180"), 0)
    opened = load_session(session.to_json())
    assert opened == session
    assert redo(opened, 0).traces[0].step_texts()[0] == "3 * 60 = 180"


def test_a_pasted_solution_is_changed_without_a_ranking():
    pasted = three().model_copy(update={"ranking": None})
    assert changed(pasted, 0, "60 * 3 = 180").ranking is None


def test_versions_are_kept_up_to_a_number_and_then_refused_in_words():
    session = three()
    for k in range(MAX_VERSIONS - 1):
        session = changed(session, 0, f"60 * 3 = {k}")
    with pytest.raises(EditError, match="64 versions"):
        changed(session, 0, "60 * 3 = 180")


def test_a_solution_that_was_not_read_cannot_be_changed():
    session = three()
    unread = session.model_copy(update={"scores": session.scores[:2], "diagnoses": session.diagnoses[:2]})
    with pytest.raises(EditError, match="read by the critic"):
        changed(unread, 2, "60 * 3 = 180")


def test_steps_are_compared_from_both_ends():
    before, after = version(TRACE), version(change_step(TRACE, 1, "3 boxes.\n3 * 12 = 36"))
    changes = compare(before, after)
    assert [(c.before, c.after, c.reworded) for c in changes] == [
        (0, 0, False), (1, 1, True), (None, 2, True), (2, 3, False), (3, 4, False),
    ]  # fmt: skip
    assert (changes[1].was.verdict, changes[2].was, changes[2].now.verdict) == ("suspect", None, "fine")
    back = compare(after, before)
    assert [(c.before, c.after) for c in back] == [(0, 0), (1, 1), (2, None), (3, 2), (4, 3)]


@pytest.mark.parametrize("change", [{"at": 5}, {"at": -1}, {"trace": 3}, {"versions": ()}])
def test_a_history_that_does_not_belong_to_the_session_is_refused(change):
    session = changed(three(), 0, "60 * 3 = 180")
    data = session.model_dump(mode="json")
    data["histories"][0] |= change
    with pytest.raises(ValueError, match=r"histories|history|versions"):
        load_session(json.dumps(data))


def test_a_history_that_shows_another_text_than_the_trace_is_refused():
    session = changed(three(), 0, "60 * 3 = 180")
    forged = session.to_json().replace('"at": 1', '"at": 0')
    with pytest.raises(ValueError, match="must be the trace itself"):
        load_session(forged)
