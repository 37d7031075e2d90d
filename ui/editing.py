"""A solution is changed in place, on either tab: what arrives from the browser is checked, read anew and shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
from gradio.blocks import Block

from irl_core.session.edits import EditError, change_step, merge_steps, redo, split_step, undo
from irl_core.session.record import MAX_SESSION_BYTES, Session
from irl_core.text.traces import Trace

from .reading_column import Updates
from .render.drawing import Selection
from .render.edits import change_in_words
from .render.status import render_changed, running
from .session_limits import MAX_SOLUTION
from .solve_layout import QUIET
from .validation import read_changed, read_index, read_step, refusal
from .waiting import faults_in_words, require, wait_until_ready

if TYPE_CHECKING:
    from irl_core.session.workbench import Workbench


class Shown(NamedTuple):
    """Where a session is shown and kept: one tab's parts.

    `show(session, selection, status)` gives new values to `outputs`, among which are `session` and `status`.
    """

    reading: gr.HTML
    session: gr.State
    selection: gr.State
    status: gr.HTML
    outputs: list[Block]
    show: Callable[[Session, Selection, str], Updates]


class Editor:
    """Changes of the solution that is on show in one tab. One object per tab, for all visitors."""

    def __init__(self, shown: Shown, workbench: Workbench | None) -> None:
        self.shown, self.workbench = shown, workbench

    def connect(self) -> None:
        """Let the browser's part (`assets/editing.js`) call the methods below."""
        reading, state = self.shown.reading, [self.shown.session, self.shown.selection]
        reading.edit(
            self.change, state, self.shown.outputs, concurrency_id="model", concurrency_limit=1, trigger_mode="once",
            show_progress="hidden", api_visibility="private",
        )  # fmt: skip
        reading.undo(self.step_through, state, self.shown.outputs, **QUIET)
        reading.focus(
            self.read_ahead, state, None, concurrency_limit=2, show_progress="hidden", api_visibility="private"
        )

    def change(self, session: Session | None, selection: Selection, event: gr.EventData) -> Iterator[Updates]:
        """Word a step anew, divide it or join it with the next; then read what follows, and rank anew."""
        workbench, data = require(self.workbench), _data(event)
        session, index = _on_show(session, selection)
        with _edits_in_words():
            made = read_changed(_changed(session.traces[index], data))
        for line in wait_until_ready(workbench):
            yield {self.shown.status: line}
        yield {self.shown.status: running("reading what follows the change")}
        began = time.monotonic()
        try:
            with faults_in_words("reading the change"), _edits_in_words():
                changed = workbench.change(session, index, made)
        except gr.Error:
            yield {self.shown.status: ""}
            raise
        if len(changed.to_json()) > MAX_SESSION_BYTES:
            raise refusal(
                "With this change the session would be larger than a file of it may be. Save it, then go on with the "
                "solution alone, on the Diagnose tab. Nothing was changed."
            )
        yield self._show(changed, selection, f"read anew in {time.monotonic() - began:.1f} s")

    def step_through(self, session: Session | None, selection: Selection, event: gr.EventData) -> Updates:
        """Undo the last change of the solution on show, or do again what was undone."""
        session, index = _on_show(session, selection)
        with _edits_in_words():
            forth = _data(event).get("action") == "redo"
            session = redo(session, index) if forth else undo(session, index)
        return self._show(session, selection, "done again" if forth else "undone")

    def read_ahead(self, session: Session | None, selection: Selection) -> None:
        """Somebody begins to type: read what stands there, so that then only the change is new."""
        if self.workbench is not None and session is not None and _is_read(session, selection.trace):
            self.workbench.read_ahead(session, selection.trace or 0)

    def _show(self, session: Session, selection: Selection, done: str) -> Updates:
        index = selection.trace or 0
        first = all(history.at == 0 for history in session.histories if history.trace == index)
        words = "" if first else change_in_words(session, index)
        number = f"solution {index + 1}" if len(session.traces) > 1 else "the solution"
        return self.shown.show(session, selection, render_changed(f"{number}: {done}", words))


def _data(event: gr.EventData) -> Mapping[str, Any]:
    return event._data if isinstance(event._data, dict) else {}


def _is_read(session: Session, trace: int | None) -> bool:
    return trace is not None and 0 <= trace < len(session.scores)


def _on_show(session: Session | None, selection: Selection) -> tuple[Session, int]:
    """The session and the number of its solution that can be changed; raises gr.Error where there is none."""
    if session is None or selection.trace is None or not _is_read(session, selection.trace):
        raise refusal("There is no solution to change here. Choose one that the critic has read.")
    return session, selection.trace


def _changed(trace: Trace, data: Mapping[str, Any]) -> Trace:
    """The trace as somebody wants it; `data` is whatever a browser sent."""
    step = read_index(data.get("step"), len(trace.steps))
    if step is None:
        raise refusal("There is no such step to change.")
    action = data.get("action")
    if action == "split":
        at = read_index(data.get("at"), MAX_SOLUTION)
        return split_step(trace, step, 0 if at is None else at)
    if action == "merge":
        return merge_steps(trace, step)
    return change_step(trace, step, read_step(data.get("text")))


@contextmanager
def _edits_in_words() -> Iterator[None]:
    """An edit that cannot be made is told to the visitor as it is written."""
    try:
        yield
    except EditError as fault:
        raise refusal(str(fault)) from fault
