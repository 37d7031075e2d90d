"""Links to recorded runs, and addresses that somebody made up."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest

from tests.support.pages import made_session
from ui.permalinks import UNKNOWN, by_name, name_asked, with_link
from ui.sessions import SessionViewer
from ui.solve_layout import SolveLayout

EXAMPLES = [
    {"id": "cars", "title": "Cars", "question": "How far?", "answer": "180"},
    {"id": "bare", "title": "Bare", "question": "Not recorded?", "answer": "1"},
]


@pytest.fixture
def viewer(tmp_path, monkeypatch):
    session = made_session(["60 * 3 = 180\n#### 180"], (0.0,), gold="180")
    with gr.Blocks():
        tab = SolveLayout(EXAMPLES, can_solve=False)
        viewer = SessionViewer(tab, can_solve=False)
        viewer.connect(EXAMPLES, {"How far?": session})
    monkeypatch.setattr(tab.save, "GRADIO_CACHE", str(tmp_path))
    return viewer


def land(viewer, question, **parameters):
    return viewer.land(question, SimpleNamespace(query_params=parameters))


def test_recorded_runs_are_named_by_their_examples():
    session = made_session(["#### 1"], (0.0,))
    assert by_name(EXAMPLES, {"How far?": session, "Another?": session}) == {"cars": session}


@pytest.mark.parametrize("asked", ["", "../../etc", "a b", "x" * 61, "<b>", "é"])
def test_what_can_be_no_name_is_none(asked):
    assert name_asked({"ex": asked}) == ""


def test_a_link_opens_its_run_whatever_the_tab_held_before(viewer):
    shown = land(viewer, "typed before", ex="cars")
    assert shown[viewer.tab.session].problem.answer == "180"
    assert 'data-ex="cars"' in shown[viewer.tab.status]


@pytest.mark.parametrize("asked", ["bare", "nobody", "<script>"])
def test_a_link_to_nothing_says_so_and_repeats_nothing(viewer, asked):
    assert land(viewer, "", ex=asked) == {viewer.tab.status: UNKNOWN}


def test_an_example_that_was_not_recorded_fills_the_form_and_offers_no_link(viewer):
    shown = viewer.take_example(EXAMPLES[1])
    assert shown[viewer.tab.problem] == "Not recorded?"
    assert viewer.tab.status not in shown


def test_a_line_without_a_recorded_run_has_no_link():
    assert with_link("<p>x</p>", None) == "<p>x</p>"
