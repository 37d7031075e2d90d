"""A solution as it is read: what the numbers table and the list say, judged or not."""

from __future__ import annotations

import re

import pytest

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.session.record import Session
from irl_core.text.equations import EquationCheck
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Problem, Trace
from ui.render.drawing import Drawing, draw_session
from ui.render.ranking import render_ranking
from ui.render.solution import Reading, draw_solution, render_numbers

FALSE = EquationCheck(span=(0, 9), text="3 * 4 = 13", expected="12", stated="13", ok=False)


def session(*findings: StepFinding, first_suspect: int | None = None, scored: bool = True) -> Session:
    trace = Trace(text="ab", steps=((0, 1), (1, 2)), answer="13")
    score = TraceScore(
        offsets=((0, 1), (1, 2)), rewards=(0.5, -1.0), values=(0.5, -0.5), step_rewards=(0.5, -1.0), trace_score=-0.25
    )
    diagnosis = Diagnosis(steps=findings, first_suspect=first_suspect)
    judged = {"scores": (score,), "diagnoses": (diagnosis,)} if scored else {}
    return Session(problem=Problem(question="q"), traces=(trace,), **judged)


def unjudged(*equations: EquationCheck) -> StepFinding:
    return StepFinding(
        error_probability=None, verdict="not judged", reward=-1, surprise=2, equations=equations, reason=""
    )


def judged(verdict: str) -> StepFinding:
    return StepFinding(error_probability=0.25, verdict=verdict, reward=-1, surprise=2, reason="")


def cells(html: str, tag: str) -> list[str]:
    return re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", html)


def test_the_numbers_of_a_judged_solution_have_two_probabilities_for_each_step_and_the_sums_of_rewards():
    html = render_numbers(session(judged("fine"), judged("suspect"), first_suspect=1), 0)
    columns = ["step", "P(error)", "all right so far", "reward", "sum of rewards", "surprise", "verdict"]
    assert cells(html, "th") == [*columns, "1", "2"]
    assert cells(html, "td")[:6] == ["0.25", "0.75", "\u22121.00", "+0.50", "2.00", "fine"]
    assert cells(html, "td")[6:] == ["0.25", "0.50", "\u22121.00", "\u22120.50", "2.00", "worth a look"]


def test_without_a_calibration_the_numbers_have_no_probabilities_and_say_why():
    html = render_numbers(session(unjudged(), unjudged()), 0)
    assert cells(html, "th") == ["step", "reward", "sum of rewards", "surprise", "verdict", "1", "2"]
    assert cells(html, "td")[:4] == ["\u22121.00", "+0.50", "2.00", "not calibrated"]


def test_the_chart_says_what_it_shows():
    shown = draw_solution(session(judged("fine"), judged("suspect"), first_suspect=1), 0, "solve")
    assert shown.chart_title == "Chance that all is right so far"
    assert list(shown.chart.data[0].y) == [1.0, 0.75, 0.5]
    unknown = draw_solution(session(unjudged(), unjudged()), 0, "solve")
    assert unknown.chart_title == "Sum of raw rewards so far, nats"
    assert list(unknown.chart.data[0].y) == [0.0, 0.5, -0.5]


@pytest.mark.parametrize(
    ("equations", "remark"), [((), "not calibrated"), ((FALSE,), "not calibrated · step 2: expected 12")]
)
def test_without_a_calibration_the_list_names_no_suspect_but_what_was_calculated(equations, remark):
    html = render_ranking(session(unjudged(), unjudged(*equations)), 0)
    assert f'<span class="remark">{remark}</span>' in re.sub(r'<span class="tells">([^<]*)</span>', r"\1", html)


def test_without_a_calibration_the_chart_marks_no_step():
    reading = draw_solution(session(unjudged(FALSE), unjudged()), 0, "solve")
    assert [note.text for note in reading.chart.layout.annotations] == ["1", "2"]


def test_a_solution_that_was_not_scored_is_shown_without_chart_and_numbers():
    reading = draw_solution(session(scored=False), 0, "solve")
    assert "Solution" in reading.text
    assert (reading.chart, reading.numbers) == (None, "")


@pytest.mark.parametrize("index", [None, -1, 1])
def test_of_a_solution_that_is_not_there_nothing_is_shown(index):
    assert draw_solution(session(unjudged(), unjudged()), index, "solve") == Reading()


def test_a_session_opens_with_the_solution_that_the_critic_puts_first():
    drawing = draw_session(session(unjudged(), unjudged()), status="opened")
    assert isinstance(drawing, Drawing)
    assert (drawing.selection.trace, drawing.selection.order, drawing.status) == (0, "critic", "opened")
