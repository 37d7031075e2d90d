"""What the page claims for itself."""

from __future__ import annotations

import json

import pytest

from irl_core.models.assets import ASSETS
from irl_core.models.pairs import PAIRS, SMALL, STANDARD
from irl_core.session.workbench import Workbench
from ui.page import measured

NAMES = ("localisation_zeroeval", "localisation_mathcheck", "localisation_mr_gsm8k", "localisation_mathclean")


def figures_of(named, flagged):
    figures = {}
    for name, hit, flag in zip(NAMES, named, flagged, strict=True):
        figures |= {f"left_out.{name}.n": 300, f"left_out.{name}.accuracy_error": {"value": hit}}
        figures[f"left_out.{name}.right_suspected"] = {"value": flag}
    return {"left-out/calibration-standard": {"figures": figures}}


def test_the_page_says_how_often_its_marks_are_right_on_sources_that_were_left_out(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(figures_of([0.2, 0.4, 0.6, 0.4], [0.1, 0.3, 0.0, 0.2])))
    assert measured(path, STANDARD) == (
        "On 1,200 labelled solutions of 4 sources, each left out of its calibration in turn, this critic marked the "
        "first wrong step of 40% of the wrong ones exactly, and suspected 15% of the right ones "
        "(means over the sources). "
    )


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"left-out/calibration-standard": {"figures": {"n": 3}}}'])
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
