"""A reader's verdicts in a real browser: one key each, kept in the session, exported as step labels."""

from __future__ import annotations

import json

import pytest

from irl_core.session.record import load_session
from tests.support.pages import made_session, open_session

pytestmark = pytest.mark.browser

TEXTS = ("60 * 3 = 190\n#### 190", "60 * 3 = 180\n#### 180", "60 + 3 = 63\n#### 63")
PRESSED = "#reading [data-verdict={}][aria-pressed={}]"


def saved(page, button, path) -> str:
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(path)
    return path.read_text("utf-8")


def choose(page, trace: int) -> None:
    page.locator(f"#ranking li[data-trace='{trace}']").click()
    page.wait_for_function(f"document.querySelector('#ranking li.selected').dataset.trace === '{trace}'")
    page.wait_for_function(f"document.querySelector('#reading h3').textContent === 'Solution {trace + 1}'")


def test_verdicts_take_one_key_each_and_become_labels_and_an_agreement(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, made_session(TEXTS, (3.0, 1.0, 0.0)), tmp_path)
    choose(page, 0)
    page.keyboard.press("a")
    page.locator(PRESSED.format("agree", "true")).wait_for()
    assert page.inner_text("#reading .same") == "the critic says so too"
    choose(page, 1)
    page.locator("#reading .t[tabindex='0']").focus()
    page.keyboard.press("n")
    page.locator(PRESSED.format("none", "true")).wait_for()
    page.wait_for_function("document.activeElement.matches('#reading .t')")
    choose(page, 2)
    page.keyboard.press("s")
    assert page.evaluate("document.activeElement.dataset.pick") == "0"
    page.keyboard.press("Enter")
    page.locator(PRESSED.format("step", "true")).wait_for()
    assert page.inner_text("#reading .same") == "the critic finds nothing wrong"
    assert "2 of 3 solutions" in page.inner_text("#save-labels-line")
    labels = [json.loads(line) for line in saved(page, "#save-labels", tmp_path / "l.jsonl").splitlines()]
    assert [label["first_error_step"] for label in labels] == [0, -1, 0]
    session = load_session(saved(page, "#save", tmp_path / "s.json"))
    assert session.verdicts == {"0": "step 1", "1": "nothing wrong", "2": "step 1"}


def test_a_verdict_said_once_more_is_taken_back_and_a_key_within_a_step_names_it(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, made_session(TEXTS, (3.0, 1.0, 0.0)), tmp_path)
    choose(page, 0)
    page.locator("#reading li.step[data-step='1'] .t[data-tip]").first.evaluate("e => { e.tabIndex = 0; e.focus(); }")
    page.keyboard.press("s")
    page.locator("#reading [data-verdict=step]:has-text('step 2')").wait_for()
    assert page.inner_text("#reading .same") == "the critic says step 1"
    page.keyboard.press("s")
    page.locator(PRESSED.format("step", "false")).wait_for()
    page.locator("#save-labels:disabled").wait_for()


def test_letters_typed_into_a_field_are_no_verdicts(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, made_session(TEXTS, (3.0, 1.0, 0.0)), tmp_path)
    page.locator("#problem textarea").press_sequentially("a one n")
    assert page.locator("#reading .verdict [aria-pressed=true]").count() == 0


def test_hidden_marks_leave_the_verdict_and_not_what_the_critic_says(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, made_session(TEXTS, (3.0, 1.0, 0.0)), tmp_path)
    page.click("[data-tool=marks]")
    assert not page.locator("#reading [data-verdict=agree]").is_visible()
    assert not page.locator("#reading .same").is_visible()
    page.keyboard.press("n")
    page.locator(PRESSED.format("none", "true")).wait_for()
    assert not page.locator("#save-labels-line .agreement").is_visible()
