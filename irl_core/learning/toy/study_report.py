"""The study's runs as a report: all figures as JSON, and the same as Markdown and as a page with Plotly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from irl_core.diagnosis.best_of_n import pass_at_k
from irl_core.learning.toy.figures import SeedFigure, over_seeds
from irl_core.learning.toy.study_methods import ABOUT, BASE, COMPARED, METHODS, RECOMMENDED, SFT

_COLUMNS = {
    "pass1": "pass@1",
    "pass8": "pass@8",
    "greedy": "greedy",
    "gain": "pass@1 − SFT",
    "collapsed": "collapsed",
    "expert_loss": "nats of an expert's token",
    "correlation": "r with log π_E/π",
    "correlation_novice": "r with log π_E/π_N",
    "localisation": "first wrong step",
    "right_over_style": "right over style",
    "auroc": "trace AUROC",
}
_COLOURS = ("#1f6f8b", "#b5542c", "#6a7f2a", "#7a4f9a", "#b38600", "#3a3a3a", "#c0446f", "#2a8f6a", "#7d7d7d")
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
"""

_INTRODUCTION = """
Made by `python -m train.study --config train/configs/study-nano.yaml`: chains of three operations on the last digit,
in which expert and novice are processes with known token probabilities, and a Llama of about a million parameters.

{seeds} seeds, each with its own {demonstrations} demonstrations and its own fine-tuned policy; {samples} samples of
each of {test_problems} held-out problems at temperature 1, and {greedy_problems} solved greedily. Means over seeds,
with 95 % intervals (Student's t). Collapsed: pass@1 fell below half of the fine-tuned policy's at some time.

r: Pearson's correlation of the critic's token rewards with the true log-ratio, to the policy as it is at the end and
to the novice. First wrong step: how often the step with the lowest reward is the first wrong one, in erroneous
solutions of the fine-tuned policy. Right over style: how often an expert's solution keeps more of its reward with
other connectives than with a wrong result. Trace AUROC: right solutions of that policy against wrong ones, by the sum
of rewards.
"""

Run = Mapping[str, Any]


def write_report(runs: Sequence[Run], settings: Mapping[str, Any], report: Path) -> dict[str, Any]:
    """Write `report` with the endings .json, .md and .html; returns pass@1 of each method for the last line.

    What lies beside it as .notes.md is the end of the Markdown file.
    """
    figures = report.with_suffix(".json")
    runs = [without_counts(run) for run in runs]
    summary = summarise(runs)
    report.parent.mkdir(parents=True, exist_ok=True)
    shown = {k: v for k, v in settings.items() if k not in ("out", "report", "config", "jobs")}
    figures.write_text(json.dumps({"settings": shown, "methods": summary, "runs": runs}, indent=1) + "\n")
    notes = report.with_suffix(".notes.md")
    written = notes.read_text(encoding="utf-8") if notes.exists() else ""
    report.with_suffix(".md").write_text(markdown(summary, shown, written), encoding="utf-8")
    report.with_suffix(".html").write_text(page(summary, shown), encoding="utf-8")
    return {name: figures["pass1"] for name, figures in summary.items()}


def summarise(runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """The figures of each method over its seeds; differences from SFT are of the same seed."""
    by_method: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run["seed"]):
        by_method.setdefault(run["method"], []).append(run)
    start = {run["seed"]: run["pass1"] for run in by_method[SFT]}
    figures_by_method = {}
    for name in (BASE, SFT, *(m.name for m in METHODS)):
        if name in by_method:
            figures_by_method[name] = _figures(by_method[name], start)
    return figures_by_method


def _figures(runs: Sequence[Run], start: Mapping[int, float]) -> dict[str, Any]:
    measured = ("pass1", "pass8", "greedy", "expert_loss")
    figures: dict[str, Any] = {key: over_seeds([run[key] for run in runs]) for key in measured if _all_have(runs, key)}
    figures["by_seed"] = {key: {run["seed"]: run[key] for run in runs if key in run} for key in ("pass1", "greedy")}
    if runs[0]["method"] != BASE:
        figures["gain"] = over_seeds([run["pass1"] - start[run["seed"]] for run in runs])
    if "curve" in runs[0]:
        figures["collapsed"] = sum(collapsed(run, start[run["seed"]]) for run in runs)
        figures["curve"] = [
            [points[0][0], over_seeds([p[1] for p in points])]
            for points in zip(*(r["curve"] for r in runs), strict=True)
        ]
    if "critic" in runs[0]:
        critics = [run["critic"] for run in runs]
        figures |= {key: over_seeds([c[key] for c in critics]) for key in critics[0] if _all_have(critics, key)}
    figures["cpu_seconds"] = round(fmean(run["cpu_seconds"] for run in runs), 1)
    return figures


def _all_have(runs: Sequence[Run], key: str) -> bool:
    """Whether a figure is known of all runs: older ones may lack a newer column, whose cell then stays empty."""
    return all(key in run for run in runs)


def without_counts(run: Run) -> dict[str, Any]:
    """A run for the report: pass rates for counts per problem, which stay in the run's own file."""
    kept = {key: value for key, value in run.items() if key not in ("solved", "settings")}
    return {**kept, "pass1": pass_rate(run, 1), "pass8": pass_rate(run, 8)}


def pass_rate(run: Run, k: int) -> float:
    """The unbiased pass@k of a run over its test problems."""
    return fmean(pass_at_k(run["samples"], c, k) for c in run["solved"])


