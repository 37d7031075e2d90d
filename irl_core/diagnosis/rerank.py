"""Selection rules, votes, best-of-n curves: which of several solutions to believe.

Two views of the same rules. `rank` picks one trace per rule for a person to look at, breaking ties by a stated
order. `expected_accuracy` and `best_of_n_curve` say how often a rule is right when n of the candidates are drawn
without replacement, averaging over all subsets and over tied choices, so that a figure owes nothing to the order in
which candidates were stored.

Equal answers are one group (`answer_votes.answer_keys`). Traces whose answer cannot be read form one group of their
own, which no vote elects unless it is the only one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from irl_core.text.answer_votes import answer_keys
from irl_core.text.answers import answers_match
from irl_core.text.records import Record
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace


class Vote(Record):
    """One group of equal answers: who gave it, how many, and the sum of their critic weights (softmax)."""

    answer: str | None
    members: tuple[int, ...]
    count: int
    weight: float


class Ranking(Record):
    """`order`: trace indices, best critic score first, those that were cut before they stated an answer last.
    `chosen`: rule name -> index of the trace it picks.

    Rules: critic, majority, weighted_vote, random, longest, shortest, logprob, and oracle where gold is known. A vote
    is taken among the traces that were not cut before they stated an answer; without any, neither vote chooses.
    `correct[i]` is None where no gold answer is known.
    """

    order: tuple[int, ...]
    votes: tuple[Vote, ...]
    chosen: dict[str, int]
    correct: tuple[bool | None, ...]


def rank(
    traces: Sequence[Trace],
    scores: Sequence[TraceScore],
    gold: str | None = None,
    *,
    weight_temperature: float = 1.0,
    rng: random.Random | None = None,
) -> Ranking:
    """Rank the traces of one problem and let every rule choose.

    >>> import irl_core as irl
    >>> traces = [irl.Trace.from_text(text) for text in ("3 * 4 = 12\\n#### 12", "3 + 4 = 7\\n#### 7")]
    >>> scores = irl.load_critic().score("Tom has 3 boxes of 4 pens. How many pens?", traces)
    >>> ranked = irl.rank(traces, scores, gold="12")
    >>> ranked.order, ranked.chosen["weighted_vote"], ranked.correct
    ((0, 1), 0, (True, False))

    `weight_temperature` divides the critic's `trace_score` (same unit) before the softmax that gives each trace its
    vote weight; it belongs to the critic and is stored with it. Length is in characters. `logprob` is the mean
    log-probability per token under the policy that drew the trace and is absent unless every trace has one; `oracle`
    is the best-scored correct trace and is absent where gold is unknown or no trace is correct.

    Ties go to the earliest sampled trace or, in a vote, to the group sampled first. A vote is represented by the
    first member of its group (majority: no peeking at the critic) or by its best-scored one (weighted_vote).

    Without `rng` the random rule draws by a fixed seed.

    Raises:
        ValueError: if `scores` does not run parallel to `traces` or `weight_temperature` is not positive.
    """
    if len(traces) != len(scores):
        raise ValueError(f"{len(traces)} traces but {len(scores)} scores")
    correct = tuple(None if gold is None else answers_match(gold, trace.answer) for trace in traces)
    if not traces:
        return Ranking(order=(), votes=(), chosen={}, correct=())
    critic = np.array([score.trace_score for score in scores])
    silent = np.array([trace.unfinished is not None and trace.answer is None for trace in traces])
    order = tuple(int(i) for i in np.lexsort((-critic, silent)))
    voters = np.where(silent & ~silent.all(), -np.inf, critic)
    votes = count_votes(traces, vote_weights(voters, weight_temperature))
    lengths = [len(trace.text) for trace in traces]
    chosen = {
        "critic": order[0],
        **_elected(votes, critic),
        "random": (rng or random.Random(0)).randrange(len(traces)),
        "longest": int(np.argmax(lengths)),
        "shortest": int(np.argmin(lengths)),
    }
    if all(trace.logprobs for trace in traces):
        chosen["logprob"] = int(np.argmax([np.mean(trace.logprobs) for trace in traces]))
    if any(correct):
        chosen["oracle"] = next(i for i in order if correct[i])
    return Ranking(order=order, votes=votes, chosen=chosen, correct=correct)


def _elected(votes: Sequence[Vote], scores: np.ndarray) -> dict[str, int]:
    """Whom the weighted and the plain vote choose; nobody where there is no vote."""
    if not votes:
        return {}
    electable = [vote for vote in votes if vote.answer is not None] or list(votes)
    weighted = max(electable, key=lambda vote: (round(vote.weight, 12), -vote.members[0]))
    return {
        "weighted_vote": max(weighted.members, key=lambda i: (scores[i], -i)),
        "majority": max(electable, key=lambda vote: (vote.count, -vote.members[0])).members[0],
    }


def vote_weights(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of `scores / temperature` (N,): positive, summing to 1. Low temperatures approach the critic's argmax,
    high ones the majority.

    Raises:
        ValueError: if `temperature` is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"the weight temperature must be positive, not {temperature}")
    weights = np.exp((scores - np.max(scores)) / temperature)
    return np.asarray(weights / weights.sum())


def count_votes(traces: Sequence[Trace], weights: Sequence[float] | np.ndarray) -> tuple[Vote, ...]:
    """Groups of equal answers, heaviest first (then first sampled), the unreadable ones last.

    Who was cut before stating an answer is in none.
    """
    members: dict[str | None, list[int]] = {}
    for index, key in enumerate(answer_keys([trace.answer for trace in traces])):
        if key is None and traces[index].unfinished is not None:
            continue
        members.setdefault(key, []).append(index)
    votes = [
        Vote(
            answer=None if key is None else traces[group[0]].answer,
            members=tuple(group),
            count=len(group),
            weight=float(sum(weights[i] for i in group)),
        )
        for key, group in members.items()
    ]
    return tuple(sorted(votes, key=lambda vote: (vote.answer is None, -round(vote.weight, 12), vote.members[0])))
