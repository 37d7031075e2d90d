"""Solutions are read in a real browser: chosen, coloured, their numbers told, their marks hidden."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.visits import SHOWN_TEXT

pytestmark = pytest.mark.browser


def test_the_shown_solution_is_the_text_the_model_wrote(saved, opened):
    page = opened()
    session = json.loads(saved["path"].read_text("utf-8"))
    first = session["ranking"]["chosen"]["weighted_vote"]
    assert page.evaluate(SHOWN_TEXT, "#reading") == session["traces"][first]["text"]
    # Evidence colours only what speaks for or against a step; raw rewards colour every token.
    page.click("#reading .colours label:has-text('raw reward')")
    tints = page.eval_on_selector_all(
        "#reading .t", "all => new Set(all.map(t => getComputedStyle(t).background)).size"
    )
    assert tints > 3


def test_a_click_and_a_key_choose_another_solution_and_the_order_can_be_switched(saved, opened):
    page = opened()
    session = json.loads(saved["path"].read_text("utf-8"))
    last = session["ranking"]["order"][-1]
    page.click(f"#ranking li[data-trace='{last}']")
    page.locator(f"#ranking li.selected[data-trace='{last}']").wait_for()
    page.wait_for_function(f"document.querySelector('#reading h3').textContent === 'Solution {last + 1}'")
    page.click("#ranking [data-order=sampled]")
    page.locator("#ranking [data-order=sampled][aria-pressed=true]").wait_for()
    rows = page.eval_on_selector_all("#ranking li[data-trace]", "rows => rows.map(r => Number(r.dataset.trace))")
    assert rows == list(range(8))
    page.focus("#ranking li.selected")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.locator("#ranking li.selected[data-trace='0']").wait_for()


def test_the_colours_follow_tokens_or_steps_and_the_choice_survives_another_solution(opened):
    page = opened()
    page.click("#reading .grain label:has-text('step')")
    assert page.locator("#reading .legend .step-only:visible").count() == 1
    assert page.locator("#reading .legend .token-only:visible").count() == 0
    page.click("#ranking li[data-trace]:not(.selected) >> nth=0")
    page.wait_for_function("document.querySelector('#reading .grain input[value=step]').checked")
    assert page.locator("#reading .legend .step-only:visible").count() == 1


def test_a_token_tells_its_numbers(opened):
    page = opened()
    page.hover("#reading .t >> nth=2")
    tip = page.locator("#tip")
    tip.wait_for()
    number = r"[+\u2212]?\d+\.\d\d"
    assert re.fullmatch(
        rf"(evidence of an error {number} · )?reward {number} · belief {number} nats", tip.inner_text()
    )


def test_the_chart_and_its_table_are_drawn(opened):
    page = opened()
    page.locator(".chart .js-line").first.wait_for()
    page.click(".numbers summary")
    assert page.locator(".numbers tbody tr").count() == page.locator("#reading li.step").count()


def test_the_marks_can_be_hidden_until_a_class_has_looked_for_itself(opened):
    page = opened()
    seen = "document.querySelectorAll('#reading .t').length"
    tinted = (
        "[...document.querySelectorAll('#reading .t')]"
        ".filter(e => getComputedStyle(e).backgroundImage !== 'none').length"
    )
    assert page.evaluate(tinted)
    page.click("[data-tool=marks]")
    page.locator("[data-tool=marks][aria-pressed=false]").wait_for()
    assert page.evaluate(seen)
    assert not page.evaluate(tinted)
    told = page.locator("#reading .aside, #reading .legend, #ranking .remark, #ranking .score, #votes, #status .told")
    assert told.count()
    assert not [one for one in told.all() if one.is_visible()]
    page.locator("#reading .t[data-tip]").first.hover()
    assert not page.locator("#tip").is_visible()
    page.click("[data-tool=marks]")
    page.locator("[data-tool=marks][aria-pressed=true]").wait_for()
    assert page.evaluate(tinted)
