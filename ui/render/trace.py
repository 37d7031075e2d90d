"""One marked solution as HTML: the product's own renderer of coloured tokens, steps and notes.

Colour, granularity, projector size and dark mode are CSS (`assets/errata.css`); this module only says what is where.
Every character of the trace is in the page once, inside an element of class `t`: joining their texts gives the trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.text.number_sources import number_sources
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

from .colours import FIXED, Evidence, Scale, evidence_of, probability_tint, render_legend, reward_tint, switch
from .guessing import BAR, render_vote
from .html import escape, signed
from .mathematics import lay_out
from .notes import render_note
from .quantities import render_given, render_quantities
from .sentence import Told, sentence, terms
from .tokens import Paint, render_tokens, trim
from .verdicts import chance, first_false, is_uncalibrated, probabilities, shown_verdict, step_words, summary
from .visible_tokens import guilty_span, visible_tokens

if TYPE_CHECKING:
    from irl_core.session.run import Growing

_EDIT = '<button type="button" class="edit" data-step="{}" data-text="{}" aria-keyshortcuts="Enter">edit</button>'
_REWRITE = '<button type="button" class="rewrite" data-step="{}">rewrite from here</button>'


@dataclass(frozen=True)
class View:
    """How one trace is headed: its title, the scale of its raw rewards, and a name that is unique on the page.

    Its first `given` characters were there before a model went on with them. Where it is `rewritable` each step offers
    to be written anew, but for those that follow from an error before them. `correct` says whether its answer is the
    known one, None where none is known; `left_out` are the numbers of the problem that it never names. Where the
    `question` is given, numbers are linked to their sources. Where it is `editable` a person may change each step;
    `below` is HTML of our own that stands below the finding.
    """

    title: str = "Solution"
    name: str = "trace"
    scale: Scale = FIXED
    given: int = 0
    rewritable: bool = False
    correct: bool | None = None
    left_out: tuple[str, ...] = ()
    question: str | None = None
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
    steps = render_steps(trace, score, diagnosis, view.scale, view)
    rendered = 'class="sign"' in steps or 'class="formula' in steps
    script = switch(view.name, "script", "Show the text", ("rendered", "as written")) if rendered else ""
    return (
        f'<section class="trace" aria-label="{escape(view.title)}">'
        f'<header class="bar"><h3>{escape(view.title)}</h3>{legend}{script}</header>'
        f"{BAR}{_found(trace, diagnosis, view)}{view.below}{_quantities(trace, view)}"
        f"{steps}"
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


def _quantities(trace: Trace, view: View) -> str:
    if view.question is None:
        return ""
    return render_quantities(view.question, number_sources(view.question, trace.text, trace.steps))


def render_steps(
    trace: Trace, score: TraceScore | None, diagnosis: Diagnosis | None, scale: Scale, view: View | None = None
) -> str:
    """Only the ordered list of steps; without `view` as the drafts that are shown while others are written."""
    evidence = evidence_of(score, diagnosis)
    shown = visible_tokens(trace, score, evidence.heat if evidence else ())
    numbers = number_sources(view.question, trace.text, trace.steps) if view and view.question is not None else ()
    paint = Paint(trace.text, guilty_span(trace, shown, diagnosis), scale, evidence, numbers)
    items = []
    for index in range(len(trace.steps)):
        own = [c for c in shown if c.step == index]
        pieces = lay_out(trace.text, own[0].start, own[-1].end) if view and own else ()
        text = render_tokens(trim(trace.text, own), paint, pieces)
        content = f'<p class="text" dir="auto">{text}</p>{_aside(index, trace, diagnosis, view)}'
        given = view is not None and trace.steps[index][0] < view.given
        vote = "" if view is None else render_vote(index)
        items.append(_step(index, content, _step_told(index, score, diagnosis, paint), given, vote))
    return f'<ol class="steps{"" if evidence else " raw"}">{"".join(items)}</ol>'


def _aside(index: int, trace: Trace, diagnosis: Diagnosis | None, view: View | None) -> str:
    """What stands beside step `index`: its note, and the offer to write it anew."""
    if view is None:
        return ""
    judged = diagnosis if diagnosis and index < len(diagnosis.steps) else None
    note = render_note(index, trace, judged) if judged else ""
    note += render_given(diagnosis, index, view.question or "")
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


class _StepTold(NamedTuple):
    """What a step's row says beside its text: the kind of mark, the words, and the tints as CSS."""

    kind: str
    words: str
    tints: str


def _step_told(index: int, score: TraceScore | None, diagnosis: Diagnosis | None, paint: Paint) -> _StepTold:
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


def _step(index: int, content: str, told: _StepTold, given: bool, vote: str) -> str:
    classes = " ".join(filter(None, ("step", told.kind, "given" * given)))
    style = f' style="{told.tints}"' if told.tints else ""
    flag = '<span class="flag" aria-hidden="true">▲</span>' if told.kind == "suspect" else ""
    return (
        f'<li class="{classes}" data-step="{index}"{style}><div class="mark"><span class="sr">Step </span>'
        f'<span class="n">{index + 1}</span>{flag}<span class="sr told tells">{told.words}</span>{vote}</div>'
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
