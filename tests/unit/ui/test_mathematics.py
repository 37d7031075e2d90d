"""What is LaTeX or Markdown in a step, what is money, and what is never rendered."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.text.traces import Trace
from tests.support.markup import Page
from tests.support.pages import made_session
from tests.support.surprise import score_of
from ui.render.mathematics import MAX_FORMULA, MAX_TEXT, formulas, lay_out, renderable
from ui.render.solution import draw_solution
from ui.render.trace import render_trace


def seen(text: str) -> str:
    """What a reader sees: formulas of KaTeX in brackets."""
    pieces = lay_out(text, 0, len(text))
    if not pieces:
        return text
    return "".join(
        f"[{piece.tex}]" if piece.tex is not None else text[piece.start : piece.end] if piece.shown is None
        else piece.shown
        for piece in pieces
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r"So \( 12 \times 5 = 60 \).", "So 12 × 5 = 60."),
        (r"$12 \div 4 = 3$ left", "12 ÷ 4 = 3 left"),
        (r"It is \(\frac{3}{4}\).", r"It is [\frac{3}{4}]."),
        (r"$x^2 = 9$", "[x^2 = 9]"),
        (r"so \boxed{42}", r"so [\boxed{42}]"),
        ("\\[\n\\sqrt{9} = 3\n\\]", "[\n\\sqrt{9} = 3\n]"),
        ("**Step 1:** *now* `b`", "Step 1: now b"),
        ("### Find x\n- **Cost:** 5", "Find x\n• Cost: 5"),
    ],
)
def test_latex_and_markdown_are_shown_by_their_meaning(written, shown):
    assert seen(written) == shown


@pytest.mark.parametrize(
    "written",
    [
        "It costs $5 and $6.", "$3000 and that is 3000$", "$5 + $3 = $8", "2**3 + 4**2 = 24", "#### 13", "- 5 = 3",
        "3 * 4 = 12, 5 * 6 = 30", "a_b and c_d", "[x](javascript:alert(1))", "<b>bold</b>", "\\frac{1}{2}",
    ],
)  # fmt: skip
def test_money_powers_and_answers_stay_as_they_are_written(written):
    assert lay_out(written, 0, len(written)) == ()


@pytest.mark.parametrize(
    "inner",
    [
        r"\href{javascript:alert(1)}{x}", r"\htmlData{a=b}{x^2}", r"\htmlClass{guilty}{x^2}", r"\url{x}",
        r"\includegraphics{x}", r"\def\a{\a\a}\a^2", r"\newcommand{\a}{\a\a}\a^2", r"\gdef\x{1}", r"\let\x\y x^2",
        r"\rule{999em}{999em}", r"\color{red}x^2", r"\textcolor{red}{x}", r"\colorbox{red}{x}", r"\frac{1}{2",
        r"}x^2{", r"\frac{1}{2}}", "x^2 % gone", "x^\x002", "", "x^2" * MAX_FORMULA,
    ],
)  # fmt: skip
def test_a_formula_that_could_do_harm_or_does_not_add_up_stays_as_it_is_written(inner):
    assert not renderable(inner)
    text = f"\\({inner}\\)"
    assert not any(piece.tex for piece in lay_out(text, 0, len(text)))


def test_a_text_of_a_hundred_thousand_characters_stays_as_it_is_written():
    assert lay_out("$x^2$ " * 20_000, 0, 120_000) == ()
    assert lay_out("\\(" * (MAX_TEXT // 2), 0, MAX_TEXT) == ()


def test_formulas_do_not_overlap():
    text = r"\( $a^2$ \) and $\boxed{b^2}$ and $c^2$"
    found = formulas(text)
    assert all(a.end <= b.start for a, b in pairwise(found))


markup = st.text("ab1 $\\()[]{}*`#-\n^_", max_size=60) | st.text(max_size=60)


@given(markup, st.integers(0, 5), st.integers(0, 5))
def test_pieces_cover_their_text_once_in_order(text, before, after):
    whole = "x" * before + text + "y" * after
    pieces = lay_out(whole, before, before + len(text))
    if pieces:
        assert [piece.start for piece in pieces] == [before, *(piece.end for piece in pieces[:-1])]
        assert pieces[-1].end == before + len(text)


LATEX = r"He pays \( 3 \times 4 = 13 \) and **then** \(\frac{1}{2}\)." + "\nSo 13.\n#### 13"


@given(markup.filter(str.strip) | st.just(LATEX))
def test_rendered_tokens_still_hold_every_character_once(text):
    trace = Trace.from_text(text)
    page = Page(render_trace(trace, score_of(trace)), "t")
    assert "".join(page.texts).replace("\0", "") == text.replace("\0", "")


def test_signs_keep_the_colours_of_their_tokens_and_a_formula_is_coloured_as_one():
    trace = Trace.from_text(LATEX)
    html = render_trace(trace, score_of(trace))
    assert html.count('class="formula"') == 1
    assert 'data-tex="\\frac{1}{2}" data-display="false" data-qs="" style="--r:' in html
    assert 'data-shown="×"' in html
    assert 'data-second="written"' in html


def test_a_correction_names_its_equation_in_plain_mathematics():
    html = draw_solution(made_session([LATEX], (0.0,)), 0, "solve").text
    assert Page(html, "fix").texts == ["3 × 4 = 13"]
    assert "“3 × 4 = 13” should give 12" in html


def test_a_plain_solution_has_no_switch_between_rendered_and_written():
    assert "as written" not in render_trace(Trace.from_text("3 * 4 = 12\n#### 12"))
