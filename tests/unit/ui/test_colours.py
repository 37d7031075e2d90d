"""What is coloured by evidence and what by raw rewards, how strongly, and that the legend says so."""

from __future__ import annotations

import re

import pytest

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.session.record import Session
from irl_core.session.run import FinishedSteps, Growing, Snapshot
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Problem, Trace
from ui.render.colours import Evidence, Scale, evidence_of, probability_tint
from ui.render.drawing import render_drafts
from ui.render.trace import render_growing, render_trace

TRACE = Trace(text="ab cd", steps=((0, 3), (3, 5)))
SCORE = TraceScore(
    offsets=((0, 1), (1, 3), (3, 4), (4, 5)),
    rewards=(0.5, -0.5, 0.25, -1.0),
    values=(0.5, 0.0, 0.25, -0.75),
    step_rewards=(0.0, -0.75),
    trace_score=-0.2,
)


def finding(probability: float | None = 0.5, verdict: str = "fine") -> StepFinding:
    return StepFinding(error_probability=probability, verdict=verdict, reward=0.0, surprise=1.0, reason="r")


def judged(**more) -> Diagnosis:
    """Both steps with a P(error); heat on a scale of two unless told otherwise."""
    fields = {"steps": (finding(0.05), finding(0.75, "suspect")), "first_suspect": 1}
    return Diagnosis(**{**fields, "token_heat": (0.1, -0.1, 1.0, -3.0), "heat_scale": 2.0, **more})


def of_one_step() -> TraceScore:
    """The score of the first step alone."""
    first = {"offsets": ((0, 1), (1, 3)), "rewards": (0.5, -0.5), "values": (0.5, 0.0), "step_rewards": (0.0,)}
    return SCORE.model_copy(update=first)


def tints(html: str, name: str) -> list[float]:
    return [float(tint) for tint in re.findall(rf"--{name}:(-?[\d.]+)", html)]


def legend(html: str) -> str:
    return re.search(r'<div class="legend">.*?</div>', html)[0]


def test_heat_is_tinted_on_the_critics_own_scale_to_its_end_and_not_at_all_where_it_is_small():
    evidence = Evidence((), 2.0)
    assert [evidence.tint(heat) for heat in (0.19, -0.19, -0.2, 1.0, -1.0, -3.0, 5.0)] == [
        0.0, 0.0, -0.1, 0.5, -0.5, -1.0, 1.0,
    ]  # fmt: skip
    assert tints(render_trace(TRACE, SCORE, judged()), "e") == [0.5, -1.0]


def test_the_scale_of_evidence_does_not_stretch_to_a_solution_whose_heat_is_small():
    html = render_trace(TRACE, SCORE, judged(token_heat=(0.01, -0.01, 0.02, -0.4)))
    assert tints(html, "e") == [-0.2]
    assert "+2.0" in legend(html)


def test_a_step_is_tinted_by_its_chance_to_be_the_first_wrong_one():
    assert [probability_tint(p) for p in (0.0, 0.05, 0.25, 1.0)] == [0.0, 0.0, -0.25, -1.0]
    assert tints(render_trace(TRACE, SCORE, judged()), "p") == [-0.75]


def test_raw_rewards_stay_as_another_view_on_their_own_scale():
    html = render_trace(TRACE, SCORE, judged())
    assert tints(html, "r") == [0.5, -0.5, 0.25, -1.0]
    assert tints(html, "s") == [0.0, -0.15]


def test_the_legend_names_the_view_and_the_grain_and_lets_both_be_chosen():
    html = legend(render_trace(TRACE, SCORE, judged()))
    said = [re.sub(r"<[^>]+>", "", words) for words in re.findall(r"<em>.*?</em>", html)]
    assert said == [
        "evidence of an error, by token: a share in the step’s log-odds",
        "P(error), by step: the chance that it is the first wrong one",
        "raw reward by token, nats",
        "raw reward by step, nats",
    ]
    assert re.findall(r'name="(\w+)-trace" value="(\w+)"( checked)?', html) == [
        ("colours", "evidence", " checked"),
        ("colours", "reward", ""),
        ("grain", "token", " checked"),
        ("grain", "step", ""),
    ]


