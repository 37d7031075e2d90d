"""What the page claims for itself."""

from __future__ import annotations

import json

import pytest

from ui.page import measured
from ui.theme import ASSETS


def test_the_page_says_how_often_its_marks_are_right(tmp_path):
    figures = {"cross_validated.top1": {"value": 0.494}, "false_flag_rate": 0.2541, "n": 1401}
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"mr-gsm8k/calibration": {"figures": figures}}))
    assert measured(path) == (
        "On 1,401 labelled solutions the shipped critic named the first wrong step of 49% of the wrong ones "
        "exactly, and suspected 25% of the right ones. "
    )


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"mr-gsm8k/calibration": {"figures": {"n": 3}}}'])
def test_without_figures_it_claims_nothing(tmp_path, text):
    path = tmp_path / "figures.json"
    if text is not None:
        path.write_text(text)
    assert measured(path) == ""


def test_the_shipped_figures_can_be_read():
    assert "labelled solutions" in measured(ASSETS / "checkpoints" / "figures.json")