def collapsed(run: Run, start: float) -> bool:
    """Whether pass@1 fell below half of what it was before, at the end or on the way."""
    lowest: float = min([run["pass1"], *(value for _, value in run["curve"])])
    return lowest < start / 2


def markdown(summary: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any], notes: str) -> str:
    """The table with what it means, and `notes`, written by hand, at the end."""
    lines = ["# The study in the exact world", ""]
    for paragraph in _introduction(settings):
        lines += [paragraph, ""]
    rows = list(table(summary))
    lines += ["| " + " | ".join(rows[0]) + " |", "|---" + "|---:" * (len(rows[0]) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows[1:]]
    lines += ["", *conclusions(summary), "", "## The methods", ""]
    for name, figures in summary.items():
        fewer = f" Seeds: {figures['pass1']['n']}." if figures["pass1"]["n"] < settings["seeds"] else ""
        lines.append(f"- `{name}`: {ABOUT[name]}{fewer}")
    return "\n".join(lines) + "\n" + (f"\n{notes}" if notes else "")


def table(summary: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """Rows of cells, the head first."""
    yield ["method", *_COLUMNS.values()]
    for name, figures in summary.items():
        yield [name, *(_cell(figures.get(key), figures["pass1"]["n"]) for key in _COLUMNS)]


def _cell(figure: SeedFigure | int | None, runs: int) -> str:
    if figure is None:
        return ""
    if isinstance(figure, int):
        return f"{figure} of {runs}"
    if figure["n"] == 1:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def conclusions(summary: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the intervals say, in words that follow from the figures."""
    lines = ["## What follows", ""]
    for key, name, other in COMPARED:
        if any(key not in summary.get(method, {}) for method in (name, other)):
            continue
        mine, theirs = summary[name][key], summary[other][key]
        apart = mine["low"] > theirs["high"] or theirs["low"] > mine["high"]
        ours, others = (summary[method]["by_seed"][key] for method in (name, other))
        by = over_seeds([ours[seed] - others[seed] for seed in ours.keys() & others.keys()])
        lines.append(
            f"- {_COLUMNS[key]}: `{name}` {mine['value']:.3f}, `{other}` {theirs['value']:.3f}; the intervals"
            f" {'do not overlap' if apart else 'overlap'}. Seed by seed {by['value']:+.3f}"
            f" [{by['low']:+.3f}, {by['high']:+.3f}]."
        )
    if RECOMMENDED in summary:
        best = summary[RECOMMENDED]
        lines.append(f"- `{RECOMMENDED}` is what we recommend; {best['collapsed']} of {best['pass1']['n']} collapsed.")
    return lines


def page(summary: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]) -> str:
    """The report as HTML. Tables need nothing; for the figures Plotly is fetched, at the version that drew them."""
    head, *rows = table(summary)
    cells = ["".join(f"<th>{escape(c)}</th>" for c in head)]
    cells += ["".join(f"<td>{escape(c)}</td>" for c in row) for row in rows]
    body = [f"<p>{escape(line)}</p>" for line in _introduction(settings)]
    body.append("<table>" + "".join(f"<tr>{c}</tr>\n" for c in cells) + "</table>")
    for i, figure in enumerate((curves(summary), pass_figure(summary), critics(summary))):
        body.append(figure.to_html(full_html=False, include_plotlyjs=False if i else "cdn", default_height=420))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>The study in the exact world</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>The study in the exact world</h1>\n{''.join(body)}</body></html>\n"
    )


def curves(summary: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """pass@1 on held-out problems over steps, the mean of the seeds and its interval."""
    figure = _figure("Learning curves", "step", "pass@1")
    for i, (name, figures) in enumerate((n, f) for n, f in summary.items() if "curve" in f):
        steps = [0, *(step for step, _ in figures["curve"])]
        points = [summary[SFT]["pass1"], *(point for _, point in figures["curve"])]
        colour = _COLOURS[i % len(_COLOURS)]
        band = [p["high"] for p in points] + [p["low"] for p in reversed(points)]
        figure.add_scatter(
            x=steps + steps[::-1], y=band, fill="toself", fillcolor=colour, opacity=0.12, line={"width": 0},
            hoverinfo="skip", showlegend=False, legendgroup=name,
        )  # fmt: skip
        figure.add_scatter(
            x=steps, y=[p["value"] for p in points], name=name, line={"color": colour}, legendgroup=name
        )
    return figure


def pass_figure(summary: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """pass@1 and pass@8 of every method with intervals."""
    figure = _figure("After training", "", "share of problems solved")
    for key in ("pass1", "pass8"):
        figure.add_bar(**_bars(summary, key), name=_COLUMNS[key])
    return figure


def critics(summary: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """What each critic knows at the end."""
    figure = _figure("Critics after training", "", "")
    with_critic = {name: figures for name, figures in summary.items() if "correlation" in figures}
    for key in ("correlation", "localisation", "auroc"):
        figure.add_bar(**_bars(with_critic, key), name=_COLUMNS[key])
    return figure


def _bars(summary: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, Any]:
    values = [figures[key] for figures in summary.values()]
    return {
        "x": list(summary),
        "y": [f["value"] for f in values],
        "error_y": {"type": "data", "array": [f["high"] - f["value"] for f in values]},
    }


def _figure(title: str, x: str, y: str) -> go.Figure:
    return go.Figure(layout={"title": title, "xaxis_title": x, "yaxis_title": y, "template": "plotly_white"})


def _introduction(settings: Mapping[str, Any]) -> list[str]:
    """Paragraphs."""
    return [" ".join(part.split()) for part in _INTRODUCTION.format(**settings).split("\n\n")]
