"""What a diagnosis finds, in one plain sentence: what is wrong, where, and how sure that is.

What exact reading found is said as a fact; of what only the critic finds it is said that the critic does. A sentence
that guides says which step to look at, and nothing of what is expected there. Nothing is escaped yet.
"""

from __future__ import annotations

from typing import NamedTuple

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding
from irl_core.text.equations import EquationCheck
from irl_core.text.markup import read_markup
from irl_core.text.traces import Trace

from .html import typeset
from .verdicts import first_false, first_false_step, is_uncalibrated, probabilities, suspect_step

_CHANCE = "P(error) is the chance, from 0 to 1, that the first error is in a step. "
_UNITS = (
    "A reward says how well a word fits what an expert would write, a surprise how little it was foreseen; both are "
    "in nats, the unit of natural logarithms."
)
_SURE = ((0.9, "is almost sure that it is wrong"), (0.6, "holds it for probably wrong"), (0.35, "holds it possible"))
_UNSURE = "thinks it worth a look"
_UNUSUAL = {
    "number nobody gave": "uses a number that neither the problem nor an earlier step gives",
    "answer differs": "states another answer than the last result",
    "run-on equals sign": "runs on with its equals signs: the parts are right, the whole is not",
    "cut and not rounded": "cuts a number that should be rounded",
    "below zero": "comes to a number below zero",
}
_OF_CRITIC = {
    "unusual percentage": "the percentage in {} unusual: of which amount is it taken?",
    "unusual operation": "the operation in {} unusual",
    "unusual number": "the number in {} unusual",
}


class Told(NamedTuple):
    """What there is to tell of one solution; the fields are those of `View`."""

    trace: Trace
    diagnosis: Diagnosis | None
    correct: bool | None = None
    left_out: tuple[str, ...] = ()


def sentence(told: Told, *, guide: bool = False) -> str:
    """The finding in a plain sentence, with what is known of the answer and of numbers that were left out."""
    diagnosis, cut = told.diagnosis, told.trace.unfinished is not None
    if diagnosis is None:
        return "Not checked."
    place = _where(diagnosis)
    answered = cut and told.trace.answer is None
    parts = ["It was cut off before its answer." if answered else ""]
    if place is None:
        parts.append(_no_step(diagnosis, told.correct))
    else:
        parts.append(_step(*place, guide))
        parts.append(_answer(told.correct))
    if told.left_out and told.correct is not True and not guide:
        numbers = " and ".join(told.left_out[:3])
        parts.append(f"The problem also gives {numbers}, which it never names.")
    return " ".join(filter(None, parts))


def terms(diagnosis: Diagnosis | None) -> str:
    """What the words mean that stand beside the numbers of a diagnosis."""
    chances = diagnosis is not None and probabilities(diagnosis) is not None
    return _CHANCE * chances + _UNITS


def _where(diagnosis: Diagnosis) -> tuple[int, StepFinding] | None:
    """The step to speak of: the suspect one, else the first with a false equation."""
    step, false = suspect_step(diagnosis), first_false_step(diagnosis)
    if step is None and false is not None:
        step = false[0]
    return None if step is None else (step, diagnosis.steps[step])


def _no_step(diagnosis: Diagnosis, correct: bool | None) -> str:
    if correct is False:
        return "The answer is wrong, and no false step was found."
    right = "The answer is right. " if correct else ""
    if diagnosis.outside:
        return f"{right}The critic does not know this kind of text: only its equations were checked; none is false."
    if is_uncalibrated(diagnosis):
        return f"{right}No equation is false; the critic is not calibrated and judges nothing else."
    if diagnosis.not_sure:
        step = next((k for k, finding in enumerate(diagnosis.steps) if finding.verdict == "not sure"), None)
        look = "" if step is None else f"; if a step is wrong, it is most likely step {step + 1}"
        return f"{right}The critic is not sure{look}."
    return f"{right}No false step was found."


def _step(index: int, finding: StepFinding, guide: bool) -> str:
    step = f"step {index + 1}"
    wrong = first_false(finding.equations)
    if guide:
        return f"Look at {step} again." if wrong is None else f"Look at {step} again: {_named(finding)}."
    if wrong is not None:
        return f"{step.capitalize()} has {_named(finding)}: {_correction(wrong)}. This was worked out exactly."
    kind = finding.kind or ""
    sure = next((words for least, words in _SURE if (finding.error_probability or 0.0) >= least), _UNSURE)
    if kind in _UNUSUAL:
        return f"{step.capitalize()} {_UNUSUAL[kind]}; the critic {sure}."
    unusual = _OF_CRITIC.get(kind, "{} unusual").format(step)
    return (
        f"The critic finds {unusual} It {sure}."
        if unusual.endswith("?")
        else f"The critic finds {unusual}, and {sure}."
    )


def _named(finding: StepFinding) -> str:
    return "a wrong unit" if finding.kind == "wrong in its unit" else "a slip in arithmetic"


def _correction(wrong: EquationCheck) -> str:
    return f"“{read_markup(wrong.text).text}” should give {typeset(wrong.expected)}"


def _answer(correct: bool | None) -> str:
    if correct is None:
        return ""
    return "Yet the answer is right: perhaps for a wrong reason." if correct else "The answer is wrong."
