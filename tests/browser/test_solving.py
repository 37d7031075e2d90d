"""A problem is solved in a real browser with the real models: asked, stopped, calculated with."""

from __future__ import annotations

import json
import re

import pytest

from irl_core.session.record import load_session
from irl_core.text.equations import check_equations
from tests.support.visits import HOSTILE, MILLISECONDS_TO_SOLVE, PROBLEM, ask, finished

pytestmark = pytest.mark.browser


def test_a_problem_is_solved_ranked_and_its_time_and_tokens_told(saved):
    assert saved["rows"] == 8
    assert re.search(r"8 solutions · done in [\d.]+ s · [\d,]+ tokens · answer", saved["status"])
    session = json.loads(saved["path"].read_text("utf-8"))
    assert len(session["traces"]) == len(session["scores"]) == 8
    assert sorted(session["ranking"]["order"]) == list(range(8))


def test_with_the_calculator_no_solution_states_a_false_result(app, open_page, tmp_path):
    page = open_page(app)
    page.check("#calculator input")
    ask(page, "Tom has 58 pens and 67 pencils. How many pens and pencils does he have?", n=2)
    finished(page)
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "session.json")
    session = load_session((tmp_path / "session.json").read_bytes())
    assert session.settings.calculator
    equations = [check for trace in session.traces for check in check_equations(trace.text)]
    assert equations
    assert all(check.ok for check in equations)


def test_stop_keeps_what_is_there(app, open_page):
    page = open_page(app)
    page.get_by_label("temperature").fill("2")  # rambling solutions, so that there is something to stop
    ask(page, n=16)
    page.locator("#reading .draft").first.wait_for(timeout=MILLISECONDS_TO_SOLVE)
    page.click("#stop")
    finished(page)
    status = page.inner_text("#status")
    kept = int(re.match(r"stopped: (\d+) of 16 traces", status).group(1))
    assert kept == page.locator("#ranking li[data-trace]").count() >= 1
    assert page.input_value("#problem textarea") == PROBLEM


def test_hostile_text_in_a_problem_is_asked_and_shown_as_typed(app, open_page):
    page = open_page(app)
    ask(page, HOSTILE, n=1)
    finished(page)
    assert page.input_value("#problem textarea") == HOSTILE


def test_an_empty_form_says_what_to_do_and_keeps_the_page(app, open_page):
    page = open_page(app)
    page.click("#solve")
    page.locator(".toast-body:has-text('Type one, or choose an example')").wait_for()
    assert page.is_enabled("#solve")
