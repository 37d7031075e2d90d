"""A solution that was cut while its last step was being written: that step is no evidence of anything."""

from __future__ import annotations

import random

import pytest

from irl_core.diagnosis.rerank import rank
from irl_core.diagnosis.suspect_step import diagnose_scored
from irl_core.policy.base import written_trace
from irl_core.policy.sampling import Stopped
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace
from tests.support.surprise import calibrated, score_of

QUESTION = "A car drives 60 miles an hour for 3 hours. How many miles is that?"
CUT = "It drives 60 miles an hour.\nIn 3 hours that is 60 * 3 = 18"
CALM = calibrated(-3.0, worst_choice=2.5, false_equation=6.0)


def scored(trace: Trace, value: float) -> TraceScore:
    return score_of(trace).model_copy(update={"trace_score": value})


def ranking(*written: tuple[str, Stopped, float], gold: str | None = None):
    traces = [written_trace(text, stopped) for text, stopped, _ in written]
    scores = [scored(trace, value) for trace, (*_, value) in zip(traces, written, strict=True)]
    return rank(traces, scores, gold, rng=random.Random(0))


@pytest.mark.parametrize("stopped", ["length", "cancelled"])
def test_the_last_step_of_a_cut_trace_is_unfinished_and_states_no_answer(stopped):
    trace = written_trace(CUT, stopped)
    assert (trace.unfinished, trace.answer) == (1, None)
    assert trace.finished().text == "It drives 60 miles an hour.\n"
    assert len(trace.finished().steps) == 1
    assert written_trace("60 * 3 = 180\n#### 18", stopped).answer is None


@pytest.mark.parametrize("stopped", ["end", "pasted"])
def test_a_trace_that_ended_by_itself_has_no_unfinished_step(stopped):
    trace = written_trace(CUT, stopped)
    assert (trace.unfinished, trace.answer) == (None, "18")
    assert trace.finished() is trace


def test_an_answer_that_was_stated_before_the_cut_is_the_answer():
    assert written_trace("60 * 3 = 180\n#### 180\nNext problem: 7", "length").answer == "180"
    assert written_trace("The answer is 180.\nLet us check: 18", "length").answer == "180"
    assert written_trace("60 * 3 = 180 miles.\nThen 18", "length").answer is None, "a result on the way is no answer"


def test_half_a_number_is_not_called_a_false_equation():
    trace = written_trace(CUT, "cancelled")
    found = diagnose_scored(QUESTION, trace, score_of(trace, {"18": 20.0}), CALM)
    assert (found.first_suspect, found.not_sure) == (None, False)
    assert found.steps[1].equations == ()
    assert (found.steps[1].verdict, found.steps[1].error_probability) == ("unfinished", None)
    assert found.steps[1].reason == "cut off here, so it was not checked"


def test_what_stands_before_the_cut_is_judged_as_if_it_were_alone():
    trace = written_trace("60 * 3 = 190 miles.\nSo 190 + 1", "length")
    score = score_of(trace, {"190": 4.0})
    found = diagnose_scored(QUESTION, trace, score, CALM)
    alone = trace.finished()
    assert found.steps[0] == diagnose_scored(QUESTION, alone, score_of(alone, {"190": 4.0}), CALM).steps[0]
    assert (found.first_suspect, found.steps[0].verdict) == (0, "suspect")
    assert len(found.token_heat) == len(score.offsets)
    assert found.token_heat[-1] == 0


def test_a_trace_that_was_cut_in_its_first_step_is_not_judged_at_all():
    trace = written_trace("60 * 3 = 18", "cancelled")
    found = diagnose_scored(QUESTION, trace, score_of(trace), CALM)
    assert [step.verdict for step in found.steps] == ["unfinished"]
    assert (found.first_suspect, found.not_sure, found.outside) == (None, False, False)


def test_a_cut_off_loop_without_an_answer_never_comes_first_and_votes_nothing():
    ranked = ranking(
        ("It is 60.\nIt is 60.\nIt is 6", "length", 5.0),
        ("60 * 3 = 180\n#### 180", "end", -1.0),
        ("60 + 3 = 63\n#### 63", "end", -2.0),
    )
    assert ranked.order == (1, 2, 0)
    assert {rule: ranked.chosen[rule] for rule in ("critic", "weighted_vote", "majority")} == {
        "critic": 1, "weighted_vote": 1, "majority": 1,
    }  # fmt: skip
    assert [vote.members for vote in ranked.votes] == [(1,), (2,)]
    assert sum(vote.weight for vote in ranked.votes) == pytest.approx(1)


def test_where_every_trace_was_cut_they_are_listed_and_no_vote_is_taken():
    ranked = ranking(("It is 6", "cancelled", -2.0), ("It is 1", "cancelled", -1.0))
    assert ranked.order == (1, 0)
    assert ranked.votes == ()
    assert not {"weighted_vote", "majority"} & set(ranked.chosen)


def test_a_cut_trace_that_stated_its_answer_votes_like_any_other():
    ranked = ranking(("#### 180\nNext: 7", "length", 5.0), ("#### 63", "end", -2.0))
    assert ranked.order == (0, 1)
    assert [vote.answer for vote in ranked.votes] == ["180", "63"]
