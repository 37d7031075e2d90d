"""What lies on the Solve & rerank tab: the form, the ranking, the solution that is read, the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session
from irl_core.text.traces import Problem

from .labels import LabelsCorner
from .reading_column import ReadingColumn, Updates
from .render.drawing import Drawing, Selection
from .render.solution import Reading
from .session_limits import MAX_ANSWER, MAX_PROBLEM
from .theme import html, script
from .validation import MAX_SEED, MAX_TEMPERATURE, MAX_TRACES, form_settings
from .waiting import OFF

_BLANK = (
    '<div class="blank"><p>Type a problem, or take one of the examples. A small language model writes several '
    "solutions; a critic, taught by expert solutions alone, says which step to check, and shows why.</p></div>"
)
_DEFAULTS = Sampling()
MOST_EARLIER = 8
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
"""Of handlers that only show what is there: at once, without a sign of waiting, and not for callers of the API."""


class SolveLayout:
    """The tab's components, those of them that change together, and how records are shown in them.

    Whatever belongs to a visitor is in `gr.State`: `session` and `selection` are on show; `posed` is the problem that
    the form was filled in with or that was solved, to which the known answer belongs; solutions go on with `prefix`
    where one is rewritten from a step on; `earlier` holds the sessions that were rewritten, or left with somebody's
    changes or verdicts in them, the newest last.
    """

    def __init__(self, examples: Sequence[dict[str, str]], *, can_solve: bool) -> None:
        self.session, self.selection = gr.State(None), gr.State(Selection())
        self.posed, self.prefix, self.earlier = gr.State(None), gr.State(""), gr.State(())
        self._lay_out_form(examples, can_solve)
        self.status = html("" if can_solve else OFF, elem_id="status")
        with gr.Row(elem_classes="two-columns"):
            with gr.Column(scale=1, min_width=280, elem_classes="margin"):
                self.back = gr.Button("← what was there before", size="sm", visible=False, elem_id="back")
                self.ranking = html("", js_on_load=script("ranking.js"), elem_id="ranking")
                self.votes = html(elem_id="votes", js_on_load=script("ranking.js"))
            self.reading = ReadingColumn(_BLANK, elem_id="reading")
        with gr.Row(elem_classes="files"):
            self.save = gr.DownloadButton("Save session", size="sm", interactive=False, elem_id="save")
            self.open = gr.UploadButton("Open session", size="sm", type="binary", file_types=[".json"], elem_id="open")
            self.labels = LabelsCorner("save-labels")

    def _lay_out_form(self, examples: Sequence[dict[str, str]], can_solve: bool) -> None:
        with gr.Row(elem_classes="pose"):
            with gr.Column(scale=3, elem_classes="question"):
                self.problem = gr.Textbox(
                    label="Problem", placeholder="Pose a grade-school math problem", lines=1, max_lines=8,
                    max_length=MAX_PROBLEM, elem_id="problem", elem_classes="serif",
                )  # fmt: skip
            with gr.Column(scale=1, min_width=200, elem_classes="actions"):
                self.solve = gr.Button(
                    "Solve", variant="primary", interactive=can_solve, elem_id="solve", elem_classes="go"
                )
                self.stop = gr.Button("Stop", interactive=False, elem_id="stop")
        with gr.Row(elem_classes="settings"):
            self.n = _number(
                _DEFAULTS.n, label="solutions", minimum=1, maximum=MAX_TRACES, step=1, min_width=60, elem_id="n"
            )
            self.temperature = _number(
                _DEFAULTS.temperature, label="temperature", minimum=0, maximum=MAX_TEMPERATURE, step=0.1, min_width=60
            )
            self.seed = _number(_DEFAULTS.seed, label="seed", minimum=0, maximum=MAX_SEED, step=1, min_width=60)
            self.calculator = gr.Checkbox(_DEFAULTS.calculator, label="calculator", min_width=90, elem_id="calculator")
            self.answer = gr.Textbox(
                label="answer, if known", max_length=MAX_ANSWER, min_width=90, elem_id="gold", elem_classes="gold"
            )
        with gr.Row(elem_classes="chips"):
            self.chips = [gr.Button(e["title"], size="sm", elem_classes="chip") for e in examples]

    @property
    def sampling(self) -> list[Component]:
        """What the form asks of the sampling, in the order of `read_sampling`."""
        return [self.n, self.temperature, self.seed, self.calculator]

    @property
    def form(self) -> list[Component]:
        """A problem and its known answer, as they are typed."""
        return [self.problem, self.answer]

    @property
    def filled(self) -> list[Block]:
        """What `fill_form` changes."""
        return [*self.form, self.posed]

    @property
    def way_back(self) -> list[Component]:
        """What `show_way_back` changes."""
        return [self.earlier, self.back]

    @property
    def run_controls(self) -> list[Component]:
        """What `show_run_asked` changes."""
        return [self.status, self.solve, self.stop]

    @property
    def choice(self) -> list[Block]:
        """What another choice among the solutions changes."""
        return [self.selection, self.ranking, self.votes, *self.reading.parts]

    @property
    def drawing(self) -> list[Block]:
        """What `show` changes."""
        return [self.session, self.selection, self.status, self.ranking, self.votes, *self.reading.parts, self.save]

    def show(self, drawing: Drawing, file: Path | None = None) -> Updates:
        """A session or a run. `file` holds the session, to be saved; without one the button stays as it is."""
        return {
            self.session: drawing.session,
            self.status: gr.skip() if drawing.status is None else drawing.status,
            self.save: gr.skip() if file is None else gr.update(value=str(file), interactive=True),
            **self.show_choice(drawing),
        }

    def show_choice(self, drawing: Drawing) -> Updates:
        """Another solution of the session that is on show, or another order."""
        nothing_to_read = drawing.session is not None and not drawing.reading.text
        return {
            self.selection: drawing.selection,
            self.ranking: drawing.ranking,
            self.votes: drawing.votes,
            **self.reading.show(Reading(self.reading.blank) if nothing_to_read else drawing.reading),
        }

    def fill_form(self, problem: Problem) -> Updates:
        """A problem with its known answer, which leaves with it."""
        return {self.problem: problem.question, self.answer: problem.answer or "", self.posed: problem}

    def fill_settings(self, settings: Sampling | None) -> Updates:
        """How a session's solutions were drawn, as far as the form can say it."""
        taken = form_settings(settings)
        values = (taken.n, taken.temperature, taken.seed, taken.calculator)
        return dict(zip(self.sampling, values, strict=True)) if settings else dict.fromkeys(self.sampling, gr.skip())

    def show_way_back(self, earlier: Sequence[Session]) -> Updates:
        """The sessions that one can go back to, and the button that does."""
        return {self.earlier: tuple(earlier), self.back: gr.update(visible=bool(earlier))}

    def show_run_asked(self, status: str) -> Updates:
        """A run was asked for: it can be stopped, and no other can be asked for."""
        return {
            self.status: status,
            self.solve: gr.update(interactive=False),
            self.stop: gr.update(interactive=True),
        }

    def show_run_over(self) -> Updates:
        """The buttons after a run, however it ended."""
        return {self.solve: gr.update(interactive=True), self.stop: gr.update(interactive=False)}


def worked_on(*sessions: Session | None) -> tuple[Session, ...]:
    """Those sessions that hold a person's changes or verdicts, which is lost by nothing; of many the newest."""
    return tuple(one for one in sessions if one is not None and (one.histories or one.verdicts))[-MOST_EARLIER:]


def _number(value: float, **options: Any) -> gr.Number:
    """A number whose limits the browser is told. `read_sampling` holds them: Gradio's own refusal names no field."""
    part = gr.Number(value, **options)
    part.raise_if_out_of_bounds = lambda *bounds: None  # type: ignore[method-assign]
    return part
