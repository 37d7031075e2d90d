"""What is kept of a trace's colours, on traces of a token per character."""

from __future__ import annotations

import json
import math

import pytest

from irl_core.evaluation.scoring import ScoredTrace
from irl_core.evaluation.trace_heat import HeatSummary, heat_summary
from tests.support.coloured import scored

# The steps of "ab\ncd" hold three tokens and two.


def test_the_lowest_token_is_looked_for_in_the_heat_and_not_in_the_rewards():
    line = scored(heat=[0.0, -0.6, 0.2, -1.0, 0.0], rewards=[-9.0, 0, 0, 0, 0], error=1, suspect=0)
    summary = heat_summary(line)
    assert summary == HeatSummary(
        lowest_step=1, error_share=2 / 5, visible=1, visible_in_error=1, suspect_visible=pytest.approx(1 / 3)
    )


def test_half_of_the_scale_can_be_seen_and_less_cannot():
    at_half, below, of_twice = (
        heat_summary(scored(heat=[0.0, 0.0, 0.0, lowest, 3.0], scale=scale, error=1))
        for lowest, scale in ((-0.5, 1.0), (-0.49, 1.0), (-0.9, 2.0))
    )
    assert (at_half.visible, at_half.visible_in_error) == (1, 1)
    assert (below.visible, below.visible_in_error) == (0, 0)
    assert of_twice.visible == 0


def test_a_token_that_is_visible_outside_the_first_wrong_step_is_none_in_it():
    summary = heat_summary(scored(heat=[-1.0, 0.0, 0.0, -0.2, 0.0], error=1))
    assert (summary.visible, summary.visible_in_error, summary.lowest_step) == (1, 0, 0)


def test_rewards_stand_in_for_the_heat_but_have_no_scale():
    summary = heat_summary(scored(rewards=[0.0, 0.0, -0.1, -5.0, 0.0], error=0, suspect=1))
    assert (summary.lowest_step, summary.error_share) == (1, 3 / 5)
    assert (summary.visible, summary.visible_in_error) == (-1, -1)
    assert math.isnan(summary.suspect_visible)


def test_where_no_token_is_negative_none_points_anywhere():
    assert heat_summary(scored(heat=[0.0, 0.0, 1.0, 0.0, 0.0], error=0)).lowest_step == -1


@pytest.mark.parametrize("error", [None, -1])
def test_a_trace_without_a_wrong_step_has_no_share_of_it(error):
    summary = heat_summary(scored(heat=[-1.0, 0, 0, 0, 0], error=error))
    assert math.isnan(summary.error_share)
    assert (summary.visible, summary.visible_in_error) == (1, -1)


def test_a_diagnosis_with_colours_gives_them_to_the_scored_line_and_one_without_gives_none():
    line = scored(heat=[0.5, 0, 0, 0, -2.0], scale=4.0)
    assert (line.token_heat, line.heat_scale) == ((0.5, 0, 0, 0, -2.0), 4.0)
    assert line.record()["token_heat"] == [0.5, 0, 0, 0, -2.0]
    assert (scored().record()["token_heat"], scored().record()["heat_scale"]) == (None, None)


def test_colours_and_abstention_are_the_same_when_they_are_read_back_from_a_line():
    line = scored(heat=[-1.0, 0, 0, -0.2, 0], error=0, suspect=0, not_sure=True, outside=True)
    again = ScoredTrace.from_record(line.item, json.loads(json.dumps(line.record())))
    assert heat_summary(again) == heat_summary(line)
    assert again.record() == json.loads(json.dumps(line.record()))
    assert (again.not_sure, again.outside) == (True, True)
