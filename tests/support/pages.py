"""Sessions made by hand, and a visitor who opens them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from irl_core.diagnosis.rerank import rank
from irl_core.diagnosis.suspect_step import diagnose_scored
from irl_core.policy.base import written_trace
from irl_core.policy.sampling import Stopped
from irl_core.session.record import Session
from irl_core.session.versions import Version
from irl_core.text.traces import Problem, Trace
from tests.support.arithmetic import CALIBRATION
from tests.support.surprise import score_of

QUESTION = "A car drives 60 miles an hour for 3 hours. How many miles is that?"


def made_session(
    texts: Sequence[str],
    scores: Sequence[float],
    *,
    gold: str | None = None,
    stopped: Sequence[Stopped] | None = None,
    temperature: float = 1.0,
) -> Session:
    """A ranked session of these solutions with these trace scores, judged by arithmetic alone."""
    ends = stopped or ["end"] * len(texts)
    traces = tuple(written_trace(text, end) for text, end in zip(texts, ends, strict=True))
    scored = tuple(
        score_of(trace).model_copy(update={"trace_score": value}) for trace, value in zip(traces, scores, strict=True)
    )
    found = tuple(
        diagnose_scored(QUESTION, trace, score, CALIBRATION) for trace, score in zip(traces, scored, strict=True)
    )
    return Session(
        problem=Problem(question=QUESTION, answer=gold),
        traces=traces,
        scores=scored,
        diagnoses=found,
        ranking=rank(traces, scored, gold, weight_temperature=temperature),
    )


def version(trace: Trace, value: float = 0.0) -> Version:
    """A wording of a solution with this trace score, judged by arithmetic alone."""
    score = score_of(trace).model_copy(update={"trace_score": value})
    return Version(trace=trace, score=score, diagnosis=diagnose_scored(QUESTION, trace, score, CALIBRATION))


def cut_session() -> Session:
    """Of three solutions the first, which the critic likes best, was stopped inside a number."""
    texts = ("It drives 60 miles an hour.\n60 * 3 = 18", "60 * 3 = 180\n#### 180", "60 + 3 = 63\n#### 63")
    return made_session(texts, (5.0, -1.0, -2.0), stopped=("cancelled", "end", "end"))


def open_session(page, session: Session, folder: Path) -> None:
    """Press "Open session" and choose a file that holds it."""
    path = folder / "session.json"
    path.write_text(session.to_json(), "utf-8")
    with page.expect_file_chooser() as chooser:
        page.click("#open")
    chooser.value.set_files(path)
    page.wait_for_function("document.querySelector('#status').textContent.includes('opened')")
    page.locator("#reading section.trace").wait_for()
