"""What lies on the desk for a session: status line, ranking, the marked solution, and the numbers behind the chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from irl_core.session import Session
from ui.cells import shared_scale
from ui.heatmap import View, render_growing, render_steps, render_trace
from ui.markup import count, escape, plain, signed
from ui.plots import belief_figure
from ui.ranking import Order, display_order, verdict_line

if TYPE_CHECKING:
    from irl_core.workbench import Snapshot


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


def render_status(session: Session, *, tokens: int, seconds: float, done: bool, stopped: bool) -> str:
    """The line under the problem: how far the run is, what it cost, and what the critic changed."""
    drawn, asked = len(session.traces), session.settings.n if session.settings else len(session.traces)
    speed = f"{tokens / seconds:,.0f} tokens/s" if seconds > 0 else ""
    if not done:
        return _line(
            "running",
            f"{drawn} of {count(asked, 'solution')} written",
            _rewritten(session),
            f"{tokens:,} tokens" if tokens else "",
            speed if tokens else "",
            f"{seconds:.1f} s",
        )
    if not drawn:
        return _line(
            "", "stopped before a solution was begun" if stopped else "the model wrote nothing; try another seed"
        )
    parts = [f"stopped: {drawn} of {count(asked, 'trace')}" if stopped else count(drawn, "solution")]
    parts += [_rewritten(session)]
    parts += [f"done in {seconds:.1f} s", f"{tokens:,} tokens"] if seconds > 0 else []
    return _line("", *parts, verdict=verdict_line(session))


def _rewritten(session: Session) -> str:
    given = len(session.settings.prefix) if session.settings else 0
    kept = sum(start < given for start, _ in session.traces[0].steps) if session.traces else 0
    return f"rewritten from step {kept + 1} on" if kept else ""


def render_opened(session: Session) -> str:
    """The line under the problem for a session that was opened from a file."""
    cards = [escape(card.name) for card in (session.policy, session.critic) if card is not None]
    opened = f"opened: {count(len(session.traces), 'solution')}"
    return _line("", opened, _rewritten(session), *cards, verdict=verdict_line(session))


def render_returned(session: Session) -> str:
    """The line under the problem for a session that one came back to."""
    back = f"back at {count(len(session.traces), 'solution')}"
    return _line("", back, _rewritten(session), verdict=verdict_line(session))


def render_recorded(session: Session) -> str:
    """The line under the problem for a run that was recorded beforehand."""
    of = f" of {escape(session.policy.name)}" if session.policy else ""
    return _line("", f"a recorded run{of}; Solve draws fresh solutions", verdict=verdict_line(session))


def _line(kind: str, *parts: str, verdict: str = "") -> str:
    told = f'<span class="told"> · {verdict}</span>' if verdict else ""
    return f'<p class="status {kind}" role="status">{" · ".join(p for p in parts if p)}{told}</p>'
