"""The known answer belongs to its problem: no right solution is called wrong by an answer to another one."""

from __future__ import annotations

import pytest

from irl_core.text.traces import Problem
from tests.support.pages import cut_session, made_session, open_session

pytestmark = pytest.mark.browser

ANSWER = "document.querySelector('#gold input, #gold textarea').value"


def test_the_answer_of_an_opened_session_leaves_with_its_problem(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    session = made_session(["60 * 3 = 180\n#### 180"], (0.0,), gold="180")
    asked = Problem(question="How far?\r\nIn 3 hours, at 60 miles an hour.", answer="180")
    open_session(page, session.model_copy(update={"problem": asked}), tmp_path)
    page.wait_for_timeout(1000)
    assert page.evaluate(ANSWER) == "180"
    page.fill("#problem textarea", "Tom has 3 boxes of 4 pens. How many pens?")
    page.wait_for_function(f"{ANSWER} === ''")


def test_an_answer_that_a_person_typed_for_the_new_problem_stays(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, cut_session(), tmp_path)
    page.fill("#problem textarea", "Tom has 3 boxes of 4 pens.")
    page.wait_for_timeout(500)
    page.fill("#gold :is(input, textarea)", "12")
    page.fill("#problem textarea", "Tom has 3 boxes of 4 pens. How many pens?")
    page.wait_for_timeout(1500)
    assert page.evaluate(ANSWER) == "12"


def test_a_solved_problem_takes_its_answer_along_when_another_is_typed(app, open_page):
    page = open_page(app)
    page.fill("#problem textarea", "Tom has 3 pens and buys 5 pencils. How many pencils has he?")
    page.fill("#gold :is(input, textarea)", "he has 5 pencils")
    page.fill("#n input", "1")
    page.click("#solve")
    page.locator("#reading section.trace").wait_for(timeout=600_000)
    page.locator("#solve:enabled").wait_for()
    page.fill("#problem textarea", "Tom has 3 boxes of 4 pens. How many pens?")
    page.wait_for_function(f"{ANSWER} === ''")
