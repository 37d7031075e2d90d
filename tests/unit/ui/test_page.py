"""What the page claims for itself."""

from __future__ import annotations

import json

import pytest

from irl_core.models.assets import ASSETS
from irl_core.models.pairs import PAIRS, SMALL, STANDARD
from irl_core.session.workbench import Workbench
from ui.page import measured


def test_the_page_says_how_often_its_marks_are_right(tmp_path):
    figures = {"cross_validated.top1": {"value": 0.494}, "false_flag_rate": 0.2541, "n": 1401}
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"mr-gsm8k/calibration-standard": {"figures": figures}}))
    assert measured(path, STANDARD) == (
        "On 1,401 labelled solutions this critic named the first wrong step of 49% of the wrong ones "
        "exactly, and suspected 25% of the right ones. "
    )


def test_a_share_that_was_not_measured_is_not_claimed(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text(
        json.dumps({"mr-gsm8k/calibration-standard": {"figures": {"cross_validated.top1": {"value": 0.5}, "n": 9}}})
    )
    assert measured(path, STANDARD).endswith("named the first wrong step of 50% of the wrong ones exactly. ")


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"mr-gsm8k/calibration-standard": {"figures": {"n": 3}}}'])
def test_without_figures_it_claims_nothing(tmp_path, text):
    path = tmp_path / "figures.json"
    if text is not None:
        path.write_text(text)
    assert measured(path, STANDARD) == ""


@pytest.mark.parametrize("pair", [SMALL, STANDARD], ids=lambda pair: pair.name)
def test_the_figures_of_each_critic_that_was_measured_can_be_read(pair):
    assert "labelled solutions" in measured(ASSETS / "checkpoints" / "figures.json", pair)


def test_of_a_critic_that_is_not_shipped_nothing_is_claimed():
    assert Workbench().pair is PAIRS["small"], "as ERRATA_PAIR says in the tests"
    assert Workbench(critic="small").pair is PAIRS["small"]
    assert Workbench(critic="runs/airl/critic").pair is None
