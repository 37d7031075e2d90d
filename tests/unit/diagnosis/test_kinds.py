"""Names of errors that can be read off a step exactly, and those that only say where the critic looks."""

from __future__ import annotations

import pytest

from irl_core.diagnosis.kinds import is_cut, is_run_on
from irl_core.diagnosis.suspect_step import diagnose_scored
from irl_core.text.equations import check_equations
from irl_core.text.traces import Trace
from tests.support.surprise import calibrated, score_of

QUESTION = "Tom has 3 boxes with 4 pens in each and loses 6. How many pens are left?"
BY_CHOICE = calibrated(-3.0, worst_choice=2.5)


def kind(step: str, nats: dict[str, float] | None = None) -> str | None:
    trace = Trace.from_steps([step, "Done."])
    return diagnose_scored(QUESTION, trace, score_of(trace, nats), BY_CHOICE).steps[0].kind


@pytest.mark.parametrize(
    ("step", "nats", "name"),
    [
        ("3 * 4 = 13", None, "slip in arithmetic"),
        ("3 + 4 = 7 * 2 = 14", None, "run-on equals sign"),
        ("11 / 4 = 2", None, "cut and not rounded"),
        ("3 * 17 = 51", None, "number nobody gave"),
        ("4 - 6 = -2", {"6": 20.0}, "below zero"),
        ("3% of 4 = 0.12", {"3": 20.0}, "unusual percentage"),
        ("3 + 4 = 7", {"+": 20.0}, "unusual operation"),
        ("3 * 6 = 18", {"6": 20.0}, "unusual number"),
        ("3 * 4 = 12", None, None),
    ],
)
def test_a_step_is_named_by_what_is_written_or_where_the_critic_looks(step, nats, name):
    assert kind(step, nats) == name


@pytest.mark.parametrize("text", ["3 * 4 = 12 = 12", "5 * 3 = 15 = 15 dollars", "1/2 = 0.5 = 50%", "3 + 4 = 7"])
def test_a_chain_whose_parts_are_all_equal_does_not_run_on(text):
    assert not any(map(is_run_on, check_equations(text)))


@pytest.mark.parametrize("text", ["10 / 3 = 3", "2 / 3 = 0.66", "9 / 4 = 2", "11 / 4 = 2.75", "11 / 4 = 3"])
def test_a_number_is_called_cut_only_where_rounding_is_known_to_differ(text):
    assert not any(map(is_cut, check_equations(text)))
