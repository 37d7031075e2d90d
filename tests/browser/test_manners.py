"""What a person takes for granted: what was typed stays, paper is white, a mistake is named. No model is needed."""

from __future__ import annotations

import json
import re
import sys

import pytest

from irl_core.models.assets import ASSETS
from tests.conftest import ROOT
from tests.support.page import served_page

pytestmark = pytest.mark.browser

RECORDED = ASSETS / "gallery" / "standard" / "gsm8k-test-262.json"


def open_session(page, path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#open")
    chooser.value.set_files(path)


def test_a_reload_keeps_the_problem_and_the_solution_and_another_tab_begins_empty(replay_app, open_page):
    page = open_page(replay_app)
    page.fill("#problem textarea", "How much is 2 + 2?")
    page.click("#rooms [role=tab][data-tab-id=diagnose]")
    page.fill("#diagnose-problem textarea", "How much is 3 * 4?")
    page.fill("#diagnose-solution textarea", "3 * 4 = 13\n#### 13")
    for _ in range(2):  # the second time the other tab was not opened before
        page.reload()
        page.wait_for_function("document.querySelector('#problem textarea')?.value === 'How much is 2 + 2?'")
    page.click("#rooms [role=tab][data-tab-id=diagnose]")
    page.wait_for_function("document.querySelector('#diagnose-solution textarea')?.value.startsWith('3 * 4 = 13')")
    assert page.input_value("#diagnose-problem textarea") == "How much is 3 * 4?"
    other = page.context.new_page()
    other.goto(f"{replay_app}?blank")
    other.locator("#problem textarea").wait_for()
    other.wait_for_timeout(500)
    assert other.input_value("#problem textarea") == ""


def test_what_an_example_filled_in_is_kept_and_what_nobody_chose_is_not(replay_app, open_page):
    page = open_page(replay_app)
    page.evaluate("document.querySelector('#problem textarea').value = 'the page put this here'")
    page.reload()
    page.locator("#problem textarea").wait_for()
    page.wait_for_timeout(500)
    assert page.input_value("#problem textarea") == ""
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#reading section.trace").wait_for()
    page.reload()
    page.wait_for_function("document.querySelector('#problem textarea')?.value.startsWith('Maddison')")


def brightness(colour: str) -> float:
    numbers = [float(n) for n in re.findall(r"[\d.]+", colour)]
    return 255.0 if len(numbers) == 4 and numbers[3] == 0 else sum(numbers[:3]) / 3


@pytest.mark.parametrize("selector", ["body", ".gradio-container", "#reading", "#problem textarea", ".row.selected"])
def test_paper_is_white_and_its_ink_dark_where_the_screen_was_dark(replay_app, open_page, selector):
    page = open_page(f"{replay_app}?__theme=dark")
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#reading section.trace").wait_for()
    page.emulate_media(media="print")
    background, ink = page.eval_on_selector(
        selector, "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    )
    assert brightness(background) > 240
    assert brightness(ink) < 120


def test_an_opened_session_fills_the_form_with_its_settings(replay_app, open_page, tmp_path):
    session = json.loads(RECORDED.read_text("utf-8"))
    session["settings"] |= {"n": 3, "temperature": 1.5, "seed": 77}
    path = tmp_path / "session.json"
    path.write_text(json.dumps(session), "utf-8-sig")
    page = open_page(replay_app)
    open_session(page, path)
    page.locator("#reading section.trace").wait_for()
    assert page.input_value("#n input") == "3"
    assert page.get_by_label("temperature").input_value() == "1.5"
    assert page.get_by_label("seed").input_value() == "77"


def test_a_session_with_a_field_without_end_is_refused_in_words_and_the_page_lives(replay_app, open_page, tmp_path):
    session = json.loads(RECORDED.read_text("utf-8"))
    session["diagnoses"][0]["calibrated_on"] = "x" * 2_000_000
    path = tmp_path / "session.json"
    path.write_text(json.dumps(session), "utf-8")
    page = open_page(replay_app)
    open_session(page, path)
    page.locator(".toast-body:has-text('calibrated on” has 2,000,000 characters')").wait_for()
    page.fill("#problem textarea", "still here")


def test_a_wrong_number_in_the_form_is_named_and_leaves_no_stack_trace_in_the_log(open_page, tmp_path):
    log = tmp_path / "log"
    shell = f'exec {sys.executable} app.py --pair small "$@" > {log} 2>&1'
    with served_page(["bash", "-c", shell, "page"], ROOT) as url:
        page = open_page(url)
        page.fill("#problem textarea", "How much is 2 + 2?")
        page.fill("#n input", "0")
        page.click("#solve")
        page.locator(".toast-body:has-text('number of solutions must be a whole number from 1 to 16')").wait_for()
        page.fill("#n input", "8")
        page.get_by_label("temperature").fill("9")
        page.click("#solve")
        page.locator(".toast-body:has-text('temperature must be a number from 0 to 2')").wait_for()
        page.fill("#problem textarea", "")
        page.click("#solve")
        page.locator(".toast-body:has-text('There is no problem')").wait_for()
    assert "Traceback" not in log.read_text("utf-8")
