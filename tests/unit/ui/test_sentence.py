"""One plain sentence for a solution: exact where it is exact, the critic's where it is only that."""

from __future__ import annotations

import pytest

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.policy.base import written_trace
from irl_core.text.equations import check_equations
from irl_core.text.traces import Trace
from ui.render.sentence import Told, sentence
from ui.render.trace import render_trace

FALSE = tuple(check_equations("3 * 4 = 13"))
TRACE = Trace.from_text("He has 3 * 4 = 13.\n#### 13")


def finding(probability=0.02, verdict="fine", equations=(), kind=None) -> StepFinding:
    return StepFinding(
        error_probability=probability,
        verdict=verdict,
        reward=0,
        surprise=0,
        equations=equations,
        reason="r",
        kind=kind,
    )


def found(first: StepFinding, **more) -> Diagnosis:
    suspect = 0 if first.verdict == "suspect" else None
    return Diagnosis(steps=(first, finding()), first_suspect=suspect, **more)


SLIP = found(finding(0.95, "suspect", FALSE, "slip in arithmetic"))


def test_a_false_equation_is_told_as_a_fact_or_only_pointed_at():
    assert sentence(Told(TRACE, SLIP)) == (
        "Step 1 has a slip in arithmetic: “3 * 4 = 13” should give 12. This was worked out exactly."
    )
    guided = sentence(Told(TRACE, SLIP, None, ("7",)), guide=True)
    assert guided == "Look at step 1 again: a slip in arithmetic."
    assert "12" not in guided


@pytest.mark.parametrize(
    ("kind", "probability", "words"),
    [
        ("unusual number", 0.95,
         "The critic finds the number in step 1 unusual, and is almost sure that it is wrong."),
        ("unusual operation", 0.7,
         "The critic finds the operation in step 1 unusual, and holds it for probably wrong."),
        (
            "unusual percentage",
            0.4,
            "The critic finds the percentage in step 1 unusual: of which amount is it taken? It holds it possible.",
        ),
        (None, 0.1, "The critic finds step 1 unusual, and thinks it worth a look."),
        (
            "number nobody gave",
            0.7,
            "Step 1 uses a number that neither the problem nor an earlier step gives; "
            "the critic holds it for probably wrong.",
        ),
    ],
)  # fmt: skip
def test_what_only_the_critic_finds_is_called_unusual_and_has_no_triangle(kind, probability, words):
    diagnosis = found(finding(probability, "suspect", kind=kind))
    assert sentence(Told(TRACE, diagnosis)) == words
    assert sentence(Told(TRACE, diagnosis), guide=True) == "Look at step 1 again."
    html = render_trace(TRACE, None, diagnosis)
    assert "▲" not in html
    assert 'class="step suspect unusual"' in html
    assert "▲" in render_trace(TRACE, None, SLIP)


@pytest.mark.parametrize(
    ("diagnosis", "correct", "words"),
    [
        (found(finding()), None, "No false step was found."),
        (found(finding()), True, "The answer is right. No false step was found."),
        (found(finding()), False, "The answer is wrong, and no false step was found."),
        (found(finding(0.3, "not sure"), not_sure=True), None,
         "The critic is not sure; if a step is wrong, it is most likely step 1."),
        (found(finding(0.1, "suspect")), True,
         "The critic finds step 1 unusual, and thinks it worth a look. "
         "Yet the answer is right: perhaps for a wrong reason."),
        (None, None, "Not checked."),
    ],
)  # fmt: skip
def test_a_known_answer_is_evidence(diagnosis, correct, words):
    assert sentence(Told(TRACE, diagnosis, correct)) == words


def test_a_number_of_the_problem_that_is_never_used_is_named_unless_the_answer_is_right():
    told = Told(TRACE, found(finding()), None, ("7",))
    assert sentence(told) == "No false step was found. The problem also gives 7, which it never names."
    assert sentence(told._replace(correct=True)) == "The answer is right. No false step was found."


def test_of_a_solution_that_was_cut_that_is_said_first():
    trace = written_trace("He has 3 * 4 = 12.\nSo 1", "cancelled")
    diagnosis = Diagnosis(steps=(finding(), finding(None, "unfinished")))
    assert sentence(Told(trace, diagnosis)) == "It was cut off before its answer. No false step was found."
