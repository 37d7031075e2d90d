"""Thresholds that are chosen without the problem that they are held against; all numbers are made by hand."""

import numpy as np
import pytest

from irl_core.diagnosis.evidence import FEATURES
from irl_core.evaluation.calibration_data import CalibrationData
from irl_core.evaluation.calibration_fit import held_out_predictions
from irl_core.evaluation.calibration_report import localisation_figures
from irl_core.evaluation.calibration_thresholds import (
    ThresholdRule,
    Thresholds,
    false_flag_rate,
    flag_rates,
    held_out_thresholds,
    threshold_at,
    thresholds_of_folds,
)
from irl_core.evaluation.localisation_metrics import StepLabels

BEST_F1 = ThresholdRule(false_flag_rate=None, not_sure_rate=0.5)


def one_step(probabilities: list[float], wrong: list[bool]) -> StepLabels:
    """Traces of one step each: its probability, and whether it is wrong."""
    arrays = [np.array([p]) for p in probabilities]
    return StepLabels.of(arrays, [np.zeros(1) for _ in arrays], [0 if w else -1 for w in wrong])


def test_a_threshold_at_a_rate_is_reached_by_no_more_than_that_share_of_the_right_traces():
    wrong = np.array([0.1, 0.2, 0.2, 0.4, 0.95])
    erroneous = np.array([False, False, False, False, True])
    for rate, reached in ((0.0, 0.0), (0.25, 0.25), (0.5, 0.25), (0.75, 0.75), (1.0, 1.0)):
        assert false_flag_rate(wrong, erroneous, threshold_at(wrong, erroneous, rate)) == reached
    assert 0.4 < threshold_at(wrong, erroneous, 0.0) < 0.41
    assert threshold_at(np.array([1.0]), np.array([False]), 0.0) == 1.0


def test_a_rate_of_no_right_traces_is_not_known():
    assert false_flag_rate(np.array([0.3]), np.array([True]), 0.5) is None


def test_the_rule_takes_the_best_f1_or_the_rate_that_is_asked_for():
    steps = one_step([0.1, 0.2, 0.3, 0.4, 0.6, 0.8], [False, False, True, False, True, True])
    # At 0.6 two of three wrong ones are found and no right one is flagged: F1 0.8. At 0.3 all and one of three: 0.8.
    assert BEST_F1.choose(steps).suspect == pytest.approx(0.3)
    assert ThresholdRule(0.0, 0.5).choose(steps) == pytest.approx((0.4, 0.2), abs=1e-9)
    assert ThresholdRule(0.0, 0.0).choose(steps) == pytest.approx((0.4, 0.4), abs=1e-9)
    assert BEST_F1.choose(one_step([0.2], [True])).suspect == 0.5


def test_the_thresholds_of_a_fold_are_chosen_by_all_other_folds():
    seen_by_fold = []

    def choose(seen: np.ndarray) -> Thresholds:
        seen_by_fold.append(seen.tolist())
        return Thresholds(0.1 * seen.min(), 0.0)

    problems = np.array(["a", "a", "b", "c"])
    thresholds = thresholds_of_folds(problems, choose)
    assert sorted(seen_by_fold) == [[0, 1, 2], [0, 1, 3], [2, 3]]
    assert thresholds.suspect == pytest.approx([0.2, 0.2, 0.0, 0.0])


def test_the_held_out_f1_is_not_that_of_the_threshold_which_is_best_for_all():
    # Right traces at 0.1, 0.2, 0.5 and wrong ones at 0.3, 0.4, 0.9, each of a problem of its own. For all of them 0.3
    # is best: three of three found, two of three left alone, F1 0.8. Without the wrong one at 0.3, 0.4 is best for the
    # rest (1 and 2/3), so it is missed; without any other trace 0.3 stays best. Found 2/3, left alone 2/3: F1 2/3.
    steps = one_step([0.1, 0.2, 0.5, 0.3, 0.4, 0.9], [False, False, False, True, True, True])
    problems = np.arange(6)

    def choose(seen: np.ndarray) -> Thresholds:
        return BEST_F1.choose(one_step(steps.probability[seen].tolist(), steps.erroneous[seen].tolist()))

    thresholds = thresholds_of_folds(problems, choose)
    assert thresholds.suspect == pytest.approx([0.3, 0.3, 0.3, 0.4, 0.3, 0.3])
    figures = localisation_figures(steps, thresholds.suspect, problems)
    assert figures["f1"]["value"] == pytest.approx(2 / 3)
    assert (figures["f1_oracle"]["value"], figures["threshold_oracle"]) == pytest.approx((0.8, 0.3))
    assert flag_rates(steps, thresholds).suspect == pytest.approx(1 / 3)


def noisy(n: int, seed: int = 0) -> CalibrationData:
    """Two steps a trace; a step's reward says little of whether it is wrong. Two traces a problem."""
    rng = np.random.default_rng(seed)
    features = [rng.normal(size=(2, len(FEATURES))) for _ in range(n)]
    lowest = [int(np.argmin(rows[:, FEATURES.index("reward")])) for rows in features]
    first_error = np.where(rng.random(n) < 0.5, -1, lowest)
    return CalibrationData(features, first_error, np.array([f"Q{i // 2}" for i in range(n)]), rng.normal(size=n))


@pytest.mark.parametrize("with_outcomes", [False, True])
def test_a_threshold_never_saw_the_labels_of_its_problem(with_outcomes):
    data = noisy(40)
    others = [noisy(40, seed=1)] if with_outcomes else []
    mine = data.problems == "Q7"

    def flipped(source: CalibrationData) -> CalibrationData:
        labels = np.where(source.problems == "Q7", np.where(source.erroneous, -1, 0), source.first_error)
        return CalibrationData(source.features, labels, source.problems, source.scores)

    before = held_out_thresholds(data, others, 1.0, BEST_F1)
    after = held_out_thresholds(flipped(data), [flipped(other) for other in others], 1.0, BEST_F1)
    assert after.suspect[mine] == pytest.approx(before.suspect[mine], abs=1e-12)
    assert after.unsure[mine] == pytest.approx(before.unsure[mine], abs=1e-12)
    assert not np.allclose(after.suspect, before.suspect)


def test_held_out_thresholds_need_three_problems_and_say_so():
    with pytest.raises(ValueError, match="three problems at least"):
        held_out_thresholds(noisy(4), [], 1.0, BEST_F1)


def test_held_out_predictions_of_labelled_traces_and_of_outcomes_come_apart_again():
    data, other = noisy(40), noisy(12, seed=1)
    held_out = held_out_predictions(data, [other], 1.0)
    assert [len(p) for p in held_out.steps] == [2] * 40
    assert held_out.wrong_of_others[0].shape == (12,)
    assert [len(source.wrong) for source in held_out.sources] == [40, 12]
    assert held_out_predictions(data, [], 1.0).sources == []
