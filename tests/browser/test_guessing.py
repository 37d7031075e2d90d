"""A class looks for the error first, by hand and by keyboard alone, and then sees the marks. No model is needed."""

from __future__ import annotations

import pytest

from tests.support.pages import made_session, open_session
from ui.render.guessing import shuffled

pytestmark = pytest.mark.browser

TEXTS = [f"A car drives 60 miles an hour.\n60 * 3 = {n}\nSo {n}.\n#### {n}" for n in (180, 200, 18, 63, 120)]
SESSION = made_session(TEXTS, (-3.0, -2.0, -1.0, 0.0, 1.0), gold="180")
ROWS = "#ranking [role=option]:visible"
CHOSEN = "#ranking li[aria-selected=true][data-solution='{}']"
FOCUS = "document.activeElement.dataset.solution"
CRITICS = "rows => rows.filter(r => r.offsetParent).map(r => Number(r.dataset.trace))"


@pytest.fixture
def looking(replay_app, open_page, tmp_path):
    """A session whose marks were hidden by the key for it."""

    def visit(**options):
        page = open_page(replay_app, **options)
        open_session(page, SESSION, tmp_path)
        page.locator("#ranking li.selected").focus()
        page.keyboard.press("m")
        page.locator("body.unmarked").wait_for()
        page.locator(CHOSEN.format(shuffled(SESSION)[0])).wait_for()
        return page

    return visit


def test_keyboard_and_screen_reader_meet_the_solutions_in_the_shuffled_order(looking):
    page = looking()
    order = shuffled(SESSION)
    assert [int(row.get_attribute("data-solution")) for row in page.locator(ROWS).all()] == order
    assert page.get_by_role("option").count() == len(order), "what is not shown is not told either"
    page.locator(f"{ROWS} >> nth=0").focus()
    met = [page.evaluate(FOCUS)]
    for _ in order[1:]:
        page.keyboard.press("ArrowDown")
        met.append(page.evaluate(FOCUS))
    assert list(map(int, met)) == order
    assert page.eval_on_selector_all("#ranking li[data-trace]", CRITICS) == []


def test_a_class_begins_with_the_first_of_the_list_and_not_with_the_votes_choice(looking):
    page = looking()
    page.keyboard.press("]")
    page.locator(CHOSEN.format(shuffled(SESSION)[1])).wait_for()


def test_votes_are_counted_by_key_and_by_click_taken_back_and_told_after_the_reveal(looking):
    page = looking()
    for key in ("2", "2", "3", "0", "Backspace", "9"):  # there is no ninth step
        page.keyboard.press(key)
    page.click("#reading li.step >> nth=1")
    page.click("#reading [data-vote='3']")
    tallies = page.locator("#reading li.step .tally").all_inner_texts()
    assert tallies == ["", "3", "1", "1"]
    assert not page.locator("#reading .class-said").is_visible()
    page.click("#reading .guess [data-tool=marks]")
    page.locator("body:not(.unmarked)").wait_for()
    said = page.inner_text("#reading .class-said")
    assert said == "The class: 3 of 5 pointed at step 2, 1 of 5 pointed at step 3, 1 of 5 pointed at step 4."
    assert not page.locator("#reading .vote").first.is_visible()
    assert page.eval_on_selector_all("#ranking li[data-trace]", CRITICS) == [4, 3, 2, 1, 0]
    page.keyboard.press("2")
    assert page.inner_text("#reading .class-said") == said


def test_digits_that_are_typed_into_a_field_are_no_votes(looking):
    page = looking()
    page.focus("#problem textarea")
    page.keyboard.type("2 m ?")
    assert page.locator("body.unmarked").count() == 1
    assert "2 m ?" in page.input_value("#problem textarea")
    assert set(page.locator("#reading .tally").all_inner_texts()) == {""}


def test_the_list_of_keys_opens_by_its_key_and_its_button_and_can_switch_them_off(replay_app, open_page):
    page = open_page(replay_app)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.wait_for()
    assert "somebody points at that step" in dialog.inner_text()
    page.uncheck("dialog.keys [data-single]")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.keyboard.press("m")
    page.keyboard.press("?")
    assert page.locator("body.unmarked, dialog[open]").count() == 0
    page.click("[data-tool=keys]")
    dialog.wait_for()


def test_steps_are_walked_through_by_key(looking):
    page = looking()
    for key, step in (("j", "0"), ("j", "1"), ("k", "0")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.dataset.step") == step
    page.keyboard.press("+")
    assert page.locator("#reading li.step .tally").first.inner_text() == "1"


def test_a_link_opens_its_run_projected_and_unmarked_and_copies_itself(replay_app, open_page):
    address = f"{replay_app}?ex=gsm8k-test-262&view=projector&marks=hidden"
    page = open_page(address, blank=False, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#reading section.trace").wait_for()
    assert page.locator("body.projector.unmarked").count() == 1
    assert "Maddison" in page.input_value("#problem textarea")
    page.keyboard.press("l")
    page.locator(".copy-link:has-text('link copied')").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == address
    page.keyboard.press("m")
    page.keyboard.press("p")
    page.locator("body:not(.projector, .unmarked)").wait_for()
    page.click(".copy-link")
    page.wait_for_function("async () => !(await navigator.clipboard.readText()).includes('marks')")


def test_a_link_to_nothing_says_so(replay_app, open_page):
    page = open_page(f"{replay_app}?ex=nobody", blank=False)
    page.wait_for_function("document.querySelector('#status').textContent.includes('names no recorded run')")


def test_a_change_of_order_is_seen_as_motion_unless_somebody_asked_for_calm(replay_app, open_page, tmp_path):
    for motion, moved in (("no-preference", True), ("reduce", False)):
        page = open_page(replay_app, reduced_motion=motion)
        open_session(page, SESSION, tmp_path)
        page.evaluate(
            """() => { window.moves = 0; const animate = Element.prototype.animate;
            Element.prototype.animate = function (...a) { window.moves += 1; return animate.apply(this, a); }; }"""
        )
        page.click("#ranking [data-order=sampled]")
        page.locator("#ranking [data-order=sampled][aria-pressed=true]").wait_for()
        page.wait_for_timeout(200)
        assert (page.evaluate("window.moves") > 0) is moved
