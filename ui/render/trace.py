"""One marked solution as HTML: the product's own renderer of coloured tokens, steps and notes.

Colour, granularity, projector size and dark mode are CSS (`assets/errata.css`); this module only says what is where.
Every character of the trace is in the page once, inside an element of class `t`: joining their texts gives the trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.text.scores import TraceScore
from irl_core.text.spans import Span
from irl_core.text.traces import Trace

from .colours import FIXED, Evidence, Scale, evidence_of, probability_tint, render_legend, reward_tint
from .html import escape, has_bidi_control, signed
from .notes import render_note
from .sentence import Told, sentence, terms
from .verdicts import chance, first_false, is_uncalibrated, probabilities, shown_verdict, step_words, summary
from .visible_tokens import VisibleToken, guilty_span, visible_tokens

if TYPE_CHECKING:
    from irl_core.session.run import Growing

_EDIT = '<button type="button" class="edit" data-step="{}" data-text="{}" aria-keyshortcuts="Enter">edit</button>'
_REWRITE = '<button type="button" class="rewrite" data-step="{}">rewrite from here</button>'


@dataclass(frozen=True)
class View:
    """How one trace is headed: its title, the scale of its raw rewards, and a name that is unique on the page.

    Its first `given` characters were there before a model went on with them. Where it is `rewritable` each step offers
    to be written anew, but for those that follow from an error before them. `correct` says whether its answer is the
    known one, None where none is known; `left_out` are the numbers of the problem that it never names. Where it is
    `editable` a person may change each step; `below` is HTML of our own that stands below the finding.
    """

    title: str = "Solution"
    name: str = "trace"
    scale: Scale = FIXED
    given: int = 0
    rewritable: bool = False
    correct: bool | None = None
    left_out: tuple[str, ...] = ()
    editable: bool = False
    below: str = ""


def render_trace(
    trace: Trace, score: TraceScore | None = None, diagnosis: Diagnosis | None = None, view: View | None = None
) -> str:
    """A whole solution: heading and legend, steps in an ordered list, the notes beside them.

    Without `score` the text is shown plain; without `diagnosis` no step is marked, nor where the critic has no
    calibration. Nothing in the three records is trusted: text is escaped, indices are checked, numbers formatted here.
    """
    view = view or View()
    evidence = evidence_of(score, diagnosis)
    legend = render_legend(view.scale, evidence, view.name) if score else ""
    return (
        f'<section class="trace" aria-label="{escape(view.title)}">'
        f'<header class="bar"><h3>{escape(view.title)}</h3>{legend}</header>'
        f"{_found(trace, diagnosis, view)}{view.below}"
        f"{render_steps(trace, score, diagnosis, view.scale, view)}"
        f"{_footnotes(trace, score, diagnosis, evidence)}</section>"
    )


def _found(trace: Trace, diagnosis: Diagnosis | None, view: View) -> str:
    """The finding in one plain sentence, once as it tells and once as it only guides; its numbers behind "details"."""
    told = Told(trace, diagnosis, view.correct, view.left_out)
    tells, guides = escape(sentence(told)), escape(sentence(told, guide=True))
    return (
        f'<div class="finding told"><p aria-live="polite"><span class="tells">{tells}</span>'
        f'<span class="guides">{guides}</span></p>'
        '<details class="tells"><summary>details</summary>'
        f"<p>{escape(summary(diagnosis))} {terms(diagnosis)}</p></details></div>"
    )


def render_steps(
    trace: Trace, score: TraceScore | None, diagnosis: Diagnosis | None, scale: Scale, view: View | None = None
) -> str:
    """Only the ordered list of steps; without `view` as the drafts that are shown while others are written."""
    evidence = evidence_of(score, diagnosis)
    shown = visible_tokens(trace, score, evidence.heat if evidence else ())
    paint = _Paint(trace.text, guilty_span(trace, shown, diagnosis), scale, evidence)
    items = []
    for index in range(len(trace.steps)):
        own = [c for c in shown if c.step == index]
        text = "".join(_token(c, paint) for c in _trim(trace.text, own))
        content = f'<p class="text" dir="auto">{text}</p>{_aside(index, trace, diagnosis, view)}'
        given = view is not None and trace.steps[index][0] < view.given
        items.append(_step(index, content, _step_told(index, score, diagnosis, paint), given))
    return f'<ol class="steps{"" if evidence else " raw"}">{"".join(items)}</ol>'


def _aside(index: int, trace: Trace, diagnosis: Diagnosis | None, view: View | None) -> str:
    """What stands beside step `index`: its note, and the offer to write it anew."""
    if view is None:
        return ""
    judged = diagnosis if diagnosis and index < len(diagnosis.steps) else None
    note = render_note(index, trace, judged) if judged else ""
    worth_it = view.rewritable and not (judged and judged.steps[index].verdict == "follows")
    offer = _EDIT.format(index, escape(trace.step_texts()[index])) if view.editable else ""
    offer += _REWRITE.format(index) if worth_it else ""
    return f'<div class="aside">{note}{offer}</div>' if note or offer else ""


def render_growing(growing: Growing, scale: Scale) -> str:
    """A solution that is still being written: its finished steps coloured as far as the critic has read, the rest
    plain."""
    text, finished = growing.text, growing.finished
    if finished is None or not text.startswith(finished.trace.text):
        steps, rest = "", text
    else:
        steps = render_steps(finished.trace, finished.score, finished.diagnosis, scale)
        rest = text[len(finished.trace.text) :]
    plain = f'<span class="t off">{escape(rest)}</span>' if rest else ""
    return f'{steps}<p class="growing" dir="auto">{plain}<span class="caret" aria-hidden="true"></span></p>'


class _Paint(NamedTuple):
    """What the marks of one solution go by."""

    text: str
    guilty: Span | None
    scale: Scale
    evidence: Evidence | None


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


def _token(trimmed: _Trimmed, paint: _Paint) -> str:
    token, head, foot = trimmed
    classes, attributes = ["t"], ""
    raw = paint.text[token.start : token.end]
    if paint.guilty and token.start < paint.guilty[1] and paint.guilty[0] < token.end and raw.strip():
        classes.append("guilty")
    if has_bidi_control(raw):
        classes.append("bidi")
    if token.reward is None:
        classes.append("off")
    else:
        attributes = f' style="{_token_tints(token, paint)}" data-tip="{_tip(token)}"'
    inner = _broken(raw[:head]) + escape(raw[head : len(raw) - foot]) + _broken(raw[len(raw) - foot :] if foot else "")
    return f'<span class="{" ".join(classes)}"{attributes}>{inner}</span>'


def _token_tints(token: VisibleToken, paint: _Paint) -> str:
    """The raw reward's tint, and that of the evidence where there is any to see."""
    tints = f"--r:{reward_tint(token.reward or 0.0, paint.scale.token):.3f}"
    if paint.evidence and token.heat is not None and (seen := paint.evidence.tint(token.heat)):
        tints += f";--e:{seen:.3f}"
    return tints


