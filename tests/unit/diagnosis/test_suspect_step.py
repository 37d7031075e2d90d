import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.diagnosis.calibration import Calibration, TraceModel
from irl_core.diagnosis.evidence import FEATURES, features, gather
from irl_core.diagnosis.first_error import apply_trace_model, first_error_probabilities, hazards, log_odds
from irl_core.diagnosis.suspect_step import diagnose_scored
from irl_core.text.number_use import numbers_in
from irl_core.text.scores import TraceScore
from irl_core.text.spans import partition
from irl_core.text.traces import Trace
from ui.render.notes import render_note

QUESTION = "Tom has 3 boxes with 4 pens in each and loses half a dozen. How many pens are left?"


def calibration(**weights) -> Calibration:
    return Calibration(
        features=FEATURES,
        mean=(0.0,) * len(FEATURES),
        scale=(1.0,) * len(FEATURES),
        weights=tuple(weights.get(f, 0.0) for f in FEATURES),
        intercept=-3.0,
        threshold=0.5,
        unsure_above=0.2,
        source="hand-made numbers",
        n_traces=7,
        supervision="none",
    )


def scored(steps, step_rewards):
    trace = Trace.from_steps(steps)
    starts = [a for a, _ in trace.steps]
    values = [sum(step_rewards[: i + 1]) for i in range(len(steps))]
    return trace, TraceScore(
        offsets=partition(starts, len(trace.text)),
        rewards=tuple(step_rewards),
        values=tuple(values),
        step_rewards=tuple(step_rewards),
        surprise=tuple(-r for r in step_rewards),
        trace_score=0.0,
    )


def test_first_error_probabilities_follow_the_survival_product():
    assert first_error_probabilities([0.5, 0.5, 0.2]) == pytest.approx([0.5, 0.25, 0.05])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_first_error_probabilities_never_add_up_to_more_than_one(hazard):
    assert 0 <= sum(first_error_probabilities(hazard)) <= 1 + 1e-9


def test_a_hazard_is_the_logistic_function_of_the_standardised_features():
    assert hazards([[0.0] * len(FEATURES)], calibration()) == pytest.approx([0.04742587])  # of the intercept, -3
    n = len(FEATURES)
    standard = calibration(reward=1.5).model_copy(update={"mean": (1.0,) * n, "scale": (2.0,) * n})
    assert hazards([[5.0] * n], standard) == pytest.approx([0.5])  # -3 + 1.5 * (5 - 1) / 2 = 0


def test_a_model_of_whole_traces_keeps_the_steps_proportions_and_sets_their_sum():
    model = TraceModel(of_steps=1.0, of_score=-2.0, intercept=0.5, source="hand-made", n_traces=1)
    # The sum 0.5 has log-odds 0; the logit is 0.5 + 0 - 2 * 0.25 = 0, so the sum stays 0.5.
    assert apply_trace_model([0.1, 0.4], 0.25, model) == pytest.approx([0.1, 0.4])
    # 0.5 + 0 + 2 * 0.4493 = 1.3986: probability 0.802.
    assert apply_trace_model([0.1, 0.4], -0.4493, model) == pytest.approx([0.1604, 0.6416], abs=1e-4)
    assert apply_trace_model([], 1.0, model) == []


def test_log_odds_stay_finite():
    assert log_odds(0.5) == 0.0
    assert [log_odds(0.0), log_odds(1.0)] == pytest.approx([-13.8155, 13.8155], abs=1e-4)


def test_the_trace_score_moves_the_verdict_where_the_calibration_says_so():
    trace, score = scored(["3 * 4 = 12 pens", "#### 12"], [0.0, 0.0])
    model = TraceModel(of_steps=1.0, of_score=-4.0, intercept=0.0, source="hand-made", n_traces=12)
    whole = calibration().model_copy(update={"trace_model": model})
    good, bad = (
        diagnose_scored(QUESTION, trace, score.model_copy(update={"trace_score": s}), whole) for s in (1.0, -1.0)
    )
    assert good.first_suspect is None
    assert bad.first_suspect == 0
    assert sum(s.error_probability for s in bad.steps) > 0.8
    assert bad.calibrated_on == "7 traces of hand-made numbers and the outcomes of 5 more"


def test_a_true_result_below_zero_is_the_reason_of_the_step_that_is_suspect_and_of_no_other():
    trace, score = scored(["6 - 12 = -6 pens.", "So -6 + 3 = -3.", "#### -3"], [-9.0, 1.0, 1.0])
    found = diagnose_scored(QUESTION, trace, score, calibration(reward=-1.0))
    assert found.first_suspect == 0
    assert found.steps[0].reason == "its result is below zero"
    assert [step.reason for step in found.steps[1:]] == ["follows from step 1"] * 2
    calm = diagnose_scored(QUESTION, trace, score, calibration())
    assert calm.first_suspect is None
    assert calm.steps[0].reason == "arithmetic checked"


def test_a_false_equation_is_the_reason_and_names_the_expected_number():
    trace, score = scored(["3 * 4 = 13 pens", "13 - 6 = 7", "#### 7"], [0.0, 0.0, 0.0])
    found = diagnose_scored(QUESTION, trace, score, calibration(false_equation=6.0))
    assert found.first_suspect == 0
    assert [s.verdict for s in found.steps] == ["suspect", "follows", "follows"]
    assert found.steps[0].reason == "check: expected 12, the step says 13"
    assert found.steps[1].reason == "follows from step 1; right given your 13"
    assert found.calibrated_on == "7 traces of hand-made numbers"


