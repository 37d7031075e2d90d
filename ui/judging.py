"""A visitor's own verdicts on the solution that is on show, on either tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from irl_core.session.record import Session
from irl_core.session.verdicts import NOTHING, Judged, collected, found_by_critic, said_by_reader, with_verdict

from .editing import Shown
from .labels import LabelsCorner
from .reading_column import Updates
from .render.drawing import Selection
from .solve_layout import QUIET
from .validation import read_index, refusal


class Judge:
    """Keeps verdicts in the session of one tab, and with those of the whole visit. One object per tab."""

    def __init__(self, shown: Shown, corners: Sequence[LabelsCorner], judged: gr.State) -> None:
        """`judged` holds what was judged in this visit, `corners` show it on every tab."""
        self.shown, self.corners, self.judged = shown, corners, judged

    def connect(self) -> None:
        """Let the browser's part (`assets/judging.js`) call the method below."""
        parts = [part for corner in self.corners for part in corner.parts]
        outputs = list(dict.fromkeys([*self.shown.outputs, self.judged, *parts]))
        state = [self.shown.session, self.shown.selection, self.judged]
        self.shown.reading.like(self.judge, state, outputs, **QUIET)

    def judge(
        self, session: Session | None, selection: Selection, judged: tuple[Judged, ...], event: gr.EventData
    ) -> Updates:
        """Keep a verdict; the one that is there already, said once more, is taken back."""
        index = selection.trace
        if session is None or index is None or not 0 <= index < len(session.diagnoses):
            raise refusal("There is no solution to judge here. Choose one that the critic has read.")
        data = event._data if isinstance(event._data, dict) else {}
        said = _label(session, index, data.get("verdict"))
        session = with_verdict(session, index, None if said == said_by_reader(session, index) else said)
        judged = collected(judged, session)
        updates = {**self.shown.show(session, selection, ""), self.judged: judged}
        updates[self.shown.status] = gr.skip()
        for corner in self.corners:
            updates |= corner.show(judged)
        return updates


def _label(session: Session, index: int, verdict: Any) -> int:
    """The first wrong step that somebody names, -1 for none; `verdict` is whatever a browser sent."""
    if verdict == "none":
        return NOTHING
    if verdict == "agree":
        found = found_by_critic(session.diagnoses[index])
        if found is None:
            raise refusal(
                "The critic leaves it open: there is nothing to agree with. Say which step, or that none is."
            )
        return found
    step = read_index(verdict, len(session.traces[index].steps))
    if step is None:
        raise refusal("There is no such step in this solution.")
    return step
