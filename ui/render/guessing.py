"""What a class sees that looks for the error first: solutions in an order that says nothing, and its own count.

All of it is in the page beside what the critic says; `assets/errata.css` shows one of the two, and what is not shown
can be reached by neither keyboard nor screen reader. Votes are counted in the browser alone (`assets/guessing.js`).
"""

from __future__ import annotations

import hashlib

from irl_core.session.record import Session
from irl_core.text.traces import Trace

from .html import escape

BAR = (
    '<div class="guess guesses">'
    '<p class="asked">Which step does not hold? Click the first one, or press its number; 0 for none.</p>'
    '<p class="ways"><button type="button" class="vote" data-vote="none">all steps hold <b class="tally"></b>'
    '</button> <button type="button" data-unvote>take one back</button> '
    '<button type="button" data-tool="marks">reveal the marks</button></p></div>'
    '<p class="class-said" hidden></p>'
)
"""The question to the class above a solution, and the place for what it said once the marks are there."""


def shuffled(session: Session) -> list[int]:
    """The indices of all solutions in an order that follows from their texts alone: the same each time it is drawn."""
    return sorted(range(len(session.traces)), key=lambda i: (_digest(session, i), i))


def name_of(session: Session) -> str:
    """Tells lists of different sessions apart."""
    texts = "\0".join([session.problem.question, *(trace.text for trace in session.traces)])
    return hashlib.sha256(texts.encode("utf-8", "replace")).hexdigest()[:16]


def render_guess_list(session: Session, selected: int | None) -> str:
    """The solutions as a listbox that tells of each its number and answer alone."""
    rows = "".join(_row(session.traces[i], i, i == selected) for i in shuffled(session))
    if not rows:
        return ""
    return (
        f'<ol class="ranking guess-list guesses" role="listbox" aria-label="Solutions, shuffled" '
        f'data-of="{name_of(session)}">{rows}</ol>'
    )


def render_vote(index: int) -> str:
    """The button by which somebody points at step `index`, with the count of those who did."""
    return (
        f'<button type="button" class="vote guesses" data-vote="{index}">'
        f'<span class="sr">somebody points at step {index + 1} </span>'
        '<span aria-hidden="true">+</span> <b class="tally"></b></button>'
    )


def _row(trace: Trace, index: int, selected: bool) -> str:
    answer = f"<bdi>{escape(trace.answer)}</bdi>" if trace.answer else "no answer"
    return (
        f'<li class="guess-row" role="option" aria-selected="{str(selected).lower()}" '
        f'tabindex="{0 if selected else -1}" data-solution="{index}"><b>{answer}</b> '
        f"<span>solution {index + 1}</span></li>"
    )


def _digest(session: Session, index: int) -> bytes:
    return hashlib.sha256(f"{name_of(session)} {index}".encode()).digest()
