"""Numbers are linked to their sources, and a step says when it is right given an earlier slip."""

from __future__ import annotations

import re

from tests.support.markup import Page
from tests.support.pages import made_session
from ui.render.quantities import name_of, render_quantities
from ui.render.solution import draw_solution

TEXT = "60 * 3 = 190 miles.\nSo 190 + 7 = 197 miles.\n#### 197"


def test_a_marked_solution_links_its_numbers_and_keeps_its_text():
    html = draw_solution(made_session([TEXT], (0.0,)), 0, "solve").text
    assert "".join(Page(html, "t").texts) == TEXT
    steps = html[html.index("<ol") :]
    links = re.findall(r'class="q (\w+)" data-q="(\d+)"', steps)
    assert ("problem", "60") in links
    assert ("computed", "190") in links
    assert ("earlier", "190") in links
    assert ("nowhere", "7") in links or ("common", "7") in links
    assert links[-1] == ("earlier", "197")


def test_a_step_that_builds_on_a_wrong_number_is_right_given_that_number():
    html = draw_solution(made_session([TEXT], (0.0,)), 0, "solve").text
    assert Page(html, "given-yours").texts == ["right, given your 190"]


def test_a_step_that_rounds_is_not_called_right():
    html = draw_solution(made_session(["60 * 3 = 185\nSo 185 / 2 = 92\n#### 92"], (0.0,)), 0, "solve").text
    assert "given your" not in html


def test_the_list_says_where_each_value_comes_from_and_where_it_is_used():
    html = draw_solution(made_session([TEXT], (0.0,)), 0, "solve").text
    rows = re.sub(r"<[^>]+>", " ", html[html.index("<ul>") : html.index("</ul>")])
    assert "60 given by the problem; used in step 1" in re.sub(r"\s+", " ", rows)
    assert "190 computed in step 1; used in step 2" in re.sub(r"\s+", " ", rows)


def test_a_problem_is_shown_as_text_and_a_solution_without_numbers_has_no_list():
    assert "&lt;b&gt;" in render_quantities("<b>5</b>", _numbers())
    assert render_quantities("5", ()) == ""


def _numbers():
    from irl_core.text.number_sources import number_sources

    return number_sources("<b>5</b>", "5", [(0, 1)])


def test_equal_values_have_one_name():
    numbers = _numbers()
    assert name_of(numbers[0].value) == "5"
