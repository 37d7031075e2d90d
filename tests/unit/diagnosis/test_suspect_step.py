"""Which step is named, which are marked and what is said of each, by hand-made surprise and exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from irl_core.diagnosis.calibration import Scope
from irl_core.diagnosis.evidence import gather
from irl_core.diagnosis.scope import SCOPE_FEATURES
from irl_core.diagnosis.suspect_step import diagnose, diagnose_scored
from irl_core.text.number_use import numbers_in
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace
from tests.support.arithmetic import ArithmeticCritic
from tests.support.surprise import calibrated, score_of
from ui.render.notes import render_note

QUESTION = "Tom has 3 boxes with 4 pens in each and loses half a dozen. How many pens are left?"
CALM = calibrated(-3.0)
# A step whose worst choice cost x nats has log-odds -3 + 2.5 log(1 + x): 20 nats are certain, 1.2255 a doubt (-1).
BY_CHOICE = calibrated(-3.0, worst_choice=2.5)
CERTAIN, DOUBTFUL = 20.0, math.exp(0.8) - 1


def scored(steps: Sequence[str], nats: Mapping[str, float] | None = None) -> tuple[Trace, TraceScore]:
    """A trace and the score of a critic whom the first places of these parts cost so many nats, all else none."""
    trace = Trace.from_steps(steps)
    return trace, score_of(trace, nats)


def test_a_true_result_below_zero_is_the_reason_of_the_step_that_is_suspect_and_of_no_other():
    trace, score = scored(["6 - 12 = -6 pens.", "So -6 + 3 = -3.", "#### -3"], {"6": CERTAIN})
    found = diagnose_scored(QUESTION, trace, score, BY_CHOICE)
    assert found.first_suspect == 0
    assert found.steps[0].reason == "its result is below zero"
    assert [step.reason for step in found.steps[1:]] == ["follows from step 1"] * 2
    calm = diagnose_scored(QUESTION, trace, score, CALM)
    assert calm.first_suspect is None
    assert calm.steps[0].reason == "arithmetic checked"


def test_a_false_equation_is_the_reason_and_names_the_expected_number():
    trace, score = scored(["3 * 4 = 13 pens", "13 - 6 = 7", "#### 7"])
    found = diagnose_scored(QUESTION, trace, score, calibrated(-3.0, false_equation=6.0))
    assert found.first_suspect == 0
    assert [s.verdict for s in found.steps] == ["suspect", "follows", "follows"]
    assert found.steps[0].reason == "check: expected 12, the step says 13"
    assert found.steps[1].reason == "follows from step 1; right given your 13"
    assert found.calibrated_on == "7 traces of hand-made numbers"


def test_a_step_that_is_right_given_an_earlier_slip_is_told_so_and_a_repeated_slip_is_not_blamed_twice():
    trace, score = scored(["9 * 4 = 38", "38 + 2 = 40", "So 9 * 4 = 38 again."])
    found = diagnose_scored(QUESTION, trace, score, CALM)
    assert [step.reason for step in found.steps] == [
        "check: expected 36, the step says 38",
        "follows from step 1; right given your 38",
        "repeats the slip of step 1: expected 36",
    ]


def test_a_false_equation_is_marked_however_calm_the_critic_is():
    trace, score = scored(["3 * 4 = 12 pens", "12 - 6 = 5", "#### 5"])
    found = diagnose_scored(QUESTION, trace, score, CALM)
    assert (found.first_suspect, found.not_sure) == (1, False)
    assert [step.verdict for step in found.steps] == ["fine", "suspect", "follows"]


def test_an_earlier_step_that_passes_the_threshold_by_itself_is_named_first_and_both_are_marked():
    trace, score = scored(["Tom has 12 pens", "12 - 6 = 5", "#### 5"], {"12": CERTAIN})
    found = diagnose_scored(QUESTION, trace, score, BY_CHOICE)
    assert found.first_suspect == 0
    assert [step.verdict for step in found.steps] == ["suspect", "suspect", "follows"]
    assert found.steps[1].reason == "check: expected 6, the step says 5"


def test_an_earlier_step_that_does_not_pass_it_by_itself_is_not_named_before_a_false_equation():
    trace, score = scored(["Tom has 12 pens", "12 - 6 = 5", "#### 5"], {"12": DOUBTFUL, "6": CERTAIN})
    found = diagnose_scored(QUESTION, trace, score, BY_CHOICE)
    assert found.first_suspect == 1
    assert [step.verdict for step in found.steps] == ["fine", "suspect", "follows"]


def test_two_slips_are_both_marked_and_a_repeated_one_only_follows():
    trace, score = scored(["9 * 4 = 38", "5 + 5 = 11", "So 9 * 4 = 38 again."])
    found = diagnose_scored(QUESTION, trace, score, CALM)
    assert [step.verdict for step in found.steps] == ["suspect", "suspect", "follows"]
    assert found.first_suspect == 0


def test_a_sign_of_about_equal_is_told_with_its_tolerance():
    trace, score = scored(["10 / 3 ≈ 4.9"])
    (step,) = diagnose_scored(QUESTION, trace, score, CALM).steps
    assert step.reason == "check: expected 3.33…, the step says 4.9 (about equal: at most 15 % apart)"


def test_a_result_cut_to_a_whole_number_is_no_error_but_is_named():
    trace, score = scored(["Of 12 pens 30 days use 30 / 12 = 2 a day.", "10 / 3 = 3.33"])
    found = diagnose_scored(QUESTION, trace, score, CALM)
    cut, decimals = found.steps
    assert cut.verdict == "fine"
    assert cut.reason == "arithmetic checked; 2.5 was rounded to 2"
    assert "rounded: <bdi>30 / 12 = 2</bdi>, exactly <b>2.5</b>" in render_note(0, trace, found)
    assert render_note(1, trace, found) == ""
    assert decimals.reason == "arithmetic checked", "whoever writes decimals says that they rounded"


def test_a_trace_without_evidence_has_no_suspect_step():
    trace, score = scored(["3 * 4 = 12 pens", "12 - 6 = 6", "#### 6"])
    found = diagnose_scored(QUESTION, trace, score, calibrated(-3.0, false_equation=6.0))
    assert found.first_suspect is None
    assert not found.not_sure
    assert [s.verdict for s in found.steps] == ["fine"] * 3


def test_between_the_thresholds_the_diagnosis_is_not_sure():
    trace, score = scored(["3 * 4 = 12 pens", "12 - 6 = 6", "#### 6"], {"6": DOUBTFUL})
    found = diagnose_scored(QUESTION, trace, score, BY_CHOICE)
    assert found.not_sure
    assert found.first_suspect is None
    assert found.steps[1].verdict == "not sure"


def test_a_number_from_nowhere_is_evidence_and_computed_numbers_are_known():
    trace, score = scored(["3 * 4 = 12 pens", "12 - 17 = 5", "5 + 12 = 17"])
    unknown = [e.unknown for e in gather(QUESTION, trace, score).steps]
    assert unknown == [(), ("17",), ()]


def test_an_answer_that_is_not_the_last_result_is_evidence():
    trace, score = scored(["3 * 4 = 12 pens", "#### 13"])
    assert [e.answer_mismatch for e in gather(QUESTION, trace, score).steps] == [False, True]


def test_number_words_of_the_problem_are_known():
    assert {3, 4, 12} <= numbers_in(QUESTION)


def test_probabilities_are_of_competing_steps_and_their_heat_lies_on_the_choice_that_surprised():
    trace, score = scored(["3 * 4 = 12 pens", "12 - 6 = 6", "#### 6"], {"6": DOUBTFUL})
    found = diagnose_scored(QUESTION, trace, score, BY_CHOICE)
    calm, doubtful = math.exp(-3), math.exp(-1)
    total = 1 + 2 * calm + doubtful
    assert [s.error_probability for s in found.steps] == pytest.approx([calm / total, doubtful / total, calm / total])
    heat = {trace.text[slice(*score.offsets[t])]: nats for t, nats in enumerate(found.token_heat) if nats}
    assert heat == {"6": pytest.approx(-2.0)}
    assert len(found.token_heat) == len(score.offsets)
    assert (found.heat_scale, found.calibrated_on) == (2.0, "7 traces of hand-made numbers")


def test_what_is_suspect_by_the_critic_alone_is_said_to_be_so_and_the_rest_follows():
    trace, score = scored(["3 * 4 = 12 pens", "12 / 6 = 2", "#### 2"], {" / 6": 3 * CERTAIN})
    found = diagnose_scored(QUESTION, trace, score, BY_CHOICE)
    assert (found.first_suspect, found.not_sure, found.outside) == (1, False, False)
    assert [step.verdict for step in found.steps] == ["fine", "suspect", "follows"]
    assert found.steps[1].reason == "the critic finds its choice of numbers or operations unlikely for an expert"


def test_many_doubtful_steps_make_the_trace_suspect_and_the_most_doubtful_is_named():
    steps = [f"He has {n} of them there now." for n in (11, 22, 33, 44)]
    trace, score = scored(steps, {"11": DOUBTFUL, "22": DOUBTFUL, "33": 1.1 * DOUBTFUL, "44": DOUBTFUL})
    found = diagnose_scored(QUESTION, trace, score, BY_CHOICE)
    assert max(s.error_probability for s in found.steps) < 0.5
    assert found.first_suspect == 2


def test_at_the_thresholds_themselves_a_step_is_suspect_or_not_sure():
    trace, score = scored(["He has some more pens here."])
    (p,) = (step.error_probability for step in diagnose_scored(QUESTION, trace, score, CALM).steps)
    suspect = CALM.model_copy(update={"threshold": p, "unsure_above": p})
    unsure = CALM.model_copy(update={"threshold": 0.5, "unsure_above": p})
    assert [diagnose_scored(QUESTION, trace, score, c).steps[0].verdict for c in (suspect, unsure, CALM)] == [
        "suspect", "not sure", "fine"
    ]  # fmt: skip


def scoped(threshold: float = 0.5, **weights: float) -> Scope:
    return Scope(
        features=SCOPE_FEATURES,
        weights=tuple(weights.get(name, 0.0) for name in SCOPE_FEATURES),
        intercept=-2.0,
        threshold=threshold,
        other_kinds=("olympiad",),
    )


def test_a_text_of_another_kind_has_no_mark_and_what_is_false_exactly_is_still_told():
    steps = ["Let n be a prime integer of the polynomial.", "3 * 4 = 13", "#### 13"]
    trace, score = scored(steps, {"3": CERTAIN})
    inside = BY_CHOICE.model_copy(update={"scope": scoped()})
    outside = BY_CHOICE.model_copy(update={"scope": scoped(higher_words=4.0)})
    assert diagnose_scored(QUESTION, trace, score, inside).first_suspect == 1
    found = diagnose_scored(QUESTION, trace, score, outside)
    assert (found.first_suspect, found.not_sure, found.outside) == (None, False, True)
    assert [step.verdict for step in found.steps] == ["not judged"] * 3
    assert found.steps[1].reason == "check: expected 12, the step says 13"
    assert found.steps[0].reason == "nothing to check exactly"


def test_without_a_calibration_no_step_is_judged_and_none_has_a_probability():
    trace, score = scored(["3 * 4 = 13 pens", "#### 13"], {"3": CERTAIN})
    found = diagnose_scored(QUESTION, trace, score, None)
    assert (found.first_suspect, found.outside, found.token_heat, found.heat_scale) == (None, False, (), None)
    assert [(s.verdict, s.error_probability) for s in found.steps] == [("not judged", None)] * 2
    assert found.steps[0].reason == "check: expected 12, the step says 13"
    assert [s.surprise for s in found.steps] == [CERTAIN, 0.0]


def test_the_critics_own_calibration_is_used_unless_another_is_given():
    critic, trace = ArithmeticCritic(), Trace.from_text("He has 5 pens now.")
    own = diagnose(QUESTION, trace, critic)
    assert own.calibrated_on == "0 traces of arithmetic"
    assert own == diagnose(QUESTION, trace, critic, score=critic.score(QUESTION, [trace])[0])
    assert diagnose(QUESTION, trace, critic, calibration=CALM).calibrated_on == "7 traces of hand-made numbers"
    assert diagnose(QUESTION, trace, ArithmeticCritic(calibration=None)).steps[0].verdict == "not judged"
