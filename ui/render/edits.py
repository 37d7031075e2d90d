"""What a person's change did, as HTML: the way back, each step before and after, the place in the ranking."""

from __future__ import annotations

from collections.abc import Sequence

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.session.edits import StepChange, compare, history_of, undo
from irl_core.session.record import Session
from irl_core.session.versions import Version

from .html import count, escape, signed
from .verdicts import chance, probabilities, step_words

_NOWHERE = "–"
EDITED = "edited by a person"


def render_changes(session: Session, index: int) -> str:
    """Undo and redo of a solution and, where it was changed, what the last change did; empty where nothing was."""
    history = history_of(session, index)
    if history is None or len(history.versions) < 2:
        return ""
    back = _button("undo", "Undo", "Control+Z", possible=history.at > 0)
    forth = _button("redo", "Redo", "Control+Shift+Z", possible=history.at < len(history.versions) - 1)
    shown = ""
    if history.at:
        before, after = history.versions[history.at - 1], history.shown
        shown = (
            f'<details class="told tells" open><summary>what the change did</summary>{_effect(session, index)}'
            f"{_table(before, after)}</details>"
        )
    return (
        f'<div class="changes"><div role="group" aria-label="Changes of this solution">{back}{forth}'
        f"<span>version {history.at + 1} of {len(history.versions)}</span></div>{shown}</div>"
    )


def _button(action: str, name: str, keys: str, *, possible: bool) -> str:
    """Not `disabled`: a button that cannot be pressed any more keeps the focus."""
    off = "" if possible else ' aria-disabled="true"'
    return f'<button type="button" data-change="{action}" aria-keyshortcuts="{keys}"{off}>{name}</button>'


def change_in_words(session: Session, index: int) -> str:
    """What the last change of a solution did to its answer, its place and the vote, as plain text."""
    before = undo(session, index)
    was, now = before.traces[index].answer, session.traces[index].answer
    parts = [f"answer {now or 'none'}" + (f", before {was or 'none'}" if was != now else ", as before")]
    if session.ranking and before.ranking and index in session.ranking.order and index in before.ranking.order:
        place, old = session.ranking.order.index(index) + 1, before.ranking.order.index(index) + 1
        of = len(session.traces)
        parts.append(f"place {place} of {of}" + (f", before {old}" if old != place else ", as before"))
        elected, before_it = _elected(session), _elected(before)
        same = elected == before_it
        parts.append(f"the vote chooses {elected}" + (", as before" if same else f", before {before_it}"))
    return "; ".join(parts)


def _elected(session: Session) -> str:
    chosen = session.ranking.chosen.get("weighted_vote") if session.ranking else None
    known = chosen is not None and 0 <= chosen < len(session.traces)
    return (session.traces[chosen].answer if known and chosen is not None else None) or "no answer"


def _effect(session: Session, index: int) -> str:
    return f"<p><bdi>{escape(change_in_words(session, index))}</bdi></p>"


def _table(before: Version, after: Version) -> str:
    """From the first step that was changed on: what stands before it was not read again."""
    changes = compare(before, after)
    first = next((k for k, change in enumerate(changes) if change.reworded), 0)
    same = f"<p>{count(first, 'step')} before the change: as before, not read again</p>" if first else ""
    rows = "".join(_row(change, before.diagnosis, after.diagnosis) for change in changes[first:])
    heads = "".join(f"<th scope='col'>{name}</th>" for name in ("step", "P(error)", "reward", "verdict"))
    caption = "<caption class='sr'>Each step before and after the change</caption>"
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{same}"


def _row(change: StepChange, before: Diagnosis, after: Diagnosis) -> str:
    cells = (
        _both(_chance(before, change.before), _chance(after, change.after)),
        _both(
            _NOWHERE if change.was is None else signed(change.was.reward),
            _NOWHERE if change.now is None else signed(change.now.reward),
        ),
        _both(_verdict(before, change.before), _verdict(after, change.after)),
    )
    step = _both(_number(change.before), _number(change.after))
    return f"<tr><th scope='row'>{step}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _both(was: str, now: str) -> str:
    if was == now:
        return escape(now)
    return f'<del>{escape(was)}</del><span class="sr"> before, now</span> <ins>{escape(now)}</ins>'


def _number(step: int | None) -> str:
    return _NOWHERE if step is None else str(step + 1)


def _chance(diagnosis: Diagnosis, step: int | None) -> str:
    known: Sequence[float] = probabilities(diagnosis) or ()
    return chance(known[step]) if step is not None and step < len(known) else _NOWHERE


def _verdict(diagnosis: Diagnosis, step: int | None) -> str:
    if step is None or step >= len(diagnosis.steps):
        return _NOWHERE
    return step_words(diagnosis, step) or "fine"
