"""The words follow the number, and exact arithmetic is told from the critic's opinion."""

from __future__ import annotations

import re

import pytest

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.session.record import Session
from irl_core.text.equations import EquationCheck
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Problem, Trace
from ui.render.ranking import render_ranking
from ui.render.solution import draw_solution
from ui.render.status import render_checked, render_opened
from ui.render.verdicts import OUTSIDE, chance, in_words, remark, step_words, summary

FALSE = EquationCheck(span=(0, 10), text="3 * 4 = 13", expected="12", stated="13", ok=False)
TEXT = "3 * 4 = 13\n#### 13"


def finding(probability: float | None, verdict: str = "fine", *equations: EquationCheck) -> StepFinding:
    return StepFinding(
        error_probability=probability, verdict=verdict, reward=-1, surprise=2, equations=equations, reason="it is odd"
    )


def suspect(probability: float | None, *equations: EquationCheck) -> Diagnosis:
    """The first of two steps is suspect."""
    return Diagnosis(steps=(finding(probability, "suspect", *equations), finding(0.05, "follows")), first_suspect=0)


def session(*diagnoses: Diagnosis) -> Session:
    score = TraceScore(
        offsets=((0, 11), (11, 18)), rewards=(-1, -1), values=(-1, -2), step_rewards=(-1, -1), trace_score=-0.5
    )
    n = len(diagnoses)
    return Session(
        problem=Problem(question="q"), traces=(Trace.from_text(TEXT),) * n, scores=(score,) * n, diagnoses=diagnoses
    )


def reading(diagnosis: Diagnosis) -> str:
    """All words of the solution as it is read, without those of the legend and of the reader's own verdict."""
    html = re.sub(r'<div class="(?:legend|verdict)".*?</div>', "", draw_solution(session(diagnosis), 0, "solve").text)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ").replace("&#x27;", "'"))


def rows(*diagnoses: Diagnosis) -> list[str]:
    html = re.sub(r'<span class="tells">([^<]*)</span>', r"\1", render_ranking(session(*diagnoses), 0))
    return re.findall(r'<span class="(remark[^<]*)</span>', html)


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "almost certainly wrong"),
        (0.9, "almost certainly wrong"),
        (0.89, "probably wrong"),
        (0.6, "probably wrong"),
        (0.59, "may be wrong"),
        (0.35, "may be wrong"),
        (0.34, "worth a look"),
        (0.0, "worth a look"),
        (None, "worth a look"),
    ],
)
def test_the_words_for_a_marked_step_fit_its_probability(probability, words):
    assert in_words(probability) == words
    assert step_words(suspect(probability), 0) == words
    assert remark(suspect(probability)) == f"step 1 {words}"
    assert f"{words}: it is odd" in reading(suspect(probability))


@pytest.mark.parametrize("probability", [0.08, 0.2, 0.24])
def test_a_step_of_low_probability_is_never_called_suspect_or_an_error_by_the_critic(probability):
    for diagnosis in (suspect(probability), suspect(probability, FALSE)):
        told = reading(diagnosis) + summary(diagnosis) + rows(diagnosis)[0]
        assert not [word for word in ("suspect", "suspected", "wrong") if word in told]


def test_a_false_equation_that_the_critic_thinks_little_of_is_a_check_by_arithmetic():
    low, high = suspect(0.08, FALSE), suspect(0.95, FALSE)
    assert step_words(low, 0) == "check: expected 12"
    assert step_words(high, 0) == "almost certainly wrong: expected 12"
    assert summary(low) == "Step 1: check, expected 12 by exact arithmetic; the critic says P(error) 0.08."
    assert summary(high) == "Step 1 is almost certainly wrong: expected 12; P(error) 0.95."
    assert "check: expected 12 found by exact arithmetic; the critic says P(error) 0.08" in reading(low)
    assert "check: expected 12 almost certainly wrong · P(error) 0.95" in reading(high)


