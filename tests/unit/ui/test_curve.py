"""The best-of-n curve on the page, by values worked out by hand."""

from __future__ import annotations

import re

import pytest

from tests.support.pages import made_session
from ui.render.curve import render_curve, vote_temperature

TEXTS = ["60 * 3 = 180\n#### 180", "60 + 3 = 63\n#### 63", "60 * 3 = 180.\n#### 180"]
SCORES = (0.0, 1.0, -1.0)


def table(html: str) -> dict[str, list[str]]:
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', html)
    return {name: re.findall(r"<td>(.*?)</td>", cells) for name, cells in rows}


def test_with_a_known_answer_each_rule_has_its_share_over_all_subsets():
    # Two of three are right; the critic's favourite is the wrong one, which is in 2 of the 3 pairs.
    html = render_curve(made_session(TEXTS, SCORES, gold="180", temperature=1.0))
    values = table(html)
    assert values["any one"] == ["0.67", "0.67", "0.67"]
    assert values["critic’s first"] == ["0.67", "0.33", "0.00"]
    assert values["if any is right"] == ["0.67", "1.00", "1.00"]
    # A pair of a right and a wrong one is a tie, shared: (1 + 1/2 + 1/2) / 3.
    assert values["most frequent answer"] == ["0.67", "0.67", "1.00"]
    # The wrong one weighs e, more than either right one and than both (1 + 1/e).
    assert values["critic-weighted vote"][:2] == ["0.67", "0.33"]
    assert html.count("<polyline") == 10


def test_without_a_known_answer_it_is_agreement_with_all_and_there_is_no_oracle():
    html = render_curve(made_session(TEXTS, SCORES, temperature=5.0))
    assert "Same answer as all together" in html
    assert "if any is right" not in table(html)
    assert table(html)["critic-weighted vote"][-1] == "1.00"


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 3.0])
def test_the_temperature_of_the_vote_is_found_from_its_weights(temperature):
    session = made_session(TEXTS, SCORES, temperature=temperature)
    assert vote_temperature(session) == pytest.approx(temperature, rel=2e-3)


def test_a_single_solution_and_one_that_nobody_answered_have_no_curve():
    assert render_curve(made_session(TEXTS[:1], (0.0,), gold="180")) == ""
    assert render_curve(made_session(["Well.", "Hm."], (0.0, 1.0))) == ""
    assert render_curve(made_session(["#### 1"] * 17, (0.0,) * 17, gold="1")) == ""
