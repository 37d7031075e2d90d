"""A session file may come from a stranger."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from irl_core.diagnosis.rerank import Ranking, Vote
from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.models.assets import ASSETS
from irl_core.policy.sampling import Sampling
from irl_core.session.record import MAX_SESSION_BYTES, Session, load_session
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Problem, Trace

TEXT = "He has 5 * 3 = 15.\n#### 15"


def session(text=TEXT):
    trace = Trace.from_text(text)
    n = len(trace.steps)
    score = TraceScore(
        offsets=((0, len(text)),), rewards=(0.5,), values=(0.5,), step_rewards=(0.25,) * n, trace_score=0.5
    )
    finding = StepFinding(error_probability=0.125, verdict="fine", reward=0.25, surprise=1.5, reason="")
    return Session(
        problem=Problem(question="How many?", answer="15"),
        settings=Sampling(seed=7),
        traces=(trace, Trace.from_text("unscored")),
        scores=(score,),
        diagnoses=(Diagnosis(steps=(finding,) * n),),
        ranking=Ranking(
            order=(0,),
            votes=(Vote(answer="15", members=(0,), count=1, weight=1.0),),
            chosen={"critic": 0},
            correct=(True, None),
        ),
        verdicts={"0": "agree"},
    )


def changed(path, value):
    record = json.loads(session().to_json())
    *parents, last = path
    place = record
    for key in parents:
        place = place[key]
    place[last] = value
    return json.dumps(record)


def test_a_session_survives_the_round_trip_unchanged():
    assert load_session(session().to_json()) == session()
    assert load_session(session().to_json().encode()).to_json() == session().to_json()


def test_a_session_of_version_1_is_read_as_one_of_the_newest_with_the_new_fields_empty():
    record = json.loads(session().to_json())
    record["schema_version"] = 1
    del record["scores"][0]["logprobs"]
    for field in ("outside", "token_heat", "heat_scale"):
        del record["diagnoses"][0][field]
    opened = load_session(json.dumps(record))
    assert opened == session()
    assert opened.schema_version == 3
    assert (opened.scores[0].logprobs, opened.diagnoses[0].token_heat, opened.diagnoses[0].outside) == ((), (), False)


@pytest.mark.parametrize("path", sorted((ASSETS / "gallery").glob("*/*.json")), ids=lambda path: path.parent.name)
def test_every_recorded_run_can_be_opened(path):
    assert load_session(path.read_bytes()).scores


@given(st.text(min_size=1, max_size=200))
def test_any_text_in_a_trace_survives_the_round_trip(text):
    problem = Problem(question=text, answer=text)
    original = Session(problem=problem, traces=(Trace.from_text(text),))
    assert load_session(original.to_json()) == original


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["scores", 0, "trace_score"], float("nan"), "finite number"),
        (["scores", 0, "rewards", 0], float("inf"), "finite number"),
        (["traces", 0, "onclick"], "alert(1)", "Extra inputs are not permitted"),
        (["surprise"], 1, "Extra inputs are not permitted"),
        (["schema_version"], 4, "is of version 4, and this Errata reads versions up to 3: open it with a newer"),
        (["schema_version"], 0, "a session's version is 1 or more, not 0"),
        (["schema_version"], "2", "valid integer"),
        (["settings", "n"], 0, "n is 0; it must be at least 1"),
        (["settings", "n"], 65, "at most 64 traces, not 65"),
        (["settings", "seed"], -1, "seed is -1; it must be from 0"),
        (["settings", "temperature"], 10.5, "it must be from 0 to 10"),
        (["settings", "top_p"], 0, "it must be above 0 and at most 1"),
        (["settings", "n"], "8", "valid integer"),
        (["problem", "question"], 5, "valid string"),
        (["traces", 0, "steps", 0], [0, 5], "steps must cover"),
        (["traces", 0, "stopped"], "never", "Input should be"),
        (["scores", 0, "offsets", 0], [0, 10**9], "past the end"),
        (["scores", 0, "step_rewards"], [0.5], "one entry per step"),
        (["diagnoses"], [], "run parallel"),
        (["diagnoses", 0, "steps", 0, "verdict"], "guilty", "Input should be"),
        (["diagnoses", 0, "token_heat"], [0.5, 0.5], "one heat per token"),
        (["diagnoses", 0, "heat_scale"], 0.0, "above zero"),
    ],
)
def test_a_field_that_is_not_right_is_named_and_refused(path, value, message):
    with pytest.raises(ValidationError, match=message):
        load_session(changed(path, value))


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", "{", "not json", b"\xff\xfe", '{"schema_version": 1}'])
def test_what_is_no_session_is_refused(text):
    with pytest.raises(ValidationError):
        load_session(text)


def test_an_oversized_file_is_refused_before_it_is_parsed():
    with pytest.raises(ValueError, match="at most 5,000,000 bytes, this one has 5,000,001"):
        load_session(b"{" + b" " * MAX_SESSION_BYTES)


def test_a_deeply_nested_file_is_refused():
    with pytest.raises(ValidationError):
        load_session("[" * 200_000)


def test_a_session_cannot_be_changed_in_place():
    with pytest.raises(ValidationError, match="frozen"):
        session().seconds = 3.0
