"""Checks every equation in a step exactly: "5 * 3 = 16: expected 15".

A number that is stated may be rounded. An equation that has another sensible reading under which it holds is not
called false, and one that cannot be read at all is not listed: "not checked" is not "right".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from irl_core.text.clock_times import check_times
from irl_core.text.equation_context import is_claimed
from irl_core.text.equation_sides import Clause, clauses_of
from irl_core.text.equation_tokens import Kind
from irl_core.text.equation_verdicts import Verdict, compare
from irl_core.text.markup import read_markup
from irl_core.text.records import Record
from irl_core.text.spans import Span
from irl_core.text.traces import Trace

_MARK = re.compile(r"<<([^<>\n]{0,200})>>")


class EquationCheck(Record):
    """One equation of a text. `span` is where it stands; numbers are shown as a person would write them.

    For a chain (a = b = c) `expected` and `stated` belong to the first false pair, or to the last pair if all hold.
    `reading` says under which reading it was judged, where that is not the plain one: "about equal, within 5 %".
    `sign_end` is where the first "=" or "is" ends, counted from the equation's first character.
    """

    span: Span
    text: str
    expected: str
    stated: str
    ok: bool
    reading: str = ""
    sign_end: int = 0

    @property
    def rounded_to_whole(self) -> bool:
        """Whether it holds only because a whole number may stand for one that is not: "30 / 4 = 7"."""
        return self.ok and "." in self.expected and "." not in self.stated


def check_equations(text: str) -> list[EquationCheck]:
    """All equations in `text` that could be parsed, in order. What cannot be parsed is not listed: not checked.

    >>> [(check.text, check.ok, check.expected) for check in check_equations("She buys 3 * 4 = 13 pens.")]
    [('3 * 4 = 13', False, '12')]

    LaTeX and Markdown are read, and units are converted. GSM8K's calculator marks are checked too, and reported only
    where the text around them does not say the same.
    """
    return list(_checked(text))


@lru_cache(maxsize=4096)  # a step is asked for when it is scored, when it is diagnosed, and when another was edited
def _checked(text: str) -> tuple[EquationCheck, ...]:
    plain = read_markup(text)
    checks = []
    for check in _check_plain(plain.text):
        span = plain.written_span(*check.span)
        sign = check.span[0] + check.sign_end
        sign_end = plain.written_span(sign - 1, sign)[1] - span[0]
        checks.append(check.model_copy(update={"span": span, "text": text[slice(*span)], "sign_end": sign_end}))
    marks = []
    for mark in _MARK.finditer(text):
        for check in _check_plain(mark[1]):
            span = mark.start(1) + check.span[0], mark.start(1) + check.span[1]
            marks.append(check.model_copy(update={"span": span}))
    return tuple(_without_repeats(checks, marks) if marks else checks)


def _without_repeats(checks: list[EquationCheck], marks: list[EquationCheck]) -> list[EquationCheck]:
    """One report per equation: the text's, unless only its mark is false, or the mark shows it to be misread."""
    kept, remaining = [], iter([*marks, None])
    mark = next(remaining)
    for check in checks:
        inside = []
        while mark is not None and mark.span[0] < check.span[1]:
            if mark.span[1] <= check.span[0]:
                kept.append(mark)
            else:
                inside.append(mark)
            mark = next(remaining)
        misread = not check.ok and inside and all(m.ok for m in inside) and inside[-1].stated == check.stated
        if misread:
            kept.extend(inside)
        elif check.ok and any(not m.ok for m in inside):
            kept.extend(m for m in inside if not m.ok)
        else:
            kept.append(check)
    while mark is not None:
        kept.append(mark)
        mark = next(remaining)
    return kept


def _check_plain(text: str) -> Iterator[EquationCheck]:
    for clause in clauses_of(text):
        if any(token.kind is Kind.TIME for side in clause.sides for token in side.tokens):
            yield from _check_times(text, clause)
        yield from _check_clause(text, clause)


def _check_times(text: str, clause: Clause) -> Iterator[EquationCheck]:
    for (left, right), sign_end in zip(pairwise(clause.sides), clause.sign_ends, strict=True):
        verdict = check_times(left.tokens, right.tokens)
        if verdict is None:
            continue
        span = left.tokens[verdict.first].start, right.tokens[verdict.last - 1].end
        if verdict.ok or is_claimed(text, *span):
            _, _, expected, stated, ok = verdict
            yield EquationCheck(
                span=span,
                text=text[slice(*span)],
                expected=expected,
                stated=stated,
                ok=ok,
                sign_end=sign_end - span[0],
            )


def _check_clause(text: str, clause: Clause) -> Iterator[EquationCheck]:
    chain: list[Verdict] = []
    sign_end = 0
    for at in range(len(clause.signs)):
        follows = bool(chain) and chain[-1].right is clause.sides[at].suffix
        verdict = compare(text, clause, at, follows=follows)
        if chain and (verdict is None or not follows):
            yield _report(text, chain, sign_end)
            chain = []
        if verdict is not None:
            sign_end = sign_end if chain else clause.sign_ends[at]
            chain.append(verdict)
    if chain:
        yield _report(text, chain, sign_end)


def _report(text: str, chain: Sequence[Verdict], sign_end: int) -> EquationCheck:
    told = next((verdict for verdict in chain if not verdict.ok), chain[-1])
    span = chain[0].start, chain[-1].end
    return EquationCheck(
        span=span,
        text=text[slice(*span)],
        expected=told.expected,
        stated=told.stated,
        ok=told.ok,
        reading=told.reading,
        sign_end=sign_end - span[0],
    )


def equations_of(trace: Trace) -> list[EquationCheck]:
    """The equations of every step, with spans in the text of the trace."""
    return [
        check.model_copy(update={"span": (check.span[0] + start, check.span[1] + start)})
        for start, end in trace.steps
        for check in check_equations(trace.text[start:end])
    ]


def vouched_spans(checks: Iterable[EquationCheck]) -> list[Span]:
    """What stands behind the first sign of each equation that holds: who accepts its left side has to accept it."""
    return [(check.span[0] + check.sign_end, check.span[1]) for check in checks if check.ok]
