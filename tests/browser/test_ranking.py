"""The list of solutions at the widths of real screens, and the line that names the answer."""

from __future__ import annotations

import pytest

from tests.support.pages import made_session, open_session

pytestmark = pytest.mark.browser

# Four digits, the two scores nearly equal, the critic's favourite alone against two that agree.
SESSION = made_session(
    ["60 * 30 = 1800\n#### 1800", "60 * 23 = 1380\n#### 1380", "60 * 23 = 1380 miles.\n#### 1380", "#### 12345678"],
    (-0.57, -0.59, -0.60, -3.0),
    gold="1380",
)


@pytest.mark.parametrize("width", [390, 1024, 1366, 1920])
def test_long_answers_are_shown_whole_with_their_verdict_at_every_width(replay_app, open_page, tmp_path, width):
    page = open_page(replay_app, width=width)
    open_session(page, SESSION, tmp_path)
    cut = page.eval_on_selector_all(
        "#ranking .answer bdi, #ranking .answer .gold, #votes th bdi",
        """all => all.filter(e => {
            const own = e.getBoundingClientRect(), row = e.closest('.answer, th').getBoundingClientRect();
            return e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 || own.right > row.right + 1;
        }).map(e => e.textContent)""",
    )
    assert cut == []
    assert page.locator("#ranking .gold").count() == 4


def test_nearly_equal_scores_have_bars_of_nearly_equal_length_and_one_colour(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, SESSION, tmp_path)
    bars = page.eval_on_selector_all(
        "#ranking .meter i",
        "all => all.map(e => [e.getBoundingClientRect().width, getComputedStyle(e).backgroundColor])",
    )
    assert abs(bars[0][0] - bars[1][0]) < 2
    assert bars[3][0] < bars[0][0] / 2
    assert len({colour for _, colour in bars}) == 1


def test_the_headline_is_the_vote_and_what_is_read_first_is_of_that_answer(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, SESSION, tmp_path)
    assert "answer 1380: 2 of 4 solutions say so, more than any other answer" in page.inner_text("#status")
    assert "1380" in page.inner_text("#ranking li.selected .answer")


def test_raw_rewards_have_one_scale_in_every_session(replay_app, open_page, tmp_path):
    legends = []
    for n, gold in enumerate(("1380", "1800")):
        page = open_page(replay_app)
        folder = tmp_path / str(n)
        folder.mkdir()
        calm = made_session(["It is 1.\n#### 1"], (0.0,), gold=gold) if n else SESSION
        open_session(page, calm, folder)
        page.click("#reading .colours label:has-text('raw reward')")
        legends.append(page.inner_text("#reading .legend"))
    assert legends[0] == legends[1]
    assert "+1.0" in legends[0]
