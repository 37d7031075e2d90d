"""A solution that was cut is shown as cut, and nothing is said of its unfinished step but that."""

from __future__ import annotations

import re

import pytest

from irl_core.diagnosis.rerank import rank
from irl_core.diagnosis.suspect_step import diagnose_scored
from irl_core.policy.base import written_trace
from irl_core.session.record import Session, load_session
from irl_core.text.traces import Problem
from tests.support.arithmetic import CALIBRATION
from tests.support.surprise import score_of
from ui.render.ranking import render_ranking
from ui.render.solution import draw_solution

QUESTION = "A car drives 60 miles an hour for 3 hours. How many miles is that?"


def cut(*texts: str) -> Session:
    """A session of solutions that were all stopped where their text ends."""
    traces = tuple(written_trace(text, "cancelled") for text in texts)
    scores = tuple(map(score_of, traces))
    found = tuple(
        diagnose_scored(QUESTION, trace, score, CALIBRATION) for trace, score in zip(traces, scores, strict=True)
    )
    return Session(
        problem=Problem(question=QUESTION), traces=traces, scores=scores, diagnoses=found, ranking=rank(traces, scores)
    )


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_unfinished_step_is_shown_as_cut_and_never_corrected():
    read = draw_solution(cut("It drives 60 miles an hour.\n60 * 3 = 18"), 0, "solve").text
    assert 'class="step unfinished"' in read
    assert "cut off here: not checked" in words(read)
    assert "expected" not in words(read)
    assert "its last step is unfinished, and is neither checked nor counted" in words(read)
    assert "60 * 3 = 18" in re.sub(r"<[^>]+>", "", read), "all that was written can still be read"


def test_its_row_says_cut_off_where_another_would_state_an_answer():
    rows = render_ranking(cut("It drives 60 miles an hour.\n60 * 3 = 18"), 0)
    assert "cut off" in words(rows)
    assert "18" not in words(rows)


@pytest.mark.parametrize("text", ["60 * 3 = 18", "60 * 3 = 190.\nSo 1", "One.\nTwo.\nThr"])
def test_its_chart_and_numbers_are_of_the_finished_steps_and_the_session_can_be_saved_and_opened(text):
    session = cut(text)
    shown = draw_solution(load_session(session.to_json()), 0, "solve")
    assert shown.chart is not None
    assert shown.numbers.count("<tr>") == 1 + len(session.traces[0].steps)
    assert "cut off here, not checked" in words(shown.numbers)
    assert "not calibrated" not in words(shown.text + shown.numbers)
