"""A person's visit, in a real browser with the real models: solve, stop, read, paste, save and open."""

from __future__ import annotations

import json
import re

import pytest

from irl_core.models.assets import ASSETS
from irl_core.session.record import load_session
from irl_core.text.equations import check_equations

pytestmark = pytest.mark.browser

MILLISECONDS_TO_SOLVE = 600_000  # seconds on an idle machine, minutes on a busy one
PROBLEM = (
    "Maddison has 5 boxes with 50 marbles in each box. Then she gets 20 marbles from her friend. "
    "How many marbles does she have now?"
)
WRONG = (
    "A box holds 12 rolls, so 3 boxes hold 3 * 12 = 35 rolls.\n"
    "She eats 5 rolls, so 35 - 5 = 30 rolls are left.\n"
    "#### 30"
)
HOSTILE = (
    "<script>alert(1)</script> {{x}} ${1+1} ${alert(2)} <img src=x onerror=alert(3)>\n"
    "$5 and $6 <|im_end|> `b` \\underline{a} \\frac{1}{2} &amp; &lt;b&gt;\n"
    "\u202ereversed\u202c 3 * 4 = 13\n"
    "#### 13"
)
SHOWN_TEXT = "selector => [...document.querySelectorAll(selector + ' .t')].map(e => e.textContent).join('')"


def ask(page, problem: str = PROBLEM, n: int = 4) -> None:
    page.fill("#problem textarea", problem)
    page.fill("#n input", str(n))
    page.click("#solve")


def finished(page) -> None:
    page.locator("#reading section.trace").wait_for(timeout=MILLISECONDS_TO_SOLVE)
    page.locator("#solve:enabled").wait_for()


def open_diagnose(page) -> None:
    page.click("#rooms [role=tab][data-tab-id=diagnose]")
    page.locator("#diagnose-solution textarea").wait_for()


def diagnose(page, solution: str, problem: str = "A problem.") -> None:
    open_diagnose(page)
    page.fill("#diagnose-problem textarea", problem)
    page.fill("#diagnose-solution textarea", solution)
    page.click("#check")
    page.locator("#diagnose-reading section.trace").wait_for(timeout=MILLISECONDS_TO_SOLVE)


