"""The line under the problem: how far a run is, what it cost, and what answer it came to."""

from __future__ import annotations

from irl_core.session.record import Session

from .headline import headline
from .html import count, escape

NOT_BEGUN = '<p class="status">stopped before the first solution was begun</p>'

STALE = '<p class="status" role="status">The text was changed; Check reads it anew.</p>'


def running(text: str) -> str:
    """The line for something that is under way; `text` is escaped here."""
    return _line("running", escape(text))


def render_status(session: Session, *, tokens: int, seconds: float, done: bool, stopped: bool) -> str:
    """The line under the problem: how far the run is, what it cost, and what answer it came to."""
    drawn, asked = len(session.traces), session.settings.n if session.settings else len(session.traces)
    speed = f"{tokens / seconds:,.0f} tokens/s" if seconds > 0 else ""
    if not done:
        return _line(
            "running",
            f"{drawn} of {count(asked, 'solution')} written",
            _rewritten(session),
            f"{tokens:,} tokens" if tokens else "",
            speed if tokens else "",
            f"{seconds:.1f} s",
        )
    if not drawn:
        return _line(
            "", "stopped before a solution was begun" if stopped else "the model wrote nothing; try another seed"
        )
    parts = [f"stopped: {drawn} of {count(asked, 'trace')}" if stopped else count(drawn, "solution")]
    parts += [_rewritten(session)]
    parts += [f"done in {seconds:.1f} s", f"{tokens:,} tokens"] if seconds > 0 else []
    return _line("", *parts, verdict=_told(session))


def _rewritten(session: Session) -> str:
    given = len(session.settings.prefix) if session.settings else 0
    kept = sum(start < given for start, _ in session.traces[0].steps) if session.traces else 0
    return f"rewritten from step {kept + 1} on" if kept else ""


def render_opened(session: Session) -> str:
    """The line under the problem for a session that was opened from a file."""
    cards = [escape(card.name) for card in (session.policy, session.critic) if card is not None]
    opened = f"opened: {count(len(session.traces), 'solution')}"
    return _line("", opened, _rewritten(session), *cards, verdict=_told(session))


def render_returned(session: Session) -> str:
    """The line under the problem for a session that one came back to."""
    back = f"back at {count(len(session.traces), 'solution')}"
    return _line("", back, _rewritten(session), verdict=_told(session))


def render_recorded(session: Session) -> str:
    """The line under the problem for a run that was recorded beforehand."""
    of = f" of {escape(session.policy.name)}" if session.policy else ""
    return _line("", f"<b>a recorded run</b>{of}; Solve draws fresh solutions", verdict=_told(session))


def render_checked(session: Session) -> str:
    """The line under a pasted solution that was checked; the finding stands above the solution, in its own words."""
    return _line("", "checked")


def render_changed(done: str, words: str) -> str:
    """The line for a solution that a person changed: what was done, and in `words` what came of it."""
    return _line("", escape(done), verdict=f"<bdi>{escape(words)}</bdi>" if words else "")


def _told(session: Session) -> str:
    """The answer that the vote comes to, and of how many solutions it says nothing."""
    outside = sum(d.outside for d in session.diagnoses)
    unsure = sum(d.not_sure and not d.outside for d in session.diagnoses)
    told, of = [headline(session)], f" of {len(session.diagnoses)}"
    if outside:
        are, them = ("is", "it") if outside == 1 else ("are", "them")
        told.append(
            f"{outside}{of} {are} not of a kind that the critic was calibrated on, so it does not judge {them}"
        )
    if unsure:
        told.append(f"{'it' if outside else 'the critic'} is not sure of {unsure}{of}")
    return "; ".join(filter(None, told))


def _line(kind: str, *parts: str, verdict: str = "") -> str:
    told = f'<span class="told"> · {verdict}</span>' if verdict else ""
    return f'<p class="status {kind}">{" · ".join(p for p in parts if p)}{told}</p>'
