"""The Diagnose tab: paste a problem and somebody's solution, see the same marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from ui.render.solution import reading_figure, render_numbers, render_reading
from ui.theme import html, script
from ui.validation import MAX_PROBLEM, MAX_SOLUTION, read_problem, read_solution
from ui.waiting import OFF, faults_in_words, require, running, wait_until_ready

if TYPE_CHECKING:
    from irl_core.session.workbench import Workbench

_EMPTY = (
    '<div class="blank"><p>Paste a solution, a step to a line. Each step is read by the critic, and every equation is '
    "worked again exactly. Start with one of the examples.</p></div>"
)


def build_diagnose(workbench: Workbench | None, examples: Sequence[dict[str, str]]) -> tuple[gr.HTML, gr.State]:
    """Lay out the tab inside the current Blocks context; returns where a solution is shown marked, and its session."""
    shown = gr.State(None)
    with gr.Row(elem_classes="pose"):
        with gr.Column(scale=3, elem_classes="question"):
            problem = gr.Textbox(
                label="Problem", placeholder="The problem", lines=1, max_lines=8, max_length=MAX_PROBLEM,
                elem_id="diagnose-problem", elem_classes="serif",
            )  # fmt: skip
        with gr.Column(scale=1, min_width=200, elem_classes="actions"):
            check = gr.Button("Check", variant="primary", elem_id="check", elem_classes="go")
    status = html(OFF if workbench is None else "", elem_id="diagnose-status")
    with gr.Row(elem_classes="desk"):
        with gr.Column(scale=1, min_width=280, elem_classes="margin pasted"):
            html('<header class="bar"><h3>Pasted solution</h3></header>')
            solution = gr.Textbox(
                label="Solution", placeholder="A solution, a step to a line", lines=8, max_lines=24,
                max_length=MAX_SOLUTION, elem_id="diagnose-solution", elem_classes="serif body",
            )  # fmt: skip
            with gr.Row(elem_classes="chips"):
                chips = [gr.Button(e["title"], size="sm", elem_classes="chip") for e in examples]
        with gr.Column(scale=3, min_width=300):
            reading = html(_EMPTY, js_on_load=script("reading.js"), elem_classes="reading", elem_id="diagnose-reading")
            with gr.Column(visible=False, elem_classes="charts") as charts:
                html('<header class="bar"><h3>Belief along the solution</h3></header>')
                chart = gr.Plot(show_label=False, container=False, elem_classes="chart")
                numbers = html()

    def diagnose(question: Any, text: Any) -> Iterator[tuple]:
        """Score one pasted solution and mark it."""
        given, written = read_problem(question), read_solution(text)
        unchanged = (gr.skip(),) * 5
        for line in wait_until_ready(require(workbench)):
            yield line, *unchanged
        yield running("reading the solution"), *unchanged
        try:
            with faults_in_words("checking"):
                session = workbench.diagnose(given, written)
        except gr.Error:
            yield "", *unchanged
            raise
        yield (
            "",
            render_reading(session, 0, "diagnose", rewritable=True),
            gr.update(visible=True),
            reading_figure(session, 0),
            render_numbers(session, 0),
            session,
        )

    gr.on(
        [check.click, problem.submit, solution.submit], diagnose, [problem, solution],
        [status, reading, charts, chart, numbers, shown], concurrency_id="model", concurrency_limit=1,
        trigger_mode="once", show_progress="hidden", api_name="diagnose",
    )  # fmt: skip
    for chip, example in zip(chips, examples, strict=True):
        values = (example["question"], example["solution"])
        chip.click(lambda values=values: values, None, [problem, solution], queue=False, api_visibility="private")
    return reading, shown
