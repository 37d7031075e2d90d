"""What the Solve tab does when a problem is asked, solved or rewritten, without a browser."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest

from irl_core.diagnosis.rerank import Ranking
from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session
from irl_core.session.run import Growing, Snapshot
from irl_core.session.workbench import Workbench
from irl_core.text.traces import Problem, Trace
from ui.reading_column import Updates
from ui.render.drawing import Drawing, Selection
from ui.sessions import SessionViewer
from ui.solve import Solver
from ui.solve_layout import SolveLayout

TEXT = "He has 3 * 4 = 12.\nLeft: 12 - 5 = 8.\n#### 8"
VISITOR = SimpleNamespace(session_hash="visitor")
FORM = (8, 0.7, 0, False)


@pytest.fixture(scope="module")
def solver() -> Solver:
    with gr.Blocks(), gr.Tabs() as rooms, gr.Tab("Solve", id="solve"):
        return Solver(SolveLayout([], can_solve=True), rooms, Workbench())


def session(text: str = TEXT, **more) -> Session:
    return Session(problem=Problem(question="How many?", answer="7"), traces=(Trace.from_text(text),), **more)


def ranked(text: str = TEXT) -> Session:
    return session(text, ranking=Ranking(order=(0,), votes=(), chosen={}, correct=(None,)))


def rewrite(
    solver: Solver, given: Session | None, data: object, earlier: tuple[Session, ...] = (), trace: int | None = 0
) -> Updates:
    event = SimpleNamespace(_data=data)
    return solver.ask_to_rewrite(given, Selection(trace), earlier, *FORM, event, VISITOR)


def test_the_form_opens_with_the_defaults_of_a_request(solver):
    assert Sampling(*(part.value for part in solver.tab.sampling[:2])) == Sampling()
    assert [part.value for part in solver.tab.sampling[2:]] == [Sampling().seed, Sampling().calculator]


def test_a_step_is_rewritten_after_all_that_stands_before_it(solver):
    tab, asked = solver.tab, rewrite(solver, ranked(), {"step": 1})
    assert (asked[tab.problem], asked[tab.answer], asked[tab.prefix]) == ("How many?", "7", "He has 3 * 4 = 12.\n")
    assert asked[solver.rooms]["selected"] == "solve"
    assert asked[tab.stop]["interactive"]
    assert rewrite(solver, ranked(), {"step": 0})[tab.prefix] == ""
    assert rewrite(solver, ranked(), {"step": 2})[tab.prefix] == "He has 3 * 4 = 12.\nLeft: 12 - 5 = 8.\n"


def test_the_space_before_a_rewritten_sentence_is_left_to_the_model(solver):
    asked = rewrite(solver, ranked("He has 3 * 4 = 12. Left are 8."), {"step": 1})
    assert asked[solver.tab.prefix] == "He has 3 * 4 = 12."


def test_what_was_solved_can_be_gone_back_to_and_what_was_pasted_stays_where_it_is(solver, tmp_path, monkeypatch):
    tab = solver.tab
    monkeypatch.setattr(tab.save, "GRADIO_CACHE", str(tmp_path))
    viewer = SessionViewer(tab, can_solve=True)
    first, second, pasted = ranked(), ranked(TEXT + "\n"), session()
    assert rewrite(solver, second, {"step": 1}, (first,))[tab.earlier] == (first, second)
    assert rewrite(solver, pasted, {"step": 1}, (first,))[tab.earlier] == (first,)
    shown = viewer.go_back((first, second))
    assert (shown[tab.problem], shown[tab.session], shown[tab.earlier]) == ("How many?", second, (first,))
    assert shown[tab.back]["visible"]
    assert not viewer.go_back((first,))[tab.back]["visible"]


def test_the_way_back_does_not_grow_for_ever(solver):
    earlier: tuple[Session, ...] = ()
    for _ in range(30):
        earlier = rewrite(solver, ranked(), {"step": 1}, earlier)[solver.tab.earlier]
    assert len(earlier) == 8


@pytest.mark.parametrize("data", [None, [], {}, {"step": 3}, {"step": -1}, {"step": "1"}, {"step": True}])
def test_a_step_that_is_not_there_is_refused_in_words(solver, data):
    with pytest.raises(gr.Error, match="no such step"):
        rewrite(solver, ranked(), data)


def test_nothing_is_rewritten_where_nothing_was_solved(solver):
    for given, trace in ((None, 0), (ranked(), None)):
        with pytest.raises(gr.Error, match="no such step"):
            rewrite(solver, given, {"step": 1}, trace=trace)


def test_a_problem_that_the_form_would_refuse_is_refused_in_an_opened_session_too(solver):
    long = ranked().model_copy(update={"problem": Problem(question="?" * 5000)})
    with pytest.raises(gr.Error, match="5,000 characters"):
        rewrite(solver, long, {"step": 1})


# A run


class Solved:
    """A workbench that is ready and gives the snapshots it was made with; it keeps what it was asked."""

    stage = "ready"

    def __init__(self, *snapshots: Snapshot) -> None:
        self.snapshots = snapshots

    def start_loading(self) -> None:
        pass

    def solve(self, problem, sampling, stop):
        self.asked = problem, sampling
        yield from self.snapshots


def run(snapshots, tmp_path, monkeypatch, prefix="") -> tuple[Solver, list[Updates]]:
    with gr.Blocks(), gr.Tabs() as rooms, gr.Tab("Solve", id="solve"):
        solver = Solver(SolveLayout([], can_solve=True), rooms, Solved(*snapshots))
    monkeypatch.setattr(solver.tab.save, "GRADIO_CACHE", str(tmp_path))
    return solver, list(solver.run("How many?", "7", 3, 0.5, 9, False, prefix, VISITOR))


def snapshot(done: bool) -> Snapshot:
    return Snapshot(ranked() if done else session(), () if done else (Growing("2 +"),), 12, 3.0, done, False)


def test_the_form_reaches_the_workbench_as_one_request(tmp_path, monkeypatch):
    solver, _ = run([snapshot(done=True)], tmp_path, monkeypatch, prefix="So ")
    assert solver.workbench.asked == (
        Problem(question="How many?", answer="7"),
        Sampling(n=3, temperature=0.5, seed=9, prefix="So "),
    )


def test_drafts_are_shown_while_they_are_written_and_the_first_choice_once_all_are_there(tmp_path, monkeypatch):
    solver, (during, after) = run([snapshot(done=False), snapshot(done=True)], tmp_path, monkeypatch)
    tab = solver.tab
    assert set(during) == set(after) == set(tab.drawing)
    assert "being written" in during[tab.reading.text]
    assert during[tab.session] is None
    assert not during[tab.reading.charts]["visible"]
    assert during[tab.save] == gr.skip()
    assert after[tab.session] == ranked()
    assert after[tab.selection] == Selection(0)
    saved = tmp_path.rglob("errata-session.json")
    assert [str(file) for file in saved] == [after[tab.save]["value"]]


def test_a_drawing_that_names_no_status_leaves_the_line_as_it_is(solver):
    assert solver.tab.show(Drawing())[solver.tab.status] == gr.skip()
    assert solver.tab.show(Drawing(status=""))[solver.tab.status] == ""
