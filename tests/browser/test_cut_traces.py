"""Stop, and a solution that was cut: what a person sees of half a number."""

from __future__ import annotations

import pytest

from irl_core.session.record import load_session
from tests.support.pages import cut_session, open_session

pytestmark = pytest.mark.browser

MILLISECONDS_TO_SOLVE = 600_000


def test_a_cut_solution_is_shown_as_cut_accused_of_nothing_and_never_listed_first(replay_app, open_page, tmp_path):
    page = open_page(replay_app)
    open_session(page, cut_session(), tmp_path)
    places = page.eval_on_selector_all("#ranking li[data-trace]", "rows => rows.map(r => Number(r.dataset.trace))")
    assert places[-1] == 0, "the solution that was cut before its answer"
    page.click("#ranking li[data-trace='0']")
    page.locator("#reading li.step.unfinished").wait_for()
    assert "cut off here: not checked" in page.inner_text("#reading")
    assert "expected" not in page.inner_text("#reading")
    assert page.locator("#reading .step .flag, #reading .guilty").count() == 0
    assert "18\n" not in page.inner_text("#votes")


def test_what_stop_leaves_is_neither_checked_nor_counted_in_its_unfinished_steps(app, open_page, tmp_path):
    page = open_page(app)
    page.fill("#problem textarea", "A car drives 60 miles an hour for 3 hours. How many miles is that?")
    page.get_by_label("temperature").fill("2")  # rambling solutions, so that there is something to stop
    page.fill("#n input", "6")
    page.click("#solve")
    page.locator("#reading .draft .t").first.wait_for(timeout=MILLISECONDS_TO_SOLVE)
    page.click("#stop")
    page.locator("#reading section.trace").wait_for(timeout=MILLISECONDS_TO_SOLVE)
    page.locator("#solve:enabled").wait_for()
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "stopped.json")
    session = load_session((tmp_path / "stopped.json").read_bytes())
    cut = [k for k, trace in enumerate(session.traces) if trace.unfinished is not None]
    assert cut, "nothing was stopped"
    voters = {member for vote in session.ranking.votes for member in vote.members}
    for k in cut:
        assert session.diagnoses[k].steps[-1].verdict == "unfinished"
        assert session.traces[k].answer is not None or k not in voters
