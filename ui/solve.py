"""The Solve & rerank tab: pose a problem, watch solutions being written, read them in the critic's order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session
from irl_core.text.traces import Problem
from ui.render import solution, status
from ui.render.ranking import render_ranking, render_votes
from ui.solve_layout import EMPTY, SolveLayout
from ui.stop_signals import StopSignals
from ui.validation import read_index, read_problem, read_sampling, read_session, refusal
from ui.waiting import faults_in_words, require, running, wait_until_ready

if TYPE_CHECKING:
    from irl_core.session.run import Snapshot
    from irl_core.session.workbench import Workbench

_SECONDS_BETWEEN_DRAWINGS = 0.25
_QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_MOST_TRAIL = 8
_NO_TRAIL = ((), gr.update(visible=False))
_GOING = (running("waiting for the model"), gr.update(interactive=False), gr.update(interactive=True))
_NOT_BEGUN = '<p class="status" role="status">stopped before the first solution was begun</p>'


class SolveTab(SolveLayout):
    """The tab and what it does. One object per page, for all visitors."""

    def __init__(
        self, workbench: Workbench | None, examples: Sequence[dict[str, str]], gallery: Mapping[str, Session]
    ) -> None:
        """`gallery` holds recorded runs by question: an example that has one shows it before any model is awake."""
        super().__init__(examples, can_solve=workbench is not None)
        self.workbench = workbench
        self.stops = StopSignals()
        self._wire(examples, gallery)

    def _wire(self, examples: Sequence[dict[str, str]], gallery: Mapping[str, Session]) -> None:
        opened = [*self.drawing, *self.trail]
        asked = gr.on(
            [self.solve.click, self.problem.submit, self.answer.submit],
            self.ask, [self.problem, self.answer, *self.how], [self.start, *self.trail, *self.going],
            concurrency_limit=None, show_progress="hidden", api_visibility="private",
        )  # fmt: skip
        self._run_after(asked, api_name="solve")
        self.back.click(self.go_back, self.before, [self.problem, self.answer, *opened], **_QUIET)
        self.stop.click(self.request_stop, None, self.stop, **_QUIET)
        for listing in (self.ranking, self.votes):
            listing.select(self.choose, [self.session, self.selection], [self.selection, *self.views], **_QUIET)
        self.open.upload(
            self.open_file,
            self.open,
            [self.given, self.problem, self.answer, *opened],
            show_progress="hidden",
            api_visibility="private",
        )
        self.problem.change(
            self.forget_given,
            [self.problem, self.answer, self.given],
            [self.answer, self.given],
            trigger_mode="always_last",
            **_QUIET,
        )
        for chip, example in zip(self.chips, examples, strict=True):
            chip.click(lambda given=(example["question"], example["answer"]): given, None, self.given, **_QUIET)
            if (recorded := gallery.get(example["question"])) is not None:
                chip.click(partial(self.replay, recorded), None, [self.problem, self.answer, *opened], **_QUIET)
            else:
                values = (example["question"], example["answer"])
                chip.click(lambda values=values: values, None, [self.problem, self.answer], **_QUIET)

    def accept_rewrites(self, reading: gr.HTML, session: gr.State, selection: gr.State, rooms: gr.Tabs) -> None:
        """Let the steps shown in `reading`, of a solution of `session`, be rewritten; the page turns to this tab."""
        asked = reading.select(
            self.ask_to_rewrite,
            [session, selection, self.before, *self.how],
            [self.problem, self.answer, self.start, *self.trail, *self.going, rooms],
            concurrency_limit=None,
            show_progress="hidden",
            api_visibility="private",
        )
        self._run_after(asked, api_visibility="private")

    def _run_after(self, asked: gr.events.Dependency, **api: str) -> None:
        ran = asked.success(
            self.run,
            [self.problem, self.answer, *self.how, self.start],
            self.drawing,
            concurrency_id="model",
            concurrency_limit=1,
            show_progress="hidden",
            **api,
        )
        ran.then(self.rest, None, [self.solve, self.stop], **_QUIET)

    def ask(
        self, question: Any, answer: Any, n: Any, temperature: Any, seed: Any, calculator: Any, request: gr.Request
    ) -> tuple:
        """Check the form at once, before the run waits in line for the model."""
        require(self.workbench)
        read_problem(question, answer)
        read_sampling(n, temperature, seed, calculator)
        self.stops.prepare(request.session_hash)
        return ("", *_NO_TRAIL, *_GOING)

    def ask_to_rewrite(
        self,
        session: Session | None,
        selection: solution.Selection,
        before: tuple[Session, ...],
        n: Any,
        temperature: Any,
        seed: Any,
        calculator: Any,
        event: gr.EventData,
        request: gr.Request,
    ) -> tuple:
        """A step is to be written anew: what stands before it is what the next run goes on with."""
        require(self.workbench)
        read_sampling(n, temperature, seed, calculator)
        data = event._data if isinstance(event._data, dict) else {}
        trace = None if session is None or selection.trace is None else session.traces[selection.trace]
        step = read_index(data.get("step"), len(trace.steps) if trace else 0)
        if step is None:
            raise refusal("There is no such step to rewrite. Choose a solution first.")
        # Anybody may have sent the session: its problem is checked as one that was typed.
        problem = read_problem(session.problem.question, session.problem.answer)
        self.stops.prepare(request.session_hash)
        if session.ranking is not None:  # a pasted solution stays on the tab where it was pasted
            before = (*before, session)[-_MOST_TRAIL:]
        start = trace.text[: trace.steps[step][0]].rstrip(" ")  # a model writes the space with the word after it
        return (
            problem.question, problem.answer or "", start, *_trail(before), *_GOING, gr.update(selected="solve"),
        )  # fmt: skip

    def forget_given(self, question: Any, answer: Any, given: tuple[str, str] | None) -> tuple:
        """Another problem is written over an example's: its answer is not this one's. One that was typed stays."""
        return ("", None) if given and question != given[0] and answer == given[1] else (gr.skip(), gr.skip())

    def rest(self) -> tuple:
        """The buttons after a run, however it ended."""
        return gr.update(interactive=True), gr.update(interactive=False)

    def run(
        self,
        question: Any,
        answer: Any,
        n: Any,
        temperature: Any,
        seed: Any,
        calculator: Any,
        start: str,
        request: gr.Request,
    ) -> Iterator[tuple]:
        """Sample, score and rank, drawing the page while it happens; every solution goes on with `start`."""
        problem, sampling = read_problem(question, answer), read_sampling(n, temperature, seed, calculator)
        sampling = replace(sampling, prefix=start)
        workbench, stop = require(self.workbench), self.stops.begin(request.session_hash)
        try:
            yield from self._drawings(workbench, problem, sampling, stop)
        except gr.Error:
            unchanged = (gr.skip(),) * len(self.views)
            yield (gr.skip(), gr.skip(), "", *unchanged, gr.skip())
            raise

    def _drawings(
        self, workbench: Workbench, problem: Problem, sampling: Sampling, stop: threading.Event
    ) -> Iterator[tuple]:
        blank = ("", "", "", gr.update(visible=False), None, "")
        for line in wait_until_ready(workbench, stop):
            yield (None, solution.Selection(), line, *blank, gr.skip())
        if stop.is_set():
            yield (None, solution.Selection(), _NOT_BEGUN, *blank, gr.skip())
            return
        if sampling.calculator:
            yield (None, solution.Selection(), running("waking the model that can calculate"), *blank, gr.skip())
        with faults_in_words("solving"), closing(workbench.solve(problem, sampling, stop)) as snapshots:
            for snapshot in _thinned(snapshots):
                yield self._drawn(snapshot)

    def _drawn(self, snapshot: Snapshot) -> tuple:
        session = snapshot.session
        told = status.render_status(
            session, tokens=snapshot.tokens, seconds=snapshot.seconds, done=snapshot.done, stopped=snapshot.stopped
        )
        if snapshot.done:
            selection = solution.first_selection(session)
            return (session, selection, told, *self._view(session, selection), self._saved(session))
        ranking = render_ranking(session, None, "sampled", waiting=len(snapshot.growing))
        hidden = (gr.update(visible=False), None, "")
        return (None, gr.skip(), told, ranking, "", solution.render_proofs(snapshot), *hidden, gr.skip())

    def _view(self, session: Session, selection: solution.Selection) -> tuple:
        figure = solution.reading_figure(session, selection.trace)
        return (
            render_ranking(session, selection.trace, selection.order),
            render_votes(session),
            solution.render_reading(session, selection.trace, "solve", rewritable=self.workbench is not None) or EMPTY,
            gr.update(visible=figure is not None),
            figure,
            solution.render_numbers(session, selection.trace),
        )

    def request_stop(self, request: gr.Request) -> dict:
        """Ask the visitor's own run to end with what it has."""
        self.stops.request(request.session_hash)
        return gr.update(interactive=False)

    def forget(self, request: gr.Request) -> None:
        """The visitor's page was closed: nobody is waiting for the run any more."""
        self.stops.forget(request.session_hash)

    def choose(self, session: Session | None, selection: solution.Selection, event: gr.EventData) -> tuple:
        """A row or an order was clicked. What arrives is whatever a browser sent: checked, else ignored."""
        data = event._data if isinstance(event._data, dict) else {}
        if session is None:
            return (gr.skip(),) * (1 + len(self.views))
        trace = read_index(data.get("trace"), len(session.traces))
        order = data.get("order")
        selection = solution.Selection(
            selection.trace if trace is None else trace, order if order in ("critic", "sampled") else selection.order
        )
        return (selection, *self._view(session, selection))

    def open_file(self, data: bytes | None) -> tuple:
        """Show a session that somebody saved; its answer is its own, whatever example was pressed before."""
        session = read_session(data)
        return (None, *self._opened(session, status.render_opened(session)), *_NO_TRAIL)

    def replay(self, recorded: Session) -> tuple:
        """Show a run that was recorded for an example."""
        return (*self._opened(recorded.model_copy(deep=True), status.render_recorded(recorded)), *_NO_TRAIL)

    def go_back(self, before: tuple[Session, ...]) -> tuple:
        """Show the session that was rewritten last."""
        *earlier, session = before
        return (*self._opened(session, status.render_returned(session)), *_trail(earlier))

    def _opened(self, session: Session, told: str) -> tuple:
        selection = solution.first_selection(session)
        shown = (session, selection, told, *self._view(session, selection), self._saved(session))
        return (session.problem.question, session.problem.answer or "", *shown)

    def _saved(self, session: Session) -> dict:
        """The session as a file to download, in Gradio's own cache, which it empties by age."""
        return gr.update(value=_cache_file(session, self.save.GRADIO_CACHE), interactive=True)


def _trail(before: Sequence[Session]) -> tuple:
    """The sessions that one can go back to, and the button that does."""
    return tuple(before), gr.update(visible=bool(before))


def _cache_file(session: Session, folder: str) -> str:
    return save_bytes_to_cache(session.to_json().encode("utf-8"), "errata-session.json", folder)


def _thinned(snapshots: Iterator[Snapshot]) -> Iterator[Snapshot]:
    """The engine's snapshots, as many as a browser can draw; every finished trace is shown at once."""
    drawn_at, finished = 0.0, -1
    for snapshot in snapshots:
        now = time.monotonic()
        if snapshot.done or len(snapshot.session.scores) != finished or now - drawn_at >= _SECONDS_BETWEEN_DRAWINGS:
            drawn_at, finished = now, len(snapshot.session.scores)
            yield snapshot
