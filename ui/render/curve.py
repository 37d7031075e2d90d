"""The best-of-n curve of one problem: how often each rule would be right with fewer of the same solutions.

Exact over all subsets. Where no answer is known it says how often a rule gives the answer that all solutions together
come to, which is no claim that this is right.
"""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np

from irl_core.diagnosis.best_of_n import Candidates, best_of_n_curve
from irl_core.diagnosis.rerank import Vote
from irl_core.session.record import Session
from irl_core.text.answers import known_answer

from .headline import chosen_vote
from .html import plain

MOST = 16
"""Solutions up to which every subset is counted."""

_NAMES = {
    "oracle": "if any is right",
    "weighted_vote": "critic-weighted vote",
    "critic": "critic’s first",
    "majority": "most frequent answer",
    "random": "any one",
}
_WIDTH, _HEIGHT, _LEFT, _TOP = 330, 150, 30, 8


def render_curve(session: Session) -> str:
    """The curve as an SVG with a legend, and its values as a table; empty where there is nothing to compare."""
    known = known_answer(session.problem.answer)
    elected = chosen_vote(session)
    target = known if known is not None else (elected.answer if elected else None)
    size = len(session.scores)
    if session.ranking is None or target is None or not 2 <= size <= MOST or size < len(session.traces):
        return ""
    candidates = Candidates.of(session.traces, session.scores, target)
    curves = _curves(_frozen(candidates), vote_temperature(session))
    shown = {rule: curves[rule] for rule in _NAMES if rule != "oracle" or known is not None}
    what = "Right" if known is not None else "Same answer as all together"
    title = f"{what}, by how many solutions are drawn"
    legend = "".join(f'<li class="{rule}">{_sample(rule)}{_NAMES[rule]}</li>' for rule in shown)
    return (
        f'<figure class="curve"><figcaption>{title}</figcaption>{_picture(shown, title)}<ul>{legend}</ul>'
        f"{_table(shown)}</figure>"
    )


def vote_temperature(session: Session) -> float:
    """The temperature (nats) by which the critic's scores became the recorded weights of the vote.

    A session does not keep it. It is looked for from 0.02 to 50; among equal answers any will do.
    """
    votes = session.ranking.votes if session.ranking else ()
    scores = np.array([score.trace_score for score in session.scores])
    grid = np.geomspace(0.02, 50, 400)
    if len(votes) < 2:
        return 1.0
    for _ in range(3):
        errors = [_misfit(scores, votes, temperature) for temperature in grid]
        best = int(np.argmin(errors))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        if errors[best] == 0:
            break
        grid = np.geomspace(low, high, 60)
    return float(grid[best])


def _misfit(scores: np.ndarray, votes: tuple[Vote, ...], temperature: float) -> float:
    members = [[i for i in vote.members if 0 <= i < len(scores)] for vote in votes]
    voters = [i for group in members for i in group]
    if not voters:
        return 0.0
    weights = np.exp((scores - scores[voters].max()) / temperature)
    total = weights[voters].sum()
    return float(sum((weights[g].sum() / total - vote.weight) ** 2 for g, vote in zip(members, votes, strict=True)))


_Frozen = tuple[tuple[float, ...], tuple[bool, ...], tuple[int, ...], tuple[int, ...]]


def _frozen(candidates: Candidates) -> _Frozen:
    arrays = (candidates.scores, candidates.correct, candidates.groups, candidates.lengths)
    scores, correct, groups, lengths = (tuple(array.tolist()) for array in arrays)
    return scores, correct, groups, lengths


@lru_cache(maxsize=64)
def _curves(frozen: _Frozen, temperature: float) -> dict[str, list[float]]:
    """The curves at n from 1 on; the page draws them anew with each choice of a solution."""
    candidates = Candidates(*map(np.array, frozen))
    ns = range(1, len(candidates) + 1)
    return best_of_n_curve(candidates, ns, weight_temperature=temperature, rng=random.Random(0))


def _picture(curves: dict[str, list[float]], title: str) -> str:
    size = len(next(iter(curves.values())))
    width, height = _WIDTH - _LEFT - 8, _HEIGHT - _TOP - 22

    def place(n: int, value: float) -> str:
        return f"{_LEFT + width * (n - 1) / (size - 1):.1f},{_TOP + height * (1 - min(max(value, 0.0), 1.0)):.1f}"

    lines = "".join(
        f'<polyline class="{rule}" points="{" ".join(place(n, value) for n, value in enumerate(values, 1))}"/>'
        for rule, values in curves.items()
    )
    levels = "".join(
        f'<path d="M{place(1, level)} H{_WIDTH - 8}"/><text x="{_LEFT - 6}" y="{_TOP + height * (1 - level) + 4:.1f}" '
        f'text-anchor="end">{level:g}</text>'
        for level in (0.0, 0.5, 1.0)
    )
    ticks = "".join(
        f'<text x="{place(n, 0).split(",")[0]}" y="{_HEIGHT - 4}" text-anchor="middle">{n}</text>'
        for n in sorted({1, (size + 1) // 2, size})
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}; the values are in the table below">'
        f"{levels}{ticks}{lines}</svg>"
    )


def _sample(rule: str) -> str:
    return f'<svg viewBox="0 0 26 8" aria-hidden="true"><polyline class="{rule}" points="0,4 26,4"/></svg>'


def _table(curves: dict[str, list[float]]) -> str:
    size = len(next(iter(curves.values())))
    shown = sorted({1, 2, 4, 8, size} & set(range(1, size + 1)))
    heads = "".join(f'<th scope="col">{n}</th>' for n in shown)
    rows = "".join(
        f'<tr><th scope="row">{_NAMES[rule]}</th>{"".join(f"<td>{plain(values[n - 1])}</td>" for n in shown)}</tr>'
        for rule, values in curves.items()
    )
    return (
        '<details class="rules"><summary>The same in numbers</summary><table><thead><tr><th scope="col">'
        f"solutions drawn</th>{heads}</tr></thead><tbody>{rows}</tbody></table></details>"
    )
