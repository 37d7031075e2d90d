"""The Solve & rerank tab: pose a problem, watch solutions being written, read them in the critic's order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from irl_core.session import Session, Settings
from irl_core.traces import Problem
from ui import desk
from ui.engine import OFF, faults_in_words, require, running, wait_until_ready
from ui.inputs import (
    MAX_ANSWER,
    MAX_PROBLEM,
    MAX_TRACES,
    StopSignals,
    read_index,
    read_problem,
    read_session,
    read_settings,
)
from ui.ranking import render_ranking, render_votes
from ui.theme import html, script

if TYPE_CHECKING:
    from irl_core.workbench import Snapshot, Workbench

_SECONDS_BETWEEN_DRAWINGS = 0.25
_EMPTY = (
    '<div class="blank"><p>Type a problem, or take one of the examples. A small language model writes several '
    "solutions; a critic, taught by expert solutions alone, marks every token and says which step to check.</p></div>"
)
_NOT_BEGUN = '<p class="status" role="status">stopped before the first solution was begun</p>'


class SolveTab:
    """The tab's components and what they do. One object per page; whatever belongs to a visitor is in `gr.State`."""

    def __init__(
        self, workbench: Workbench | None, examples: Sequence[dict[str, str]], gallery: Mapping[str, Session]
    ) -> None:
        """`gallery` holds recorded runs by question: an example that has one shows it before any model is awake."""
        self.workbench = workbench
        self.stops = StopSignals()
        self.session = gr.State(None)
        self.selection = gr.State(desk.Selection())
        self.given = gr.State(None)  # question and answer of the example that filled in the form
        self._lay_out(examples)
        self._wire(examples, gallery)

    def _lay_out(self, examples: Sequence[dict[str, str]]) -> None:
        with gr.Row(elem_classes="pose"):
            with gr.Column(scale=3, elem_classes="question"):
                self.problem = gr.Textbox(
                    label="Problem", placeholder="Pose a grade-school math problem", lines=1, max_lines=8,
                    max_length=MAX_PROBLEM, elem_id="problem", elem_classes="serif",
                )  # fmt: skip
            with gr.Column(scale=1, min_width=200, elem_classes="actions"):
                self.solve = gr.Button(
                    "Solve",
                    variant="primary",
                    interactive=self.workbench is not None,
                    elem_id="solve",
                    elem_classes="go",
                )
                self.stop = gr.Button("Stop", interactive=False, elem_id="stop")
        with gr.Row(elem_classes="settings"):
            self.n = gr.Number(8, label="solutions", minimum=1, maximum=MAX_TRACES, step=1, min_width=60, elem_id="n")
            self.temperature = gr.Number(0.7, label="temperature", minimum=0, maximum=2, step=0.1, min_width=60)
            self.seed = gr.Number(0, label="seed", minimum=0, maximum=2**32 - 1, step=1, min_width=60)
            self.calculator = gr.Checkbox(False, label="calculator", min_width=90, elem_id="calculator")
            self.answer = gr.Textbox(
                label="answer, if known", max_length=MAX_ANSWER, min_width=90, elem_id="gold", elem_classes="gold"
            )
        with gr.Row(elem_classes="chips"):
            self.chips = [gr.Button(e["title"], size="sm", elem_classes="chip") for e in examples]
        self.status = html(OFF if self.workbench is None else "", elem_id="status")
        with gr.Row(elem_classes="desk"):
            with gr.Column(scale=1, min_width=280, elem_classes="margin"):
                self.ranking = html("", js_on_load=script("ranking.js"), elem_id="ranking")
                self.votes = html(elem_id="votes", js_on_load=script("ranking.js"))
            with gr.Column(scale=3, min_width=300):
                self.reading = html(_EMPTY, elem_classes="reading", elem_id="reading")
                with gr.Column(visible=False, elem_classes="charts") as self.charts:
                    html('<header class="bar"><h3>Belief along the solution</h3></header>')
                    self.chart = gr.Plot(show_label=False, container=False, elem_classes="chart")
                    self.numbers = html()
        with gr.Row(elem_classes="files"):
            self.save = gr.DownloadButton("Save session", size="sm", interactive=False, elem_id="save")
            self.open = gr.UploadButton("Open session", size="sm", type="binary", file_types=[".json"], elem_id="open")

    def _wire(self, examples: Sequence[dict[str, str]], gallery: Mapping[str, Session]) -> None:
        opened = [self.session, self.selection, self.status, *self._views, self.save]
        quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        form = [self.problem, self.answer, self.n, self.temperature, self.seed, self.calculator]
        asked = gr.on(
            [self.solve.click, self.problem.submit, self.answer.submit],
            self.ask, form, [self.status, self.solve, self.stop],
            concurrency_limit=None, show_progress="hidden", api_visibility="private",
        )  # fmt: skip
        ran = asked.success(
            self.run,
            form,
            opened,
            concurrency_id="model",
            concurrency_limit=1,
            show_progress="hidden",
            api_name="solve",
        )
        ran.then(self.rest, None, [self.solve, self.stop], **quiet)
        self.stop.click(self.request_stop, None, self.stop, **quiet)
        for listing in (self.ranking, self.votes):
            listing.select(self.choose, [self.session, self.selection], [self.selection, *self._views], **quiet)
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
            **quiet,
        )
        for chip, example in zip(self.chips, examples, strict=True):
            chip.click(lambda given=(example["question"], example["answer"]): given, None, self.given, **quiet)
            if (recorded := gallery.get(example["question"])) is not None:
                chip.click(partial(self.replay, recorded), None, [self.problem, self.answer, *opened], **quiet)
            else:
                values = (example["question"], example["answer"])
                chip.click(lambda values=values: values, None, [self.problem, self.answer], **quiet)

    @property
    def _views(self) -> list[gr.components.Component]:
        return [self.ranking, self.votes, self.reading, self.charts, self.chart, self.numbers]

    def ask(
        self, question: Any, answer: Any, n: Any, temperature: Any, seed: Any, calculator: Any, request: gr.Request
    ) -> tuple:
        """Check the form at once, before the run waits in line for the model."""
        require(self.workbench)
        read_problem(question, answer)
        read_settings(n, temperature, seed, calculator)
        self.stops.prepare(request.session_hash)
        return running("waiting for the model"), gr.update(interactive=False), gr.update(interactive=True)

    def forget_given(self, question: Any, answer: Any, given: tuple[str, str] | None) -> tuple:
        """Another problem is written over an example's: its answer is not this one's. One that was typed stays."""
        return ("", None) if given and question != given[0] and answer == given[1] else (gr.skip(), gr.skip())

    def rest(self) -> tuple:
        """The buttons after a run, however it ended."""
        return gr.update(interactive=True), gr.update(interactive=False)

    def run(
        self, question: Any, answer: Any, n: Any, temperature: Any, seed: Any, calculator: Any, request: gr.Request
    ) -> Iterator[tuple]:
        """Sample, score and rank, drawing the page while it happens."""
        problem, settings = read_problem(question, answer), read_settings(n, temperature, seed, calculator)
        workbench, stop = require(self.workbench), self.stops.begin(request.session_hash)
        try:
            yield from self._drawings(workbench, problem, settings, stop)
        except gr.Error:
            unchanged = (gr.skip(),) * len(self._views)
            yield (gr.skip(), gr.skip(), "", *unchanged, gr.skip())
            raise

    def _drawings(
        self, workbench: Workbench, problem: Problem, settings: Settings, stop: threading.Event
    ) -> Iterator[tuple]:
        blank = ("", "", "", gr.update(visible=False), None, "")
        for line in wait_until_ready(workbench, stop):
            yield (None, desk.Selection(), line, *blank, gr.skip())
        if stop.is_set():
            yield (None, desk.Selection(), _NOT_BEGUN, *blank, gr.skip())
            return
        if settings.calculator:
            yield (None, desk.Selection(), running("waking the model that can calculate"), *blank, gr.skip())
        with faults_in_words("solving"), closing(workbench.solve(problem, settings, stop)) as snapshots:
            for snapshot in _thinned(snapshots):
                yield self._drawn(snapshot)

    def _drawn(self, snapshot: Snapshot) -> tuple:
        session = snapshot.session
        status = desk.render_status(
            session, tokens=snapshot.tokens, seconds=snapshot.seconds, done=snapshot.done, stopped=snapshot.stopped
        )
        if snapshot.done:
            selection = desk.first_selection(session)
            return (session, selection, status, *self._view(session, selection), self._saved(session))
        ranking = render_ranking(session, None, "sampled", waiting=len(snapshot.growing))
        hidden = (gr.update(visible=False), None, "")
        return (None, gr.skip(), status, ranking, "", desk.render_proofs(snapshot), *hidden, gr.skip())

    def _view(self, session: Session, selection: desk.Selection) -> tuple:
        figure = desk.reading_figure(session, selection.trace)
        return (
            render_ranking(session, selection.trace, selection.order),
            render_votes(session),
            desk.render_reading(session, selection.trace, "solve") or _EMPTY,
            gr.update(visible=figure is not None),
            figure,
            desk.render_numbers(session, selection.trace),
        )

    def request_stop(self, request: gr.Request) -> dict:
        """Ask the visitor's own run to end with what it has."""
        self.stops.request(request.session_hash)
        return gr.update(interactive=False)

    def forget(self, request: gr.Request) -> None:
        """The visitor's page was closed: nobody is waiting for the run any more."""
        self.stops.forget(request.session_hash)

    def choose(self, session: Session | None, selection: desk.Selection, event: gr.EventData) -> tuple:
        """A row or an order was clicked. What arrives is whatever a browser sent: checked, else ignored."""
        data = event._data if isinstance(event._data, dict) else {}
        if session is None:
            return (gr.skip(),) * (1 + len(self._views))
        trace = read_index(data.get("trace"), len(session.traces))
        order = data.get("order")
        selection = desk.Selection(
            selection.trace if trace is None else trace, order if order in ("critic", "sampled") else selection.order
        )
        return (selection, *self._view(session, selection))

    def open_file(self, data: bytes | None) -> tuple:
        """Show a session that somebody saved; its answer is its own, whatever example was pressed before."""
        session = read_session(data)
        return (None, *self._opened(session, desk.render_opened(session)))

    def replay(self, recorded: Session) -> tuple:
        """Show a run that was recorded for an example."""
        return self._opened(recorded.model_copy(deep=True), desk.render_recorded(recorded))

    def _opened(self, session: Session, status: str) -> tuple:
        selection = desk.first_selection(session)
        shown = (
            session,
            selection,
            status,
            *self._view(session, selection),
            self._saved(session),
        )
        return (session.problem.question, session.problem.answer or "", *shown)

    def _saved(self, session: Session) -> dict:
        """The session as a file to download, in Gradio's own cache, which it empties by age."""
        return gr.update(value=_cache_file(session, self.save.GRADIO_CACHE), interactive=True)


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
