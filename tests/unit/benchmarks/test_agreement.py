"""Agreement counts the samples that compute what a step computes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.agreement import step_agreement
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
