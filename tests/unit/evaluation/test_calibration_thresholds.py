"""Thresholds and the scale of the colours; all probabilities are made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from irl_core.diagnosis.features import FEATURES
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibration_data import NO_ERROR, WRONG_SOMEWHERE
from irl_core.evaluation.calibration_report import Fit, file_figures, heat_figures, left_out_figures
from irl_core.evaluation.calibration_thresholds import (
    Predicted,
    ThresholdRule,
    choose_heat_scale,
    false_flag_rate,
    rate_threshold,
)
from tests.support.simulated import data_of, simulate, trace_of
from tests.support.surprise import calibrated

ANY = ThresholdRule(false_flag_rate=1.0, not_sure_rate=1.0)
SHOWN = "worst_choice"


def one_step(right: Sequence[float], wrong: Sequence[float], source: str = "one", label: int = 0) -> Predicted:
    """Traces of one step each, by the probability that it is wrong."""
    probabilities = [*right, *wrong]
    labels = [NO_ERROR] * len(right) + [label] * len(wrong)
    return Predicted(
        data_of([trace_of([{}])] * len(probabilities), labels, source), [np.array([p]) for p in probabilities]
    )


def test_a_threshold_at_a_rate_is_reached_by_no_more_than_that_share():
    right = np.array([0.1, 0.2, 0.2, 0.4])
    for rate, reached in ((0.0, 0.0), (0.25, 0.25), (0.5, 0.25), (0.75, 0.75), (1.0, 1.0)):
        assert (right >= rate_threshold(right, rate)).mean() == reached
    assert 0.4 < rate_threshold(right, 0.0) < 0.4 + 1e-9
    assert rate_threshold(np.array([1.0]), 0.0) == 1.0
    assert rate_threshold(right, 1.0) == 0.0


def test_the_false_flag_rate_is_a_share_of_right_traces_and_not_known_without_any():
    wrong, erroneous = np.array([0.1, 0.6, 0.9]), np.array([False, False, True])
    assert false_flag_rate(wrong, erroneous, 0.6) == 0.5
    assert false_flag_rate(wrong, np.array([True] * 3), 0.5) is None


def test_the_probability_that_a_trace_is_wrong_is_the_sum_over_its_steps():
    predicted = Predicted(data_of([trace_of([{}, {}])], [0]), [np.array([0.25, 0.5])])
    assert predicted.wrong == pytest.approx([0.75])


def test_the_threshold_has_the_best_first_error_f1():
    # At 0.3 all three wrong ones are found, two of three right ones left: F1 0.8. At 0.6 it is two and three: 0.8.
    # The lowest of equals is taken.
    predicted = one_step([0.1, 0.2, 0.4], [0.3, 0.6, 0.8])
    assert ANY.choose([predicted]).suspect == pytest.approx(0.3)


def test_the_f1_that_counts_is_the_mean_over_files_however_many_traces_they_have():
    # The small file is best at 0.7 (F1 1, else 2/3 at 0.2: all found, one of two left); ten times as many traces of
    # the other are best at 0.2 (F1 1; at 0.7 it finds half of them: 2/3). Both thresholds have a mean of 5/6.
    small = one_step([0.1, 0.3], [0.7, 0.8], "small")
    large = one_step([0.1] * 20, [0.2] * 10 + [0.7] * 10, "large")
    assert ANY.choose([small, large]).suspect == pytest.approx(0.2)
    # With a second right trace at 0.3 more, 0.2 leaves one of three: F1 1/2 and a mean of 3/4.
    small = one_step([0.1, 0.3, 0.3], [0.7, 0.8], "small")
    assert ANY.choose([small, large]).suspect == pytest.approx(0.7)


def test_no_file_may_have_more_of_its_right_traces_flagged_than_the_rate():
    calm = one_step([0.01 * k for k in range(20)], [0.1] * 20, "calm")
    odd = one_step([0.1 + 0.01 * k for k in range(20)], [0.9] * 20, "odd")
    thresholds = ThresholdRule(false_flag_rate=0.1, not_sure_rate=0.25).choose([calm, odd])
    # Two of twenty may be flagged: above 0.27 in the odd file, whatever the calm one would like.
    assert thresholds.suspect == pytest.approx(0.9)
    assert max(s.wrong[:20].__ge__(0.27 + 1e-9).mean() for s in (calm, odd)) == 0.1
    # Five of twenty may be "not sure": above 0.14 and above 0.24, 0.19 in the mean.
    assert thresholds.unsure == pytest.approx(0.19)


def test_a_file_of_few_right_traces_has_no_say_in_the_rates():
    many = one_step([0.1] * 20, [0.3] * 5, "many")
    few = one_step([0.9] * 19, [0.95] * 5, "few", WRONG_SOMEWHERE)
    rule = ThresholdRule(false_flag_rate=0.0, not_sure_rate=0.0)
    assert rule.choose([many, few]) == pytest.approx((0.1, 0.1))
    assert rule.choose([many, one_step([0.9] * 20, [0.95] * 5, "few", WRONG_SOMEWHERE)]).suspect > 0.9


def test_a_file_of_outcomes_alone_has_no_say_in_the_f1_but_in_the_rates():
    located = one_step([0.1] * 20, [0.2] * 20)
    outcomes = one_step([0.5] * 20, [0.6] * 20, "two", WRONG_SOMEWHERE)
    assert ANY.choose([located, outcomes]).suspect == pytest.approx(0.2)
    strict = ThresholdRule(false_flag_rate=0.0, not_sure_rate=0.0).choose([located, outcomes])
    assert 0.5 < strict.suspect < 0.5 + 1e-9


def test_without_a_file_that_has_both_kinds_no_threshold_is_better_than_one_half():
    assert ANY.choose([one_step([], [0.2] * 30)]) == (0.5, 0.5)
    assert ANY.choose([one_step([0.2] * 30, [])]).suspect == 0.5
    assert ANY.choose([one_step([0.2] * 30, [])]).unsure == 0.0


def test_not_sure_never_begins_above_suspect():
    predicted = one_step([0.8] * 20, [0.3] * 20)
    thresholds = ThresholdRule(false_flag_rate=1.0, not_sure_rate=0.0).choose([predicted])
    assert thresholds.unsure == thresholds.suspect


def coloured(heats: Sequence[float], source: str):
    """Right traces of one token each that is coloured against by so much (weight 1), and a wrong one of 99."""
    traces = [trace_of([{SHOWN: heat}]) for heat in (*heats, 99.0)]
    return data_of(traces, [NO_ERROR] * len(heats) + [0], source)


def test_the_scale_of_the_colours_lets_a_share_of_right_traces_show_a_token():
    ten = coloured([0.5 * k for k in range(1, 21)], "one")  # 0.5 to 10
    model = calibrated(0.0, **{SHOWN: 1.0})
    # A fifth of twenty is four: those from 8.5 on are visible, which is half of the scale.
    assert choose_heat_scale([ten], model, 0.2) == pytest.approx(17.0)
    # In the mean with a file that shows nothing, eight of the twenty may be seen: from 6.5 on.
    assert choose_heat_scale([ten, coloured([0.0] * 20, "two")], model, 0.2) == pytest.approx(13.0)


def test_no_colour_at_all_is_a_scale_beyond_the_darkest_and_few_right_traces_make_none():
    ten = coloured([0.5 * k for k in range(1, 21)], "one")
    model = calibrated(0.0, **{SHOWN: 1.0})
    assert choose_heat_scale([ten], model, 0.0) == pytest.approx(2 * 10.001)
    assert choose_heat_scale([coloured([3.0] * 19, "few")], model, 0.2) == 2.0
    assert choose_heat_scale([coloured([0.0] * 20, "calm")], model, 1.0) > 0


def test_heat_figures_count_tokens_at_half_of_the_scale_or_darker():
    steps = [
        ([{SHOWN: 2.0}, {}], -1),  # right, and visible
        ([{SHOWN: 0.9}, {}], -1),
        ([{}, {SHOWN: 1.0}], 1),  # the darkest lies in the first wrong step, and is just visible
        ([{SHOWN: 3.0}, {SHOWN: 1.5}, {}, {}], 1),  # visible there, but the darkest lies elsewhere
        ([{}, {}], 0),  # nothing is coloured, so nothing points
    ]
    data = data_of([trace_of(s) for s, _ in steps], [label for _, label in steps])
    figures = heat_figures(data, calibrated(0.0, **{SHOWN: 1.0}), ProblemBootstrap(data.groups))
    assert {name: figure["value"] for name, figure in figures.items()} == pytest.approx(
        {"heat_right": 1 / 2, "heat_error": 2 / 3, "pointing": 1 / 3, "pointing_chance": (1 / 2 + 1 / 4 + 1 / 2) / 3}
    )


def test_the_figures_of_a_file_are_those_worked_out_by_hand():
    # Odds: 2, then 4 and 0, of e^z = e^(-3 + ...): z = log 2 -> p = 2/3; the calm traces have e^-3.
    strong = {SHOWN: 3 + math.log(2)}
    data = data_of([trace_of([{}]), trace_of([strong]), trace_of([strong]), trace_of([{}])], [-1, -1, 0, 0])
    figures = file_figures(data, calibrated(-3.0, **{SHOWN: 1.0}))
    assert (figures["n"], figures["threshold"]) == (4, 0.5)
    assert figures["right_suspected"]["value"] == 0.5
    assert figures["accuracy_error"]["value"] == figures["accuracy_correct"]["value"] == figures["f1"]["value"] == 0.5
    assert figures["top1"]["value"] == 1.0
    assert figures["error_auroc"]["value"] == 0.5
    calm = math.exp(-3) / (1 + math.exp(-3))
    assert figures["brier"]["value"] == pytest.approx((calm**2 + (2 / 3) ** 2 + (1 / 3) ** 2 + (1 - calm) ** 2) / 4)


def test_figures_that_need_labels_of_steps_are_absent_where_only_outcomes_are_known():
    data = data_of([trace_of([{}]), trace_of([{SHOWN: 5.0}])], [-1, WRONG_SOMEWHERE])
    figures = file_figures(data, calibrated(-3.0, **{SHOWN: 1.0}))
    assert figures.keys() == {"n", "threshold", "right_suspected", "error_auroc", "ece", "brier"}
    assert figures["error_auroc"]["value"] == 1.0


FIT = Fit(penalty=0.5, rule=ThresholdRule(false_flag_rate=0.3, not_sure_rate=0.35), visible_rate=0.2)
TRUE = {SHOWN: 2.5, "false_equation": 1.0}


def test_a_calibration_records_what_it_was_fitted_on_and_keeps_its_rates():
    files = [simulate(200, TRUE, -6.0, name, seed) for seed, name in enumerate(("a", "b", "c"))]
    calibration = FIT.calibrate(files, "three sources", "step labels")
    assert calibration.features == FEATURES
    assert (calibration.sources, calibration.n_traces) == (("a", "b", "c"), 600)
    assert calibration.basis == "600 traces of three sources"
    assert 0 < calibration.false_flag_rate <= 0.3
    assert calibration.false_flag_rate <= calibration.not_sure_rate <= 0.45
    assert calibration.unsure_above <= calibration.threshold


def test_left_out_figures_are_of_weights_thresholds_and_scale_of_the_other_sources():
    files = [simulate(150, TRUE, -6.0, name, seed) for seed, name in enumerate(("a", "b", "c"))]
    odd = simulate(150, {SHOWN: -2.0}, 0.0, "odd", seed=9)
    figures = left_out_figures([*files, odd], FIT)
    assert list(figures) == ["a", "b", "c", "odd"]
    assert figures["odd"] == file_figures(odd, FIT.calibrate(files, "the other sources", ""))
    assert figures["a"] == file_figures(files[0], FIT.calibrate([files[1], files[2], odd], "the other sources", ""))
    assert figures["odd"]["top1"]["value"] < 0.5 < figures["a"]["top1"]["value"]
