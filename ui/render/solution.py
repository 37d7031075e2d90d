"""One solution of a session as the page shows it: the marked text, its chart, and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from irl_core.session.edits import is_edited
from irl_core.session.record import Session
from irl_core.text.answers import answers_match, known_answer
from irl_core.text.number_use import numbers_in
from irl_core.text.numerals import show_number
from irl_core.text.traces import Trace

from .chart import belief_figure, chance_figure
from .edits import EDITED, render_changes
from .html import escape, plain, signed
from .judging import render_verdict
from .trace import View, render_trace
from .verdicts import all_right, chance, probabilities, step_words

_OF_CHANCES = "Chance that all is right so far"
_OF_REWARDS = "Sum of raw rewards so far, nats"


@dataclass(frozen=True)
class Reading:
    """One solution as it is read: the marked text and, where it was scored, a chart and the numbers behind it.

    `text` and `numbers` are HTML; `chart_title` says what `chart` shows, which is None where there is nothing to draw.
    """

    text: str = ""
    chart_title: str = ""
    chart: go.Figure | None = None
    numbers: str = ""


def draw_solution(session: Session, index: int | None, name: str, *, rewritable: bool = False) -> Reading:
    """Solution `index` of a session; an empty reading where there is none of that number.

    `name` is unique on the page. Where the solution is `rewritable` its steps offer to be written anew, and edited.
    """
    if index is None or not 0 <= index < len(session.traces):
        return Reading()
    trace = session.traces[index]
    title = f"Solution {index + 1}" if len(session.traces) > 1 else "Solution"
    view = View(
        f"{title} · {EDITED}" if is_edited(session, index) else title,
        name,
        given=len(session.settings.prefix) if session.settings else 0,
        rewritable=rewritable,
        correct=is_correct(session, index),
        left_out=numbers_left_out(session.problem.question, trace),
        question=session.problem.question,
        editable=rewritable and index < len(session.scores),
        below=render_verdict(session, index) + render_changes(session, index),
    )
    if index >= len(session.scores):
        return Reading(render_trace(trace, view=view))
    score, diagnosis = session.scores[index], session.diagnoses[index]
    judged = probabilities(diagnosis)
    return Reading(
        text=render_trace(trace, score, diagnosis, view),
        chart_title=_OF_REWARDS if judged is None else _OF_CHANCES,
        chart=belief_figure(trace, score, diagnosis) if judged is None else chance_figure(diagnosis, judged),
        numbers=render_numbers(session, index),
    )


def is_correct(session: Session, index: int) -> bool | None:
    """Whether a solution's answer is the known one; None where none is known."""
    if session.ranking is not None and index < len(session.ranking.correct):
        return session.ranking.correct[index]
    gold = known_answer(session.problem.answer)
    return None if gold is None else answers_match(gold, session.traces[index].answer)


def numbers_left_out(question: str, trace: Trace) -> tuple[str, ...]:
    """The numbers of the problem, smallest first, that a whole solution never names."""
    if trace.unfinished is not None:
        return ()
    return tuple(map(show_number, sorted(numbers_in(question) - numbers_in(trace.text))))


def render_numbers(session: Session, index: int) -> str:
    """The chart's content as a table, for screen readers and for those who want the figures.

    Where the critic judges nothing there are no columns of probabilities.
    """
    score, diagnosis = session.scores[index], session.diagnoses[index]
    judged = probabilities(diagnosis)
    names = [] if judged is None else ["P(error)", "all right so far"]
    heads = "".join(
        f"<th scope='col'>{name}</th>" for name in ("step", *names, "reward", "sum of rewards", "surprise", "verdict")
    )
    rows, sum_of_rewards = [], 0.0
    for k, (reward, finding) in enumerate(zip(score.step_rewards, diagnosis.steps, strict=False)):
        sum_of_rewards += reward
        known = judged is not None and k < len(judged)
        cells = [chance(judged[k]), chance(all_right(judged)[k])] if judged and known else ["–"] * len(names)
        cells += [signed(finding.reward), signed(sum_of_rewards), plain(finding.surprise)]
        cells.append(step_words(diagnosis, k) or "fine")
        rows.append(f"<tr><th scope='row'>{k + 1}</th>{''.join(f'<td>{escape(c)}</td>' for c in cells)}</tr>")
    return (
        "<details class='numbers'><summary>The same in numbers</summary>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></details>"
    )
