"""The Diagnose tab: paste a problem and somebody's solution, see the same marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

from irl_core.session.record import Session

from .labels import LabelsCorner
from .reading_column import ReadingColumn, Updates
from .render.drawing import Selection
from .render.solution import draw_solution
from .render.status import STALE, render_checked, running
from .session_limits import MAX_ANSWER, MAX_PROBLEM, MAX_SOLUTION
from .solve_layout import QUIET, worked_on
from .theme import html
from .validation import lines, read_problem, read_solution
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
        earlier: sessions that were left with a person's changes or verdicts in them, the newest last.
    """

    def __init__(self, workbench: Workbench | None, examples: Sequence[dict[str, str]]) -> None:
        self.workbench = workbench
        self.session, self.earlier = gr.State(None), gr.State(())
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
                self.answer = gr.Textbox(
                    label="answer, if known", max_length=MAX_ANSWER, elem_id="diagnose-gold", elem_classes="gold"
                )
                self.back = gr.Button("← what was there before", size="sm", visible=False, elem_id="diagnose-back")
            self.reading = ReadingColumn(_BLANK, elem_id="diagnose-reading")
        with gr.Row(elem_classes="files"):
            self.labels = LabelsCorner("diagnose-save-labels")
        self._connect(examples)

    def _connect(self, examples: Sequence[dict[str, str]]) -> None:
        gr.on(
            [self.check.click, self.problem.submit, self.solution.submit],
            self.diagnose, [self.problem, self.solution, self.answer, self.session, self.earlier],
            [self.status, *self.reading.parts, self.session, self.earlier, self.back],
            concurrency_id="model", concurrency_limit=1, trigger_mode="once", show_progress="hidden",
            api_name="check", api_visibility="private",
        )  # fmt: skip
        self.back.click(
            self.go_back,
            [self.earlier, self.session],
            [*self.shown, self.problem, self.answer, *self._way_back],
            **QUIET,
        )
        for field in (self.problem, self.solution, self.answer):
            field.change(
                self.tell_stale, [self.problem, self.solution, self.answer, self.session],
                [self.status, self.reading.text], trigger_mode="always_last", **QUIET,
            )  # fmt: skip
        for chip, example in zip(self.chips, examples, strict=True):
            values = (example["question"], example["solution"], "")
            chip.click(
                lambda values=values: values, None, [self.problem, self.solution, self.answer],
                queue=False, api_visibility="private",
            )  # fmt: skip

    @property
    def shown(self) -> list[Block]:
        """What `show_session` changes."""
        return [self.session, self.status, self.solution, *self.reading.parts]

    @property
    def _way_back(self) -> list[Block]:
        return [self.earlier, self.back]

    def show_session(self, session: Session, selection: Selection, line: str) -> Updates:
        """The session of one solution; the form's text is that of the solution."""
        reading = draw_solution(session, selection.trace, "diagnose", rewritable=self.workbench is not None)
        shown = self.reading.show(reading)
        shown[self.reading.text] = gr.update(value=reading.text, elem_classes=["reading"])
        return {self.session: session, self.status: line, self.solution: session.traces[0].text, **shown}

    def go_back(self, earlier: tuple[Session, ...], left: Session | None) -> Updates:
        """Show the session that was left last; the one that is left for it is the last to come back."""
        *before, session = earlier
        return {
            **self.show_session(session, Selection(0), render_checked(session)),
            self.problem: session.problem.question,
            self.answer: session.problem.answer or "",
            **self._show_way_back((*worked_on(left), *before)),
        }

    def _show_way_back(self, earlier: Sequence[Session]) -> Updates:
        return {self.earlier: tuple(earlier), self.back: gr.update(visible=bool(earlier))}

    def tell_stale(self, question: object, text: object, answer: object, session: Session | None) -> Updates:
        """The marks that are on show are of another text than the form holds: say so, and let them fade."""
        if session is None:
            return {self.status: gr.skip(), self.reading.text: gr.skip()}
        shown = (session.problem.question, session.traces[0].text, session.problem.answer or "")
        stale = any(lines(a) != lines(b) for a, b in zip(shown, (question, text, answer), strict=True))
        return {
            self.status: STALE if stale else render_checked(session),
            self.reading.text: gr.update(elem_classes=["reading", "stale"] if stale else ["reading"]),
        }

    def diagnose(
        self,
        question: object,
        text: object,
        answer: object = None,
        left: Session | None = None,
        earlier: tuple[Session, ...] = (),
    ) -> Iterator[Updates]:
        """Score one pasted solution and mark it; where its right answer is known, that is evidence too.

        What a person worked on in the session that is `left` for it can be gone back to.
        """
        problem, solution, workbench = read_problem(question, answer), read_solution(text), require(self.workbench)
        for line in wait_until_ready(workbench):
            yield {self.status: line}
        yield {self.status: running("reading the solution")}
        try:
            with faults_in_words("checking"):
                session = workbench.diagnose(problem, solution)
        except gr.Error:
            yield {self.status: ""}
            raise
        shown = self.show_session(session, Selection(0), render_checked(session))
        del shown[self.solution]  # it says so already
        yield {**shown, **self._show_way_back(worked_on(*earlier, left))}
