"""The wide column of both tabs: one solution to be read, and below it a chart and the numbers behind it."""

from __future__ import annotations

from typing import Any, TypeAlias

import gradio as gr
from gradio.blocks import Block

from .render.solution import Reading
from .theme import html, script

Updates: TypeAlias = dict[Block, Any]
"""What a handler returns: new values by component. Components that are not named stay as they are."""

_SCRIPTS = ("reading.js", "editing.js", "judging.js")


class ReadingColumn:
    """The column's components, laid out inside the current Blocks context."""

    def __init__(self, blank: str, elem_id: str) -> None:
        """`blank` is the HTML that is shown before there is a solution."""
        self.blank = blank
        with gr.Column(scale=3, min_width=300):
            self.text = html(
                blank,
                js_on_load=script(*_SCRIPTS),
                elem_classes="reading",
                elem_id=elem_id,
            )
            with gr.Column(visible=False, elem_classes="charts") as self.charts:
                self.chart_title = html()
                self.chart = gr.Plot(show_label=False, container=False, elem_classes="chart")
                self.numbers = html()

    @property
    def parts(self) -> list[Block]:
        """What `show` changes."""
        return [self.text, self.charts, self.chart_title, self.chart, self.numbers]

    def show(self, reading: Reading) -> Updates:
        """A solution, or whatever stands in its place; the chart is hidden where there is none."""
        return {
            self.text: reading.text,
            self.charts: gr.update(visible=reading.chart is not None),
            self.chart_title: f'<header class="bar"><h3>{reading.chart_title}</h3></header>',
            self.chart: reading.chart,
            self.numbers: reading.numbers,
        }