def _tip(token: VisibleToken) -> str:
    """The numbers of one token. Heat has the sign of a reward; a share in the log-odds of an error has the other."""
    evidence = "" if token.heat is None else f"evidence of an error {signed(-token.heat)} · "
    return f"{evidence}reward {signed(token.reward or 0.0)} · belief {signed(token.value or 0.0)} nats"


def _broken(line_breaks: str) -> str:
    return f'<span class="nl">{escape(line_breaks)}</span>' if line_breaks else ""


class _StepTold(NamedTuple):
    """What a step's row says beside its text: the kind of mark, the words, and the tints as CSS."""

    kind: str
    words: str
    tints: str


def _step_told(index: int, score: TraceScore | None, diagnosis: Diagnosis | None, paint: _Paint) -> _StepTold:
    kind, words, tints = "", [], []
    if diagnosis and index < len(diagnosis.steps):
        verdict, known = shown_verdict(diagnosis, index), probabilities(diagnosis)
        exact = first_false(diagnosis.steps[index].equations) is not None
        kind = {
            "suspect": "suspect" if exact else "suspect unusual",
            "not sure": "unsure",
            "follows": "follows",
            "unfinished": "unfinished",
        }.get(verdict, "")
        words = [said] if (said := step_words(diagnosis, index)) else []
        if known and index < len(known):
            words.append(f"P(error) {chance(known[index])}")
            tints = [f"--p:{tint:.3f}"] if (tint := probability_tint(known[index])) else []
    if score and index < len(score.step_rewards):
        words.append(f"reward {signed(score.step_rewards[index])} nats")
        tints.append(f"--s:{reward_tint(score.step_rewards[index], paint.scale.step):.3f}")
    return _StepTold(kind, escape(", ".join(words)), ";".join(tints))


def _step(index: int, content: str, told: _StepTold, given: bool) -> str:
    classes = " ".join(filter(None, ("step", told.kind, "given" * given)))
    style = f' style="{told.tints}"' if told.tints else ""
    flag = '<span class="flag" aria-hidden="true">▲</span>' if told.kind == "suspect" else ""
    return (
        f'<li class="{classes}" data-step="{index}"{style}><div class="mark"><span class="sr">Step </span>'
        f'<span class="n">{index + 1}</span>{flag}<span class="sr told tells">{told.words}</span></div>'
        f"{content}</li>"
    )


def _footnotes(trace: Trace, score: TraceScore | None, diagnosis: Diagnosis | None, evidence: Evidence | None) -> str:
    """What a reader must know to not trust the marks too far."""
    notes = []
    if score is not None and score.truncated_at is not None:
        notes.append(f"Scoring stopped at character {score.truncated_at:,}; the grey text after it was not read.")
    if trace.stopped in ("length", "cancelled"):
        cut = "Cut off at the limit of its length" if trace.stopped == "length" else "Stopped before its end"
        notes.append(f"{cut}: its last step is unfinished, and is neither checked nor counted.")
    if diagnosis is not None and is_uncalibrated(diagnosis):
        notes.append("The critic is not calibrated: its rewards are shown, and no step is judged by them.")
    elif diagnosis is not None and diagnosis.calibrated_on:
        what = "The critic is" if diagnosis.outside else "P(error)"
        notes.append(f"{what} calibrated on {escape(diagnosis.calibrated_on)}.")
    if evidence is None and score is not None and diagnosis is not None and not is_uncalibrated(diagnosis):
        notes.append("No evidence by token was recorded here: the colours are the critic’s raw rewards.")
    return f'<p class="foot">{" ".join(notes)}</p>' if notes else ""
