"""The note beside a step: corrections that are certain first, then what the critic finds."""

from __future__ import annotations

import re

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.text.markup import read_markup
from irl_core.text.traces import Trace

from .html import escape, plain, signed, typeset
from .verdicts import chance, first_false, in_words, is_exact_alone, shown_verdict, suspect_step

_WORTH_SAYING = 0.1


def render_note(index: int, trace: Trace, diagnosis: Diagnosis) -> str:
    """The note on step `index` as HTML; empty where there is nothing to say.

    Where the critic judges nothing it holds what was calculated alone: false equations, and numbers that were rounded.
    """
    finding, verdict = diagnosis.steps[index], shown_verdict(diagnosis, index)
    lines = [_correction(e.text, e.expected) for e in finding.equations if not e.ok]
    if verdict == "suspect":
        if not lines:
            lines.append(f'<p class="word">{in_words(finding.error_probability)}: {escape(finding.reason)}</p>')
        lines.append(f'<p class="evidence">{_found_by(finding, diagnosis)}</p>')
    elif verdict == "not sure":
        lines.append(f'<p class="word">not sure: {escape(finding.reason)}</p>')
        lines.append(f'<p class="evidence">{_evidence(finding)}</p>')
    elif verdict == "unfinished":
        lines.append('<p class="word">cut off here: not checked</p>')
    elif verdict == "follows" and _is_told(index, trace, diagnosis):
        lines.append(_follows(index, finding, diagnosis))
    lines += [_rounding(e.text, e.expected) for e in finding.equations if e.rounded_to_whole]
    if not lines:
        return ""
    return f'<div class="note" role="note" aria-label="Note on step {index + 1}">{"".join(lines)}</div>'


def _is_told(index: int, trace: Trace, diagnosis: Diagnosis) -> bool:
    """Whether step `index` says that it follows from the suspect step.

    All steps after it do. So that the suspect step stands out, only those say so that use the wrong number again or
    may well be the first error themselves.
    """
    if (diagnosis.steps[index].error_probability or 0.0) >= _WORTH_SAYING:
        return True
    suspect = suspect_step(diagnosis)
    wrong = first_false(diagnosis.steps[suspect].equations) if suspect is not None else None
    if wrong is None or not wrong.stated or index >= len(trace.steps):
        return False
    start, end = trace.steps[index]
    return re.search(rf"(?<![\d.,]){re.escape(wrong.stated)}(?![\d]|[.,]\d)", trace.text[start:end]) is not None


def _follows(index: int, finding: StepFinding, diagnosis: Diagnosis) -> str:
    suspect = suspect_step(diagnosis)
    source = f"step {suspect + 1}" if suspect is not None and suspect < index else "an earlier step"
    evidence = f"{_probability(finding)}not marked by itself"
    return f'<p class="word">follows from {source}</p><p class="evidence">{evidence}</p>'


def _correction(equation: str, expected: str) -> str:
    return (
        f'<p class="fix"><del><bdi>{escape(read_markup(equation).text)}</bdi></del></p>'
        f'<p class="word tells">check: expected <b>{escape(typeset(expected))}</b></p>'
    )


def _rounding(equation: str, exact: str) -> str:
    """No error by itself, for people and buses come whole; but a class should see that the number was changed."""
    return f'<p class="word tells">rounded: <bdi>{escape(equation)}</bdi>, exactly <b>{escape(typeset(exact))}</b></p>'


def _found_by(finding: StepFinding, diagnosis: Diagnosis) -> str:
    """Who suspects the step, and how much: below a false equation this is not the critic's doing alone."""
    if diagnosis.outside:
        return "found by exact arithmetic"
    if is_exact_alone(finding):
        return f"found by exact arithmetic; the critic says {_evidence(finding)}"
    wrong = first_false(finding.equations) is not None
    return (f"{in_words(finding.error_probability)} · " if wrong else "") + _evidence(finding)


def _evidence(finding: StepFinding) -> str:
    return (
        f"{_probability(finding)}reward&nbsp;{signed(finding.reward, 1)} · "
        f"surprise&nbsp;{plain(finding.surprise, 1)}&nbsp;nats"
    )


def _probability(finding: StepFinding) -> str:
    """Empty where none is known: a stranger's session may call a step suspect and give no probability."""
    return "" if finding.error_probability is None else f"P(error)&nbsp;{escape(chance(finding.error_probability))} · "
