"""Agreement counts the samples that compute what a step computes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.agreement import compared, step_agreement
from irl_core.evaluation.trace_files import LabelledTrace
from irl_core.text.traces import Trace

QUESTION = "Tom has 3 boxes of 4 pens and loses 2. How many pens are left?"
SAMPLES = [{Fraction(n) for n in numbers} for numbers in ((12, 10), (12, 10), (12, 14), (7, 5))]


def test_agreement_is_the_share_of_samples_with_the_same_results_and_what_it_lost():
    trace = Trace.from_steps(["Let us see.", "3 * 4 = 12 pens", "12 + 2 = 14", "So it is done.", "#### 14"])
    found = step_agreement(QUESTION, trace, SAMPLES)
    np.testing.assert_allclose(found[:, 0], [1, 0.75, 0.25, 0.25, 0.25])
    np.testing.assert_allclose(found[:, 1], [0, 0.25, 0.5, 0, 0])


def test_of_two_results_the_rarer_counts_and_given_numbers_say_nothing():
    found = step_agreement(QUESTION, Trace.from_steps(["3 * 4 = 12, 3 + 4 = 7", "6 - 2 = 4"]), SAMPLES)
    np.testing.assert_allclose(found[:, 0], [0.25, 0.25])


def labelled(question: str, first_error: int) -> LabelledTrace:
    trace = Trace.from_steps(["3 * 4 = 12 pens", "12 + 2 = 14"])
    return LabelledTrace(1, question, trace, None, None, first_error, None, None, {})


def test_the_step_that_loses_most_is_held_against_the_one_that_the_diagnosis_names():
    items = [labelled("a", 1), labelled("b", 0), labelled("c", -1)]
    probabilities = [np.array([0.6, 0.2]), np.array([0.5, 0.1]), np.array([0.1, 0.1])]
    agreement = [step_agreement(QUESTION, item.trace, SAMPLES) for item in items[:2]] + [np.array([[1, 0], [1, 0]])]
    figures = compared(items, probabilities, agreement)
    # Both wrong traces are given step 0 by the diagnosis and step 1 by agreement: each is right once.
    assert figures["diagnosis"]["top1"]["value"] == figures["agreement"]["top1"]["value"] == 0.5
    assert figures["difference"]["top1"]["value"] == 0.0
    # P(error) 0.8 and 0.6 against 0.2; lowest shares 0.25 and 0.25 against 1: both tell all pairs apart.
    assert figures["diagnosis"]["auroc"]["value"] == figures["agreement"]["auroc"]["value"] == 1.0
    assert (figures["difference"]["top1"]["n"], figures["difference"]["auroc"]["n"]) == (2, 3)
