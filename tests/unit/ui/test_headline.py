"""The line that names the answer: the weighted vote's, with the reason that its numbers give."""

from __future__ import annotations

import re

import pytest

from irl_core.session.record import Session
from tests.support.pages import made_session
from ui.render.drawing import first_selection
from ui.render.headline import headline
from ui.render.ranking import trust


def answers(*given: str | None, scores: tuple[float, ...], temperature: float = 1.0) -> Session:
    texts = ["Well." if answer is None else f"#### {answer}" for answer in given]
    return made_session(texts, scores, temperature=temperature)


def words(session: Session) -> str:
    return re.sub(r"<[^>]+>", "", headline(session))


@pytest.mark.parametrize(
    ("given", "scores", "sentence"),
    [
        (["5"], (0.0,), "answer 5: the only solution says so"),
        (["5", "5", "5"], (0.0, 1.0, 2.0), "answer 5: all 3 solutions say so"),
        (
            ["5", "5", "7"],
            (0.0, 0.0, 0.0),
            "answer 5: 2 of 3 solutions say so, and weighed by the critic they still lead",
        ),
        (
            ["5", "5", "7", "8", "9"],
            (0.0,) * 5,
            "answer 5: 2 of 5 solutions say so, more than any other answer, and weighed by the critic they still lead",
        ),
        (["5", "7"], (0.0, 1.0), "answer 7: no two of 2 solutions agree, and the critic trusts this one most"),
        (
            ["5", "5", "7", "7"],
            (0.0, 0.0, 1.0, 1.0),
            "answer 7: 2 of 4 solutions say so and as many say 5; the critic trusts these more",
        ),
        (
            ["5", "5", "7"],
            (0.0, 0.0, 5.0),
            "answer 7: 1 of 3 solutions says so and 2 say 5, but the critic trusts it more",
        ),
        (["5", None], (0.0, 5.0), "answer 5: 1 of 2 solutions says so, and no other states an answer"),
        ([None, None], (0.0, 0.0), "no solution states an answer"),
    ],
)  # fmt: skip
def test_the_answer_is_the_weighted_votes_and_the_reason_fits_its_counts(given, scores, sentence):
    assert words(answers(*given, scores=scores)) == sentence


def test_the_critics_favourite_alone_is_not_the_headline_and_not_what_is_read_first():
    session = answers("60", "120", "120", "120", scores=(0.5, 0.1, 0.2, 0.1))
    assert session.ranking.chosen["critic"] == 0
    assert words(session).startswith("answer 120: 3 of 4 solutions say so")
    assert first_selection(session).trace == 2, "the best of those that the vote elects"


def test_where_all_were_cut_the_line_says_so():
    session = made_session(["It is 6", "It is 1"], (0.0, 1.0), stopped=["cancelled", "length"])
    assert words(session) == "every solution was cut off before its answer"


def test_bars_of_nearly_equal_scores_are_nearly_equal_and_do_not_depend_on_the_run():
    assert trust(0.0) == 0.5
    assert abs(trust(-0.57) - trust(-0.59)) < 0.01
    assert trust(-1e9) == pytest.approx(0)
    assert trust(1e9) == pytest.approx(1)
