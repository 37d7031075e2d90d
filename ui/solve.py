"""Runs on the Solve tab: a problem is asked or a step rewritten, solutions are written, scored and ranked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session
from irl_core.text.traces import Problem

from .page_files import save_session
from .reading_column import Updates
from .render.drawing import Drawing, Selection, draw_snapshot
from .render.status import NOT_BEGUN, running
from .solve_layout import MOST_EARLIER, QUIET, SolveLayout, worked_on
from .stop_signals import StopSignals
from .validation import read_index, read_problem, read_sampling, refusal
from .waiting import faults_in_words, require, wait_until_ready

if TYPE_CHECKING:
    from irl_core.session.run import Snapshot
    from irl_core.session.workbench import Workbench

_SECONDS_BETWEEN_DRAWINGS = 0.25


class Solver:
    """Asks the workbench for visitors' runs and shows them. One object per page, for all visitors."""

    def __init__(self, tab: SolveLayout, rooms: gr.Tabs, workbench: Workbench | None) -> None:
        """`rooms` are the page's tabs, of which `tab` is one."""
        self.tab, self.rooms, self.workbench, self.stops = tab, rooms, workbench, StopSignals()

    def connect(self) -> None:
        """Let the form and the buttons call the methods below."""
        tab = self.tab
        asked = gr.on(
            [tab.solve.click, tab.problem.submit, tab.answer.submit],
            self.ask, [*tab.form, *tab.sampling, tab.session, tab.earlier],
            [tab.posed, tab.prefix, *tab.way_back, *tab.run_controls],
            concurrency_limit=None, show_progress="hidden", api_visibility="private",
        )  # fmt: skip
        self._run_after(asked)
        tab.stop.click(self.request_stop, None, tab.stop, **QUIET)

    def accept_rewrites(self, reading: gr.HTML, session: gr.State, selection: gr.State) -> None:
        """Let the steps shown in `reading`, of a solution of `session`, be rewritten; the page turns to this tab."""
        tab = self.tab
        asked = reading.select(
            self.ask_to_rewrite,
            [session, selection, tab.earlier, *tab.sampling],
            [*tab.filled, tab.prefix, *tab.way_back, *tab.run_controls, self.rooms],
            concurrency_limit=None,
            show_progress="hidden",
            api_visibility="private",
        )
        self._run_after(asked)

    def _run_after(self, asked: gr.events.Dependency) -> None:
        ran = asked.success(
            self.run,
            [*self.tab.form, *self.tab.sampling, self.tab.prefix],
            self.tab.drawing,
            concurrency_id="model",
            concurrency_limit=1,
            show_progress="hidden",
            api_visibility="private",
        )
        ran.then(self.tab.show_run_over, None, [self.tab.solve, self.tab.stop], **QUIET)

    def ask(
        self,
        question: object,
        answer: object,
        n: object,
        temperature: object,
        seed: object,
        calculator: object,
        session: Session | None,
        earlier: tuple[Session, ...],
        request: gr.Request,
    ) -> Updates:
        """Check the form at once, before the run waits in line for the model; what a person worked on is kept."""
        require(self.workbench)
        posed = read_problem(question, answer)
        read_sampling(n, temperature, seed, calculator)
        return {
            self.tab.posed: posed,
            self.tab.prefix: "",
            **self.tab.show_way_back(worked_on(*earlier, session)),
            **self._begin(request),
        }

    def ask_to_rewrite(
        self,
        session: Session | None,
        selection: Selection,
        earlier: tuple[Session, ...],
        n: object,
        temperature: object,
        seed: object,
        calculator: object,
        event: gr.EventData,
        request: gr.Request,
    ) -> Updates:
        """A step is to be written anew: what stands before it is what the next run goes on with."""
        require(self.workbench)
        read_sampling(n, temperature, seed, calculator)
        data = event._data if isinstance(event._data, dict) else {}
        trace = None if session is None or selection.trace is None else session.traces[selection.trace]
        step = read_index(data.get("step"), len(trace.steps) if trace else 0)
        if session is None or trace is None or step is None:
            raise refusal("There is no such step to rewrite. Choose a solution first.")
        # Anybody may have sent the session: its problem is checked as one that was typed.
        problem = read_problem(session.problem.question, session.problem.answer)
        if session.ranking is not None:  # a pasted solution stays on the tab where it was pasted
            earlier = (*earlier, session)[-MOST_EARLIER:]
        return {
            **self.tab.fill_form(problem),
            # A model writes the space with the word after it.
            self.tab.prefix: trace.text[: trace.steps[step][0]].rstrip(" "),
            **self.tab.show_way_back(earlier),
            **self._begin(request),
            self.rooms: gr.update(selected="solve"),
        }

    def _begin(self, request: gr.Request) -> Updates:
        self.stops.prepare(request.session_hash)
        return self.tab.show_run_asked(running("waiting for the model"))

    def run(
        self,
        question: object,
        answer: object,
        n: object,
        temperature: object,
        seed: object,
        calculator: object,
        prefix: str,
        request: gr.Request,
    ) -> Iterator[Updates]:
        """Sample, score and rank, drawing the page while it happens; every solution goes on with `prefix`."""
        problem, sampling = read_problem(question, answer), read_sampling(n, temperature, seed, calculator, prefix)
        workbench, stop = require(self.workbench), self.stops.begin(request.session_hash)
        try:
            for drawing in self._drawings(workbench, problem, sampling, stop):
                yield self.tab.show(drawing, file=self._saved(drawing.session))
        except gr.Error:
            yield {self.tab.status: ""}
            raise

    def _drawings(
        self, workbench: Workbench, problem: Problem, sampling: Sampling, stop: threading.Event
    ) -> Iterator[Drawing]:
        for line in wait_until_ready(workbench, stop):
            yield Drawing(status=line)
        if stop.is_set():
            yield Drawing(status=NOT_BEGUN)
            return
        if sampling.calculator:
            yield Drawing(status=running("loading the model that can calculate"))
        with faults_in_words("solving"), closing(workbench.solve(problem, sampling, stop)) as snapshots:
            yield from map(draw_snapshot, _thinned(snapshots))

    def _saved(self, session: Session | None) -> Path | None:
        return None if session is None else save_session(session, Path(self.tab.save.GRADIO_CACHE))

    def request_stop(self, request: gr.Request) -> Updates:
        """Ask the visitor's own run to end with what it has."""
        self.stops.request(request.session_hash)
        return {self.tab.stop: gr.update(interactive=False)}

    def forget(self, request: gr.Request) -> None:
        """The visitor's page was closed: nobody is waiting for the run any more."""
        self.stops.forget(request.session_hash)


def _thinned(snapshots: Iterator[Snapshot]) -> Iterator[Snapshot]:
    """The engine's snapshots, as many as a browser can draw; every finished trace is shown at once."""
    drawn_at, finished = 0.0, -1
    for snapshot in snapshots:
        now = time.monotonic()
        if snapshot.done or len(snapshot.session.scores) != finished or now - drawn_at >= _SECONDS_BETWEEN_DRAWINGS:
            drawn_at, finished = now, len(snapshot.session.scores)
            yield snapshot
