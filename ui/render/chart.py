"""The chart below a solution, through the page's one Plotly template: the chance that all is right so far, by step.

Where the critic judges nothing it is the sum of its raw rewards, by token.

Plotly fixes colours when a figure is made, while the page can turn dark at any time: the figure carries the light
colours, and `assets/errata.css` repaints the same SVG parts for the dark page.
"""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

from ..theme import DARK, LIGHT, SANS, Palette
from .html import escape, signed
from .verdicts import all_right, chance, suspect_step
from .visible_tokens import visible_tokens

_MAX_LABEL = 24


def page_template(dark: bool = False) -> go.layout.Template:
    """Fonts, colours and hairlines of the page; transparent, so that paper shows through."""
    ink = DARK if dark else LIGHT
    axis = {
        "color": ink.soft,
        "gridcolor": ink.hairline,
        "zerolinecolor": ink.hairline,
        "zerolinewidth": 1,
        "linewidth": 0,
        "showgrid": False,
        "ticks": "",
        "fixedrange": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": SANS, "size": 12.5, "color": ink.soft},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [ink.gain, ink.loss],
            "margin": {"l": 44, "r": 8, "t": 18, "b": 34},
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": ink.paper,
                "bordercolor": ink.hairline,
                "font": {"family": SANS, "color": ink.ink},
            },
            "showlegend": False,
            "dragmode": False,
            "height": 230,
        }
    )


def chance_figure(diagnosis: Diagnosis, judged: Sequence[float], dark: bool = False) -> go.Figure:
    """1 − Σ P(step j is the first wrong one) after each step, from 1 before the first, on a fixed axis from 0 to 1.

    `judged` are the steps' probabilities; each step is a band, the suspect one marked by name.
    """
    ink = DARK if dark else LIGHT
    right = [1.0, *all_right(judged)]
    suspect = suspect_step(diagnosis)
    figure = go.Figure(layout={"template": page_template(dark)})
    for step in range(len(judged)):
        _band(figure, step, (step, step + 1), step == suspect, ink)
    told = (f"step {k}: P(error) {escape(chance(p))}" for k, p in enumerate(judged, 1))
    figure.add_scatter(
        x=list(range(len(right))),
        y=right,
        mode="lines+markers",
        line={"color": ink.gain, "width": 2.5, "shape": "linear"},
        marker={"color": ink.gain, "size": [0, *[7] * len(judged)]},
        text=["before the first step", *told],
        hovertemplate="%{text}<br>all right so far %{y:.2f}<extra></extra>",
        name="all right so far",
        cliponaxis=False,
    )
    figure.update_xaxes(range=[0, max(len(judged), 1)], tickvals=[], zeroline=False)
    figure.update_yaxes(range=[0, 1.03], tickvals=[0, 0.5, 1], zeroline=True)
    return figure


def belief_figure(trace: Trace, score: TraceScore, diagnosis: Diagnosis | None, dark: bool = False) -> go.Figure:
    """The sum of rewards after each shown token over its number, steps as alternate bands, the suspect step marked by
    name."""
    ink = DARK if dark else LIGHT
    scored = [c for c in visible_tokens(trace, score) if c.value is not None]
    suspect = suspect_step(diagnosis)
    figure = go.Figure(layout={"template": page_template(dark)})
    for step in sorted({c.step for c in scored}):
        places = [i for i, c in enumerate(scored, 1) if c.step == step]
        _band(figure, step, (places[0] - 0.5, places[-1] + 0.5), step == suspect, ink)
    figure.add_scatter(
        x=list(range(len(scored) + 1)),
        y=[0.0, *(c.value for c in scored)],
        mode="lines",
        line={"color": ink.gain, "width": 2.5, "shape": "linear"},
        text=["before the first token", *(_label(trace, c.start, c.end, c.step, c.reward) for c in scored)],
        hovertemplate="%{text}<br>sum of rewards %{y:.2f} nats<extra></extra>",
        name="sum of rewards",
    )
    figure.update_xaxes(range=[0, max(len(scored), 1) + 0.5], tickvals=[], zeroline=False)
    figure.update_yaxes(nticks=4, zeroline=True, title={"text": "nats", "standoff": 4})
    return figure


def _band(figure: go.Figure, step: int, ends: tuple[float, float], suspect: bool, ink: Palette) -> None:
    """One step's stretch of the axis, in fills faint enough for light and dark paper."""
    if suspect:
        figure.add_vrect(
            x0=ends[0],
            x1=ends[1],
            fillcolor=ink.loss,
            opacity=0.13,
            line_width=0,
            layer="below",
        )
    elif step % 2:
        figure.add_vrect(x0=ends[0], x1=ends[1], fillcolor=ink.soft, opacity=0.07, line_width=0, layer="below")
    figure.add_annotation(
        x=sum(ends) / 2,
        y=0,
        yref="paper",
        yanchor="top",
        yshift=-4,
        showarrow=False,
        text=f"step {step + 1}" if suspect else str(step + 1),
        font={"color": ink.loss_text if suspect else ink.soft},
    )


def _label(trace: Trace, start: int, end: int, step: int, reward: float | None) -> str:
    """Plotly reads `<`, `>` and `&` as markup, and `%{` as a template only outside of `text`: escape, then shorten."""
    token = trace.text[start:end]
    shown = token if len(token) <= _MAX_LABEL else token[: _MAX_LABEL - 1] + "…"
    return f"step {step + 1} “{escape(shown)}” {signed(reward or 0.0)}"
