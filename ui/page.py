"""The page: masthead with the model's name, one tab per room, nothing else."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from irl_core.models.pairs import LARGER, STANDARD, Pair
from irl_core.session.record import Session, load_session
from ui.diagnose import build_diagnose
from ui.render.html import escape
from ui.render.solution import Selection
from ui.solve import SolveTab
from ui.theme import ASSETS, html, script

if TYPE_CHECKING:
    from irl_core.session.workbench import Workbench

_LOG = logging.getLogger(__name__)
_MASTHEAD = (
    '<div class="brand"><h1>Errata<svg viewBox="0 0 12 7" aria-hidden="true"><path d="M1 6 6 1l5 5"/></svg></h1></div>'
    '<div class="tools"><span id="badge" role="status">{badge}</span>'
    '<button type="button" data-tool="theme" aria-label="Light or dark page" title="Light or dark">◐</button>'
    '<button type="button" data-tool="marks" aria-pressed="true" title="What the critic says">marks</button>'
    '<button type="button" data-tool="projector" aria-pressed="false" title="Larger type">projector</button>'
    "</div>"
)
_COLOPHON = (
    '<footer class="colophon"><p>A mark is a question, not a verdict: the critic learned from worked solutions alone '
    "and errs both ways. {measured}Equations are checked exactly; what could not be read as an equation was not "
    "checked. Please do not paste names of pupils.</p></footer>"
)
_FIGURES = ASSETS / "checkpoints" / "figures.json"


def build_page(workbench: Workbench | None) -> gr.Blocks:
    """The whole app. `workbench` is None in replay-only mode: saved sessions can be read, nothing can be run."""
    examples = json.loads((ASSETS / "examples.json").read_text("utf-8"))
    gallery = load_gallery(LARGER if workbench is None else workbench.pair or STANDARD)
    with gr.Blocks(
        title="Errata", fill_width=True, analytics_enabled=False, delete_cache=(3600, 3600), elem_id="errata"
    ) as page:
        masthead = html(_masthead(workbench), js_on_load=script("page.js"), elem_id="masthead")
        with gr.Tabs(elem_id="rooms") as rooms:
            with gr.Tab("Solve", id="solve"):
                solve = SolveTab(workbench, examples["problems"], gallery)
            with gr.Tab("Diagnose", id="diagnose"):
                pasted, diagnosed = build_diagnose(workbench, examples["solutions"])
        solve.accept_rewrites(solve.reading, solve.session, solve.selection, rooms)
        solve.accept_rewrites(pasted, diagnosed, gr.State(Selection(0)), rooms)
        pair = LARGER if workbench is None else workbench.pair
        html(_COLOPHON.format(measured=measured(_FIGURES, pair) if pair else ""))
        page.unload(solve.forget)
        if workbench is not None:
            _follow_status(workbench, masthead)
    return page


def measured(figures: Path, pair: Pair) -> str:
    """How often a pair's marks are right, in a sentence, from the figures that the documents are filled with too.

    Empty where they are not to be had: then nothing is claimed.
    """
    try:
        found = json.loads(figures.read_text("utf-8"))[pair.figures]["figures"]
        named, flagged, n = found["cross_validated.top1"]["value"], found["false_flag_rate"], found["n"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return (
        f"On {n:,} labelled solutions this critic named the first wrong step of {named:.0%} of the wrong ones "
        f"exactly, and suspected {flagged:.0%} of the right ones. "
    )


def load_gallery(pair: Pair) -> dict[str, Session]:
    """A pair's recorded runs by their question; one that cannot be read is named in the log and left out."""
    sessions = {}
    for path in sorted((ASSETS / "gallery" / pair.name).glob("*.json")):
        try:
            session = load_session(path.read_bytes())
            sessions[session.problem.question] = session
        except ValueError:
            _LOG.warning("gallery session %s cannot be read and is left out", path.name)
    return sessions


def _follow_status(workbench: Workbench, masthead: gr.HTML) -> None:
    """Keep the badge true until the models are awake (or have failed), then stop asking."""
    timer = gr.Timer(1.0)

    def look() -> tuple[Any, Any]:
        return _masthead(workbench), gr.Timer(active=workbench.stage == "loading")

    timer.tick(look, None, [masthead, timer], queue=False, show_progress="hidden", api_visibility="private")


def _masthead(workbench: Workbench | None) -> str:
    return _MASTHEAD.format(badge="replay only · no model" if workbench is None else escape(workbench.describe()))
