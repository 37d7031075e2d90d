"""A solution is pasted in a real browser and checked with the real critic."""

from __future__ import annotations

import pytest

from tests.support.visits import HOSTILE, MILLISECONDS_TO_SOLVE, SHOWN_TEXT, diagnose, open_diagnose

pytestmark = pytest.mark.browser

WRONG = (
    "A box holds 12 rolls, so 3 boxes hold 3 * 12 = 35 rolls.\n"
    "She eats 5 rolls, so 35 - 5 = 30 rolls are left.\n"
    "#### 30"
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_wrong_product_is_marked_with_the_expected_number(app, open_page, theme):
    page = open_page(f"{app}?__theme={theme}")
    diagnose(page, WRONG, "A box holds 12 rolls. She buys 3 boxes and eats 5 rolls. How many rolls are left?")
    suspect = page.locator("#diagnose-reading li.suspect")
    assert suspect.count() == 1
    assert suspect.get_attribute("data-step") == "0"
    assert "expected 36" in suspect.inner_text()
    assert "3 * 12 = 35" in suspect.locator("del").inner_text()
    assert "".join(page.locator("#diagnose-reading .guilty").all_inner_texts()).strip() == "35"
    assert suspect.locator(".flag").inner_text() == "▲"
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    page.locator("#diagnose-status").wait_for(state="attached")
    page.locator(".annotation-text:has-text('step 1')").wait_for(state="attached")


def test_hostile_text_is_shown_as_typed(app, open_page):
    page = open_page(app)
    diagnose(page, HOSTILE, HOSTILE)
    assert page.evaluate(SHOWN_TEXT, "#diagnose-reading") == HOSTILE
    assert page.input_value("#diagnose-problem textarea") == HOSTILE
    assert page.locator("#diagnose-reading script, #diagnose-reading img").count() == 0


@pytest.mark.parametrize("keys", ["Control+Enter"])
def test_the_keyboard_checks_a_pasted_solution(app, open_page, keys):
    page = open_page(app)
    open_diagnose(page)
    page.fill("#diagnose-problem textarea", "q")
    page.fill("#diagnose-solution textarea", WRONG)
    page.press("#diagnose-solution textarea", keys)
    page.locator("#diagnose-reading li.suspect").wait_for(timeout=MILLISECONDS_TO_SOLVE)
