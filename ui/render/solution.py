"""One solution of a session as the page shows it: the marked text, its chart, and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from irl_core.diagnosis.suspect_step import StepFinding
from irl_core.session.record import Session

from .chart import belief_figure
from .html import escape, plain, signed
from .trace import View, render_trace
from .visible_tokens import is_uncalibrated, shared_scale


@dataclass(frozen=True)
class Reading:
    """One solution as it is read: the marked text and, where it was scored, the belief chart and its numbers.

    `text` and `numbers` are HTML; `chart` is None where there is nothing to draw.
    """

    text: str = ""
    chart: go.Figure | None = None
    numbers: str = ""


def draw_solution(session: Session, index: int | None, name: str, *, rewritable: bool = False) -> Reading:
    """Solution `index` of a session; an empty reading where there is none of that number.

    `name` is unique on the page. Where the solution is `rewritable` its steps offer to be written anew.
    """
    if index is None or not 0 <= index < len(session.traces):
        return Reading()
    trace = session.traces[index]
    view = View(
        f"Solution {index + 1}" if len(session.traces) > 1 else "Solution",
        name,
        shared_scale(session.scores),
        given=len(session.settings.prefix) if session.settings else 0,
        rewritable=rewritable,
    )
    if index >= len(session.scores):
        return Reading(render_trace(trace, view=view))
    score, diagnosis = session.scores[index], session.diagnoses[index]
    return Reading(
        text=render_trace(trace, score, diagnosis, view),
        chart=belief_figure(trace, score, diagnosis),
        numbers=render_numbers(session, index),
    )


def render_numbers(session: Session, index: int) -> str:
    """The chart's content as a table, for screen readers and for those who want the figures.

    Without a calibration there is no column of probabilities.
    """
    diagnosis = session.diagnoses[index]
    calibrated = not is_uncalibrated(diagnosis)
    names = ("step", "reward", "surprise", *(["P(error)"] if calibrated else []), "verdict")
    heads = "".join(f"<th scope='col'>{name}</th>" for name in names)
    rows = "".join(_numbers_row(i, finding, calibrated) for i, finding in enumerate(diagnosis.steps, 1))
    return (
        "<details class='numbers'><summary>The same in numbers</summary>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _numbers_row(number: int, finding: StepFinding, calibrated: bool) -> str:
    probability = "" if finding.error_probability is None else plain(finding.error_probability)
    verdict = escape(finding.verdict) if calibrated else "not calibrated"
    return (
        f"<tr><th scope='row'>{number}</th><td>{signed(finding.reward)}</td><td>{plain(finding.surprise)}</td>"
        f"{f'<td>{probability}</td>' if calibrated else ''}<td>{verdict}</td></tr>"
    )
