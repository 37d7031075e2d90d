"""All that the Solve tab shows below its form, as one record: of a session, or of a run while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from irl_core.session.record import Session

from .colours import Scale, evidence_of, render_legend
from .curve import render_curve
from .headline import chosen_vote
from .ranking import Order, display_order, render_ranking, render_votes
from .solution import Reading, draw_solution
from .status import render_status
from .trace import render_growing, render_steps

if TYPE_CHECKING:
    from irl_core.session.run import Snapshot


@dataclass(frozen=True)
class Selection:
    """Which solution is being read, and how the list is sorted."""

    trace: int | None = None
    order: Order = "critic"


@dataclass(frozen=True)
class Drawing:
    """What is shown. Everything but the session and the selection is HTML, or part of `reading`.

    Attributes:
        session: whose solutions can be chosen; None before the run is over.
        selection: the solution that `reading` shows, and the order of `ranking`.
        status: the line under the problem; None leaves the one that is there.
        ranking: the list of solutions.
        votes: groups of equal answers, and what each rule would pick.
        reading: the chosen solution, or the drafts of all while they are written.
    """

    session: Session | None = None
    selection: Selection = Selection()
    status: str | None = None
    ranking: str = ""
    votes: str = ""
    reading: Reading = field(default_factory=Reading)


def first_selection(session: Session) -> Selection:
    """The solution to open with: the best of those whose answer the vote elects, else the first of the list."""
    order, elected = display_order(session, "critic"), chosen_vote(session)
    of_vote = [i for i in order if elected and elected.answer is not None and i in elected.members]
    return Selection(next(iter(of_vote or order), None))


def draw_session(
    session: Session, selection: Selection | None = None, *, status: str | None = None, rewritable: bool = False
) -> Drawing:
    """A session that is there, with the chosen solution (or the first of the vote) to be read."""
    selection = selection or first_selection(session)
    return Drawing(
        session=session,
        selection=selection,
        status=status,
        ranking=render_ranking(session, selection.trace, selection.order),
        votes=render_votes(session) + render_curve(session),
        reading=draw_solution(session, selection.trace, "solve", rewritable=rewritable),
    )


def draw_snapshot(snapshot: Snapshot) -> Drawing:
    """A run that goes on, or its session once it is over; that one can be rewritten."""
    session = snapshot.session
    status = render_status(
        session, tokens=snapshot.tokens, seconds=snapshot.seconds, done=snapshot.done, stopped=snapshot.stopped
    )
    if snapshot.done:
        return draw_session(session, status=status, rewritable=True)
    return Drawing(
        status=status,
        ranking=render_ranking(session, None, "sampled", waiting=len(snapshot.growing)),
        reading=Reading(render_drafts(snapshot)),
    )


def render_drafts(snapshot: Snapshot) -> str:
    """All solutions while they are written, coloured as far as the critic has read whole steps."""
    session = snapshot.session
    finished = [g.finished for g in snapshot.growing if g.finished]
    read = [*zip(session.scores, session.diagnoses, strict=True), *((f.score, f.diagnosis) for f in finished)]
    scale = Scale()
    drafts = []
    for index, trace in enumerate(session.traces):
        score, diagnosis = read[index] if index < len(session.scores) else (None, None)
        steps = render_steps(trace, score, diagnosis, scale)
        drafts.append(f'<article class="draft"><h4>Solution {index + 1}</h4>{steps}</article>')
    drafts += [
        f'<article class="draft"><h4>being written</h4>{render_growing(g, scale)}</article>' for g in snapshot.growing
    ]
    found = [evidence for one in read if (evidence := evidence_of(*one))]
    scaled = next((evidence for evidence in found if evidence.heat), found[0] if found else None)
    legend = render_legend(scale, scaled) if read else ""
    heading = f'<header class="bar"><h3>Solutions as they are written</h3>{legend}</header>'
    return f'{heading}<div class="drafts">{"".join(drafts)}</div>'