@pytest.mark.parametrize(
    ("diagnosis", "sentence"),
    [
        (None, "Not checked."),
        (Diagnosis(steps=(finding(0.1), finding(0.02))), "No step is suspect; P(error somewhere) 0.12."),
        (
            Diagnosis(steps=(finding(0.1), finding(0.35, "not sure")), not_sure=True),
            "The critic is not sure whether a step is wrong; P(error somewhere) 0.45.",
        ),
        (suspect(0.7), "Step 1 is probably wrong; P(error) 0.70."),
        (suspect(0.4), "Step 1 may be wrong; P(error) 0.40."),
        (suspect(0.3), "Step 1 is worth a look; P(error) 0.30; P(error somewhere) 0.35."),
        (suspect(None), "Step 1 is worth a look."),
        (Diagnosis(steps=(finding(None),)), "No step is suspect."),
        (Diagnosis(steps=(finding(7.0), finding(-3.0))), "No step is suspect; P(error somewhere) >0.99."),
    ],
)
def test_the_sentence_at_the_top_says_the_verdict_with_its_probability(diagnosis, sentence):
    assert summary(diagnosis) == sentence


def test_a_false_equation_after_the_suspect_step_is_told_too():
    diagnosis = Diagnosis(steps=(finding(0.7, "suspect"), finding(0.1, "suspect", FALSE)), first_suspect=0)
    assert summary(diagnosis) == "Step 1 is probably wrong; P(error) 0.70. Step 2: expected 12."


def test_no_probability_is_said_to_be_never_or_always():
    assert [chance(p) for p in (0.0, 0.004, 0.005, 0.5, 0.995, 0.9951, 1.0)] == [
        "<0.01", "<0.01", "0.01", "0.50", "0.99", ">0.99", ">0.99",
    ]  # fmt: skip
    assert "P(error) &lt;0.01" in draw_solution(session(suspect(0.001, FALSE)), 0, "solve").text.replace("&nbsp;", " ")


# Texts that the critic does not judge


def outside(*findings: StepFinding, first_suspect: int | None = None) -> Diagnosis:
    return Diagnosis(steps=findings, first_suspect=first_suspect, outside=True, calibrated_on="one kind of text")


@pytest.mark.parametrize(
    "diagnosis",
    [
        outside(finding(0.95, "suspect"), finding(0.02, "follows"), first_suspect=0),
        outside(finding(None, "not judged"), finding(None, "not judged")),
        outside(finding(0.4, "not sure"), finding(0.02)),
    ],
)
def test_a_text_of_another_kind_has_a_plain_sentence_and_no_marks(diagnosis):
    html, told = draw_solution(session(diagnosis), 0, "solve"), reading(diagnosis)
    assert OUTSIDE in told
    assert not [word for word in ("P(error)", "wrong", "suspect", "not calibrated", "not sure") if word in told]
    assert not [mark for mark in ("▲", "step suspect", "step unsure", "guilty", 'evidence">') if mark in html.text]
    assert [note.text for note in html.chart.layout.annotations] == ["1", "2"]
    assert "P(error)" not in html.numbers
    assert rows(diagnosis) == ['remark">not judged: another kind of text']


@pytest.mark.parametrize("verdict", ["suspect", "not judged"])
def test_in_a_text_of_another_kind_exact_findings_are_still_shown(verdict):
    first = 0 if verdict == "suspect" else None
    diagnosis = outside(finding(0.9, verdict, FALSE), finding(0.0, "follows"), first_suspect=first)
    told = reading(diagnosis)
    assert f"{OUTSIDE} Step 1: expected 12." in told
    assert "check: expected 12" in told
    assert "P(error)" not in told
    assert "not judged: another kind of text · step 1: expected 12" in rows(diagnosis)[0]


def test_the_status_tells_how_many_solutions_are_not_judged_and_of_how_many_it_is_not_sure():
    unsure = Diagnosis(steps=(finding(0.4, "not sure"), finding(0.02)), not_sure=True)
    fine = Diagnosis(steps=(finding(0.1), finding(0.02)))
    other = outside(finding(0.1), finding(0.1))
    assert "1 of 3 is not of a kind that the critic was calibrated on, so it does not judge it; " in render_opened(
        session(unsure, fine, other)
    )
    assert "2 of 2 are not of a kind" in render_opened(session(other, other))
    assert "the critic is not sure of 1 of 2" in render_opened(session(unsure, fine))
    assert "kind" not in render_opened(session(fine))


def test_the_finding_in_a_pasted_solution_stands_above_it_in_words_and_the_status_only_says_that_it_was_checked():
    unsure = Diagnosis(steps=(finding(0.4, "not sure"), finding(0.02)), not_sure=True)
    for diagnosis, words in (
        (outside(finding(0.1)), OUTSIDE),
        (unsure, "The critic is not sure"),
        (suspect(0.95), "The critic finds"),
    ):
        assert words in reading(diagnosis)
        assert "checked" in render_checked(session(diagnosis))
