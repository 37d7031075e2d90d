"""What the Solve tab does when a step is to be rewritten, without a browser."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest

from irl_core.diagnosis.rerank import Ranking
from irl_core.session.record import Session
from irl_core.session.workbench import Workbench
from irl_core.text.traces import Problem, Trace
from ui.render.solution import Selection
from ui.solve import SolveTab

TEXT = "He has 3 * 4 = 12.\nLeft: 12 - 5 = 8.\n#### 8"


@pytest.fixture(scope="module")
def tab() -> SolveTab:
    with gr.Blocks():
        return SolveTab(Workbench(), [], {})


def session(text: str = TEXT, **more) -> Session:
    return Session(problem=Problem(question="How many?", answer="7"), traces=(Trace.from_text(text),), **more)


def ranked(text: str = TEXT) -> Session:
    return session(text, ranking=Ranking(order=(0,), votes=(), chosen={}, correct=(None,)))


def rewrite(tab: SolveTab, given: Session | None, data: object, before: tuple = (), trace: int | None = 0) -> tuple:
    """Question, answer, text that is kept, and the sessions that one can go back to."""
    request, event = SimpleNamespace(session_hash="visitor"), SimpleNamespace(_data=data)
    return tab.ask_to_rewrite(given, Selection(trace), before, 8, 0.7, 0, False, event, request)[:4]


def test_a_step_is_rewritten_after_all_that_stands_before_it(tab):
    question, answer, start, _ = rewrite(tab, ranked(), {"step": 1})
    assert (question, answer, start) == ("How many?", "7", "He has 3 * 4 = 12.\n")
    assert rewrite(tab, ranked(), {"step": 0})[2] == ""
    assert rewrite(tab, ranked(), {"step": 2})[2] == "He has 3 * 4 = 12.\nLeft: 12 - 5 = 8.\n"


def test_the_space_before_a_rewritten_sentence_is_left_to_the_model(tab):
    assert rewrite(tab, ranked("He has 3 * 4 = 12. Left are 8."), {"step": 1})[2] == "He has 3 * 4 = 12."


def test_what_was_solved_can_be_gone_back_to_and_what_was_pasted_stays_where_it_is(tab):
    first, second, pasted = ranked(), ranked(TEXT + "\n"), session()
    assert rewrite(tab, second, {"step": 1}, (first,))[3] == (first, second)
    assert rewrite(tab, pasted, {"step": 1}, (first,))[3] == (first,)
    question, _, shown, *_, before, back = tab.go_back((first, second))
    assert (question, shown, before) == ("How many?", second, (first,))
    assert back["visible"]
    assert not tab.go_back((first,))[-1]["visible"]


def test_the_way_back_does_not_grow_for_ever(tab):
    before = ()
    for _ in range(30):
        before = rewrite(tab, ranked(), {"step": 1}, before)[3]
    assert len(before) == 8


@pytest.mark.parametrize("data", [None, [], {}, {"step": 3}, {"step": -1}, {"step": "1"}, {"step": True}])
def test_a_step_that_is_not_there_is_refused_in_words(tab, data):
    with pytest.raises(gr.Error, match="no such step"):
        rewrite(tab, ranked(), data)


def test_nothing_is_rewritten_where_nothing_was_solved(tab):
    for given, trace in ((None, 0), (ranked(), None)):
        with pytest.raises(gr.Error, match="no such step"):
            rewrite(tab, given, {"step": 1}, trace=trace)


def test_a_problem_that_the_form_would_refuse_is_refused_in_an_opened_session_too(tab):
    long = ranked().model_copy(update={"problem": Problem(question="?" * 5000)})
    with pytest.raises(gr.Error, match="5,000 characters"):
        rewrite(tab, long, {"step": 1})