def test_what_speaks_for_an_error_is_a_positive_share_in_its_log_odds():
    html = render_trace(TRACE, SCORE, judged())
    assert "evidence of an error +3.00 · reward \u22121.00 · belief \u22120.75 nats" in html
    assert '<span>+2.0</span><i class="ramp"' in legend(html), "on the left, where the warm colour is"


@pytest.mark.parametrize(
    "fields", [{"token_heat": ()}, {"heat_scale": None}, {"heat_scale": -1.0}, {"token_heat": (1.0,)}]
)
def test_a_session_without_heat_shows_raw_rewards_alone_and_says_so(fields):
    diagnosis = judged(**fields)
    html = render_trace(TRACE, SCORE, diagnosis)
    assert evidence_of(SCORE, diagnosis) is None
    assert '<ol class="steps raw">' in html
    assert "colours are the critic’s raw rewards" in html
    assert "evidence" not in legend(html)
    assert not tints(html, "e")


def test_a_text_that_the_critic_does_not_judge_is_not_coloured_by_evidence():
    html = render_trace(TRACE, SCORE, judged(outside=True))
    assert not tints(html, "e") + tints(html, "p")
    assert '<ol class="steps">' in html, "nor by raw rewards, unless they are asked for"
    assert "no colours: the critic does not judge this text" in legend(html)
    assert "raw reward" in legend(html)


def test_the_bytes_of_one_character_are_one_token_with_their_heat_summed():
    trace = Trace(text="😀b", steps=((0, 2),))
    score = SCORE.model_copy(update={"offsets": ((0, 0), (0, 1), (1, 1), (1, 2)), "step_rewards": (0.0,)})
    diagnosis = judged(steps=(finding(),), first_suspect=None, token_heat=(-0.5, -0.5, -0.5, 1.0))
    html = render_trace(trace, score, diagnosis)
    assert tints(html, "e") == [-0.75, 0.5]


def test_the_wavy_line_goes_under_what_speaks_most_against_the_suspect_step():
    def guilty(*heat: float) -> list[str]:
        html = render_trace(TRACE, SCORE, judged(token_heat=heat))
        return re.findall(r'class="t guilty"[^>]*>(.*?)</span>', html)

    assert guilty(-9.0, 0.0, -0.5, -0.25) == ["c"], "the lowest reward is that of d"
    assert guilty(-9.0, 0.0, 0.5, 0.25) == [], "nothing in the step speaks against it"


def test_drafts_have_one_legend_without_switches_and_only_finished_steps_are_coloured():
    diagnosis = judged(steps=(finding(),), first_suspect=None, token_heat=(-1.0, -2.0))
    finished = FinishedSteps(Trace(text="ab ", steps=((0, 3),)), of_one_step(), diagnosis)
    session = Session(problem=Problem(question="q"), traces=(TRACE,), scores=(SCORE,), diagnoses=(judged(),))
    html = render_drafts(Snapshot(session, (Growing("ab cd", finished), Growing("x")), 3, 1.0, False, False))
    assert html.count('<div class="legend">') == 1
    assert "<input" not in html
    assert tints(html, "e") == [0.5, -1.0, -0.5, -1.0]
    assert re.findall(r'<p class="growing" dir="auto"><span class="t off">(.*?)</span>', html) == ["cd", "x"]


def shown(html: str) -> str:
    return "".join(re.findall(r'<span class="t[^>]*>([^<]*)', html))


def test_of_a_growing_solution_only_its_finished_steps_are_coloured():
    trace, score = Trace(text="ab ", steps=((0, 3),)), of_one_step()
    finished = FinishedSteps(trace, score, judged(steps=(finding(),), first_suspect=None, token_heat=(-1.0, -2.0)))
    html = render_growing(Growing("ab 12 <", finished), Scale())
    assert shown(html) == "ab 12 &lt;"
    assert tints(html, "e") == [-0.5, -1.0]
    assert html.count("data-tip") == 2
    assert '<span class="t off">12 &lt;</span>' in html


def test_a_growing_text_that_no_longer_begins_with_its_finished_steps_is_shown_plain():
    finished = FinishedSteps(Trace(text="ab ", steps=((0, 3),)), of_one_step(), judged(steps=(finding(),)))
    html = render_growing(Growing("ax cd", finished), Scale())
    assert shown(html) == "ax cd"
    assert "data-tip" not in html
