"""What of a scored trace can be seen: tokens as runs of whole characters, and the scale their rewards share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.text.equations import EquationCheck
from irl_core.text.scores import TraceScore
from irl_core.text.spans import Span
from irl_core.text.traces import Trace

_NICE = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


@dataclass(frozen=True)
class VisibleToken:
    """A run of characters shown as one piece. `reward` and `value` (nats) are None where nothing was scored."""

    start: int
    end: int
    step: int
    reward: float | None = None
    value: float | None = None


@dataclass(frozen=True)
class Scale:
    """Half widths, in nats, at which a token's and a step's tint are full. One scale serves a whole session."""

    token: float = 1.0
    step: float = 5.0


def shared_scale(scores: Iterable[TraceScore]) -> Scale:
    """The round number that holds 95 % of the rewards, so that one outlier does not wash out the rest."""
    scores = list(scores)
    return Scale(
        token=_nice(abs(r) for s in scores for r in s.rewards),
        step=_nice(abs(r) for s in scores for r in s.step_rewards),
    )


def _nice(magnitudes: Iterable[float]) -> float:
    ordered = sorted(m for m in magnitudes if m > 0)
    if not ordered:
        return 1.0
    limit = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return next((n for n in _NICE if n >= limit), _NICE[-1])


def visible_tokens(trace: Trace, score: TraceScore | None) -> list[VisibleToken]:
    """Visible tokens that cover `trace.text` once, in order, whatever `score` says: a stranger may have sent it.

    The bytes of one character are separate tokens with empty spans: they join the token before them, their rewards
    summed. Text that no token covers is cut at step borders and has no reward.
    """
    length = len(trace.text)
    starts = [a for a, _ in trace.steps] or [0]
    shown: list[VisibleToken] = []
    cursor, pending = 0, 0.0
    for (start, end), reward, value in _tokens(score, length):
        start, end = max(start, cursor), max(end, cursor)
        if end <= start:
            last = shown[-1] if shown else None
            if last is not None and last.reward is not None:
                shown[-1] = VisibleToken(last.start, last.end, last.step, last.reward + reward, value)
            else:
                pending += reward
            continue
        shown.extend(_unscored(cursor, start, starts))
        shown.append(VisibleToken(start, end, _step_at(starts, end - 1), reward + pending, value))
        cursor, pending = end, 0.0
    shown.extend(_unscored(cursor, length, starts))
    return shown


def _tokens(score: TraceScore | None, length: int) -> Iterator[tuple[Span, float, float]]:
    if score is None:
        return
    limit = length if score.truncated_at is None else min(length, max(score.truncated_at, 0))
    for (start, end), reward, value in zip(score.offsets, score.rewards, score.values, strict=True):
        if start < limit or start == end <= limit:
            yield (max(start, 0), min(end, length)), reward, value


def _unscored(start: int, end: int, starts: list[int]) -> Iterator[VisibleToken]:
    cuts = [start, *(s for s in starts if start < s < end), end]
    for a, b in pairwise(cuts):
        if a < b:
            yield VisibleToken(a, b, _step_at(starts, a))


def _step_at(starts: list[int], position: int) -> int:
    return max(bisect_right(starts, position) - 1, 0)


def first_false(equations: Iterable[EquationCheck]) -> EquationCheck | None:
    """The first equation that does not hold."""
    return next((e for e in equations if not e.ok), None)


def first_false_step(diagnosis: Diagnosis) -> tuple[int, EquationCheck] | None:
    """The first step with an equation that does not hold, and that equation; whatever the critic says."""
    checks = ((k, first_false(finding.equations)) for k, finding in enumerate(diagnosis.steps))
    return next(((k, wrong) for k, wrong in checks if wrong is not None), None)


def is_uncalibrated(diagnosis: Diagnosis) -> bool:
    """Whether nothing was judged, since nobody knows which of the critic's rewards is low enough to be suspect."""
    return bool(diagnosis.steps) and all(finding.verdict == "not judged" for finding in diagnosis.steps)


def suspect_step(diagnosis: Diagnosis | None) -> int | None:
    """The first suspect step, or None; also where a stranger's session names a step that does not exist."""
    if diagnosis is None or diagnosis.first_suspect is None or is_uncalibrated(diagnosis):
        return None
    return diagnosis.first_suspect if 0 <= diagnosis.first_suspect < len(diagnosis.steps) else None


def guilty_span(trace: Trace, shown: list[VisibleToken], diagnosis: Diagnosis | None) -> Span | None:
    """Where the wavy line goes: the wrong result of the suspect step, else its token of lowest reward."""
    step = suspect_step(diagnosis)
    if diagnosis is None or step is None or step >= len(trace.steps):
        return None
    wrong = first_false(diagnosis.steps[step].equations)
    if wrong is not None and (span := _stated_result(trace.text, trace.steps[step], wrong)) is not None:
        return span
    scored = [c for c in shown if c.step == step and c.reward is not None and trace.text[c.start : c.end].strip()]
    if not scored:
        return None
    lowest = min(scored, key=lambda c: c.reward or 0.0)
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