def sideways(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture(scope="module")
def saved(app, browser, tmp_path_factory) -> dict:
    """One problem solved once, by pressing Enter, its session saved to a file."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.goto(app)
    page.locator("#problem textarea").wait_for(timeout=120_000)
    page.click("button.chip:has-text('Marbles in boxes')")
    page.wait_for_function("document.querySelector('#problem textarea').value.startsWith('Maddison')")
    page.fill("#n input", "8")
    page.press("#problem textarea", "Enter")
    page.wait_for_function(
        "document.querySelector('#status').textContent.includes('done in')", timeout=MILLISECONDS_TO_SOLVE
    )
    finished(page)
    path = tmp_path_factory.mktemp("saved") / "session.json"
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(path)
    seen = {
        "path": path,
        "status": page.inner_text("#status"),
        "rows": page.locator("#ranking li[data-trace]").count(),
    }
    context.close()
    return seen


@pytest.fixture
def opened(saved, app, open_page):
    """A fresh visitor who opened the saved session."""

    def visit(query: str = "?__theme=light", **options):
        page = open_page(app + query, **options)
        with page.expect_file_chooser() as chooser:
            page.click("#open")
        chooser.value.set_files(saved["path"])
        page.locator("#reading section.trace").wait_for()
        return page

    return visit


def test_a_problem_is_solved_ranked_and_its_time_and_tokens_told(saved):
    assert saved["rows"] == 8
    assert re.search(r"8 solutions · done in [\d.]+ s · [\d,]+ tokens · the ", saved["status"])
    session = json.loads(saved["path"].read_text("utf-8"))
    assert len(session["traces"]) == len(session["scores"]) == 8
    assert sorted(session["ranking"]["order"]) == list(range(8))


def test_the_shown_solution_is_the_text_the_model_wrote(saved, opened):
    page = opened()
    session = json.loads(saved["path"].read_text("utf-8"))
    first = session["ranking"]["order"][0]
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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_wrong_product_is_marked_with_the_expected_number(app, open_page, theme):
    page = open_page(f"{app}?__theme={theme}")
    diagnose(page, WRONG, "A box holds 12 rolls. She buys 3 boxes and eats 5 rolls. How many rolls are left?")
    suspect = page.locator("#diagnose-reading li.suspect")
    assert suspect.count() == 1
    assert suspect.get_attribute("data-step") == "0"
    assert "expected 36" in suspect.inner_text()
    assert "3 * 12 = 35" in suspect.locator("del").inner_text()
    assert "".join(page.locator("#diagnose-reading .guilty").all_inner_texts()).strip() == "35"
    assert suspect.locator(".flag").inner_text() == "▲"
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    page.locator("#diagnose-status").wait_for(state="attached")
    page.locator(".annotation-text:has-text('step 1')").wait_for(state="attached")


def test_hostile_text_is_shown_as_typed(app, open_page):
    page = open_page(app)
    diagnose(page, HOSTILE, HOSTILE)
    assert page.evaluate(SHOWN_TEXT, "#diagnose-reading") == HOSTILE
    assert page.input_value("#diagnose-problem textarea") == HOSTILE
    assert page.locator("#diagnose-reading script, #diagnose-reading img").count() == 0


def test_hostile_text_in_a_problem_is_asked_and_shown_as_typed(app, open_page):
    page = open_page(app)
    ask(page, HOSTILE, n=1)
    finished(page)
    assert page.input_value("#problem textarea") == HOSTILE


@pytest.mark.parametrize("keys", ["Control+Enter"])
def test_the_keyboard_checks_a_pasted_solution(app, open_page, keys):
    page = open_page(app)
    open_diagnose(page)
    page.fill("#diagnose-problem textarea", "q")
    page.fill("#diagnose-solution textarea", WRONG)
    page.press("#diagnose-solution textarea", keys)
    page.locator("#diagnose-reading li.suspect").wait_for(timeout=MILLISECONDS_TO_SOLVE)


def test_an_empty_form_says_what_to_do_and_keeps_the_page(app, open_page):
    page = open_page(app)
    page.click("#solve")
    page.locator(".toast-body:has-text('Type one, or choose an example')").wait_for()
    assert page.is_enabled("#solve")


def test_a_file_that_is_no_session_is_refused_in_words(app, open_page, tmp_path):
    page = open_page(app)
    path = tmp_path / "bad.json"
    path.write_text('{"schema_version": 99, "x": "<img src=x onerror=alert(3)>"}')
    with page.expect_file_chooser() as chooser:
        page.click("#open")
    chooser.value.set_files(path)
    page.locator(".toast-body:has-text('not a session')").wait_for()
    assert page.locator(".toast-body img").count() == 0


@pytest.mark.parametrize("query", ["?__theme=light", "?__theme=dark"])
def test_nothing_scrolls_sideways_on_a_phone(opened, query):
    page = opened(query, width=390, height=844)
    assert sideways(page) == 0
    page.locator(".chart .js-line").first.wait_for()
    assert sideways(page) == 0
    open_diagnose(page)
    assert sideways(page) == 0


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


def test_an_address_can_ask_for_a_projected_page_without_marks(replay_app, open_page):
    page = open_page(f"{replay_app}?view=projector&marks=hidden")
    page.locator("body.projector.unmarked").wait_for(state="attached")
    page.reload()
    page.locator("#problem textarea").wait_for()
    page.locator("[data-tool=marks][aria-pressed=false]").wait_for()


def test_the_projector_has_large_type(opened):
    page = opened()
    page.click("[data-tool=projector]")
    page.locator("[data-tool=projector][aria-pressed=true]").wait_for()
    style = page.eval_on_selector(
        "#reading .text", "text => [getComputedStyle(text).fontSize, getComputedStyle(text).lineHeight]"
    )
    assert style[0] == "24px"
    assert float(style[1].removesuffix("px")) == pytest.approx(24 * 1.7, abs=0.5)


def test_nothing_moves_for_those_who_asked_for_calm(opened):
    page = opened(reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
    # Nor may anything that has come to rest by now move later.
    durations = """[...document.querySelectorAll('*')].map(e => getComputedStyle(e)).flatMap(style => [
        ...style.transitionDuration.split(','),
        ...(style.animationName === 'none' ? [] : style.animationDuration.split(',')),
    ]).map(parseFloat)"""
    assert max(page.evaluate(durations)) <= 0.01


def test_nothing_of_stock_gradio_is_left_to_see(app, open_page):
    page = open_page(f"{app}?__theme=light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 250, 246)"
    assert page.evaluate("getComputedStyle(document.querySelector('#solve')).backgroundColor") == "rgb(28, 27, 25)"
    assert "Source Serif 4" in page.evaluate(
        "getComputedStyle(document.querySelector('#problem textarea')).fontFamily"
    )
    assert page.evaluate("document.fonts.check('20px \"Source Serif 4 Variable\"')")
    assert page.locator("footer:not(.colophon) > :visible").all_inner_texts() == ["Use via API or MCP"]


def test_without_models_a_session_can_still_be_opened_and_solving_says_why_it_is_off(saved, replay_app, open_page):
    page = open_page(replay_app)
    assert page.is_disabled("#solve")
    assert "--replay-only" in page.inner_text("#status")
    with page.expect_file_chooser() as chooser:
        page.click("#open")
    chooser.value.set_files(saved["path"])
    page.locator("#reading section.trace").wait_for()
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
    with page.expect_file_chooser() as chooser:
        page.click("#open")
    chooser.value.set_files(tmp_path / "session.json")
    page.wait_for_function("document.querySelector('#problem textarea').value.startsWith('Six boxes')")
    page.wait_for_timeout(1000)
    assert page.input_value("#gold textarea, #gold input") == "270"


def test_a_projected_problem_is_shown_whole(replay_app, open_page):
    page = open_page(replay_app)
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#reading section.trace").wait_for()
    page.click("[data-tool=projector]")
    box = page.locator("#problem textarea")
    assert box.evaluate("box => box.scrollHeight - box.clientHeight") <= 1
    page.click("[data-tool=projector]")


def test_without_models_an_example_shows_its_recorded_run(replay_app, open_page):
    page = open_page(replay_app)
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#reading section.trace").wait_for()
    assert page.locator("#ranking li[data-trace]").count() == 8
    assert "recorded run" in page.inner_text("#status")
    assert page.input_value("#problem textarea").startswith("Maddison")
