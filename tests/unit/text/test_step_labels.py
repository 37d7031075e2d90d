"""Labels of steps are no arithmetic, for the exact checker as for the critic."""

from __future__ import annotations

import time

import pytest

from irl_core.text.equations import check_equations
from irl_core.text.step_labels import behind_label

DASHES = [" - ", " – ", " — ", " − ", "- ", "– ", "-", " -- ", ": ", ". ", ") ", " "]
LABELS = [
    "Step 3",
    "STEP 3",
    "Step #3",
    "Step No. 3",
    "Step (3)",
    "Step 3.1",
    "Step 2 of 5",
    "Part 3",
    "Stage 3",
    "Phase 3",
]
BODIES = [
    "5 + 2 = 7",
    "20 apples + 5 apples = 25 apples",
    "8 - 5 = 3",
    "12 / 4 = 3",
    "$20 * 2 = $40",
    "50% of 20 = 10",
    "(5 + 2) * 3 = 21",
    "7 = 5 + 2",
    "5 plus 2 is 7",
]


def false_ones(text: str) -> list[tuple[str, str]]:
    return [(check.text, check.expected) for check in check_equations(text) if not check.ok]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("dash", DASHES)
@pytest.mark.parametrize("label", LABELS)
def test_a_label_makes_no_right_equation_false(label, dash, body):
    assert not false_ones(f"She has pens.\n{label}{dash}{body}.")


@pytest.mark.parametrize(
    "label", ["Part 3", "Box 3", "Case 2", "Method 2", "Line 4", "Problem 12", "Option 1", "Day 3"]
)
@pytest.mark.parametrize("dash", [" - ", "- ", "– ", "-", " -- "])
@pytest.mark.parametrize("body", BODIES)
def test_nor_does_the_number_of_anything_else_with_a_dash_behind_it(label, dash, body):
    assert not false_ones(f"{label}{dash}{body}")


@pytest.mark.parametrize("dash", [" - ", "- ", ": ", " -- ", " "])
@pytest.mark.parametrize("label", [*LABELS, "Box 3", "Case 2"])
def test_nor_is_the_sign_behind_a_label_lost(label, dash):
    assert not false_ones(f"{label}{dash}-5 + 7 = 2")


@pytest.mark.parametrize("label", ["(3)", "3)", "(a)", "a)", "[3]", "3", "No. 3", "Eq. 3"])
@pytest.mark.parametrize("dash", [" - ", "- ", " – ", " -- "])
@pytest.mark.parametrize("body", BODIES)
def test_nor_does_a_number_by_itself(label, dash, body):
    assert not false_ones(f"She has pens.\n{label}{dash}{body}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Step 3 - 5 + 2 = 8", "7"),
        ("Step 3: 5 + 2 = 8", "7"),
        ("Step No. 3 – 20 apples + 5 apples = 26 apples", "25"),
        ("**Step 3 -** 5 * 2 = 11", "10"),
        ("- Part 2 - 5 * 2 = 11", "10"),
    ],
)
def test_a_false_equation_behind_a_label_is_found_and_corrected_without_it(text, expected):
    assert [told for _, told in false_ones(text)] == [expected]


@pytest.mark.parametrize(
    "text",
    ["13 - 5 + 2 = 7", "3 - 5 + 2 = 8", "(3) - 5 + 1 = 2", "(2) -5 + 2 = 7", "Total: 13 - 5 + 2 = 7", "8 - 5 = 4"],
)
def test_what_is_no_label_is_still_checked(text):
    assert false_ones(text)


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("Step 3: add", "add"),
        ("  - Step 2 of 5 – add", "add"),
        ("Step 3.1: add", "add"),
        ("Step 3.5", "Step 3.5"),
        ("Step 3 adds", "Step 3 adds"),
        ("Stepping 3: add", "Stepping 3: add"),
        ("Step 3:", "Step 3:"),
    ],
)
def test_a_label_is_cut_where_something_stands_behind_it(line, rest):
    assert line[behind_label(line, 0, len(line)) :] == rest


def test_labels_are_found_in_linear_time():
    line = "- " * 50_000 + "Step 1: " * 10_000
    started = time.process_time()
    behind_label(line, 0, len(line))
    check_equations(line)
    assert time.process_time() - started < 5
