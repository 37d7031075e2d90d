"""Sessions and recorded runs are opened in a real browser, with models and without."""

from __future__ import annotations

import json

import pytest

from irl_core.models.assets import ASSETS
from tests.support.visits import choose_session_file, open_session

pytestmark = pytest.mark.browser


def test_a_file_that_is_no_session_is_refused_in_words(app, open_page, tmp_path):
    page = open_page(app)
    path = tmp_path / "bad.json"
    path.write_text('{"schema_version": 99, "x": "<img src=x onerror=alert(3)>"}')
    choose_session_file(page, path)
    page.locator(".toast-body:has-text('not a session')").wait_for()
    assert page.locator(".toast-body img").count() == 0


def test_without_models_a_session_can_still_be_opened_and_solving_says_why_it_is_off(saved, replay_app, open_page):
    page = open_page(replay_app)
    assert page.is_disabled("#solve")
    assert "--replay-only" in page.inner_text("#status")
    open_session(page, saved["path"])
    assert page.locator("#ranking li[data-trace]").count() == 8


def test_an_examples_answer_goes_when_another_problem_is_typed_and_a_typed_one_stays(replay_app, open_page):
    page = open_page(replay_app)
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#reading section.trace").wait_for()
    assert page.input_value("#gold textarea, #gold input") == "270"
    page.fill("#problem textarea", "How much is 2 + 2?")
    page.wait_for_function("document.querySelector('#gold textarea, #gold input').value === ''")
    page.fill("#gold textarea, #gold input", "4")
    page.fill("#problem textarea", "How much is two and two?")
    page.wait_for_timeout(1000)
    assert page.input_value("#gold textarea, #gold input") == "4"


def test_an_opened_session_keeps_an_answer_that_is_also_the_pressed_examples(replay_app, open_page, tmp_path):
    recorded = ASSETS / "gallery" / "standard" / "gsm8k-test-262.json"
    saved = json.loads(recorded.read_text())
    saved["problem"]["question"] = "Six boxes hold 45 marbles each. How many marbles are there?"
    (tmp_path / "session.json").write_text(json.dumps(saved))
    page = open_page(replay_app)
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#reading section.trace").wait_for()
    choose_session_file(page, tmp_path / "session.json")
    page.wait_for_function("document.querySelector('#problem textarea').value.startsWith('Six boxes')")
    page.wait_for_timeout(1000)
    assert page.input_value("#gold textarea, #gold input") == "270"


def test_without_models_an_example_shows_its_recorded_run(replay_app, open_page):
    page = open_page(replay_app)
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#reading section.trace").wait_for()
    assert page.locator("#ranking li[data-trace]").count() == 8
    assert "recorded run" in page.inner_text("#status")
    assert page.input_value("#problem textarea").startswith("Maddison")
