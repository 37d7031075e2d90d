"""The report as one HTML page that needs nothing beside it: no scripts, no other files, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from irl_core.evaluation.markdown import HEAD, PARTS, Row, curve_table, rows, summary

SHOWN_SKIPPED = 100

_CSS = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
td + td, th + th { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 8rem; height: 1rem; vertical-align: middle; }
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
        figures = list(rows(part))
        body.append(_table([HEAD, *(row.cells() for row in figures)], ["", *map(_bar, figures)]))
        if "curve" in part:
            body.append(_table(curve_table(part["curve"])))
    body.append(_skipped(report["skipped"]))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_CSS}</style></head>\n<body>{''.join(body)}</body></html>\n"
    )


def _table(lines: Sequence[Sequence[str]], last_cells: Sequence[str] | None = None) -> str:
    """Texts as table cells, the first line as the head; `last_cells` is markup of our own for one more column."""
    out = []
    for index, line in enumerate(lines):
        tag = "td" if index else "th"
        cells = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in line)
        extra = "" if last_cells is None else f"<{tag}>{last_cells[index]}</{tag}>"
        out.append(f"<tr>{cells}{extra}</tr>\n")
    return f"<table>{''.join(out)}</table>"


def _bar(row: Row) -> str:
    """Value and interval of a rate on a line from 0 to 1; nothing for figures that are no rates."""
    if row.low is None or row.high is None or not 0 <= row.low <= row.high <= 1:
        return ""
    return (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect y="4.5" width="100" height="1" fill="currentColor" opacity=".3"/>'
        f'<rect x="{100 * row.low:.1f}" y="3" width="{100 * (row.high - row.low):.1f}" height="4" fill="#888"/>'
        f'<rect x="{100 * row.value - 0.5:.1f}" y="1" width="1" height="8" fill="currentColor"/></svg>'
    )


def _skipped(skipped: Sequence[Mapping[str, Any]]) -> str:
    if not skipped:
        return ""
    lines = [["line", "reason"], *([str(bad["line"]), bad["reason"]] for bad in skipped[:SHOWN_SKIPPED])]
    more = len(skipped) - SHOWN_SKIPPED
    rest = f"<p>and {more:,} more; all are in the JSON report.</p>" if more > 0 else ""
    return f"<h2>Skipped lines</h2>{_table(lines)}{rest}"