def test_a_step_that_is_right_given_an_earlier_slip_is_told_so_and_a_repeated_slip_is_not_blamed_twice():
    trace, score = scored(["9 * 4 = 38", "38 + 2 = 40", "So 9 * 4 = 38 again."], [0.0, 0.0, 0.0])
    found = diagnose_scored(QUESTION, trace, score, calibration())
    assert [step.reason for step in found.steps] == [
        "check: expected 36, the step says 38",
        "follows from step 1; right given your 38",
        "repeats the slip of step 1: expected 36",
    ]


def test_a_false_equation_is_marked_however_calm_the_critic_is():
    trace, score = scored(["3 * 4 = 12 pens", "12 - 6 = 5", "#### 5"], [0.0, 0.0, 0.0])
    found = diagnose_scored(QUESTION, trace, score, calibration())
    assert (found.first_suspect, found.not_sure) == (1, False)
    assert [step.verdict for step in found.steps] == ["fine", "suspect", "follows"]


def test_an_earlier_step_that_passes_the_threshold_by_itself_is_named_first_and_both_are_marked():
    trace, score = scored(["Tom has 12 pens", "12 - 6 = 5", "#### 5"], [-9.0, 0.0, 0.0])
    found = diagnose_scored(QUESTION, trace, score, calibration(reward=-1.0))
    assert found.first_suspect == 0
    assert [step.verdict for step in found.steps] == ["suspect", "suspect", "follows"]
    assert found.steps[1].reason == "check: expected 6, the step says 5"


def test_an_earlier_step_that_does_not_pass_it_by_itself_is_not_named_before_a_false_equation():
    trace, score = scored(["Tom has 12 pens", "12 - 6 = 5", "#### 5"], [-2.0, -9.0, 0.0])
    found = diagnose_scored(QUESTION, trace, score, calibration(reward=-1.0))
    assert found.first_suspect == 1
    assert [step.verdict for step in found.steps] == ["fine", "suspect", "follows"]


def test_two_slips_are_both_marked_and_a_repeated_one_only_follows():
    trace, score = scored(["9 * 4 = 38", "5 + 5 = 11", "So 9 * 4 = 38 again."], [0.0, 0.0, 0.0])
    found = diagnose_scored(QUESTION, trace, score, calibration())
    assert [step.verdict for step in found.steps] == ["suspect", "suspect", "follows"]
    assert found.first_suspect == 0


def test_a_sign_of_about_equal_is_told_with_its_tolerance():
    trace, score = scored(["10 / 3 ≈ 4.9"], [0.0])
    (step,) = diagnose_scored(QUESTION, trace, score, calibration()).steps
    assert step.reason == "check: expected 3.33…, the step says 4.9 (about equal: at most 15 % apart)"


def test_a_result_cut_to_a_whole_number_is_no_error_but_is_named():
    trace, score = scored(["Of 12 pens 30 days use 30 / 12 = 2 a day.", "10 / 3 = 3.33"], [0.0, 0.0])
    found = diagnose_scored(QUESTION, trace, score, calibration())
    cut, decimals = found.steps
    assert cut.verdict == "fine"
    assert cut.reason == "arithmetic checked; 2.5 was rounded to 2"
    assert "rounded: <bdi>30 / 12 = 2</bdi>, exactly <b>2.5</b>" in render_note(0, trace, found)
    assert render_note(1, trace, found) == ""
    assert decimals.reason == "arithmetic checked", "whoever writes decimals says that they rounded"


def test_a_trace_without_evidence_has_no_suspect_step():
    trace, score = scored(["3 * 4 = 12 pens", "12 - 6 = 6", "#### 6"], [0.0, 0.0, 0.0])
    found = diagnose_scored(QUESTION, trace, score, calibration(false_equation=6.0))
    assert found.first_suspect is None
    assert not found.not_sure
    assert [s.verdict for s in found.steps] == ["fine"] * 3


def test_between_the_thresholds_the_diagnosis_is_not_sure():
    trace, score = scored(["3 * 4 = 12 pens", "12 - 6 = 6", "#### 6"], [0.0, -2.0, 0.0])
    found = diagnose_scored(QUESTION, trace, score, calibration(reward=-1.0))
    assert found.not_sure
    assert found.first_suspect is None
    assert found.steps[1].verdict == "not sure"


def test_a_number_from_nowhere_is_evidence_and_computed_numbers_are_known():
    trace, score = scored(["3 * 4 = 12 pens", "12 - 17 = 5", "5 + 12 = 17"], [0.0, 0.0, 0.0])
    unknown = [e.unknown for e in gather(QUESTION, trace, score)]
    assert unknown == [(), ("17",), ()]


def test_an_answer_that_is_not_the_last_result_is_evidence():
    trace, score = scored(["3 * 4 = 12 pens", "#### 13"], [0.0, 0.0])
    assert [e.answer_mismatch for e in gather(QUESTION, trace, score)] == [False, True]


def test_number_words_of_the_problem_are_known():
    assert {3, 4, 12} <= numbers_in(QUESTION)


def test_there_is_one_row_of_features_per_step():
    trace, score = scored(["3 * 4 = 12 pens", "#### 12"], [1.0, -2.0])
    rows = features(gather(QUESTION, trace, score))
    assert [len(r) for r in rows] == [len(FEATURES)] * 2
    assert [r[FEATURES.index("reward_below_trace")] for r in rows] == [3.0, -3.0]
