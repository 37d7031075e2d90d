"""Of what kind a text is, in numbers; all rates are counted by hand."""

from __future__ import annotations

import math

import pytest

from irl_core.diagnosis.calibration import Scope
from irl_core.diagnosis.scope import SCOPE_FEATURES, scope_features
from irl_core.text.traces import Trace


def found(question: str, solution: str) -> dict[str, float]:
    return dict(zip(SCOPE_FEATURES, scope_features(question, Trace.from_text(solution)), strict=True))


def test_a_word_problem_holds_equations_and_nothing_beyond_arithmetic():
    kinds = found("Tom has 3 boxes of 4 pens.", "3 * 4 = 12 pens\n12 + 5 = 17 pens\n#### 17")
    assert kinds == pytest.approx({"powers": 0, "higher_words": 0, "symbols": 0, "equations": math.log(1 + 2)})


def test_signs_and_words_of_higher_mathematics_are_counted_for_a_hundred_characters():
    solution = "Let n be a prime integer, x^2 \\leq 5, y² and √3."
    kinds = found("Find the vertex.", solution)
    # prime, integer, vertex; x^2, y^2 (written ²) and √; ≤.
    assert kinds["higher_words"] == pytest.approx(math.log(1 + 3))
    assert kinds["powers"] == pytest.approx(math.log(1 + 3))
    assert kinds["symbols"] == pytest.approx(math.log(1 + 1))
    assert kinds["equations"] == 0.0


def test_a_long_text_is_counted_by_its_length():
    solution = "a prime " * 50  # 400 characters of the solution, a line break and the question before it
    rate = 100 * 50 / len(f"Why?\n{solution.rstrip()}")
    assert found("Why?", solution)["higher_words"] == pytest.approx(math.log(1 + rate))


def test_the_manner_of_writing_says_nothing_of_the_kind():
    plain = found("How many?", "3 * 4 = 12 pens")
    marked = found("**How many?**", "**Step 1:** \\( 3 \\times 4 = 12 \\) pens")
    assert marked == pytest.approx(plain)


def test_a_text_is_outside_from_the_threshold_on():
    def scope(threshold: float) -> Scope:
        return Scope(features=("a", "b"), weights=(2.0, -1.0), intercept=0.5, threshold=threshold)

    values = (1.0, 2.5)  # the logit is 0.5 + 2 - 2.5 = 0
    assert scope(0.5).is_outside(values)
    assert not scope(0.51).is_outside(values)
    assert scope(1.0).is_outside((1e9, 0.0)) is False, "no text is outside for certain"
    assert not scope(0.5).is_outside((-1e9, 0.0))
