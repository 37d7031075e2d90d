"""The page: a masthead with the models' names, the two tabs, and what the marks are worth."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import gradio as gr

from irl_core.models.assets import ASSETS
from irl_core.models.pairs import STANDARD, Pair
from irl_core.session.record import Session, load_session

from .api import Endpoints
from .diagnose import DiagnoseTab
from .editing import Editor, Shown
from .judging import Judge
from .labels import LabelsCorner
from .reading_column import Updates
from .render.drawing import Selection
from .render.html import escape
from .render.keys import render_keys
from .sessions import SessionViewer
from .solve import Solver
from .solve_layout import QUIET, SolveLayout
from .theme import html, script

if TYPE_CHECKING:
    from irl_core.session.workbench import Workbench

_LOG = logging.getLogger(__name__)
_MASTHEAD = (
    '<div class="brand"><h1>Errata<svg viewBox="0 0 12 7" aria-hidden="true"><path d="M1 6 6 1l5 5"/></svg></h1></div>'
    '<div class="tools"><span id="badge">{badge}</span>'
    '<button type="button" data-tool="theme" aria-label="Light or dark page" title="Light or dark">◐</button>'
    '<button type="button" data-tool="marks" aria-pressed="true" title="What the critic says">marks</button>'
    '<button type="button" data-tool="guide" aria-pressed="false" '
    'title="Say which step to look at, and not what is expected there">guide only</button>'
    '<button type="button" data-tool="projector" aria-pressed="false" title="Larger type">projector</button>'
    '<button type="button" data-tool="keys" aria-label="Keys" title="Keys">?</button>'
    "</div>"
)
_COLOPHON = (
    '<footer class="colophon"><p>A mark is a question, not a verdict: the critic learned from worked solutions alone '
    "and errs both ways. {measured}Equations are checked exactly; what could not be read as an equation was not "
    "checked. Please do not paste names of pupils.</p></footer>"
)
_SCRIPTS = ("page.js", "legend.js", "tokens.js", "voice.js", "typed.js")
_DIALOG_SCRIPTS = ("keyboard.js", "guessing.js", "permalinks.js", "mathematics.js", "quantities.js")
_FIGURES = ASSETS / "checkpoints" / "figures.json"
_SOURCES = ("localisation_zeroeval", "localisation_mathcheck", "localisation_mr_gsm8k", "localisation_mathclean")


# What a reload gives back to this tab is a problem that is there already.
_TYPED_BEFORE = "q => { try { return sessionStorage.getItem('errata-problem') || q } catch { return q } }"


def build_page(workbench: Workbench | None) -> gr.Blocks:
    """The whole app. `workbench` is None in replay-only mode: saved sessions can be read, nothing can be run."""
    examples = json.loads((ASSETS / "examples.json").read_text("utf-8"))
    gallery = load_gallery(STANDARD if workbench is None else workbench.pair or STANDARD)
    page = gr.Blocks(title="Errata", fill_width=True, analytics_enabled=False, elem_id="errata")
    with page:
        masthead = html(_masthead(workbench), js_on_load=script(*_SCRIPTS), elem_id="masthead")
        html(render_keys(), js_on_load=script(*_DIALOG_SCRIPTS), elem_id="keys")
        with gr.Tabs(elem_id="rooms") as rooms:
            with gr.Tab("Solve", id="solve"):
                html('<h2 class="sr">Solve</h2>', elem_classes="heading")
                tab = SolveLayout(examples["problems"], can_solve=workbench is not None)
            with gr.Tab("Diagnose", id="diagnose"):
                html('<h2 class="sr">Diagnose</h2>', elem_classes="heading")
                pasted = DiagnoseTab(workbench, examples["solutions"])
        solver = Solver(tab, rooms, workbench)
        solver.connect()
        solver.accept_rewrites(tab.reading.text, tab.session, tab.selection)
        solver.accept_rewrites(pasted.reading.text, pasted.session, gr.State(Selection(0)))
        viewer = SessionViewer(tab, can_solve=workbench is not None)
        viewer.connect(examples["problems"], gallery)
        _accept_work(
            workbench,
            Shown(tab.reading.text, tab.session, tab.selection, tab.status, tab.drawing, viewer.show_changed),
            Shown(
                pasted.reading.text, pasted.session, gr.State(Selection(0)), pasted.status, pasted.shown,
                pasted.show_session,
            ),
            corners=[tab.labels, pasted.labels],
        )  # fmt: skip
        page.load(
            viewer.land,
            tab.problem,
            [*tab.filled, *tab.drawing, *tab.way_back],
            js=_TYPED_BEFORE,
            **QUIET,
        )
        pair = STANDARD if workbench is None else workbench.pair
        html(_COLOPHON.format(measured=measured(_FIGURES, pair) if pair else ""))
        Endpoints(workbench, solver.stops).connect()
        page.unload(solver.forget)
        if workbench is not None:
            _follow_status(workbench, masthead)
    return page


def _accept_work(workbench: Workbench | None, *tabs: Shown, corners: Sequence[LabelsCorner]) -> None:
    """Let a person change and judge the solutions that are on show."""
    judged = gr.State(())
    for shown in tabs:
        Editor(shown, workbench).connect()
        Judge(shown, corners, judged).connect()


def measured(figures: Path, pair: Pair) -> str:
    """How often a pair's marks are right, in a sentence, from the figures that the documents are filled with too.

    What is not to be had is not claimed.
    """
    try:
        values = json.loads(figures.read_text("utf-8"))[pair.figures]["figures"]
        counts = [values[f"left_out.{name}.n"] for name in _SOURCES]
        named, flagged = (
            fmean(values[f"left_out.{name}.{key}"]["value"] for name in _SOURCES)
            for key in ("accuracy_error", "right_suspected")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return (
        f"On {sum(counts):,} labelled solutions of {len(counts)} sources, each left out of its calibration in turn, "
        f"this critic marked the first wrong step of {named:.0%} of the wrong ones exactly, and suspected "
        f"{flagged:.0%} of the right ones (means over the sources). "
    )


def load_gallery(pair: Pair) -> dict[str, Session]:
    """A pair's recorded runs by their question, or those of the default pair where it has none.

    One that cannot be read is named in the log and left out.
    """
    sessions = {}
    files = sorted((ASSETS / "gallery" / pair.name).glob("*.json"))
    for path in files or sorted((ASSETS / "gallery" / STANDARD.name).glob("*.json")):
        try:
            session = load_session(path.read_bytes())
            sessions[session.problem.question] = session
        except ValueError:
            _LOG.warning("gallery session %s cannot be read and is left out", path.name)
    return sessions


def _follow_status(workbench: Workbench, masthead: gr.HTML) -> None:
    """Keep the badge true until the models are loaded, then stop asking. One failed attempt is not the last."""
    timer = gr.Timer(1.0)

    def look() -> Updates:
        return {masthead: _masthead(workbench), timer: gr.Timer(active=workbench.stage != "ready")}

    timer.tick(look, None, [masthead, timer], queue=False, show_progress="hidden", api_visibility="private")


def _masthead(workbench: Workbench | None) -> str:
    return _MASTHEAD.format(badge="replay only · no model" if workbench is None else escape(workbench.describe()))
