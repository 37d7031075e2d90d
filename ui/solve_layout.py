"""What lies on the Solve & rerank tab: the form, the ranking, the solution that is read, the files."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from ui.render import solution as desk
from ui.theme import html, script
from ui.validation import MAX_ANSWER, MAX_PROBLEM, MAX_TRACES
from ui.waiting import OFF

EMPTY = (
    '<div class="blank"><p>Type a problem, or take one of the examples. A small language model writes several '
    "solutions; a critic, taught by expert solutions alone, marks every token and says which step to check.</p></div>"
)


class SolveLayout:
    """The tab's components, and those of them that change together. Whatever belongs to a visitor is in `gr.State`."""

    def __init__(self, examples: Sequence[dict[str, str]], *, can_solve: bool) -> None:
        self.session = gr.State(None)
        self.selection = gr.State(desk.Selection())
        self.given = gr.State(None)  # question and answer of the example that filled in the form
        self.start = gr.State("")  # the text that solutions go on with, where one is rewritten from a step on
        self.before = gr.State(())  # the sessions that were rewritten, the newest last
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
                    interactive=can_solve,
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
        self.status = html("" if can_solve else OFF, elem_id="status")
        with gr.Row(elem_classes="desk"):
            with gr.Column(scale=1, min_width=280, elem_classes="margin"):
                self.back = gr.Button("← what was rewritten", size="sm", visible=False, elem_id="back")
                self.ranking = html("", js_on_load=script("ranking.js"), elem_id="ranking")
                self.votes = html(elem_id="votes", js_on_load=script("ranking.js"))
            with gr.Column(scale=3, min_width=300):
                self.reading = html(EMPTY, js_on_load=script("reading.js"), elem_classes="reading", elem_id="reading")
                with gr.Column(visible=False, elem_classes="charts") as self.charts:
                    html('<header class="bar"><h3>Belief along the solution</h3></header>')
                    self.chart = gr.Plot(show_label=False, container=False, elem_classes="chart")
                    self.numbers = html()
        with gr.Row(elem_classes="files"):
            self.save = gr.DownloadButton("Save session", size="sm", interactive=False, elem_id="save")
            self.open = gr.UploadButton("Open session", size="sm", type="binary", file_types=[".json"], elem_id="open")

    @property
    def how(self) -> list[gr.components.Component]:
        """What the form says of the sampling."""
        return [self.n, self.temperature, self.seed, self.calculator]

    @property
    def going(self) -> list[gr.components.Component]:
        """What shows that a run is under way."""
        return [self.status, self.solve, self.stop]

    @property
    def trail(self) -> list[gr.components.Component]:
        """The sessions that one can go back to, and the button that does."""
        return [self.before, self.back]

    @property
    def drawing(self) -> list[gr.components.Component]:
        """What a run changes while it goes on."""
        return [self.session, self.selection, self.status, *self.views, self.save]

    @property
    def views(self) -> list[gr.components.Component]:
        """What shows a session and the solution chosen of it."""
        return [self.ranking, self.votes, self.reading, self.charts, self.chart, self.numbers]
