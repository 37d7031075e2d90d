"""A class that looks first is told nothing by the page: not by order, not by marks."""

from __future__ import annotations

import re

from tests.support.pages import made_session
from ui.render.guessing import name_of, render_guess_list, shuffled
from ui.render.keys import KEYS, render_keys
from ui.render.ranking import render_ranking
from ui.render.solution import draw_solution

TEXTS = [f"60 * 3 = {n}\n#### {n}" for n in (180, 181, 182, 183, 184, 185)]
SCORES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0)


def test_the_shuffled_order_holds_all_solutions_and_follows_from_the_texts_alone():
    session = made_session(TEXTS, SCORES, gold="180")
    order = shuffled(session)
    assert sorted(order) == list(range(6))
    assert order == shuffled(made_session(TEXTS, tuple(reversed(SCORES))))
    assert order not in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0])


def test_a_shuffled_row_tells_its_number_and_answer_and_no_more():
    html = render_guess_list(made_session(["60 * 3 = 180\nThe answer is 180 <b>."], (9.0,), gold="7"), 0)
    text = re.sub(r"<[^>]+>", " ", html).split()
    assert text == ["180", "solution", "1"]
    assert "data-trace" not in html


def test_the_list_that_says_nothing_stands_beside_the_critics_and_each_is_a_listbox():
    html = render_ranking(made_session(TEXTS, SCORES), 2)
    assert html.count('role="listbox"') == 2
    assert html.count("data-trace=") == html.count("data-solution=") == 6
    assert html.count('aria-selected="true"') == 2


def test_lists_of_different_sessions_have_different_names():
    assert name_of(made_session(TEXTS, SCORES)) != name_of(made_session(TEXTS[:5], SCORES[:5]))


def test_a_class_can_point_at_each_step_and_at_none():
    text = draw_solution(made_session(TEXTS[:1], (0.0,)), 0, "solve").text
    assert re.findall(r'data-vote="(\w+)"', text) == ["none", "0", "1"]


def test_the_dialog_lists_every_key_once():
    keys = [key.keys for group in KEYS.values() for key in group]
    assert len(set(keys)) == len(keys)
    assert render_keys().count("<dt>") == len(keys)
