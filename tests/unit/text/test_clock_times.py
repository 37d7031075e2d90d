"""Sums with times of day."""

from __future__ import annotations

import pytest

from irl_core.text.equations import check_equations


@pytest.mark.parametrize(
    "text",
    [
        "2:45 pm + 30 min = 3:15 pm",
        "11 am + 3 hours = 2 pm",
        "11:30 pm + 1 hour = 12:30 am",
        "3 pm - 5 hours = 10 am",
        "10:15 - 8:45 = 1 hour 30 minutes",
        "2:30 + 45 minutes = 3:15",
        "8 p.m. + 90 minutes = 9:30 p.m.",
    ],
)
def test_a_right_time_holds(text):
    assert [check.ok for check in check_equations(text)] == [True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2:45 pm + 30 min = 3:20 pm", "3:15 pm"),
        ("11 am + 3 hours = 3 pm", "2:00 pm"),
        ("11 am + 3 hours = 2 am", "2:00 pm"),
        ("10:15 - 8:45 = 2 hours", "1 h 30 min"),
    ],
)
def test_a_wrong_time_is_marked_with_the_right_one(text, expected):
    assert [(check.ok, check.expected) for check in check_equations(text)] == [(False, expected)]


@pytest.mark.parametrize("text", ["3:30 + 1 = 5", "the ratio 3:4 = 6:9", "25:70 + 5 min = 3:00", "9 + 5 = 2 o'clock"])
def test_what_may_be_no_time_is_not_checked(text):
    assert check_equations(text) == []


def test_a_wrong_time_that_is_asked_about_is_not_marked():
    assert check_equations("Is 2:45 pm + 30 min = 3:20 pm?") == []
