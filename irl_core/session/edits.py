"""A solution changed by a person: a step worded anew, divided, or joined with the next; undone and done again.

The first half makes a `Trace` of a trace; the second keeps it in a `Session`, with all that was there before.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import NamedTuple, TypeVar

from irl_core.diagnosis.rerank import Ranking, rank
from irl_core.diagnosis.suspect_step import StepFinding
from irl_core.session.record import Session
from irl_core.session.versions import MAX_VERSIONS, History, Version
from irl_core.text.answers import extract_answer, known_answer
from irl_core.text.spans import Span
from irl_core.text.steps import split_steps
from irl_core.text.traces import Trace

_T = TypeVar("_T")


class EditError(ValueError):
    """A change that cannot be made. The message is a sentence for a person and repeats nothing of their text."""


def change_step(trace: Trace, step: int, text: str) -> Trace:
    """The trace with step `step` worded as `text`; the white space around the step stays.

    >>> trace = Trace.from_text("3 * 4 = 13\\n#### 13")
    >>> change_step(trace, 0, "3 * 4 = 12").text
    '3 * 4 = 12\\n#### 13'

    A text of several lines becomes several steps; an empty one takes the step away.

    Raises:
        EditError: if nothing would be left, or nothing would be changed.
    """
    start, end = trace.steps[step]
    written = trace.text[start:end]
    core = written.strip()
    lead = written[: len(written) - len(written.lstrip())] if core else ""
    tail = written[len(lead) + len(core) :]
    text = text.strip()
    if text.splitlines() == core.splitlines():
        raise EditError("The step is as it was: nothing was changed.")
    if not text:
        return _without(trace, step)
    cuts = [start for start, _ in split_steps(text)[1:]] if len(text.splitlines()) > 1 else []
    return _with_steps(trace, step, [lead + text + tail], [start + len(lead) + cut for cut in cuts])


def split_step(trace: Trace, step: int, at: int) -> Trace:
    """The trace with step `step` divided before character `at` of its text, which is not changed.

    `at` counts from the step's first visible character.

    Raises:
        EditError: if one of the two parts would say nothing.
    """
    start, end = trace.steps[step]
    written = trace.text[start:end]
    cut = len(written) - len(written.lstrip()) + at
    if not (0 < cut < len(written) and written[:cut].strip() and written[cut:].strip()):
        raise EditError("A step is divided where something stands on both sides: put the cursor between them.")
    return _with_steps(trace, step, [written], [start + cut])


def merge_steps(trace: Trace, step: int) -> Trace:
    """The trace with step `step` and the next as one step; its text is not changed.

    Raises:
        EditError: if there is no next step.
    """
    if step + 1 >= len(trace.steps):
        raise EditError("This is the last step: there is none to join it with.")
    spans = list(trace.steps)
    spans[step : step + 2] = [(spans[step][0], spans[step + 1][1])]
    return _made(trace, trace.text, spans, unfinished=trace.unfinished is not None)


def _without(trace: Trace, step: int) -> Trace:
    start, end = trace.steps[step]
    text = trace.text[:start] + trace.text[end:]
    if not text.strip():
        raise EditError("This is the only step: a solution without any cannot be read.")
    spans = [_moved(span, start - end if k > step else 0) for k, span in enumerate(trace.steps) if k != step]
    return _made(trace, text, spans, unfinished=trace.unfinished not in (None, step))


def _with_steps(trace: Trace, step: int, written: list[str], cuts: list[int]) -> Trace:
    """Step `step` written anew, and divided before the characters `cuts` of the new text."""
    start, end = trace.steps[step]
    new = "".join(written)
    text = trace.text[:start] + new + trace.text[end:]
    bounds = [start, *cuts, start + len(new)]
    inner = list(pairwise(bounds))
    moved = len(new) - (end - start)
    spans = [*trace.steps[:step], *inner, *(_moved(span, moved) for span in trace.steps[step + 1 :])]
    # Somebody who words the step that was cut off finishes it; who only divides it does not.
    finished = trace.unfinished == step and text != trace.text
    return _made(trace, text, spans, unfinished=trace.unfinished is not None and not finished)


def _moved(span: Span, by: int) -> Span:
    return (span[0] + by, span[1] + by)


def _made(trace: Trace, text: str, spans: list[Span], *, unfinished: bool) -> Trace:
    """A person's trace: without the tokens that a model drew, its answer read anew."""
    was_cut = trace.unfinished is not None
    made = Trace(text=text, steps=tuple(spans), stopped="pasted" if was_cut and not unfinished else trace.stopped)
    answer = extract_answer(made.finished().text, guess=made.unfinished is None)
    return made.model_copy(update={"answer": answer})


def history_of(session: Session, trace: int) -> History | None:
    """What was changed in a trace; None where nothing was."""
    return next((history for history in session.histories if history.trace == trace), None)


def is_edited(session: Session, trace: int) -> bool:
    """Whether a person changed the trace as it is shown."""
    history = history_of(session, trace)
    return history is not None and history.edited


