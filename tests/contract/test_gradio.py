"""What we rely on in Gradio, and what our page promises to whoever calls it, with a browser or without."""

from __future__ import annotations

import inspect
import json
import urllib.request
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from irl_core.diagnosis.rerank import Ranking, Vote
from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Problem, Trace
from ui.page import build_page
from ui.page_files import page_files
from ui.render.drawing import Selection
from ui.render.headline import headline
from ui.render.ranking import display_order, render_ranking, render_votes
from ui.render.status import render_status
from ui.session_limits import MAX_OPENED
from ui.sessions import SessionViewer
from ui.solve_layout import SolveLayout
from ui.stop_signals import StopSignals
from ui.theme import build_theme, head
from ui.validation import read_index, read_problem, read_sampling, read_session, read_solution

EVIL = "<img src=x onerror=alert(1)>${1+1}{{x}}"


def a_session(answers=("4", "5", "4"), ranking=True, gold=None) -> Session:
    finding = StepFinding(error_probability=0.1, verdict="fine", reward=0.5, surprise=1.0, reason=EVIL)
    scores = tuple(
        TraceScore(offsets=((0, 1),), rewards=(r,), values=(r,), step_rewards=(r,), trace_score=r)
        for r in (0.1, 0.9, 0.5)[: len(answers)]
    )
    order = Ranking(
        order=(1, 2, 0),
        votes=(
            Vote(answer="4", members=(0, 2), count=2, weight=0.4),
            Vote(answer="5", members=(1,), count=1, weight=0.6),
        ),
        chosen={"critic": 1, "majority": 0, "weighted_vote": 1},
        correct=(False, True, False) if gold else (None, None, None),
    )
    return Session(
        problem=Problem(question=EVIL, answer=gold),
        traces=tuple(Trace(text="x", steps=((0, 1),), answer=a) for a in answers),
        scores=scores,
        diagnoses=(Diagnosis(steps=(finding,)),) * len(answers),
        ranking=order if ranking else None,
    )


@pytest.fixture(scope="module")
def page():
    return build_page(None)


@pytest.fixture(scope="module")
def served(page):
    _, url, _ = page.queue().launch(
        prevent_thread_lock=True, quiet=True, theme=build_theme(), head=head(), footer_links=[], run_history=False,
        enable_monitoring=False, ssr_mode=False,
    )  # fmt: skip
    yield url
    page.close()


def test_no_text_ever_passes_through_a_template(page):
    parts = [b for b in page.blocks.values() if isinstance(b, gr.HTML)]
    assert len(parts) > 5
    assert {part.html_template for part in parts} == {"${value}"}
    assert {part.css_template for part in parts} == {""}


def test_the_installed_gradio_knows_every_launch_option_that_keeps_the_app_quiet():
    known = inspect.signature(gr.Blocks.launch).parameters
    wanted = {"run_history", "enable_monitoring", "footer_links", "max_file_size", "allowed_paths", "show_error"}
    assert wanted | {"theme", "head", "ssr_mode", "state_session_capacity", "favicon_path"} <= set(known)


def test_only_what_is_meant_for_programs_is_public(served):
    with urllib.request.urlopen(served + "gradio_api/info") as reply:
        named = json.load(reply)["named_endpoints"]
    assert set(named) == {"/score_trace", "/diagnose", "/solve_and_rerank"}


def test_the_served_page_names_no_other_server_for_fonts_or_scripts(served):
    with urllib.request.urlopen(served) as reply:
        html = reply.read().decode("utf-8")
    assert "fonts.googleapis.com" not in html
    assert "Source Serif 4 Variable" in html


def test_an_upload_lies_in_the_folder_that_is_removed_with_the_page(tmp_path, monkeypatch):
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path))
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    with page_files() as folder:
        page = build_page(None)
        _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
        reply = httpx.post(f"{url}gradio_api/upload", files={"files": ("session.json", b"{}")})
        (uploaded,) = reply.raise_for_status().json()
        assert Path(uploaded).is_relative_to(folder)
        assert Path(uploaded).exists()
        page.close()
    assert not folder.exists()


def test_a_direct_caller_meets_the_same_limits_as_a_visitor(served):
    client = Client(served, verbose=False)
    with pytest.raises(AppError, match="may have 2,000"):
        client.predict("x" * 2_001, "", 8, 0.7, 0, False, api_name="/solve_and_rerank")
    with pytest.raises(AppError, match="may have 8,000"):
        client.predict("x", "y" * 8_001, api_name="/diagnose")
    with pytest.raises(AppError, match="--replay-only"):
        client.predict("x", "y", api_name="/diagnose")


@pytest.mark.parametrize("n", [0, 17, 2.5, True, "8", None, float("nan")])
def test_a_number_of_solutions_outside_its_limits_is_refused(n):
    with pytest.raises(gr.Error, match="whole number from 1 to 16"):
        read_sampling(n, 0.7, 0, False)


