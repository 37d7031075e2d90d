"""Where the numbers of a solution come from, by hand-made examples."""

from __future__ import annotations

import pytest

from irl_core.text.number_sources import given_spans, number_sources
from irl_core.text.steps import split_steps

QUESTION = "A box holds 12 rolls. She has three boxes and eats 5 rolls, 25% of them plain."


def told(text: str) -> list[tuple[str, str, int | None]]:
    found = number_sources(QUESTION, text, split_steps(text))
    return [(text[slice(*one.span)], one.origin, one.origin_step) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 * 12 = 36", [("3", "problem", None), ("12", "problem", None), ("36", "computed", None)]),
        (
            "She has 3 * 12 = 36 rolls.\nSo 36 - 9 = 27.\n#### 27",
            [
                ("3", "problem", None), ("12", "problem", None), ("36", "computed", None), ("36", "earlier", 0),
                ("9", "nowhere", None), ("27", "computed", None), ("27", "earlier", 1),
            ],
        ),
        ("0.25 * 12 = <<0.25*12=3>>3", [("0.25", "problem", None), ("12", "problem", None), ("3", "computed", None)]),
        ("Step 7: 60 minutes", [("60", "common", None)]),
        ("x = 5 * 12 = 60", [("5", "problem", None), ("12", "problem", None), ("60", "computed", None)]),
        (r"\(5 \times 12 = \boxed{60}\)", [("5", "problem", None), ("12", "problem", None), ("60", "computed", None)]),
        ("No numbers at all.", []),
    ],
)  # fmt: skip
def test_each_number_has_its_source(text, expected):
    assert told(text) == expected


def test_the_numbers_of_a_problem_are_found_in_digits_and_in_words():
    assert [QUESTION[slice(*span)] for span, _ in given_spans(QUESTION)] == ["12", "three", "5", "25"]
