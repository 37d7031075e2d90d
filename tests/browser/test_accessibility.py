"""The page without a mouse, without sight, without colours, in a real browser."""

from __future__ import annotations

import json
import re

import pytest

from irl_core.models.assets import ASSETS
from tests.support.node import node_package
from tests.support.pages import made_session

pytestmark = pytest.mark.browser

RECORDED = ASSETS / "gallery" / "standard" / "gsm8k-test-262.json"
MILLISECONDS_TO_SOLVE = 600_000
# What is not our markup: Plotly's chart, whose numbers stand in a table below it; Gradio's sign that it loads, and
# its chart that is still empty.
RUN_AXE = """async source => {
    if (!window.axe) (0, eval)(source);
    const theirs = [['.js-plotly-plot'], ['p.loading'], ['.chart .empty']];
    const found = await axe.run({ exclude: theirs }, { resultTypes: ['violations'] });
    return found.violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html.slice(0, 150)).join(' | ')}`);
}"""


def read_recorded(page) -> None:
    page.click("button.chip:has-text('Marbles in boxes')")
    page.locator("#reading section.trace").wait_for()


def open_session(page, path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#open")
    chooser.value.set_files(path)
    page.locator("#reading section.trace").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_on_any_tab(replay_app, open_page, theme):
    axe = node_package("axe-core/axe.min.js").read_text("utf-8")
    page = open_page(f"{replay_app}?__theme={theme}")
    assert page.evaluate(RUN_AXE, axe) == []
    read_recorded(page)
    page.click(".rules summary")
    page.click(".numbers summary")
    assert page.evaluate(RUN_AXE, axe) == []
    page.click("#rooms [role=tab][data-tab-id=diagnose]")
    page.locator("#diagnose-solution textarea").wait_for()
    assert page.evaluate(RUN_AXE, axe) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_among_guesses_keys_numbers_and_formulas(replay_app, open_page, tmp_path, theme):
    axe = node_package("axe-core/axe.min.js").read_text("utf-8")
    page = open_page(f"{replay_app}?__theme={theme}")
    path = tmp_path / "session.json"
    path.write_text(made_session(["It is \\(\\frac{61}{2}\\) and **30**.\n#### 30", "#### 7"], (1.0, 0.0)).to_json())
    open_session(page, path)
    page.locator("#reading .formula.typeset").wait_for()
    page.keyboard.press("q")
    assert page.evaluate(RUN_AXE, axe) == []
    page.keyboard.press("m")
    page.keyboard.press("1")
    page.wait_for_timeout(500)
    assert page.evaluate(RUN_AXE, axe) == []
    page.keyboard.press("m")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    assert page.evaluate(RUN_AXE, axe) == []


def test_the_numbers_of_every_token_are_reached_by_the_keyboard_alone(replay_app, open_page):
    page = open_page(replay_app)
    read_recorded(page)
    tokens = page.locator("#reading .t[data-tip]")
    assert page.locator("#reading .t[tabindex='0']").count() == 1
    page.locator("#reading .t[tabindex='0']").focus()
    tip = page.locator("#tip")
    assert tip.inner_text() == tokens.nth(0).get_attribute("data-tip")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert tip.inner_text() == tokens.nth(2).get_attribute("data-tip")
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "tip"
    page.keyboard.press("End")
    assert tip.inner_text() == tokens.last.get_attribute("data-tip")
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    assert page.locator("#reading .t[tabindex='0']").count() == 1


def test_on_a_phone_every_step_offers_to_be_rewritten(app, open_page):
    page = open_page(app, width=390, height=844, has_touch=True, is_mobile=True)
    read_recorded(page)
    buttons = page.locator("#reading button.rewrite")
    seen = buttons.evaluate_all("all => all.map(b => [getComputedStyle(b).opacity, b.offsetHeight >= 24])")
    assert len(seen) >= 2
    assert set(map(tuple, seen)) == {("1", True)}


def test_a_run_is_announced_when_it_begins_and_when_it_is_over_and_focus_is_never_lost(app, open_page):
    page = open_page(app)
    read_recorded(page)
    page.evaluate("""() => {
        window.said = [];
        const live = '[role=status], [role=alert], [aria-live]:not([aria-live=off])';
        const listen = changes => {
            const parts = new Set(changes.map(change => {
                const part = change.target.nodeType === 1 ? change.target : change.target.parentElement;
                return part?.closest(live);
            }));
            for (const part of parts) if (part?.textContent.trim()) window.said.push(part.textContent.trim());
        };
        new MutationObserver(listen).observe(document.body, { childList: true, subtree: true, characterData: true });
    }""")
    page.fill("#n input", "4")
    page.locator("#reading button.rewrite").nth(1).focus()
    page.keyboard.press("Enter")
    page.locator("#reading .drafts").wait_for(timeout=MILLISECONDS_TO_SOLVE)
    assert page.evaluate("document.activeElement.id") == "stop"
    page.locator("#reading section.trace").wait_for(timeout=MILLISECONDS_TO_SOLVE)
    page.locator("#solve:enabled").wait_for()
    page.wait_for_function("document.activeElement.closest('#reading section.trace') !== null")
    said = page.evaluate("window.said")
    assert said[0] == "working"
    assert any("done in" in words for words in said)
    assert len(said) <= 4


def test_bars_and_pressed_states_are_lines_where_the_system_chooses_colours(replay_app, open_page):
    page = open_page(replay_app, forced_colors="active")
    read_recorded(page)
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    canvas = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for bar in (".row .meter i", ".votes .share i"):
        assert page.locator(bar).first.evaluate("e => getComputedStyle(e).backgroundColor") != canvas
    for pressed in ("[data-tool=marks][aria-pressed=true]", "[data-order=critic][aria-pressed=true]"):
        assert page.eval_on_selector(pressed, "e => getComputedStyle(e).textDecorationLine") == "underline"
    unpressed = page.eval_on_selector("[data-order=sampled]", "e => getComputedStyle(e).textDecorationLine")
    assert unpressed == "none"


def luminance(colour: tuple[float, ...]) -> float:
    channels = [c / 255 for c in colour]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_guidelines():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_on_full_vermilion_and_blue_can_be_read_also_in_steps_that_were_given(
    replay_app, open_page, tmp_path, theme
):
    session = json.loads(RECORDED.read_text("utf-8"))
    steps = session["traces"][0]["steps"]
    session["settings"]["prefix"] = session["traces"][0]["text"][: steps[1][0]]
    for score, diagnosis in zip(session["scores"], session["diagnoses"], strict=True):
        diagnosis |= {"token_heat": [-9.0, 9.0] * (len(score["offsets"]) // 2), "heat_scale": 1.0}
        diagnosis["token_heat"] += [-9.0] * (len(score["offsets"]) % 2)
    path = tmp_path / "session.json"
    path.write_text(json.dumps(session), "utf-8")
    page = open_page(f"{replay_app}?__theme={theme}")
    open_session(page, path)
    assert page.locator("#reading .step.given").count()
    paper, *tokens = page.evaluate("""() => [
        [getComputedStyle(document.body).backgroundColor, '', ''],
        ...[...document.querySelectorAll('#reading .t[data-tip]')].map(token => {
            const style = getComputedStyle(token);
            return [style.color, style.backgroundImage, style.backgroundColor];
        }),
    ]""")
    ground = numbers(paper[0])[:3]
    worst = 21.0
    for ink, image, plain in tokens:
        under = ground
        for shade in re.findall(r"rgba?\([^)]*\)|color\([^)]*\)", f"{plain} {image}"):
            under = over(numbers(shade), under)
        worst = min(worst, contrast(numbers(ink)[:3], under))
    assert 4.5 <= worst < 15


def numbers(colour: str) -> tuple[float, ...]:
    return tuple(float(n) for n in re.findall(r"[\d.]+", colour))


def over(shade: tuple[float, ...], ground: tuple[float, ...]) -> tuple[float, ...]:
    alpha = shade[3] if len(shade) > 3 else 1.0
    return tuple(alpha * s + (1 - alpha) * g for s, g in zip(shade[:3], ground, strict=True))
