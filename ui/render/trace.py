"""One marked solution as HTML: the product's own renderer of token rewards, steps and notes.

Colour, granularity, projector size and dark mode are CSS (`assets/errata.css`); this module only says what is where.
Every character of the trace is in the page once, inside an element of class `t`: joining their texts gives the trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.text.scores import TraceScore
from irl_core.text.spans import Span
from irl_core.text.traces import Trace

from .html import escape, has_bidi_control, signed, typeset
from .notes import render_note
from .visible_tokens import (
    Scale,
    VisibleToken,
    first_false,
    first_false_step,
    guilty_span,
    is_uncalibrated,
    shared_scale,
    suspect_step,
    visible_tokens,
)

_REWRITE = '<button type="button" class="rewrite" data-step="{}">rewrite from here</button>'
_VERDICT_WORDS = {
    "suspect": "suspected error",
    "not sure": "not sure",
    "follows": "follows from an earlier step",
    "not judged": "not calibrated",
}


@dataclass(frozen=True)
class View:
    """How one trace is headed: its title, the scale it shares with others, and a name that is unique on the page.

    Its first `given` characters were there before a model went on with them. Where it is `rewritable` each step offers
    to be written anew, but for those that follow from an error before them.
    """

    title: str = "Solution"
    name: str = "trace"
    scale: Scale | None = None
    given: int = 0
    rewritable: bool = False


def render_trace(
    trace: Trace, score: TraceScore | None = None, diagnosis: Diagnosis | None = None, view: View | None = None
) -> str:
    """A whole solution: heading and legend, steps in an ordered list, the notes beside them.

    Without `score` the text is shown plain; without `diagnosis` no step is marked, nor where the critic has no
    calibration. Nothing in the three records is trusted: text is escaped, indices are checked, numbers formatted here.
    """
    view = view or View()
    scale = view.scale or shared_scale([score] if score else [])
    legend = _legend(scale, view.name) if score else ""
    return (
        f'<section class="trace" aria-label="{escape(view.title)}">'
        f'<header class="bar"><h3>{escape(view.title)}</h3>{legend}</header>'
        f'<p class="sr told" aria-live="polite">{escape(summary(trace, diagnosis))}</p>'
        f"{render_steps(trace, score, diagnosis, scale, view)}{_footnotes(trace, score, diagnosis)}</section>"
    )


def render_steps(
    trace: Trace, score: TraceScore | None, diagnosis: Diagnosis | None, scale: Scale, view: View | None = None
) -> str:
    """Only the ordered list of steps; without `view` as the drafts that are shown while others are written."""
    shown = visible_tokens(trace, score)
    guilty = guilty_span(trace, shown, diagnosis)
    items = []
    for index in range(len(trace.steps)):
        own = [c for c in shown if c.step == index]
        finding = _finding(diagnosis, index)
        reward = score.step_rewards[index] if score and index < len(score.step_rewards) else None
        text = "".join(_token(trace.text, c, guilty, scale) for c in _trim(trace.text, own))
        content = f'<p class="text" dir="auto">{text}</p>{_aside(index, trace, diagnosis, view)}'
        given = view is not None and trace.steps[index][0] < view.given
        items.append(_step(index, content, reward, finding, scale, given))
    return f'<ol class="steps">{"".join(items)}</ol>'


def _aside(index: int, trace: Trace, diagnosis: Diagnosis | None, view: View | None) -> str:
    """What stands beside step `index`: its note, and the offer to write it anew."""
    if view is None:
        return ""
    finding = _finding(diagnosis, index)
    note = render_note(index, trace, diagnosis) if diagnosis and finding else ""
    worth_it = view.rewritable and not (finding and finding.verdict == "follows")
    offer = _REWRITE.format(index) if worth_it else ""
    return f'<div class="aside">{note}{offer}</div>' if note or offer else ""


def render_growing(text: str, score: TraceScore | None, scale: Scale) -> str:
    """A solution that is still being written, coloured as far as the critic has read."""
    tokens = (_token(text, _Trimmed(token), None, scale) for token in visible_tokens(Trace.unsplit(text), score))
    return f'<p class="growing" dir="auto">{"".join(tokens)}<span class="caret" aria-hidden="true"></span></p>'


def summary(trace: Trace, diagnosis: Diagnosis | None) -> str:
    """The finding in one plain sentence (not yet escaped)."""
    if diagnosis is None:
        return "Not checked."
    if is_uncalibrated(diagnosis):
        false = first_false_step(diagnosis)
        certain = f" Step {false[0] + 1}: expected {typeset(false[1].expected)}." if false else ""
        return f"The critic is not calibrated: no step is judged.{certain}"
    index = suspect_step(diagnosis)
    if index is None:
        return "The critic is not sure." if diagnosis.not_sure else "No suspect step."
    wrong = first_false(diagnosis.steps[index].equations)
    doubt = " The critic is not sure." if diagnosis.not_sure else ""
    return f"Step {index + 1} is suspect{f': expected {typeset(wrong.expected)}' if wrong else ''}.{doubt}"


def _finding(diagnosis: Diagnosis | None, index: int) -> StepFinding | None:
    return diagnosis.steps[index] if diagnosis and index < len(diagnosis.steps) else None


class _Trimmed(NamedTuple):
    """A visible token, and how many of its first and last characters are line breaks around its step."""

    token: VisibleToken
    head: int = 0
    foot: int = 0


def _trim(text: str, own: list[VisibleToken]) -> list[_Trimmed]:
    """The tokens of one step, with the line breaks around it told.

    The list item is already a line of its own: shown as well, these would leave empty lines.
    """
    if not own:
        return []
    # Not the step's own span: a token that begins with the line break before the step is shown in the step.
    origin, shown = own[0].start, text[own[0].start : own[-1].end]
    lead = origin + len(shown) - len(shown.lstrip("\r\n"))
    tail = origin + len(shown.rstrip("\r\n"))
    trimmed = []
    for token in own:
        head = min(max(lead - token.start, 0), token.end - token.start)
        foot = min(max(token.end - max(tail, lead), 0), token.end - token.start - head)
        trimmed.append(_Trimmed(token, head, foot))
    return trimmed


def _token(text: str, trimmed: _Trimmed, guilty: Span | None, scale: Scale) -> str:
    token, head, foot = trimmed
    classes, attributes = ["t"], ""
    raw = text[token.start : token.end]
    if guilty and token.start < guilty[1] and guilty[0] < token.end and raw.strip():
        classes.append("guilty")
    if has_bidi_control(raw):
        classes.append("bidi")
    if token.reward is None:
        classes.append("off")
    else:
        tint = max(-1.0, min(1.0, token.reward / scale.token))
        tip = f"reward {signed(token.reward)} · belief {signed(token.value or 0.0)} nats"
        attributes = f' style="--r:{tint:.3f}" data-tip="{tip}"'
    inner = _broken(raw[:head]) + escape(raw[head : len(raw) - foot]) + _broken(raw[len(raw) - foot :] if foot else "")
    return f'<span class="{" ".join(classes)}"{attributes}>{inner}</span>'


def _broken(line_breaks: str) -> str:
    return f'<span class="nl">{escape(line_breaks)}</span>' if line_breaks else ""


def _step(
    index: int,
    content: str,
    reward: float | None,
    finding: StepFinding | None,
    scale: Scale,
    given: bool,
) -> str:
    verdict = finding.verdict if finding else "fine"
    told = [_VERDICT_WORDS[verdict]] if verdict in _VERDICT_WORDS else []
    style = ""
    if reward is not None:
        told.append(f"reward {signed(reward)} nats")
        style = f' style="--s:{max(-1.0, min(1.0, reward / scale.step)):.3f}"'
    kind = {"suspect": " suspect", "not sure": " unsure", "follows": " follows"}.get(verdict, "") + " given" * given
    flag = '<span class="flag" aria-hidden="true">▲</span>' if verdict == "suspect" else ""
    return (
        f'<li class="step{kind}" data-step="{index}"{style}><div class="mark"><span class="sr">Step </span>'
        f'<span class="n">{index + 1}</span>{flag}<span class="sr told">{", ".join(told)}</span></div>'
        f"{content}</li>"
    )


def _legend(scale: Scale, name: str) -> str:
    group = escape(name)
    ends = "".join(
        f'<span class="{grain}-only"><span>{signed(-width, 1)}</span><i class="ramp" aria-hidden="true"></i>'
        f"<span>{signed(width, 1)}</span><em>reward per {grain} (nats)</em></span>"
        for grain, width in (("token", scale.token), ("step", scale.step))
    )
    choices = "".join(
        f'<label><input type="radio" name="grain-{group}" value="{grain}"{" checked" if grain == "token" else ""}>'
        f"<span>{grain}</span></label>"
        for grain in ("token", "step")
    )
    switch = f'<fieldset class="grain"><legend class="sr">Colour each</legend>{choices}</fieldset>'
    return f'<div class="legend">{ends}{switch}</div>'


def _footnotes(trace: Trace, score: TraceScore | None, diagnosis: Diagnosis | None) -> str:
    """What a reader must know to not trust the marks too far."""
    notes = []
    if score is not None and score.truncated_at is not None:
        notes.append(f"Scoring stopped at character {score.truncated_at:,}; the grey text after it was not read.")
    if trace.stopped in ("length", "cancelled"):
        notes.append("Cut off at the token limit." if trace.stopped == "length" else "Stopped before its end.")
    if diagnosis is not None and diagnosis.not_sure:
        notes.append("The critic is unsure here.")
    if diagnosis is not None and is_uncalibrated(diagnosis):
        notes.append("The critic is not calibrated: its rewards are shown, and no step is judged by them.")
    elif diagnosis is not None and diagnosis.calibrated_on:
        notes.append(f"P(error) calibrated on {escape(diagnosis.calibrated_on)}.")
    return f'<p class="foot">{" ".join(notes)}</p>' if notes else ""