@pytest.mark.parametrize("temperature", [-0.1, 2.1, float("inf"), float("nan"), False])
def test_a_temperature_outside_its_limits_is_refused(temperature):
    with pytest.raises(gr.Error, match="temperature"):
        read_sampling(8, temperature, 0, False)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (read_problem, ["  "]),
        (read_problem, [EVIL * 60]),
        (read_problem, ["\ud800" + EVIL]),
        (read_problem, [EVIL, EVIL * 9]),
        (read_problem, [[EVIL]]),
        (read_solution, [""]),
        (read_solution, [(EVIL + "\n") * 65]),
        (read_session, [EVIL.encode()]),
        (read_session, [json.dumps({"schema_version": 99, "problem": {"question": EVIL}}).encode()]),
        (read_session, [b'{"problem": {"question": "q"}}']),
        (read_session, [b"[" * 100_000]),
        (read_session, [None]),
    ],
)
def test_refusals_never_repeat_what_was_sent(call, arguments):
    with pytest.raises(gr.Error) as refused:
        call(*arguments)
    assert "<" not in refused.value.message
    assert refused.value.print_exception is False


def test_a_session_of_a_newer_version_is_refused_with_that_reason():
    newer = a_session().to_json().replace('"schema_version": 3', '"schema_version": 4').encode()
    with pytest.raises(gr.Error, match="saved by a newer one"):
        read_session(newer)
    with pytest.raises(gr.Error, match=r"can read\. Choose a file"):
        read_session(b"{}")


def test_a_saved_session_opens_as_the_same_session():
    session = a_session()
    assert read_session(session.to_json().encode()) == session


def test_a_session_with_more_solutions_than_fit_on_a_page_is_refused():
    many = Session(problem=Problem(question="q"), traces=(Trace(text="x", steps=((0, 1),)),) * (MAX_OPENED + 1))
    with pytest.raises(gr.Error, match="1 to 64"):
        read_session(many.to_json().encode())


@pytest.mark.parametrize("value", [-1, 3, "0", True, None, 1.0, [0], {"trace": 0}])
def test_an_index_from_a_browser_is_taken_only_if_it_is_one(value):
    assert read_index(value, 3) is None


@pytest.fixture
def viewer():
    with gr.Blocks():
        return SessionViewer(SolveLayout([], can_solve=False), can_solve=False)


def choose(viewer, session, data):
    return viewer.choose(session, Selection(1), gr.EventData(None, data))


def test_a_click_on_a_row_shows_that_solution(viewer):
    shown = choose(viewer, a_session(), {"trace": 2})
    assert shown[viewer.tab.selection] == Selection(2)
    assert "Solution 3" in shown[viewer.tab.reading.text]
    assert 'aria-selected="true" tabindex="0" data-trace="2"' in shown[viewer.tab.ranking]
    assert set(shown) == set(viewer.tab.choice)


@pytest.mark.parametrize("data", [{"trace": 99}, {"trace": "1"}, {"order": EVIL}, EVIL, None, {}])
def test_rubbish_from_a_browser_changes_nothing(viewer, data):
    assert choose(viewer, a_session(), data)[viewer.tab.selection] == Selection(1)


def test_a_click_before_anything_was_solved_is_ignored(viewer):
    assert choose(viewer, None, {"trace": 0}) == {viewer.tab.selection: gr.skip()}


def test_the_list_can_be_read_in_the_order_of_the_critic_and_of_sampling(viewer):
    session = a_session()
    assert display_order(session, "critic") == [1, 2, 0]
    assert display_order(session, "sampled") == [0, 1, 2]
    assert choose(viewer, session, {"order": "sampled"})[viewer.tab.selection] == Selection(1, "sampled")


def test_an_order_from_a_stranger_lists_each_solution_once():
    session = a_session()
    odd = session.model_copy(update={"ranking": session.ranking.model_copy(update={"order": (2, 2, -1, 77)})})
    assert display_order(odd, "critic") == [2, 0, 1]


def test_right_and_wrong_are_shown_only_where_the_answer_is_known():
    assert "✓" not in render_ranking(a_session(), 0)
    known = render_ranking(a_session(gold="5"), 0)
    assert known.count("✓") == 1
    assert known.count("✗") == 2


def test_answers_from_a_stranger_are_escaped_in_ranking_votes_and_status():
    session = a_session((EVIL, EVIL, EVIL))
    vote = Vote(answer=EVIL, members=(0, 1, 2), count=3, weight=1.0)
    session = session.model_copy(update={"ranking": session.ranking.model_copy(update={"votes": (vote,)})})
    for html in (render_ranking(session, 0), render_votes(session), headline(session)):
        assert "&lt;img" in html
        assert "<img" not in html


def test_a_stopped_run_says_how_many_it_has():
    session = a_session().model_copy(update={"settings": Sampling(n=8)})
    html = render_status(session, tokens=300, seconds=2.0, done=True, stopped=True)
    assert "stopped: 3 of 8 traces" in html
    assert "300 tokens" in html
    assert "answer <b><bdi>5</bdi></b>: 1 of 3 solutions says so and 2 say <b><bdi>4</bdi></b>" in html


def test_a_stop_reaches_only_the_run_of_the_visitor_who_asked():
    stops = StopSignals()
    mine, theirs = stops.begin("me"), stops.begin("them")
    assert stops.request("me")
    assert mine.is_set()
    assert not theirs.is_set()
    assert not stops.begin("me").is_set()


def test_a_stop_while_waiting_in_line_holds_when_the_run_begins():
    stops = StopSignals()
    stops.prepare("me")
    stops.request("me")
    assert stops.begin("me").is_set()
    assert not stops.begin("me").is_set()


def test_closing_the_page_stops_its_run():
    stops = StopSignals()
    event = stops.begin("me")
    stops.forget("me")
    assert event.is_set()
    assert not stops.request("me")
