"""The marked page keeps every character, marks the right place, and lets nothing through as markup."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.session.run import Growing
from irl_core.text.equations import EquationCheck
from irl_core.text.scores import TraceScore
from irl_core.text.steps import split_steps
from irl_core.text.traces import Trace
from tests.support.markup import Page
from ui.render.colours import Scale
from ui.render.html import signed
from ui.render.trace import View, render_growing, render_trace
from ui.render.verdicts import summary
from ui.render.visible_tokens import visible_tokens

HOSTILE = (
    "<script>alert(1)</script> {{x}} ${1+1} `b` <img src=x onerror=alert(1)>\n"
    "$5 and $6 <|im_end|> \\underline &amp; javascript:alert(1) \"'\n\u202eevil\r\n#### 4"
)
text_strategy = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text(
    "a1= \r\n\t<>&\u202e\u0301👩‍🔬", max_size=40
)


def scored(text: str, cuts: list[int] | None = None, rewards: list[float] | None = None, truncated_at=None):
    """A trace and its score, tokens ending at `cuts` (by default one token per character)."""
    end = len(text) if truncated_at is None else truncated_at
    edges = [0, *(sorted(min(c, end) for c in cuts) if cuts is not None else range(1, end)), end]
    offsets = tuple(pairwise(edges))
    rewards = rewards or [(-1.0) ** i * (i % 7) / 3 for i in range(len(offsets))]
    rewards = [rewards[i % len(rewards)] for i in range(len(offsets))]
    steps = split_steps(text) or ((0, len(text)),) * bool(text)
    values = [sum(rewards[: i + 1]) for i in range(len(rewards))]
    score = TraceScore(
        offsets=offsets,
        rewards=tuple(rewards),
        values=tuple(values),
        step_rewards=tuple(-0.5 for _ in steps),
        trace_score=0.0,
        truncated_at=truncated_at,
    )
    return Trace(text=text, steps=steps), score


def finding(verdict="fine", equations=(), reason="the critic drops") -> StepFinding:
    return StepFinding(
        error_probability=0.91, verdict=verdict, reward=-2.3, surprise=6.1, equations=equations, reason=reason
    )


def wrong_product(text: str = "3 * 12 = 35") -> EquationCheck:
    return EquationCheck(span=(0, len(text)), text=text, expected="36", stated="35", ok=False)


@given(text_strategy, st.lists(st.integers(0, 60), max_size=20), st.none() | st.integers(0, 60))
def test_the_tokens_shown_join_to_the_text_for_any_unicode(text, cuts, truncated_at):
    limit = None if truncated_at is None else min(truncated_at, len(text))
    trace, score = scored(text, cuts, truncated_at=limit)
    assert "".join(Page(render_trace(trace, score), "t").texts) == text
    assert "".join(Page(render_trace(trace), "t").texts) == text
    assert "".join(Page(render_growing(Growing(text), Scale()), "t").texts) == text


@given(text_strategy, st.lists(st.tuples(st.integers(-9, 99), st.integers(-9, 99)), max_size=12))
def test_offsets_from_a_stranger_neither_lose_nor_repeat_text(text, offsets):
    trace = Trace(text=text, steps=split_steps(text) or ((0, len(text)),) * bool(text))
    n = len(offsets)
    score = TraceScore(
        offsets=tuple(offsets),
        rewards=(1.0,) * n,
        values=(1.0,) * n,
        step_rewards=(0.0,) * len(trace.steps),
        trace_score=0,
    )
    assert "".join(text[c.start : c.end] for c in visible_tokens(trace, score)) == text


def test_the_line_breaks_between_steps_are_hidden():
    page = render_trace(*scored("\none\n\ntwo\n"))
    assert "".join(Page(page, "nl").texts) == "\n\n\n\n"


@given(text_strategy)
def test_only_line_breaks_around_a_step_are_hidden(text):
    trace, score = scored(text, [2, 5, 9])
    assert set("".join(Page(render_trace(trace, score), "nl").texts)) <= {"\r", "\n"}


def test_hostile_text_becomes_neither_element_nor_attribute():
    trace, score = scored(HOSTILE)
    diagnosis = Diagnosis(
        steps=(finding("suspect", (wrong_product(HOSTILE),), HOSTILE), *[finding(reason=HOSTILE)] * 3),
        first_suspect=0,
        calibrated_on=HOSTILE,
    )
    page = Page(render_trace(trace, score, diagnosis, View(HOSTILE, HOSTILE)), "t")
    assert page.tags <= {
        *"section header h3 p ol li div span del b bdi i em fieldset legend label input details summary button".split(
            " "
        )
    }
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert "".join(page.texts) == HOSTILE


def test_a_bidi_control_is_isolated_and_kept():
    trace, score = scored("3 * 4 = \u202e21", [8, 9])
    html = render_trace(trace, score)
    assert Page(html, "bidi").texts == ["\u202e"]
    assert "".join(Page(html, "t").texts) == trace.text


def test_bytes_of_one_character_are_one_token_with_their_rewards_summed():
    trace, score = scored("a😀b", [1, 2, 2, 2], [0.5, -1.0, -0.25, -0.25, 2.0])
    shown = [(trace.text[c.start : c.end], c.reward, c.value) for c in visible_tokens(trace, score)]
    assert shown == [("a", 0.5, 0.5), ("😀", -1.5, -1.0), ("b", 2.0, 1.0)]


def test_a_negative_number_that_was_expected_has_the_minus_that_scores_have():
    text = "Left: 3 - 12 = 9\n#### 9"
    trace, score = scored(text, [5, 7, 9, 12, 14, 16])
    check = EquationCheck(span=(6, 16), text="3 - 12 = 9", expected="-9", stated="9", ok=False)
    html = render_trace(trace, score, Diagnosis(steps=(finding("suspect", (check,)), finding()), first_suspect=0))
    assert Page(html, "word").texts == ["check: expected \u22129"]
    assert Page(html, "fix").texts == ["3 - 12 = 9"], "the pupil's own text stays as it is"


def test_a_wrong_product_is_marked_with_the_expected_number():
    text = "Books: 3 * 12 = 35 left\n#### 35"
    trace, score = scored(text, [6, 8, 10, 13, 15, 18, 23])
    check = EquationCheck(span=(7, 18), text="3 * 12 = 35", expected="36", stated="35", ok=False)
    html = render_trace(trace, score, Diagnosis(steps=(finding("suspect", (check,)), finding()), first_suspect=0))
    assert Page(html, "guilty").texts == [" 35"]
    assert Page(html, "word").texts == ["check: expected 36"]
    assert Page(html, "fix").texts == ["3 * 12 = 35"]
    assert "0.91" in Page(html, "evidence").texts[0]
    assert Page(html, "flag").texts == ["▲"]
    assert Page(html, "told").texts[1].startswith("almost certainly wrong: expected 36, P(error) 0.91, reward ")


def test_every_step_can_be_rewritten_where_that_is_offered_but_not_what_follows_from_an_error():
    trace, score = scored("one\ntwo\nthree", [4, 8, 13])
    html = render_trace(trace, score, view=View(rewritable=True))
    assert re.findall(r'class="rewrite" data-step="(\d+)"', html) == ["0", "1", "2"]
    assert "rewrite" not in render_trace(trace, score)
    wrong = Diagnosis(steps=(finding(), finding("suspect"), finding("follows")), first_suspect=1)
    html = render_trace(trace, score, wrong, View(rewritable=True))
    assert re.findall(r'class="rewrite" data-step="(\d+)"', html) == ["0", "1"]


def test_the_steps_that_were_there_before_are_told_from_those_written_after_them():
    trace, score = scored("one\ntwo\nthree", [4, 8, 13])
    kinds = re.findall(r'<li class="([^"]*)"', render_trace(trace, score, view=View(given=len("one\ntwo\n"))))
    assert kinds == ["step given", "step given", "step"]


def test_the_wrong_result_is_found_when_the_equation_is_placed_relative_to_its_step():
    text = "One is 1 = 1.\nThen 3 * 12 = 35."
    trace, score = scored(text, [14, 19, 24, 27, 28, 30])
    check = EquationCheck(span=(5, 16), text="3 * 12 = 35", expected="36", stated="35", ok=False)
    html = render_trace(trace, score, Diagnosis(steps=(finding(), finding("suspect", (check,))), first_suspect=1))
    assert "".join(Page(html, "guilty").texts) == "35"


def test_without_a_false_equation_the_lowest_reward_of_the_suspect_step_is_underlined():
    trace, score = scored("good\nso bad here", [5, 7, 11], [-9.0, 0.1, -2.0, -0.3])
    html = render_trace(trace, score, Diagnosis(steps=(finding(), finding("suspect")), first_suspect=1))
    assert Page(html, "guilty").texts == [" bad"]
    assert Page(html, "word").texts == ["almost certainly wrong: the critic drops"]


@pytest.mark.parametrize(
    ("verdict", "words"), [("not sure", "not sure: the critic drops"), ("follows", "follows from step 1")]
)
def test_a_doubtful_and_a_following_step_say_so_in_words(verdict, words):
    trace, score = scored("a\nb")
    diagnosis = Diagnosis(steps=(finding("suspect"), finding(verdict)), first_suspect=0)
    assert words in Page(render_trace(trace, score, diagnosis), "word").texts


def test_a_later_step_says_that_it_follows_only_where_it_uses_the_wrong_number():
    trace, score = scored("3 * 12 = 35\n35 + 1 = 36\n135 is not it")
    later = StepFinding(error_probability=0.01, verdict="follows", reward=0, surprise=0, reason="")
    diagnosis = Diagnosis(steps=(finding("suspect", (wrong_product(),)), later, later), first_suspect=0)
    assert [n.split("P(")[0] for n in Page(render_trace(trace, score, diagnosis), "note").texts[1:]] == [
        "follows from step 1"
    ]


def unjudged(*equations: EquationCheck) -> StepFinding:
    """A step of a critic without a calibration."""
    return StepFinding(
        error_probability=None, verdict="not judged", reward=-9, surprise=9, equations=equations, reason="uses 7"
    )


def test_without_a_calibration_no_step_is_suspected_and_no_probability_told():
    trace, score = scored("3 + 4 = 7\n#### 7")
    html = render_trace(trace, score, Diagnosis(steps=(unjudged(), unjudged())), View(rewritable=True))
    assert [told.split(",")[0] for told in Page(html, "told").texts[1:]] == ["not calibrated", "not calibrated"]
    assert Page(html, "foot").texts == [
        "The critic is not calibrated: its rewards are shown, and no step is judged by them."
    ]
    assert Page(html, "note").texts == []
    assert not [word for word in ("P(error)", "suspect", "guilty", "flag", "nan", "None") if word in html]


def test_without_a_calibration_a_false_equation_is_still_corrected():
    trace, score = scored("3 * 12 = 35\n#### 35")
    diagnosis = Diagnosis(steps=(unjudged(wrong_product()), unjudged()))
    html = render_trace(trace, score, diagnosis)
    assert Page(html, "note").texts == ["3 * 12 = 35check: expected 36"]
    assert summary(diagnosis) == "The critic is not calibrated: no step is judged. Step 1: expected 36."
    assert not [word for word in ("P(error)", "suspect", "evidence") if word in html]


def test_a_strangers_session_may_suspect_a_step_without_a_probability():
    trace, score = scored("a\nb")
    findings = tuple(finding(v).model_copy(update={"error_probability": None}) for v in ("suspect", "follows"))
    html = render_trace(trace, score, Diagnosis(steps=findings, first_suspect=0))
    assert Page(html, "evidence").texts == ["reward\xa0\u22122.3 · surprise\xa06.1\xa0nats"]


def test_text_past_the_limit_is_grey_and_the_limit_is_named():
    trace, score = scored("one\ntwo", [2], truncated_at=4)
    html = render_trace(trace, score)
    assert "".join(Page(html, "off").texts) == "two"
    assert "Scoring stopped at character 4" in Page(html, "foot").texts[0]


def test_tints_are_within_one_scale_whose_ends_and_unit_are_written():
    trace, score = scored("abcd", None, [0.4, -1.0, 30.0, -0.2])
    page = Page(render_trace(trace, score), "legend")
    tints = [float(v.removeprefix("--r:")) for k, v in page.attributes if k == "style" and v.startswith("--r")]
    width = Scale().token
    assert tints == pytest.approx([max(-1, min(1, r / width)) for r in score.rewards], abs=1e-3)
    assert signed(width, 1) in page.texts[0]
    assert signed(-width, 1) in page.texts[0]
    assert "raw reward by token, nats" in page.texts[0]


def test_a_suspect_step_that_does_not_exist_marks_nothing():
    trace, score = scored("a\nb")
    for stranger in (-1, 7):
        diagnosis = Diagnosis(steps=(finding(), finding()), first_suspect=stranger)
        assert Page(render_trace(trace, score, diagnosis), "guilty").texts == []
        assert summary(diagnosis) == "No step is suspect; P(error somewhere) >0.99."
