"""The legend in a real browser: what is coloured by what is the reader's choice. No model is needed."""

from __future__ import annotations

import json

import pytest

from irl_core.models.assets import ASSETS
from tests.support.visits import open_session

pytestmark = pytest.mark.browser

RECORDED = ASSETS / "gallery" / "standard" / "gsm8k-test-262.json"

# How many tokens have another colour than paper.
TINTED = """() => [...document.querySelectorAll('#reading .t')].filter(e => {
    const shades = getComputedStyle(e).background.match(/\\/ [\\d.]+|, [\\d.]+\\)/g) || [];
    return shades.some(shade => parseFloat(shade.replace(/[^\\d.]/g, '')) > 0);
}).length"""


@pytest.fixture
def with_evidence(replay_app, open_page, tmp_path):
    """A recorded run in which the first token of each solution speaks against its step, and no other token does."""
    session = json.loads(RECORDED.read_text("utf-8"))
    for score, diagnosis in zip(session["scores"], session["diagnoses"], strict=True):
        diagnosis |= {"token_heat": [-1.0, *[0.0] * (len(score["offsets"]) - 1)], "heat_scale": 2.0}
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(session))

    def visit(**options):
        page = open_page(f"{replay_app}?__theme=light", **options)
        open_session(page, path)
        return page

    return visit


def test_evidence_colours_what_speaks_against_a_step_and_raw_rewards_are_another_view(with_evidence):
    page = with_evidence()
    legend = page.locator("#reading .legend")
    assert "evidence of an error, by token" in legend.inner_text()
    assert page.evaluate(TINTED) == 1
    page.click("#reading .colours label:has-text('raw reward')")
    assert "raw reward by token, nats" in legend.inner_text()
    assert "evidence of an error" not in legend.inner_text()
    assert page.evaluate(TINTED) > 3
    page.click("#ranking li[data-trace]:not(.selected) >> nth=0")
    page.wait_for_function("document.querySelector('#reading .colours input[value=reward]').checked")
    page.click("#reading .grain label:has-text('step')")
    page.click("#reading .colours label:has-text('evidence')")
    assert "P(error), by step" in legend.inner_text()


def test_the_legend_can_be_worked_with_the_keyboard_alone(with_evidence):
    page = with_evidence()
    page.focus("#reading .colours input[value=evidence]")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.body.classList.contains('by-reward')")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("!document.body.classList.contains('by-reward')")


def test_a_run_recorded_before_there_was_evidence_shows_raw_rewards_and_offers_nothing_else(replay_app, open_page):
    page = open_page(replay_app)
    open_session(page, RECORDED)
    legend = page.locator("#reading .legend")
    assert "raw reward by token, nats" in legend.inner_text()
    assert legend.locator(".colours").count() == 0
    assert "colours are the critic’s raw rewards" in page.inner_text("#reading .foot")
    assert page.evaluate(TINTED) > 3


def test_the_finding_the_legend_and_the_numbers_fit_on_a_phone(with_evidence):
    page = with_evidence(width=390, height=844)
    assert page.locator("#reading .finding").is_visible()
    page.click(".numbers summary")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
