"""A session that a stranger wrote: every field has a limit, and what is odd but small is shown."""

from __future__ import annotations

import json

import gradio as gr
import pytest

from irl_core.models.assets import ASSETS
from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session, load_session
from ui.render.drawing import draw_session
from ui.sessions import SessionViewer
from ui.solve_layout import SolveLayout
from ui.validation import form_settings, read_sampling, read_session

RECORDED = (ASSETS / "gallery" / "standard" / "gsm8k-test-262.json").read_bytes()


def changed(path: str, value: object) -> bytes:
    """The recorded session with another value at a dotted path."""
    session = json.loads(RECORDED)
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    part = session
    for key in parents:
        part = part[key]
    part[last] = value
    return json.dumps(session).encode()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("problem.question", "x" * 2_001, "“question” has 2,001 characters and may have 2,000"),
        ("problem.answer", "9" * 2_000_000, "“answer” has 2,000,000 characters and may have 200"),
        ("policy.name", "x" * 1_001, "“name” has 1,001 characters"),
        ("critic.supervision", "x" * 1_001, "“supervision” has"),
        ("diagnoses.0.calibrated_on", "x" * 2_000_000, "“calibrated on” has 2,000,000 characters"),
        ("diagnoses.0.steps.0.reason", "x" * 1_001, "“reason” has"),
        ("diagnoses.0.steps.0.equations.0.expected", "x" * 1_001, "“expected” has"),
        ("ranking.votes.0.answer", "x" * 201, "“answer” has"),
        ("ranking.votes.0.count", 65, "“count” of a vote must be from 0 to 64"),
        ("ranking.votes.0.count", -1, "“count” of a vote must be from 0 to 64"),
        ("ranking.order", [0] * 65, "“order” has 65 entries and may have 64"),
        ("verdicts", {str(k): "agree" for k in range(65)}, "“verdicts” has 65 entries"),
        ("verdicts", {"x" * 101: "agree"}, "“verdicts” has a name of more than 100 characters"),
        ("verdicts", {"0": "x" * 1_001}, "“verdicts” has 1,001 characters"),
        ("settings.prefix", "x" * 8_001, "“prefix” has 8,001 characters and may have 8,000"),
        ("diagnoses.0.token_heat", [0.0] * 32_001, "Choose a file|“token heat” has"),
        ("traces.0.token_ids", [0] * 32_001, "Choose a file|“token ids” has"),
    ],
)
def test_a_field_that_is_too_large_is_refused_by_its_name(path, value, words):
    with pytest.raises(gr.Error, match=words) as refused:
        read_session(changed(path, value))
    assert "xxx" not in refused.value.message


def test_every_text_and_list_of_a_session_has_a_limit():
    """Whatever is added to a session: two million characters in any of its texts are refused."""
    session = json.loads(RECORDED)
    texts = [path for path, value in leaves(session) if isinstance(value, str)]
    fields = {path.split(".")[-1] for path in texts}
    assert {"question", "text", "answer", "name", "reason", "expected", "stated"} <= fields
    for field in fields:
        path = next(path for path in texts if path.endswith(field))
        with pytest.raises(gr.Error, match=r"characters|can read\. Choose a file"):
            read_session(changed(path, "x" * 2_000_000))


def leaves(value: object, path: str = "") -> list[tuple[str, object]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        return [(path.removeprefix("."), value)]
    return [leaf for key, held in inner for leaf in leaves(held, f"{path}.{key}")]


@pytest.mark.parametrize("file", sorted((ASSETS / "gallery").rglob("*.json")), ids=lambda path: path.name)
def test_recorded_sessions_are_within_the_limits(file):
    assert isinstance(read_session(file.read_bytes()), Session)


def test_votes_that_count_nobody_are_shown():
    session = json.loads(RECORDED)
    for vote in session["ranking"]["votes"]:
        vote["count"] = 0
    drawing = draw_session(read_session(json.dumps(session).encode()))
    assert "--w:0.000" in drawing.votes


def test_a_byte_order_mark_before_a_session_is_passed_over():
    assert read_session(b"\xef\xbb\xbf" + RECORDED) == read_session(RECORDED)
    assert load_session("\ufeff" + RECORDED.decode()) == load_session(RECORDED)


def test_an_opened_session_takes_over_the_form_and_one_without_settings_leaves_it(tmp_path, monkeypatch):
    with gr.Blocks():
        tab = SolveLayout([], can_solve=True)
    monkeypatch.setattr(tab.save, "GRADIO_CACHE", str(tmp_path))
    viewer = SessionViewer(tab, can_solve=True)
    settings = {**json.loads(RECORDED)["settings"], "n": 3, "temperature": 1.5, "seed": 77, "calculator": True}
    shown = viewer.open_file(changed("settings", settings))
    assert [shown[part] for part in tab.sampling] == [3, 1.5, 77, True]
    shown = viewer.open_file(changed("settings", None))
    assert [shown[part] for part in tab.sampling] == [gr.skip()] * 4


def test_settings_that_the_form_cannot_hold_are_as_it_opens():
    taken = form_settings(Sampling(n=40, temperature=7.0, seed=2**40, max_tokens=9, prefix="x"))
    assert taken == Sampling()
    read_sampling(taken.n, taken.temperature, taken.seed, taken.calculator)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0, 0.7, 0, False), "number of solutions must be a whole number from 1 to 16"),
        ((None, 0.7, 0, False), "number of solutions must be a whole number from 1 to 16"),
        ((8, 9, 0, False), "temperature must be a number from 0 to 2"),
        ((8, 0.7, -1, False), "seed must be a whole number from 0 to 4,294,967,295"),
    ],
)
def test_a_number_that_is_wrong_is_refused_by_its_fields_name_and_without_a_trace_in_the_log(values, words):
    with gr.Blocks():
        tab = SolveLayout([], can_solve=True)
    sent = [part.preprocess(value) for part, value in zip(tab.sampling, values, strict=True)]
    with pytest.raises(gr.Error, match=words) as refused:
        read_sampling(*sent)
    assert not refused.value.print_exception
