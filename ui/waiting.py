"""The page's use of the workbench: waiting for its models, and what is said when it cannot work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import gradio as gr

from irl_core.models.prompts import DoesNotFit

from .render.html import escape
from .render.status import running
from .validation import refusal

if TYPE_CHECKING:
    from irl_core.session.workbench import Workbench

_LOG = logging.getLogger(__name__)
_SECONDS_BETWEEN_LOOKS = 0.4
OFF = (
    '<p class="status">No model is loaded: this page was started with --replay-only. '
    "The examples show recorded runs, and saved sessions can be opened on the Solve tab.</p>"
)


def require(workbench: Workbench | None) -> Workbench:
    """The workbench; raises gr.Error in replay-only mode."""
    if workbench is None:
        raise refusal("This page was started with --replay-only: no model is loaded. Open a saved session.")
    return workbench


def wait_until_ready(workbench: Workbench, stop: threading.Event | None = None) -> Iterator[str]:
    """Status lines (HTML) until the models are loaded or `stop` is set.

    Models that could not be loaded are tried again, once for each request and not too often.

    Raises:
        gr.Error: with the reason, if they cannot be loaded.
    """
    workbench.start_loading()
    while (stage := workbench.stage) != "ready" and not (stop and stop.is_set()):
        if stage == "failed":
            raise refusal(f"{_sentence(workbench.status)} Try again in a few seconds: they are then loaded anew.")
        yield running(workbench.status)
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _sentence(text: str) -> str:
    """A phrase as an escaped sentence. It ends with one full stop."""
    return f"{escape(text[:1].upper() + text[1:].rstrip('.'))}."


@contextmanager
def faults_in_words(what: str) -> Iterator[None]:
    """Turn whatever the engine raises into one plain message; the stack trace goes to the log."""
    try:
        yield
    except gr.Error:
        raise
    except (DoesNotFit, NotImplementedError) as fault:  # whose messages are for people, and repeat no text of theirs
        raise refusal(f"{what.capitalize()} is not possible: {escape(str(fault))}") from fault
    except ConnectionError as fault:
        _LOG.exception("%s failed", what)
        raise refusal(
            f"{what.capitalize()} failed: the server behind this page does not answer, see the terminal. "
            "What it finished is kept."
        ) from fault
    except Exception as fault:
        _LOG.exception("%s failed", what)
        raise refusal(
            f"{what.capitalize()} failed. Your text is kept; try again, and see the terminal for the cause."
        ) from fault
