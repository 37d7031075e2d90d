"""What the page looks like in a real browser: on a phone, projected, at rest, in type and colours of its own."""

from __future__ import annotations

import pytest

from tests.support.visits import open_diagnose, sideways

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("query", ["?__theme=light", "?__theme=dark"])
def test_nothing_scrolls_sideways_on_a_phone(opened, query):
    page = opened(query, width=390, height=844)
    assert sideways(page) == 0
    page.locator(".chart .js-line").first.wait_for()
    assert sideways(page) == 0
    open_diagnose(page)
    assert sideways(page) == 0


def test_an_address_can_ask_for_a_projected_page_without_marks(replay_app, open_page):
    page = open_page(f"{replay_app}?view=projector&marks=hidden")
    page.locator("body.projector.unmarked").wait_for(state="attached")
    page.reload()
    page.locator("#problem textarea").wait_for()
    page.locator("[data-tool=marks][aria-pressed=false]").wait_for()


def test_the_projector_has_large_type(opened):
    page = opened()
    page.click("[data-tool=projector]")
    page.locator("[data-tool=projector][aria-pressed=true]").wait_for()
    style = page.eval_on_selector(
        "#reading .text", "text => [getComputedStyle(text).fontSize, getComputedStyle(text).lineHeight]"
    )
    assert style[0] == "24px"
    assert float(style[1].removesuffix("px")) == pytest.approx(24 * 1.7, abs=0.5)


def test_a_projected_problem_is_shown_whole(replay_app, open_page):
    page = open_page(replay_app)
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#reading section.trace").wait_for()
    page.click("[data-tool=projector]")
    box = page.locator("#problem textarea")
    assert box.evaluate("box => box.scrollHeight - box.clientHeight") <= 1
    page.click("[data-tool=projector]")


def test_nothing_moves_for_those_who_asked_for_calm(opened):
    page = opened(reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
    # Nor may anything that has come to rest by now move later.
    durations = """[...document.querySelectorAll('*')].map(e => getComputedStyle(e)).flatMap(style => [
        ...style.transitionDuration.split(','),
        ...(style.animationName === 'none' ? [] : style.animationDuration.split(',')),
    ]).map(parseFloat)"""
    assert max(page.evaluate(durations)) <= 0.01


def test_nothing_of_stock_gradio_is_left_to_see(app, open_page):
    page = open_page(f"{app}?__theme=light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 250, 246)"
    assert page.evaluate("getComputedStyle(document.querySelector('#solve')).backgroundColor") == "rgb(28, 27, 25)"
    assert "Source Serif 4" in page.evaluate(
        "getComputedStyle(document.querySelector('#problem textarea')).fontFamily"
    )
    assert page.evaluate("document.fonts.check('20px \"Source Serif 4 Variable\"')")
    assert page.locator("footer:not(.colophon) > :visible").all_inner_texts() == ["Use via API or MCP"]
