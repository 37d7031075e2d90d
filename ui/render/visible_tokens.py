"""What of a scored trace can be seen: tokens as runs of whole characters, and where the wavy line goes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import NamedTuple

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.text.equations import EquationCheck
from irl_core.text.scores import TraceScore
from irl_core.text.spans import Span
from irl_core.text.traces import Trace

from .verdicts import first_false, suspect_step


@dataclass(frozen=True)
class VisibleToken:
    """A run of characters shown as one piece. `reward` and `value` (nats) are None where nothing was scored, `heat`
    (log-odds, below zero against the step) where there is none."""

    start: int
    end: int
    step: int
    reward: float | None = None
    value: float | None = None
    heat: float | None = None


def visible_tokens(trace: Trace, score: TraceScore | None, heat: Sequence[float] = ()) -> list[VisibleToken]:
    """Visible tokens that cover `trace.text` once, in order, whatever `score` says: a stranger may have sent it.

    The bytes of one character are separate tokens with empty spans: they join the token before them, their rewards
    and their `heat` (one per token of the score, or none) summed. Text that no token covers is cut at step borders and
    has neither.
    """
    length = len(trace.text)
    starts = [a for a, _ in trace.steps] or [0]
    shown: list[VisibleToken] = []
    cursor, pending = 0, _Scored(0.0, 0.0, 0.0 if heat else None)
    for (start, end), scored in _tokens(score, heat, length):
        start, end = max(start, cursor), max(end, cursor)
        if end <= start:
            last = shown[-1] if shown else None
            if last is not None and last.reward is not None:
                joined = _Scored(last.reward, last.value or 0.0, last.heat).joined_by(scored)
                shown[-1] = VisibleToken(last.start, last.end, last.step, *joined)
            else:
                pending = pending.joined_by(scored)
            continue
        shown.extend(_unscored(cursor, start, starts))
        shown.append(VisibleToken(start, end, _step_at(starts, end - 1), *pending.joined_by(scored)))
        cursor, pending = end, _Scored(0.0, 0.0, 0.0 if heat else None)
    shown.extend(_unscored(cursor, length, starts))
    return shown


class _Scored(NamedTuple):
    """What is known of one token; `heat` is None where there is none."""

    reward: float
    value: float
    heat: float | None

    def joined_by(self, other: _Scored) -> _Scored:
        """Of both as one token: rewards and heat add up, the belief is the later one's."""
        heat = None if self.heat is None or other.heat is None else self.heat + other.heat
        return _Scored(self.reward + other.reward, other.value, heat)


def _tokens(score: TraceScore | None, heat: Sequence[float], length: int) -> Iterator[tuple[Span, _Scored]]:
    if score is None:
        return
    limit = length if score.truncated_at is None else min(length, max(score.truncated_at, 0))
    told = map(_Scored, score.rewards, score.values, heat or repeat(None, len(score.rewards)))
    for (start, end), scored in zip(score.offsets, told, strict=True):
        if start < limit or start == end <= limit:
            yield (max(start, 0), min(end, length)), scored


def _unscored(start: int, end: int, starts: list[int]) -> Iterator[VisibleToken]:
    cuts = [start, *(s for s in starts if start < s < end), end]
    for a, b in pairwise(cuts):
        if a < b:
            yield VisibleToken(a, b, _step_at(starts, a))


def _step_at(starts: list[int], position: int) -> int:
    return max(bisect_right(starts, position) - 1, 0)


def guilty_span(trace: Trace, shown: list[VisibleToken], diagnosis: Diagnosis | None) -> Span | None:
    """Where the wavy line goes: the wrong result of the suspect step, else the token that speaks most against it.

    By its heat, if any speaks against it; where there is no heat, by its reward.
    """
    step = suspect_step(diagnosis)
    if diagnosis is None or step is None or step >= len(trace.steps):
        return None
    wrong = first_false(diagnosis.steps[step].equations)
    if wrong is not None and (span := _stated_result(trace.text, trace.steps[step], wrong)) is not None:
        return span
    scored = [c for c in shown if c.step == step and c.reward is not None and trace.text[c.start : c.end].strip()]
    if any(c.heat is not None for c in scored):
        scored = [c for c in scored if (c.heat or 0.0) < 0]
    if not scored:
        return None
    lowest = min(scored, key=lambda c: c.heat if c.heat is not None else c.reward or 0.0)
    return lowest.start, lowest.end


def _stated_result(text: str, step: Span, wrong: EquationCheck) -> Span | None:
    """The stated number at the end of a false equation; the whole equation where the number is spelled otherwise."""
    start, end = wrong.span
    if text[start:end] != wrong.text or not step[0] <= start < end <= step[1]:
        start = text.find(wrong.text, *step) if wrong.text else -1
        end = start + len(wrong.text)
        if start < 0:
            return None
    at = text.rfind(wrong.stated, start, end) if wrong.stated else -1
    return (start, end) if at < 0 else (at, at + len(wrong.stated))
