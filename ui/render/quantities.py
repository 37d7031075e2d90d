"""Where each number of a solution comes from: equal numbers of problem, solution and list are linked."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.text.carry_forward import carry_forward
from irl_core.text.number_sources import NumberSource, given_spans
from irl_core.text.number_use import numbers_in
from irl_core.text.numerals import show_number

from .html import escape

_WORDS = {
    "problem": "given by the problem",
    "computed": "computed in step {}",
    "earlier": "computed in step {}",
    "common": "not in the problem, but commonly known",
    "nowhere": "neither the problem nor an earlier step gives it",
}


def name_of(value: Fraction) -> str:
    """What links equal numbers."""
    return f"{value.numerator}" if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def link(numbers: Sequence[NumberSource], text: str, start: int, end: int) -> str:
    """The characters `start` to `end` of a solution as HTML, its numbers marked by their source."""
    parts, at = [], start
    for number in numbers:
        a, b = max(number.span[0], at), min(number.span[1], end)
        if a < b:
            marked = f'<span class="q {number.origin}" data-q="{name_of(number.value)}">{escape(text[a:b])}</span>'
            parts += [escape(text[at:a]), marked]
            at = b
    return "".join([*parts, escape(text[at:end])])


def render_quantities(question: str, numbers: Sequence[NumberSource]) -> str:
    """The problem with its numbers marked, and the numbers of the solution with their sources; closed at first."""
    if not numbers:
        return ""
    first: dict[Fraction, NumberSource] = {}
    for number in numbers:
        first.setdefault(number.value, number)
    rows = "".join(_row(number, numbers) for number in first.values())
    return (
        '<details class="quantities told"><summary>Where each number comes from</summary>'
        f'<p class="posed">{_posed(question)}</p><ul>{rows}</ul></details>'
    )


def render_given(diagnosis: Diagnosis | None, index: int, question: str) -> str:
    """That step `index` is right given a wrong number of an earlier step; empty where it builds on none."""
    if diagnosis is None or index >= len(diagnosis.steps):
        return ""
    carried = carry_forward([finding.equations for finding in diagnosis.steps], numbers_in(question))[index]
    # A result that was rounded is not called right.
    fine = all(check.ok and not check.rounded_to_whole for check in diagnosis.steps[index].equations)
    if not carried.given or not fine:
        return ""
    numbers = " and ".join(carried.given[:3])
    return f'<p class="note word given-yours">right, given your {escape(numbers)}</p>'


def _posed(question: str) -> str:
    parts, at = [], 0
    for (start, end), value in given_spans(question):
        marked = f'<span class="q problem" data-q="{name_of(value)}">{escape(question[start:end])}</span>'
        parts += [escape(question[at:start]), marked]
        at = end
    return "".join([*parts, escape(question[at:])])


def _row(number: NumberSource, numbers: Sequence[NumberSource]) -> str:
    """One value: where it comes from first, and the steps that use it."""
    source = _WORDS[number.origin].format((number.origin_step if number.origin_step is not None else number.step) + 1)
    uses = dict.fromkeys(str(n.step + 1) for n in numbers if n.value == number.value and n.origin != "computed")
    used = f"; used in step {', '.join(uses)}" if uses else ""
    return (
        f'<li><button type="button" class="q {number.origin}" data-q="{name_of(number.value)}">'
        f"{escape(show_number(number.value))}</button> <span>{source}{used}</span></li>"
    )
