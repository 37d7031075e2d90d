"""A solution is rewritten from a step on, in a real browser with the real models."""

from __future__ import annotations

import pytest

from irl_core.session.record import load_session
from tests.support.visits import MILLISECONDS_TO_SOLVE, SHOWN_TEXT, diagnose, finished, open_diagnose

pytestmark = pytest.mark.browser


def test_a_step_can_be_rewritten_and_what_was_there_comes_back(opened, tmp_path):
    page = opened()
    shown = page.evaluate(SHOWN_TEXT, "#reading")
    page.locator("#reading button.rewrite").nth(1).click(force=True)
    page.wait_for_function(
        "document.querySelector('#status').textContent.includes('rewritten from step 2 on · done in')",
        timeout=MILLISECONDS_TO_SOLVE,
    )
    finished(page)
    assert page.locator("#reading .step.given").count() == 1
    path = tmp_path / "rewritten.json"
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(path)
    session = load_session(path.read_bytes())
    assert session.settings.prefix
    assert shown.startswith(session.settings.prefix)
    assert all(trace.text.startswith(session.settings.prefix) for trace in session.traces)
    page.click("#back")
    page.wait_for_function("document.querySelector('#status').textContent.includes('back at')")
    assert page.evaluate(SHOWN_TEXT, "#reading") == shown
    page.locator("#back").wait_for(state="hidden")


def test_a_pasted_solution_is_rewritten_on_the_other_tab_and_stays_where_it_was_pasted(app, open_page):
    page = open_page(app)
    pasted = "3 boxes hold 3 * 12 = 36 rolls.\nAfter she eats 5, 36 - 5 = 30 are left.\n#### 30"
    diagnose(page, pasted, "A box holds 12 rolls. She buys 3 boxes and eats 5 rolls. How many are left?")
    page.locator("#diagnose-reading .step.suspect button.rewrite").click()
    page.wait_for_function(
        "document.querySelector('#status').textContent.includes('rewritten from step 2 on · done in')",
        timeout=MILLISECONDS_TO_SOLVE,
    )
    finished(page)
    assert page.locator("#problem textarea").input_value().startswith("A box holds 12 rolls.")
    assert page.evaluate(SHOWN_TEXT, "#reading").startswith(pasted.splitlines()[0])
    assert not page.locator("#back").is_visible()
    open_diagnose(page)
    assert page.evaluate(SHOWN_TEXT, "#diagnose-reading") == pasted
