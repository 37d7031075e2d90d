"""The report as one HTML page that needs nothing beside it: Plotly's charts and its library inside, no other file.

Everything that a trace file or a critic's card says is escaped; the page is made from the JSON report alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from irl_core.evaluation.markdown import (
    BY_FILE,
    HEAD,
    NAMES,
    PARTS,
    file_table,
    generator_table,
    rows,
    summary,
    tables,
)

SHOWN_SKIPPED = 100
EMPHASIS = {"critic": "#0072b2", "weighted_vote": "#d55e00", "majority": "#1c1b19"}
QUIET = "#a19e96"

_CSS = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c1b19;
  background: #fbfaf6; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #e3dfd5; }
td + td, th + th { text-align: right; font-variant-numeric: tabular-nums; }
"""


def to_html(report: Mapping[str, Any], title: str = "Errata: evaluation of a critic") -> str:
    """The whole report; at most `SHOWN_SKIPPED` of the skipped lines are listed."""
    body = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(line)}</p>" for line in summary(report))]
    for key, heading in PARTS.items():
        body.append(f"<h2>{escape(heading)}</h2>")
        part = report[key]
        if part is None:
            body.append("<p>The file has no labels for this part.</p>")
            continue
        body += [_chart(figure) for figure in charts(part)]
        body += [_table([HEAD, *(row.cells() for row in rows(part))]), *map(_table, tables(part))]
    if report["files"]:
        table = file_table(report["files"], report["file_means"], report["in_sample"])
        body += [f"<h2>{BY_FILE}</h2>", _table(table)]
    if report["generators"]:
        body += ["<h2>By generator</h2>", _table(generator_table(report["generators"]))]
    body.append(_skipped(report["skipped"]))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_CSS}</style><script>{get_plotlyjs()}</script></head>\n<body>{''.join(body)}</body></html>\n"
    )


def charts(part: Mapping[str, Any]) -> Iterator[go.Figure]:
    """The charts that one part of the report has data for."""
    if "curve" in part:
        yield best_of_n_chart(part["curve"], part["curve_interval"])
    for key, of in (("reliability", "the trace is wrong"), ("step_reliability", "a step is the first wrong one")):
        if part.get(key):
            yield reliability_chart(part[key], of)
    if part.get("score_by_length"):
        yield length_chart(part["score_by_length"])


def best_of_n_chart(curve: Mapping[str, Any], interval: Mapping[str, Any]) -> go.Figure:
    """Accuracy over n, a line per rule; the critic's rules and the majority stand out and carry their intervals."""
    figure = _figure("Best of n", "solutions to choose from, n", "share of problems answered rightly")
    for rule in [name for name in curve if name != "n"]:
        colour = EMPHASIS.get(rule, QUIET)
        if rule in EMPHASIS:
            low, high = zip(*interval[rule], strict=True)
            band = {"x": [*curve["n"], *curve["n"][::-1]], "y": [*high, *low[::-1]], "fill": "toself"}
            figure.add_scatter(
                **band, fillcolor=colour, opacity=0.12, line_width=0, hoverinfo="skip", showlegend=False
            )
        line = {"color": colour, "width": 2.5 if rule in EMPHASIS else 1.2, "dash": _DASHES.get(rule, "solid")}
        figure.add_scatter(x=curve["n"], y=curve[rule], name=NAMES[rule], mode="lines", line=line)
    return figure


_DASHES = {"longest": "dot", "shortest": "dash", "logprob": "dashdot", "oracle": "longdash"}


def reliability_chart(bins: Sequence[Mapping[str, Any]], of: str) -> go.Figure:
    """What was stated against what came true, a dot per bin whose area is its number of items."""
    figure = _figure(f"Reliability: probability that {of}", "stated, mean of the bin", "true, share of the bin")
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": QUIET, "dash": "dot"}, hoverinfo="skip")
    largest = max(b["n"] for b in bins)
    figure.add_scatter(
        x=[b["stated"] for b in bins],
        y=[b["observed"] for b in bins],
        mode="markers+lines",
        marker={
            "size": [8 + 22 * (b["n"] / largest) ** 0.5 for b in bins],
            "color": EMPHASIS["critic"],
            "opacity": 0.7,
        },
        line={"color": EMPHASIS["critic"], "width": 1},
        text=[f"{b['n']:,} items" for b in bins],
    )
    figure.update_layout(showlegend=False)
    figure.update_xaxes(range=[-0.03, 1.03])
    figure.update_yaxes(range=[-0.03, 1.03])
    return figure


def length_chart(bins: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Mean score and share of right traces from the shortest tenth of the traces to the longest."""
    figure = _figure("Score against length", "characters, middle of a tenth of the traces", "trace score, mean")
    middle = [(b["low"] + b["high"]) / 2 for b in bins]
    figure.add_scatter(x=middle, y=[b["score"] for b in bins], name="trace score", line_color=EMPHASIS["critic"])
    right = {"x": middle, "y": [b["right"] for b in bins], "name": "right, share", "yaxis": "y2"}
    figure.add_scatter(**right, line={"color": QUIET, "dash": "dot"})
    figure.update_layout(yaxis2={"overlaying": "y", "side": "right", "range": [0, 1], "showgrid": False})
    return figure


def _figure(title: str, x: str, y: str) -> go.Figure:
    return go.Figure(
        layout={
            "template": "plotly_white",
            "title": {"text": title, "font": {"size": 15}},
            "xaxis": {"title": x},
            "yaxis": {"title": y},
            "height": 420,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": "system-ui, sans-serif", "color": "#1c1b19"},
        }
    )


def _chart(figure: go.Figure) -> str:
    options = {"displayModeBar": False, "responsive": True}
    html: str = figure.to_html(full_html=False, include_plotlyjs=False, config=options)
    return html


def _table(lines: Sequence[Sequence[str]]) -> str:
    """Texts as table cells, the first line as the head."""
    out = []
    for index, line in enumerate(lines):
        tag = "td" if index else "th"
        out.append(f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in line)}</tr>\n")
    return f'<div class="wide"><table>{"".join(out)}</table></div>'


def _skipped(skipped: Sequence[Mapping[str, Any]]) -> str:
    if not skipped:
        return ""
    columns = [key for key in ("file", "line", "reason") if key in skipped[0]]
    lines = [columns, *([str(bad[key]) for key in columns] for bad in skipped[:SHOWN_SKIPPED])]
    more = len(skipped) - SHOWN_SKIPPED
    rest = f"<p>and {more:,} more; all are in the JSON report.</p>" if more > 0 else ""
    return f"<h2>Skipped lines</h2>{_table(lines)}{rest}"
