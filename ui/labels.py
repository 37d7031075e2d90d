"""What a visitor judged so far: how often the critic agrees, and the step labels as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from gradio.blocks import Block

from irl_core.session.verdicts import Judged, agreement

from .page_files import save_labels
from .reading_column import Updates
from .render.judging import render_agreement
from .theme import html


class LabelsCorner:
    """A button and a line, laid out inside the current Blocks context; each tab has one, and both say the same."""

    def __init__(self, elem_id: str) -> None:
        self.save = gr.DownloadButton("Save step labels", size="sm", interactive=False, elem_id=elem_id)
        self.line = html(elem_id=f"{elem_id}-line")

    @property
    def parts(self) -> list[Block]:
        """What `show` changes."""
        return [self.save, self.line]

    def show(self, judged: Sequence[Judged]) -> Updates:
        """The verdicts of this visit, in all its sessions."""
        file = str(save_labels(judged, Path(self.save.GRADIO_CACHE))) if judged else None
        return {
            self.save: gr.update(value=file, interactive=bool(judged)),
            self.line: render_agreement(agreement(judged)),
        }
