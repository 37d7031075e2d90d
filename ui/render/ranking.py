"""The left column: which answer the critic puts first, who voted for what, and what every other rule would pick."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from irl_core.session.edits import is_edited
from irl_core.session.record import Session

from .guessing import render_guess_list
from .html import count, escape, plain, signed
from .verdicts import remark, suspect_step

Order = Literal["critic", "sampled"]
_RULES = {
    "critic": "critic",
    "weighted_vote": "critic-weighted vote",
    "majority": "most frequent answer",
    "logprob": "log-probability",
    "longest": "longest",
    "shortest": "shortest",
    "random": "random",
    "oracle": "oracle",
}

_SCORE = "the critic’s score of the whole solution: the mean reward of its tokens, in nats; more is better"


def display_order(session: Session, order: Order) -> list[int]:
    """Trace indices as they are listed: the critic's order once there is one, else as drawn."""
    drawn = list(range(len(session.traces)))
    if order == "sampled" or session.ranking is None:
        return drawn
    # A stranger's session may name a trace twice or one that is not there.
    ranked = [i for i in dict.fromkeys(session.ranking.order) if 0 <= i < len(drawn)]
    return [*ranked, *sorted(set(drawn) - set(ranked))]


def render_ranking(session: Session, selected: int | None, order: Order = "critic", waiting: int = 0) -> str:
    """The list of solutions as a listbox; `waiting` rows are still being written."""
    if not session.traces and not waiting:
        return ""
    rows = [_row(session, i, place, i == selected) for place, i in enumerate(display_order(session, order), 1)]
    rows += [_waiting_row(len(session.traces) + k + 1) for k in range(waiting)]
    choices = "".join(
        f'<button type="button" data-order="{name}" aria-pressed="{str(name == order).lower()}">{name}</button>'
        for name in ("sampled", "critic")
    )
    switch = f'<div class="order" role="group" aria-label="Order">{choices}</div>' if session.ranking else ""
    return (
        '<header class="bar"><h3><span class="told">Ranking</span>'
        f'<span class="guesses">Solutions, shuffled</span></h3>{switch}</header>'
        f'<ol class="ranking told" role="listbox" aria-label="Solutions">{"".join(rows)}</ol>'
        f"{render_guess_list(session, selected)}"
    )


def render_votes(session: Session) -> str:
    """Groups of equal answers with their counts and critic weights, and the answer that each rule would give."""
    return _votes(session) + _rules(session)


def _row(session: Session, index: int, place: int, selected: bool) -> str:
    trace = session.traces[index]
    silent = "cut off" if trace.unfinished is not None else "no answer"
    answer = escape(trace.answer) if trace.answer else silent
    score, found, suspected = None, "not scored", False
    if index < len(session.scores):
        score, diagnosis = session.scores[index].trace_score, session.diagnoses[index]
        found, suspected = remark(diagnosis), suspect_step(diagnosis) is not None
        found += " · cut off" if trace.unfinished is not None and trace.answer else ""
        found += " · edited" if is_edited(session, index) else ""
    badge = _badge(_correct(session).get(index))
    length = count(len(trace.steps), "step")
    return (
        f'<li class="row{" selected" if selected else ""}" role="option" '
        f'aria-selected="{str(selected).lower()}" '
        f'tabindex="{0 if selected else -1}" data-trace="{index}">'
        f'<span class="place">{place}</span>'
        f'<b class="answer{"" if trace.answer else " none"}"><bdi>{answer}</bdi>{badge}</b>'
        f"{_bar(score)}"
        f'<span class="remark{" loud" if suspected else ""}">{_told(found)}</span>'
        f'<span class="length" title="{count(len(trace.text), "character")}">{length}</span>'
        "</li>"
    )


def _told(found: str) -> str:
    """A remark, whose end a page that only guides leaves out: what is expected."""
    place, expected, number = found.partition(": expected")
    return escape(place) + (f'<span class="tells">{escape(expected + number)}</span>' if expected else "")


def _waiting_row(number: int) -> str:
    return (
        f'<li class="row waiting" role="option" aria-selected="false" aria-disabled="true">'
        f'<span class="place">{number}</span>'
        '<b class="answer none">…</b><span class="meter"></span><span class="score"></span>'
        '<span class="remark">being written</span></li>'
    )


def _bar(score: float | None) -> str:
    """A bar on one scale for all sessions: scores that are nearly equal look so, whatever was drawn beside them."""
    if score is None:
        return '<span class="meter"></span><span class="score"></span>'
    return (
        f'<span class="meter" aria-hidden="true" title="{_SCORE}"><i style="--w:{trust(score):.3f}"></i></span>'
        f'<span class="score" title="{_SCORE}">{signed(score)}</span>'
    )


def trust(score: float) -> float:
    """How full the bar of a trace score (nats) is, 0 to 1: 1 / (1 + exp(-score))."""
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, score))))


def _correct(session: Session) -> Mapping[int, bool | None]:
    return dict(enumerate(session.ranking.correct)) if session.ranking else {}


def _badge(correct: bool | None) -> str:
    if correct is None:
        return ""
    mark, word = ("✓", "right") if correct else ("✗", "wrong")
    return f'<span class="gold {word}" role="img" aria-label="{word} by the known answer">{mark}</span>'


def _votes(session: Session) -> str:
    ranking = session.ranking
    if ranking is None or not ranking.votes:
        return ""
    most = max(v.count for v in ranking.votes) or 1  # a stranger's session may count nobody
    rows = "".join(
        f"<tr><th scope='row'><bdi>{escape(v.answer) if v.answer else 'no answer'}</bdi></th>"
        f'<td class="share"><i style="--w:{v.count / most:.3f}"></i></td>'
        f"<td>{v.count}</td><td>{plain(v.weight)}</td></tr>"
        for v in sorted(ranking.votes, key=lambda v: (-v.weight, -v.count))
    )
    return (
        '<table class="votes"><caption>Votes</caption><thead><tr><th scope="col">answer</th>'
        '<th scope="col"><span class="sr">share</span></th>'
        f'<th scope="col">count</th><th scope="col">weight</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _rules(session: Session) -> str:
    ranking = session.ranking
    if ranking is None:
        return ""
    rows = []
    for rule, name in _RULES.items():
        index = ranking.chosen.get(rule)
        if index is None or not 0 <= index < len(session.traces):
            continue
        if rule == "majority" and all(vote.count == 1 for vote in ranking.votes) and len(ranking.votes) > 1:
            continue  # no two solutions agree: none is more frequent than another
        answer = session.traces[index].answer
        badge = _badge(_correct(session).get(index))
        rows.append(
            f"<tr><th scope='row'>{name}</th><td><bdi>{escape(answer) if answer else 'no answer'}</bdi>{badge}</td>"
            f'<td><button type="button" data-trace="{index}">solution {index + 1}</button></td></tr>'
        )
    return (
        '<details class="rules"><summary>Which rule picks what</summary><table><thead class="sr"><tr><th>rule</th>'
        f"<th>answer</th><th>solution</th></tr></thead><tbody>{''.join(rows)}</tbody></table></details>"
    )
