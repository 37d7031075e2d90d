"""Formulas and Markdown in a real browser: rendered, marked, and as written one click away. No model is needed."""

from __future__ import annotations

import pytest

from tests.support.pages import made_session, open_session

pytestmark = pytest.mark.browser

TEXT = (
    "**First**, it costs $5: \\( 12 \\times 5 = 61 \\).\n"
    "Then \\(\\frac{61}{2} = 30.5\\), which is \\[ \\sqrt{930.25} \\]\n"
    "#### 30.5"
)
HOSTILE = (
    "\\(\\href{javascript:alert(1)}{x^2}\\) $\\htmlData{a=b}{x^2}$ \\(\\def\\a{\\a\\a}\\a^2\\) \\(x^{2\\)"
    "$$\\frac{1}$$\n\\(\\nocommand{1}^2\\) \\(\\unknown^2\\) <img src=x onerror=alert(1)> $x^{<b>y</b>}$\n#### 1"
)
WRITTEN = "[...document.querySelectorAll('#reading .t:not(.math)')].map(e => e.textContent).join('')"


def opened(open_page, url, tmp_path, text):
    page = open_page(url)
    open_session(page, made_session([text], (0.0,)), tmp_path)
    return page


def test_formulas_are_rendered_and_tokens_and_money_stay(replay_app, open_page, tmp_path):
    page = opened(open_page, replay_app, tmp_path, TEXT)
    page.locator("#reading .formula.typeset").nth(1).wait_for()
    steps = page.locator("#reading li.step .text")
    assert steps.nth(0).inner_text().strip() == "First, it costs $5: 12  5 = 61."
    assert page.locator("#reading .glyph").first.get_attribute("data-shown") == "×"
    assert page.locator("#reading .katex .mfrac").count() == 1
    assert page.evaluate(WRITTEN) == TEXT
    assert page.evaluate("document.fonts.check('20px KaTeX_Main')")
    page.locator("#reading .math").first.hover()
    assert "formula of" in page.inner_text("#tip")
    assert page.locator("#reading .guilty:visible").count() >= 1


def test_as_written_is_one_click_or_one_key_away(replay_app, open_page, tmp_path):
    page = opened(open_page, replay_app, tmp_path, TEXT)
    page.locator("#reading .formula.typeset").first.wait_for()
    page.click("#reading .script label:has-text('as written')")
    shown = "\n".join(step.strip() for step in page.locator("#reading li.step .text").all_inner_texts())
    assert shown == TEXT
    page.keyboard.press("w")
    page.locator("#reading .katex").first.wait_for()


def test_another_solution_in_the_same_place_has_its_own_formulas(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    texts = ["It is \\(\\frac{1}{3}\\).\n#### 1", "It is \\(\\frac{1}{7}\\).\n#### 2", "Plain.\n#### 3"]
    open_session(page, made_session(texts, (2.0, 1.0, 0.0)), tmp_path)
    for index, number in ((1, "7"), (0, "3"), (2, None), (1, "7")):
        page.click(f"#ranking li[data-trace='{index}']")
        page.wait_for_function(f"document.querySelector('#reading h3').textContent === 'Solution {index + 1}'")
        if number is None:
            page.wait_for_function("!document.querySelector('#reading .katex')")
        else:
            page.wait_for_function(
                f"document.querySelector('#reading .typeset .katex-mathml mfrac')?.textContent === '1{number}'"
            )


def test_hostile_formulas_are_shown_as_they_are_written(replay_app, open_page, tmp_path):
    page = opened(open_page, replay_app, tmp_path, HOSTILE)
    page.locator("#reading .formula.typeset").wait_for()
    assert page.locator("#reading .formula.typeset").count() == 1, "the one that only looks hostile"
    assert page.locator("#reading :is(a, img, [data-a], b:not(.tally))").count() == 0
    assert page.evaluate(WRITTEN) == HOSTILE
    assert "\\href{javascript:alert(1)}{x^2}" in page.inner_text("#reading")
