"""The chart says what the diagnosis says, or else the score, in the page's own type and colours."""

from __future__ import annotations

import pytest

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace
from ui.render.chart import belief_figure, chance_figure, page_template
from ui.theme import DARK, LIGHT, Palette, build_theme, head

FINDING = StepFinding(error_probability=0.5, verdict="fine", reward=0.0, surprise=1.0, reason="")


def two_steps() -> tuple[Trace, TraceScore]:
    trace = Trace(text="a<b>\n&%{y}", steps=((0, 5), (5, 10)))
    score = TraceScore(
        offsets=((0, 1), (1, 5), (5, 6), (6, 10)),
        rewards=(0.5, 0.5, -2.0, 0.25),
        values=(0.5, 1.0, -1.0, -0.75),
        step_rewards=(1.0, -1.75),
        trace_score=-0.75,
    )
    return trace, score


def test_the_line_runs_through_the_values_from_zero():
    line = belief_figure(*two_steps(), None).data[0]
    assert list(line.y) == [0.0, 0.5, 1.0, -1.0, -0.75]
    assert list(line.x) == [0, 1, 2, 3, 4]


def test_the_suspect_step_is_shaded_and_named():
    figure = belief_figure(*two_steps(), Diagnosis(steps=(FINDING, FINDING), first_suspect=1))
    suspect = [s for s in figure.layout.shapes if s.fillcolor == LIGHT.loss]
    assert [(s.x0, s.x1) for s in suspect] == [(2.5, 4.5)]
    assert [a.text for a in figure.layout.annotations] == ["1", "step 2"]


def test_the_chance_that_all_is_right_falls_by_what_each_step_is_likely_to_be_wrong():
    diagnosis = Diagnosis(steps=(FINDING,) * 3, first_suspect=1)
    figure = chance_figure(diagnosis, (0.125, 0.5, 0.25))
    line = figure.data[0]
    assert list(line.x) == [0, 1, 2, 3]
    assert list(line.y) == [1.0, 0.875, 0.375, 0.125]
    assert figure.layout.yaxis.range[0] == 0, "one scale for all solutions"
    assert figure.layout.yaxis.range[1] > 1
    assert [a.text for a in figure.layout.annotations] == ["1", "step 2", "3"]
    assert [(s.x0, s.x1) for s in figure.layout.shapes if s.fillcolor == LIGHT.loss] == [(1, 2)]


def test_a_stranger_whose_probabilities_add_up_to_more_than_one_leaves_no_chance_and_no_less():
    assert list(chance_figure(Diagnosis(steps=(FINDING,) * 2), (0.75, 0.75)).data[0].y) == [1.0, 0.25, 0.0]


def test_labels_hold_no_markup():
    labels = belief_figure(*two_steps(), None).data[0].text
    assert any("&lt;b&gt;" in label for label in labels)
    assert not any("<" in label or ">" in label for label in labels)


@pytest.mark.parametrize(("dark", "palette"), [(False, LIGHT), (True, DARK)])
def test_one_template_carries_type_and_colours(dark, palette):
    template = page_template(dark)
    assert "Inter" in template.layout.font.family
    assert template.layout.font.color == palette.soft
    assert template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert belief_figure(*two_steps(), None, dark=dark).data[0].line.color == palette.gain


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def over(tint: str, paper: str, alpha: float) -> str:
    mixed = (alpha * int(tint[i : i + 2], 16) + (1 - alpha) * int(paper[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(m):02x}" for m in mixed)


@pytest.mark.parametrize("p", [LIGHT, DARK])
def test_text_meets_wcag_aa_on_paper_and_on_the_strongest_tint(p: Palette):
    for text in (p.ink, p.soft, p.loss_text, p.gain):
        assert contrast(text, p.paper) >= 4.5
        assert contrast(text, p.raised) >= 4.5
    assert p.tint <= 0.6
    for tint in (p.gain, p.loss):
        assert contrast(p.ink, over(tint, p.paper, p.tint)) >= 4.5


def test_the_page_brings_its_own_fonts_and_asks_no_other_server():
    html = head()
    assert html.count("@font-face") == 2
    assert "url(data:font/woff2;base64," in html
    assert "http://" not in html
    assert "https://" not in html


def test_the_theme_leaves_no_stock_orange():
    theme = build_theme()
    assert theme.button_primary_background_fill == LIGHT.ink
    assert theme.button_primary_background_fill_dark == DARK.ink
    assert theme.body_background_fill_dark == DARK.paper
