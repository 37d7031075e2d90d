"""The benchmark of edits changes one number, and measures an edit beside a full reading."""

from __future__ import annotations

import pytest

from benchmarks.edits import edit, edits
from benchmarks.first_marks import pasted
from irl_core.text.equations import check_equations
from irl_core.text.traces import Trace


def test_the_edit_mends_the_last_equation_and_nothing_else():
    before = Trace.from_text(pasted(3, 80))
    after = edit(before)
    assert before.step_texts()[:-1] == after.step_texts()[:-1]
    assert [equation.ok for equation in check_equations(before.text)][-1] is False
    assert all(equation.ok for equation in check_equations(after.text))


def test_an_edit_and_a_full_reading_are_measured(make_critic):
    found = edits(make_critic(), tokens=60, rounds=2)
    assert found["edit_of_full"] == pytest.approx(found["edit_ms"] / found["full_ms"])
    assert found["tokens"] > 40
