"""What a browser is told to allow, in a real one: the page works under it, and what is slipped in does not."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def test_the_page_and_its_recorded_run_ask_for_nothing_that_is_forbidden(replay_app, open_page):
    page = open_page(replay_app)
    forbidden = []
    page.on("console", lambda message: forbidden.append(message.text) if message.type == "error" else None)
    page.reload()
    page.locator("#problem textarea").wait_for()
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator(".chart .js-line").first.wait_for()
    assert not [text for text in forbidden if "Content Security Policy" in text]


def test_a_script_that_is_slipped_into_the_page_does_not_run(replay_app, open_page):
    page = open_page(replay_app)
    page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.slipped = true';
            document.head.append(script);
            document.body.insertAdjacentHTML('beforeend', '<img src="nowhere:" onerror="window.slipped = true">');
        }"""
    )
    page.wait_for_timeout(500)
    assert page.evaluate("window.slipped") is None


def test_the_foot_of_the_page_opens_the_page_for_programs_with_its_three_functions(replay_app, open_page):
    page = open_page(replay_app)
    page.click("footer .show-api")
    for name in ("score_trace", "diagnose", "solve_and_rerank"):
        page.locator(f".api-docs :text('{name}')").first.wait_for()
