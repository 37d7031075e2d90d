"""A reader's own verdict beside the critic's, as HTML: what can be said with one key, and how often both agree."""

from __future__ import annotations

from irl_core.session.record import Session
from irl_core.session.verdicts import NOTHING, Agreement, found_by_critic, said_by_reader

from .html import count


def render_verdict(session: Session, index: int) -> str:
    """The three verdicts on a solution, the one that was given pressed; empty where nothing was diagnosed.

    What would tell the critic's mind is of the class `told`, which a page with hidden marks leaves out.
    """
    if index >= len(session.diagnoses):
        return ""
    said, found = said_by_reader(session, index), found_by_critic(session.diagnoses[index])
    step = said is not None and said >= 0
    agree = (
        _button("agree", "agree", "a", pressed=said is not None and said == found, told=True)
        if found is not None
        else ""
    )
    other = f"step {said + 1}" if step and said is not None else "another step" if agree else "a step"
    picks = "".join(
        f'<button type="button" data-pick="{k}" aria-pressed="{str(k == said).lower()}" '
        f'aria-label="Step {k + 1} is the first wrong one">{k + 1}</button>'
        for k in range(len(session.traces[index].steps))
    )
    return (
        '<div class="verdict" role="group" aria-label="Your verdict on this solution"><span>your verdict</span>'
        f"{agree}"
        f"{_button('step', other, 's', pressed=step)}"
        f"{_button('none', 'nothing wrong', 'n', pressed=said == NOTHING)}"
        f'<span class="picks" role="group" aria-label="The first wrong step" hidden>{picks}</span>'
        f'<span class="same told">{_compared(said, found)}</span></div>'
    )


def _button(verdict: str, name: str, key: str, *, pressed: bool, told: bool = False) -> str:
    return (
        f'<button type="button"{" class=told" * told} data-verdict="{verdict}" aria-pressed="{str(pressed).lower()}" '
        f'aria-keyshortcuts="{key}" title="Key {key}; once more takes it back">{name}</button>'
    )


def _compared(said: int | None, found: int | None) -> str:
    if said is None:
        return ""
    if found is None:
        return "the critic leaves it open"
    if said == found:
        return "the critic says so too"
    return "the critic finds nothing wrong" if found == NOTHING else f"the critic says step {found + 1}"


def render_agreement(found: Agreement) -> str:
    """How often the critic's marks agree with this reader, in a sentence; empty before the first verdict."""
    if not found.judged:
        return ""
    open_ = f"; it leaves {found.left_open} open" if found.left_open else ""
    return (
        f'<p class="agreement told">The critic agrees with you on <b>{found.same} of '
        f"{count(found.judged, 'solution')}</b> that you judged{open_}.</p>"
    )
