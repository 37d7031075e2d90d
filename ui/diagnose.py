"""The Diagnose tab: paste a problem and somebody's solution, see the same marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import gradio as gr

from .reading_column import ReadingColumn, Updates
from .render.solution import draw_solution
from .render.status import render_checked, running
from .session_limits import MAX_PROBLEM, MAX_SOLUTION
from .theme import html
from .validation import read_problem, read_solution
from .waiting import OFF, faults_in_words, require, wait_until_ready

if TYPE_CHECKING:
    from irl_core.session.workbench import Workbench

_BLANK = (
    '<div class="blank"><p>Paste a solution, a step to a line. Each step is read by the critic, and every equation is '
    "worked again exactly. Start with one of the examples.</p></div>"
)


class DiagnoseTab:
    """The tab and what it does; laid out inside the current Blocks context. One object per page, for all visitors.

    Attributes:
        reading: where the solution is shown marked.
        session: a visitor's session of that one solution, for what else the page does with it.
    """

    def __init__(self, workbench: Workbench | None, examples: Sequence[dict[str, str]]) -> None:
        self.workbench = workbench
        self.session = gr.State(None)
        with gr.Row(elem_classes="pose"):
            with gr.Column(scale=3, elem_classes="question"):
                self.problem = gr.Textbox(
                    label="Problem", placeholder="The problem", lines=1, max_lines=8, max_length=MAX_PROBLEM,
                    elem_id="diagnose-problem", elem_classes="serif",
                )  # fmt: skip
            with gr.Column(scale=1, min_width=200, elem_classes="actions"):
                self.check = gr.Button("Check", variant="primary", elem_id="check", elem_classes="go")
        self.status = html(OFF if workbench is None else "", elem_id="diagnose-status")
        with gr.Row(elem_classes="two-columns"):
            with gr.Column(scale=1, min_width=280, elem_classes="margin pasted"):
                html('<header class="bar"><h3>Pasted solution</h3></header>')
                self.solution = gr.Textbox(
                    label="Solution", placeholder="A solution, a step to a line", lines=8, max_lines=24,
                    max_length=MAX_SOLUTION, elem_id="diagnose-solution", elem_classes="serif body",
                )  # fmt: skip
                with gr.Row(elem_classes="chips"):
                    self.chips = [gr.Button(e["title"], size="sm", elem_classes="chip") for e in examples]
            self.reading = ReadingColumn(_BLANK, elem_id="diagnose-reading")
        self._connect(examples)

    def _connect(self, examples: Sequence[dict[str, str]]) -> None:
        gr.on(
            [self.check.click, self.problem.submit, self.solution.submit],
            self.diagnose, [self.problem, self.solution], [self.status, *self.reading.parts, self.session],
            concurrency_id="model", concurrency_limit=1, trigger_mode="once", show_progress="hidden",
            api_name="check", api_visibility="private",
        )  # fmt: skip
        for chip, example in zip(self.chips, examples, strict=True):
            values = (example["question"], example["solution"])
            chip.click(
                lambda values=values: values, None, [self.problem, self.solution],
                queue=False, api_visibility="private",
            )  # fmt: skip

    def diagnose(self, question: object, text: object) -> Iterator[Updates]:
        """Score one pasted solution and mark it."""
        problem, solution, workbench = read_problem(question), read_solution(text), require(self.workbench)
        for line in wait_until_ready(workbench):
            yield {self.status: line}
        yield {self.status: running("reading the solution")}
        try:
            with faults_in_words("checking"):
                session = workbench.diagnose(problem, solution)
        except gr.Error:
            yield {self.status: ""}
            raise
        reading = draw_solution(session, 0, "diagnose", rewritable=True)
        yield {self.status: render_checked(session), **self.reading.show(reading), self.session: session}
