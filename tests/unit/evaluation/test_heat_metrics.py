"""Figures of the page's colours and of its abstention, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from irl_core.evaluation.heat_metrics import abstention, pointing, visibility
from irl_core.evaluation.scoring import ScoredTrace
from irl_core.evaluation.trace_table import ScoredTraces, TraceTable
from tests.support.bootstraps import own_problems
from tests.support.coloured import scored


def table(*lines: ScoredTrace) -> TraceTable:
    traces = ScoredTraces()
    for line in lines:
        traces.add(line)
    return traces.table()


def values(figures: dict) -> dict:
    return {name: figure and figure["value"] for name, figure in figures.items()}


def test_pointing_is_over_erroneous_traces_and_chance_is_the_mean_share_of_the_wrong_step():
    lowest, error = np.array([1, 0, -1, 2, 0]), np.array([1, 1, 0, 2, -1])
    share = np.array([0.5, 0.25, 0.15, 0.1, np.nan])
    figures = pointing(lowest, share, error, own_problems(5))
    assert values(figures) == pytest.approx({"pointing": 2 / 4, "pointing_chance": 1 / 4, "pointing_over_chance": 2.0})
    assert {figure["n"] for figure in figures.values()} == {4}


def test_without_an_erroneous_trace_nothing_points():
    figures = pointing(np.array([0]), np.array([np.nan]), np.array([-1]), own_problems(1))
    assert set(figures.values()) == {None}


def test_visible_tokens_are_counted_in_right_traces_anywhere_and_in_wrong_ones_in_the_first_wrong_step():
    quiet, loud_first, loud_second = [0.0] * 5, [-1.0, 0, 0, 0, 0], [0.0, 0, 0, -1.0, -0.5]
    found = table(
        scored(heat=quiet, error=-1),
        scored(heat=quiet, error=-1),
        scored(heat=loud_first, error=-1, suspect=0),
        scored(heat=loud_first, error=1),
        scored(heat=loud_second, error=1, suspect=1),
        scored(heat=loud_second, error=0, suspect=0),
        scored(rewards=[-9.0] * 5, error=-1, suspect=0),
    )
    figures = visibility(found, own_problems(7))
    # The suspect steps show 1 of 3, 2 of 2 and 0 of 3 tokens; the last trace has no scale.
    assert values(figures) == pytest.approx({"heat_right": 1 / 3, "heat_error": 1 / 3, "heat_spread": 1 / 3})
    assert [figure["n"] for figure in figures.values()] == [3, 3, 3]


def test_what_is_held_back_is_counted_among_the_marks_that_would_be_made():
    likely, unlikely = (0.2, 0.6), (0.1, 0.1)
    found = table(
        scored(error=-1, probabilities=likely, outside=True),
        scored(error=-1, probabilities=likely, suspect=1),
        scored(error=-1, probabilities=unlikely, not_sure=True),
        scored(error=0, probabilities=likely, not_sure=True),
        scored(error=0, probabilities=likely, outside=True, not_sure=True),
        scored(error=1, probabilities=likely, suspect=1),
        scored(error=1, probabilities=likely, outside=True),
        scored(error=1, probabilities=unlikely),
    )
    figures = abstention(found, found.steps(), 0.5, own_problems(8))
    assert values(figures) == pytest.approx(
        {
            "outside_rate": 3 / 8,
            "not_sure_rate": 3 / 8,
            "outside_or_unsure_right": 2 / 3,
            "outside_or_unsure_wrong": 3 / 5,
            "wrong_marks_held_back": 3 / 4,
            "right_marks_held_back": 1 / 2,
        }
    )
    assert (figures["wrong_marks_held_back"]["n"], figures["right_marks_held_back"]["n"]) == (4, 2)


def test_a_trace_that_is_held_back_is_no_mark():
    assert [scored(outside=True).predicted_first_error, scored(not_sure=True).predicted_first_error] == [-1, -1]
