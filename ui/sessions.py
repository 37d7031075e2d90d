"""Sessions on the Solve tab that are there already: opened, recorded or gone back to; the choice among solutions."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import gradio as gr

from irl_core.session.record import Session
from irl_core.text.traces import Problem

from . import permalinks
from .page_files import save_session
from .reading_column import Updates
from .render import status
from .render.drawing import Selection, draw_session
from .solve_layout import QUIET, SolveLayout, worked_on
from .validation import lines, read_index, read_session


class SessionViewer:
    """Shows a visitor's session on the tab."""

    def __init__(self, tab: SolveLayout, *, can_solve: bool) -> None:
        self.tab, self._can_solve = tab, can_solve
        self._gallery: dict[str, Session] = {}

    def connect(self, examples: Sequence[dict[str, str]], gallery: Mapping[str, Session]) -> None:
        """Let the page's parts call the methods below.

        `gallery` holds recorded runs by question: an example that has one shows it before any model is loaded.
        """
        tab, self._gallery = self.tab, permalinks.by_name(examples, gallery)
        opened = [*tab.filled, *tab.drawing, *tab.way_back]
        left = [tab.session, tab.earlier]
        tab.back.click(self.go_back, [tab.earlier, tab.session], opened, **QUIET)
        for listing in (tab.ranking, tab.votes):
            listing.select(self.choose, [tab.session, tab.selection], tab.choice, **QUIET)
        tab.open.upload(
            self.open_file,
            [tab.open, *left],
            [*tab.sampling, *opened],
            show_progress="hidden",
            api_visibility="private",
        )
        tab.problem.change(
            self.forget_answer, [*tab.form, tab.posed], [tab.answer, tab.posed], trigger_mode="always_last", **QUIET
        )
        for chip, example in zip(tab.chips, examples, strict=True):
            chip.click(partial(self.take_example, example), left, opened, **QUIET)

    def land(self, question: object, request: gr.Request) -> Updates:
        """What a visitor finds: one of the recorded runs, another with each visit, marked as recorded.

        `?ex=NAME` asks for one of them by name. Otherwise nothing is written over a problem that is there already, and
        `?blank` asks for an empty page.
        """
        asked = permalinks.name_asked(request.query_params)
        if asked is not None:
            return self._show_recorded(asked) if asked in self._gallery else {self.tab.status: permalinks.UNKNOWN}
        if question or not self._gallery or "blank" in request.query_params:
            return {self.tab.status: gr.skip()}
        return self._show_recorded(random.choice(list(self._gallery)))

    def choose(self, session: Session | None, selection: Selection, event: gr.EventData) -> Updates:
        """A row or an order was clicked. What arrives is whatever a browser sent: checked, else ignored."""
        if session is None:
            return {self.tab.selection: gr.skip()}
        data = event._data if isinstance(event._data, dict) else {}
        trace = read_index(data.get("trace"), len(session.traces))
        order = data.get("order")
        chosen = Selection(
            selection.trace if trace is None else trace, order if order in ("critic", "sampled") else selection.order
        )
        return self.tab.show_choice(draw_session(session, chosen, rewritable=self._can_solve))

    def open_file(self, data: bytes | None, left: Session | None = None, earlier: tuple[Session, ...] = ()) -> Updates:
        """Show a session that somebody saved; what they worked on in the one they `left` is kept."""
        session = read_session(data)
        return {
            **self.tab.fill_settings(session.settings),
            **self._show(session, status.render_opened(session), worked_on(*earlier, left)),
        }

    def take_example(
        self, example: Mapping[str, str], left: Session | None = None, earlier: tuple[Session, ...] = ()
    ) -> Updates:
        """Fill in the form with an example, and show its recorded run where there is one."""
        if example["id"] in self._gallery:
            return self._show_recorded(example["id"], worked_on(*earlier, left))
        return self.tab.fill_form(Problem(question=example["question"], answer=example["answer"]))

    def go_back(self, earlier: tuple[Session, ...], left: Session | None = None) -> Updates:
        """Show the session that was rewritten or left last; the one that is left for it is the last to come back."""
        *before, session = earlier
        return self._show(session, status.render_returned(session), (*worked_on(left), *before))

    def show_changed(self, session: Session, selection: Selection, line: str) -> Updates:
        """The session that is on show, after something in it was changed or judged."""
        drawing = draw_session(session, selection, status=line, rewritable=self._can_solve)
        return self.tab.show(drawing, file=save_session(session, Path(self.tab.save.GRADIO_CACHE)))

    def forget_answer(self, question: object, answer: object, posed: Problem | None) -> Updates:
        """Another problem is written over the one that the known answer belongs to; an answer typed since stays."""
        if posed is None or lines(question) == lines(posed.question):
            return {self.tab.answer: gr.skip()}
        return {self.tab.answer: "" if answer == (posed.answer or "") else gr.skip(), self.tab.posed: None}

    def _show_recorded(self, name: str, earlier: Sequence[Session] = ()) -> Updates:
        recorded = self._gallery[name]
        line = permalinks.with_link(status.render_recorded(recorded), name)
        return self._show(recorded.model_copy(deep=True), line, earlier)

    def _show(self, session: Session, line: str, earlier: Sequence[Session] = ()) -> Updates:
        drawing = draw_session(session, status=line, rewritable=self._can_solve)
        return {
            **self.tab.fill_form(session.problem),
            **self.tab.show(drawing, file=save_session(session, Path(self.tab.save.GRADIO_CACHE))),
            **self.tab.show_way_back(earlier),
        }
