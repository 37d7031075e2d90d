"""One solution of a session as the page shows it: the marked text, its chart, and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from irl_core.session.record import Session
from ui.render.chart import belief_figure
from ui.render.html import escape, plain, signed
from ui.render.ranking import Order, display_order
from ui.render.trace import View, render_growing, render_steps, render_trace
from ui.render.visible_tokens import shared_scale

if TYPE_CHECKING:
    from irl_core.session.run import Snapshot


@dataclass(frozen=True)
class Selection:
    """Which solution is being read, and how the list is sorted."""

    trace: int | None = None
    order: Order = "critic"


def first_selection(session: Session) -> Selection:
    """The solution to open with: the critic's first."""
    order = display_order(session, "critic")
    return Selection(order[0] if order else None)


def render_reading(session: Session, index: int | None, name: str, *, rewritable: bool = False) -> str:
    """The marked solution `index` of the session; where it is `rewritable` its steps offer it."""
    if index is None or not 0 <= index < len(session.traces):
        return ""
    scored = index < len(session.scores)
    trace = session.traces[index]
    score = session.scores[index] if scored else None
    diagnosis = session.diagnoses[index] if scored else None
    view = View(
        f"Solution {index + 1}" if len(session.traces) > 1 else "Solution",
        name,
        shared_scale(session.scores),
        given=len(session.settings.prefix) if session.settings else 0,
        rewritable=rewritable,
    )
    return render_trace(trace, score, diagnosis, view)


def reading_figure(session: Session, index: int | None) -> go.Figure | None:
    """The belief chart of solution `index`, or None where it was not scored."""
    if index is None or not 0 <= index < len(session.scores):
        return None
    return belief_figure(session.traces[index], session.scores[index], session.diagnoses[index])


def render_numbers(session: Session, index: int | None) -> str:
    """The chart's content as a table, for screen readers and for those who want the figures."""
    if index is None or not 0 <= index < len(session.diagnoses):
        return ""
    rows = "".join(
        f"<tr><th scope='row'>{i}</th><td>{signed(f.reward)}</td><td>{plain(f.surprise)}</td>"
        f"<td>{plain(f.error_probability)}</td><td>{escape(f.verdict)}</td></tr>"
        for i, f in enumerate(session.diagnoses[index].steps, 1)
    )
    heads = "".join(f"<th scope='col'>{h}</th>" for h in ("step", "reward", "surprise", "P(error)", "verdict"))
    return (
        "<details class='numbers'><summary>The same in numbers</summary>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def render_proofs(snapshot: Snapshot) -> str:
    """All solutions while they are written, coloured as far as the critic has read."""
    session = snapshot.session
    scale = shared_scale([*session.scores, *(g.score for g in snapshot.growing if g.score)])
    proofs = []
    for index, trace in enumerate(session.traces):
        scored = index < len(session.scores)
        steps = render_steps(
            trace,
            session.scores[index] if scored else None,
            session.diagnoses[index] if scored else None,
            scale,
        )
        proofs.append(f'<article class="proof"><h4>Solution {index + 1}</h4>{steps}</article>')
    proofs += [
        f'<article class="proof"><h4>being written</h4>{render_growing(g.text, g.score, scale)}</article>'
        for g in snapshot.growing
    ]
    heading = '<header class="bar"><h3>Solutions as they are written</h3></header>'
    return f'{heading}<div class="proofs">{"".join(proofs)}</div>'
