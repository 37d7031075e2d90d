"""What the page makes of a change or a verdict that a browser sends, which may be anything."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest

from irl_core.session.edits import with_version
from irl_core.session.record import Session
from irl_core.text.traces import Trace
from tests.support.pages import made_session, version
from ui.diagnose import DiagnoseTab
from ui.editing import Editor, Shown
from ui.judging import Judge
from ui.labels import LabelsCorner
from ui.render.drawing import Selection
from ui.render.edits import render_changes
from ui.sessions import SessionViewer
from ui.solve_layout import MOST_EARLIER, SolveLayout, worked_on

TEXTS = ("60 * 3 = 190\n#### 190", "60 * 3 = 180\n#### 180")


class Ready:
    """A workbench that reads whatever it is given; it counts how often."""

    stage, changes = "ready", 0

    def start_loading(self) -> None:
        pass

    def change(self, session: Session, index: int, trace: Trace) -> Session:
        self.changes += 1
        return with_version(session, index, version(trace, 5.0))


@pytest.fixture
def page(tmp_path, monkeypatch):
    with gr.Blocks():
        tab, corner = SolveLayout([], can_solve=True), LabelsCorner("labels")
        judged = gr.State(())
        pasted = DiagnoseTab(Ready(), [])
    for part in (tab.save, corner.save):
        monkeypatch.setattr(part, "GRADIO_CACHE", str(tmp_path))
    viewer = SessionViewer(tab, can_solve=True)
    shown = Shown(tab.reading.text, tab.session, tab.selection, tab.status, tab.drawing, viewer.show_changed)
    editor, judge = Editor(shown, Ready()), Judge(shown, [corner], judged)
    return SimpleNamespace(tab=tab, corner=corner, editor=editor, judge=judge, judged=judged, pasted=pasted)


def two() -> Session:
    return made_session(TEXTS, (1.0, 0.0), gold="180")


def changed(page, session, data, trace=0):
    *_, last = page.editor.change(session, Selection(trace), SimpleNamespace(_data=data))
    return last


def judge(page, session, verdict, judged=(), trace=0):
    return page.judge.judge(session, Selection(trace), judged, SimpleNamespace(_data={"verdict": verdict}))


def test_a_change_is_read_ranked_and_told(page):
    after = changed(page, two(), {"action": "change", "step": 1, "text": "#### 180"})
    assert after[page.tab.session].traces[0].answer == "180"
    assert (
        "answer 180, before 190; place 1 of 2, as before; the vote chooses 180, before 190" in after[page.tab.status]
    )
    assert "Solution 1 · edited by a person" in after[page.tab.reading.text]
    assert "· edited" in after[page.tab.ranking]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "no such step"),
        ({"step": 2}, "no such step"),
        ({"step": True}, "no such step"),
        ({"step": 0, "text": 5}, "must be text"),
        ({"step": 0, "text": "9" * 2_000_000}, "2,000,000 characters"),
        ({"step": 0, "text": "9" * 8_000}, r"8,\d\d\d characters"),
        ({"step": 0, "text": "a\n" * 65}, "66 steps"),
        ({"step": 0, "text": "\ud800"}, "half of a character"),
        ({"step": 0, "text": " 60 * 3 = 190 "}, "nothing was changed"),
        ({"step": 0, "action": "split", "at": "x"}, "on both sides"),
        ({"step": 0, "action": "split", "at": 10**12}, "on both sides"),
        ({"step": 1, "action": "merge"}, "the last step"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_in_words_before_anything_is_read(page, data, words):
    with pytest.raises(gr.Error, match=words):
        changed(page, two(), data)
    assert page.editor.workbench.changes == 0


@pytest.mark.parametrize(("session", "trace"), [(None, 0), (two(), None), (two(), 2), (two(), -1)])
def test_nothing_is_changed_or_judged_where_there_is_no_solution(page, session, trace):
    with pytest.raises(gr.Error, match="no solution to change"):
        changed(page, session, {"step": 0, "text": "x"}, trace)
    with pytest.raises(gr.Error, match="no solution to judge"):
        judge(page, session, "none", trace=trace)


def test_html_and_control_characters_are_shown_as_text(page):
    after = changed(page, two(), {"step": 0, "text": "<img src=x> \x07 {{x}} ${1}"})
    assert "<img" not in after[page.tab.reading.text] + after[page.tab.ranking] + after[page.tab.status]
    assert after[page.tab.session].traces[0].step_texts()[0] == "<img src=x> \x07 {{x}} ${1}"


def test_undo_and_redo_read_nothing_and_say_when_there_is_nothing(page):
    session = changed(page, two(), {"step": 0, "text": "60 * 3 = 180"})[page.tab.session]
    undone = page.editor.step_through(session, Selection(0), SimpleNamespace(_data={"action": "undo"}))
    assert undone[page.tab.session].traces == two().traces
    assert 'data-change="undo" aria-keyshortcuts="Control+Z" aria-disabled="true"' in undone[page.tab.reading.text]
    with pytest.raises(gr.Error, match="nothing to undo"):
        page.editor.step_through(two(), Selection(0), SimpleNamespace(_data=None))
    assert page.editor.workbench.changes == 1


def test_each_step_stands_before_and_after_the_change(page):
    session = with_version(two(), 0, version(Trace.from_text("60 * 3 = 180\n#### 180"), 5.0))
    html = render_changes(session, 0)
    assert html.count("<tr><th scope='row'>") == 2
    assert "expected 180</del>" in html
    assert render_changes(session, 1) == ""


def test_a_verdict_is_kept_collected_and_taken_back(page):
    after = judge(page, two(), "agree")
    session, judged = after[page.tab.session], after[page.judged]
    assert session.verdicts == {"0": "step 1"}
    assert "<b>1 of 1 solution</b>" in after[page.corner.line]
    assert after[page.corner.save]["interactive"]
    again = judge(page, session, 0, judged)
    assert (again[page.tab.session].verdicts, again[page.judged]) == ({}, ())
    assert not again[page.corner.save]["interactive"]


@pytest.mark.parametrize("verdict", [None, 2, -1, True, "step 1", {}])
def test_a_verdict_that_is_none_is_refused_in_words(page, verdict):
    with pytest.raises(gr.Error, match="no such step"):
        judge(page, two(), verdict)


def test_what_a_person_worked_on_is_kept_when_another_session_takes_its_place(page):
    worked = changed(page, two(), {"step": 0, "text": "60 * 3 = 180"})[page.tab.session]
    assert worked_on(two(), worked, None) == (worked,)
    assert len(worked_on(*[worked] * 30)) == MOST_EARLIER
    back = page.pasted.go_back((worked,), None)
    assert back[page.pasted.session] == worked
    other = judge(page, two(), "none")[page.tab.session]
    again = page.pasted.go_back((worked,), other)
    assert again[page.pasted.earlier] == (other,)
