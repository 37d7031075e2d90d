"""Numbers light up with their sources at the pointer and by keyboard. No model is needed."""

from __future__ import annotations

import pytest

from tests.support.pages import made_session, open_session

pytestmark = pytest.mark.browser

TEXT = "60 * 3 = 190 miles.\nSo 190 + 7 = 197 miles.\n#### 197"


def test_equal_numbers_light_up_together_by_pointer_and_by_key(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, made_session([TEXT], (0.0,)), tmp_path)
    assert "right, given your 190" in page.inner_text("#reading li.step >> nth=1")
    page.locator("#reading li.step [data-q='190']").first.hover()
    assert page.locator("#reading li.step .linked").all_inner_texts() == ["190", "190"]
    page.locator("#reading h3").hover()
    assert page.locator(".linked").count() == 0
    page.keyboard.press("q")
    assert page.evaluate("document.activeElement.textContent") == "60"
    assert page.locator("#reading .posed .linked").all_inner_texts() == ["60"]
    page.keyboard.press("q")
    assert page.evaluate("document.activeElement.textContent") == "3"


def test_a_class_that_guesses_is_not_told_where_numbers_come_from(replay_app, open_page, tmp_path):
    page = open_page(f"{replay_app}?marks=hidden")
    open_session(page, made_session([TEXT], (0.0,)), tmp_path)
    page.locator("#reading li.step [data-q='190']").first.hover()
    assert page.locator(".linked, #reading .quantities:visible, #reading .given-yours:visible").count() == 0
