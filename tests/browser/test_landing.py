"""What a visitor finds before doing anything, and what hidden or guiding marks do not give away."""

from __future__ import annotations

import pytest

from tests.support.pages import made_session, open_session

pytestmark = pytest.mark.browser

WRONG = "A box holds 12 rolls, so 3 boxes hold 3 * 12 = 35 rolls.\nShe eats 5 rolls, so 35 - 5 = 30 rolls are left."


def test_the_page_opens_with_a_recorded_session_that_is_marked_and_changes_with_visits(replay_app, open_page):
    questions = set()
    for _ in range(8):
        page = open_page(replay_app, blank=False)
        page.locator("#reading section.trace").wait_for()
        assert "a recorded run" in page.inner_text("#status")
        questions.add(page.input_value("#problem textarea"))
        page.context.close()
        if len(questions) > 1:
            break
    assert len(questions) > 1


def test_hidden_marks_leave_neither_a_gap_nor_the_critics_order(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    texts = ["60 * 3 = 18\nSo 18.\n#### 18", "60 * 3 = 180\nSo 180.\n#### 180", "60 * 3 = 200\nSo 200.\n#### 200"]
    open_session(page, made_session(texts, (-3.0, -2.0, -1.0), gold="180"), tmp_path)
    places = """rows => rows.map(r => [r.getBoundingClientRect().top, Number(r.dataset.trace)])
        .sort((a, b) => a[0] - b[0]).map(r => r[1])"""
    assert page.eval_on_selector_all("#ranking li[data-trace]", places) == [2, 1, 0]
    page.click("[data-tool=marks]")
    assert page.locator("#ranking li[data-trace]:visible").count() == 0
    heights = page.eval_on_selector_all("#reading li.step", "all => all.map(e => e.getBoundingClientRect().height)")
    assert max(heights) - min(heights) < 2
    assert page.locator("#reading .finding:visible, #ranking .gold:visible, #votes table:visible").count() == 0
    assert page.locator("#gold:visible").count() == 0


def test_a_page_that_guides_says_which_step_to_look_at_and_not_what_is_expected(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, made_session([WRONG], (0.0,)), tmp_path)
    assert "36" in page.inner_text("#reading .finding")
    page.click("[data-tool=guide]")
    assert page.inner_text("#reading .finding").strip() == "Look at step 1 again: a slip in arithmetic."
    assert "36" not in page.inner_text("#reading") + page.inner_text("#ranking")


def test_diagnose_says_its_verdict_in_words_and_marks_of_an_edited_text_are_said_to_be_stale(app, open_page):
    page = open_page(app)
    page.click("#rooms [role=tab][data-tab-id=diagnose]")
    page.fill("#diagnose-problem textarea", "A box holds 12 rolls. She has 3 boxes and eats 5. How many are left?")
    page.fill("#diagnose-solution textarea", "3 * 12 = 36 rolls.\n36 - 5 = 31 rolls.\n#### 31")
    page.fill("#diagnose-gold :is(input, textarea)", "30")
    page.click("#check")
    page.locator("#diagnose-reading section.trace").wait_for(timeout=600_000)
    assert "The answer is wrong" in page.inner_text("#diagnose-reading .finding")
    page.fill("#diagnose-solution textarea", "3 * 12 = 36 rolls.\n36 - 6 = 30 rolls.\n#### 30")
    page.wait_for_function("document.querySelector('#diagnose-status').textContent.includes('was changed')")
    page.locator(".stale section.trace").wait_for()
    page.click("#check")
    page.wait_for_function(
        "document.querySelector('#diagnose-reading .finding').textContent.includes('answer is right')"
    )
    page.wait_for_function("document.querySelector('#diagnose-status').textContent.includes('checked')")
    assert page.locator(".stale").count() == 0