def with_version(session: Session, index: int, version: Version) -> Session:
    """The session with another wording of trace `index`, ranked anew; the wordings before it can be gone back to.

    Raises:
        EditError: if more wordings are there than are kept, or the trace was not scored.
    """
    before = _history(session, index)
    # What was undone stays reachable: it comes before a copy of the wording that is changed.
    again = (before.shown,) if before.at < len(before.versions) - 1 else ()
    versions = (*before.versions, *again, version)
    if len(versions) > MAX_VERSIONS:
        raise EditError(f"{MAX_VERSIONS} versions of this solution are kept, and no more. Save the session first.")
    return _showing(session, History(trace=index, versions=versions, at=len(versions) - 1))


def undo(session: Session, index: int) -> Session:
    """The session with the wording of trace `index` before the one on show, and its scores; nothing is read.

    Raises:
        EditError: if there is none.
    """
    return _step_through(session, index, -1, "undo")


def redo(session: Session, index: int) -> Session:
    """The session with the wording of trace `index` after the one on show; errors as `undo`."""
    return _step_through(session, index, 1, "do again")


def _step_through(session: Session, index: int, by: int, what: str) -> Session:
    history = history_of(session, index)
    if history is None or not 0 <= history.at + by < len(history.versions):
        raise EditError(f"There is nothing to {what} in this solution.")
    history = _history(session, index)
    return _showing(session, history.model_copy(update={"at": history.at + by}))


def _history(session: Session, index: int) -> History:
    """The trace's history, its version on show with the verdict of now."""
    if not 0 <= index < len(session.scores):
        raise EditError("Only a solution that was read by the critic can be changed.")
    now = Version(
        trace=session.traces[index],
        score=session.scores[index],
        diagnosis=session.diagnoses[index],
        verdict=session.verdicts.get(str(index)),
    )
    history = history_of(session, index)
    if history is None:
        return History(trace=index, versions=(now,), at=0)
    versions = (*history.versions[: history.at], now, *history.versions[history.at + 1 :])
    return history.model_copy(update={"versions": versions})


def _showing(session: Session, history: History) -> Session:
    index, shown = history.trace, history.shown
    verdicts = {key: verdict for key, verdict in session.verdicts.items() if key != str(index)}
    if shown.verdict is not None:
        verdicts[str(index)] = shown.verdict
    others = [other for other in session.histories if other.trace != index]
    changed = session.model_copy(
        update={
            "traces": _replaced(session.traces, index, shown.trace),
            "scores": _replaced(session.scores, index, shown.score),
            "diagnoses": _replaced(session.diagnoses, index, shown.diagnosis),
            "verdicts": verdicts,
            "histories": tuple(sorted([*others, history], key=lambda one: one.trace)),
        }
    )
    return changed.model_copy(update={"ranking": ranked_anew(changed)})


def _replaced(items: tuple[_T, ...], index: int, item: _T) -> tuple[_T, ...]:
    return (*items[:index], item, *items[index + 1 :])


def ranked_anew(session: Session) -> Ranking | None:
    """The ranking of the session as it is now; None where there was none, as of a solution that was pasted."""
    if session.ranking is None or len(session.scores) < len(session.traces):
        return session.ranking
    return rank(
        session.traces,
        session.scores,
        known_answer(session.problem.answer),
        weight_temperature=session.weight_temperature or 1.0,
        rng=random.Random(session.settings.seed if session.settings else 0),
    )


class StepChange(NamedTuple):
    """One step before and after a change, by its index and what was found in it; None where it was not there."""

    before: int | None
    after: int | None
    was: StepFinding | None
    now: StepFinding | None
    reworded: bool


def compare(before: Version, after: Version) -> tuple[StepChange, ...]:
    """The steps of two wordings side by side: those that both begin and end with, between them what changed."""
    old, new = before.trace.step_texts(), after.trace.step_texts()
    shorter = min(len(old), len(new))
    head = next((k for k in range(shorter) if old[k] != new[k]), shorter)
    tail = next((k for k in range(shorter - head) if old[-1 - k] != new[-1 - k]), shorter - head)
    middle = max(len(old), len(new)) - head - tail
    pairs: list[tuple[int | None, int | None]] = [(k, k) for k in range(head)]
    pairs += [
        (
            head + k if head + k < len(old) - tail else None,
            head + k if head + k < len(new) - tail else None,
        )
        for k in range(middle)
    ]
    pairs += [(len(old) - tail + k, len(new) - tail + k) for k in range(tail)]
    return tuple(
        StepChange(
            was,
            now,
            _finding(before, was),
            _finding(after, now),
            reworded=was is None or now is None or old[was] != new[now],
        )
        for was, now in pairs
    )


def _finding(version: Version, step: int | None) -> StepFinding | None:
    """What was found in a step; a stranger's session may say nothing of it."""
    found = version.diagnosis.steps
    return None if step is None or step >= len(found) else found[step]
