"""A step is edited where it stands, in a real browser with the real critic: by keyboard, undone, never lost."""

from __future__ import annotations

import pytest

from irl_core.session.record import load_session
from tests.support.visits import HOSTILE, MILLISECONDS_TO_SOLVE, SHOWN_TEXT, diagnose

pytestmark = pytest.mark.browser

QUESTION = "A box holds 12 rolls. She buys 3 boxes and eats 5 rolls. How many are left?"
WRONG = "3 boxes hold 3 * 12 = 35 rolls.\nAfter she eats 5, 35 - 5 = 30 are left.\n#### 30"
FIRST = "3 boxes hold 3 * 12 = 36 rolls."


def in_diagnose(page) -> None:
    diagnose(page, WRONG, QUESTION)
    page.locator("#diagnose-status:has-text('checked')").wait_for()


def edit(page, step: int, text: str, reading: str = "#diagnose-reading", keys: str = "Control+Enter") -> None:
    page.locator(f"{reading} button.edit[data-step='{step}']").focus()
    page.keyboard.press("Enter")
    page.fill(f"{reading} .editor textarea", text)
    page.keyboard.press(keys)


def shown(page, reading: str = "#diagnose-reading") -> str:
    return page.evaluate(SHOWN_TEXT, reading)


def wait_for_text(page, text: str, reading: str = "#diagnose-reading") -> None:
    page.wait_for_function(
        f"([reading, text]) => ({SHOWN_TEXT})(reading) === text",
        arg=[reading, text],
        timeout=MILLISECONDS_TO_SOLVE,
    )


def test_a_step_is_edited_by_keyboard_and_undone_and_done_again(app, open_page):
    page = open_page(app)
    in_diagnose(page)
    page.locator("#diagnose-reading .t[tabindex='0']").focus()
    page.keyboard.press("Enter")
    box = page.locator("#diagnose-reading .editor textarea")
    assert box.input_value() == WRONG.splitlines()[0]
    box.fill(FIRST)
    page.keyboard.press("Control+Enter")
    right = "\n".join([FIRST, *WRONG.splitlines()[1:]])
    wait_for_text(page, right)
    page.wait_for_function("document.activeElement.matches('#diagnose-reading button.edit[data-step=\"0\"]')")
    assert page.input_value("#diagnose-solution textarea") == right
    assert "edited by a person" in page.inner_text("#diagnose-reading h3").lower()
    assert page.locator("#diagnose-reading .editor").count() == 0
    changes = page.inner_text("#diagnose-reading .changes tbody tr:first-child")
    assert "expected 36" in changes
    page.keyboard.press("Control+z")
    wait_for_text(page, WRONG)
    assert "edited" not in page.inner_text("#diagnose-reading h3").lower()
    page.locator("#diagnose-reading [data-change=redo]").click()
    wait_for_text(page, right)


def test_what_was_typed_and_left_with_escape_is_still_there_and_focus_goes_back(app, open_page):
    page = open_page(app)
    in_diagnose(page)
    edit(page, 1, "half a thought", keys="Escape")
    assert page.evaluate("document.activeElement.matches('button.edit[data-step=\"1\"]')")
    assert shown(page) == WRONG
    page.keyboard.press("Enter")
    assert page.input_value("#diagnose-reading .editor textarea") == "half a thought"
    page.click("#diagnose-reading .editor button:has-text('as it was')")
    assert page.input_value("#diagnose-reading .editor textarea") == WRONG.splitlines()[1]


def test_steps_are_divided_and_joined_without_a_change_of_the_text(app, open_page):
    page = open_page(app)
    in_diagnose(page)
    page.locator("#diagnose-reading button.edit[data-step='1']").click()
    page.evaluate("document.querySelector('.editor textarea').setSelectionRange(18, 18)")
    page.keyboard.press("Alt+Enter")
    page.locator("#diagnose-reading li.step").nth(3).wait_for(timeout=MILLISECONDS_TO_SOLVE)
    assert shown(page) == WRONG
    page.locator("#diagnose-reading button.edit[data-step='1']").click()
    page.click("#diagnose-reading .editor button:has-text('join with the next')")
    page.wait_for_function(
        "document.querySelectorAll('#diagnose-reading li.step').length === 3", timeout=MILLISECONDS_TO_SOLVE
    )
    assert shown(page) == WRONG


def test_a_hostile_edit_is_shown_as_text_or_refused_in_words_and_stays_in_the_editor(app, open_page):
    page = open_page(app)
    in_diagnose(page)
    hostile = HOSTILE.splitlines()[0]
    edit(page, 1, hostile)
    wait_for_text(page, WRONG.replace(WRONG.splitlines()[1], hostile))
    assert page.locator("#diagnose-reading script, #diagnose-reading img").count() == 0
    page.locator("#diagnose-reading button.edit[data-step='0']").click()
    page.evaluate("document.querySelector('.editor textarea').value = '9'.repeat(2_000_000)")
    page.locator("#diagnose-reading .editor button.keep").click()
    page.locator(".toast-body:has-text('2,000,000 characters')").wait_for()
    assert page.evaluate("document.querySelector('.editor textarea').value.length") == 2_000_000


def test_an_edit_of_a_ranked_solution_changes_the_ranking_and_is_saved_with_it(opened, tmp_path):
    page = opened()
    before = shown(page, "#reading")
    steps = page.locator("#reading button.edit").count()
    edit(page, steps - 1, "#### 999", "#reading")
    page.wait_for_function(
        "document.querySelector('#status').textContent.includes('answer 999')", timeout=MILLISECONDS_TO_SOLVE
    )
    assert "999" in page.inner_text("#ranking")
    assert "edited" in page.inner_text("#ranking li.selected")
    assert "place" in page.inner_text("#reading .changes")
    path = tmp_path / "edited.json"
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(path)
    session = load_session(path.read_bytes())
    assert session.histories[0].versions[0].trace.text == before
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#back").wait_for()
    page.click("#back")
    page.wait_for_function("document.querySelector('#ranking').textContent.includes('999')")
    page.locator(f"#ranking li[data-trace='{session.histories[0].trace}']").click()
    page.click("#reading [data-change=undo]")
    wait_for_text(page, before, "#reading")


def test_an_open_editor_survives_a_verdict(app, open_page):
    page = open_page(app)
    in_diagnose(page)
    page.locator("#diagnose-reading button.edit[data-step='0']").click()
    page.fill("#diagnose-reading .editor textarea", "not done")
    page.click("#diagnose-reading [data-verdict=none]")
    page.locator("#diagnose-reading [data-verdict=none][aria-pressed=true]").wait_for()
    page.wait_for_function("document.querySelector('.editor textarea')?.value === 'not done'")
