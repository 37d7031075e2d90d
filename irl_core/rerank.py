"""Selection rules, votes, best-of-n curves: which of several solutions to believe.

Two views of the same rules. `rank` picks one trace per rule for a person to look at, breaking ties by a stated
order. `expected_accuracy` and `best_of_n_curve` say how often a rule is right when n of the candidates are drawn
without replacement, averaging over all subsets and over tied choices, so that a figure owes nothing to the order in
which candidates were stored.

Equal answers are one group (`answers.canonical_answer`). Traces whose answer cannot be read form one group of their
own, which no vote elects unless it is the only one.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np

from irl_core.answers import answers_match, canonical_answer
from irl_core.traces import Record, Trace, TraceScore

EXACT_SUBSETS = 12_870
"""C(16, 8): a vote among up to 16 candidates is counted over every subset, not sampled."""

RULES = ("critic", "weighted_vote", "majority", "random", "longest", "shortest", "logprob", "oracle")


class Vote(Record):
    """One group of equal answers: who gave it, how many, and the sum of their critic weights (softmax)."""

    answer: str | None
    members: tuple[int, ...]
    count: int
    weight: float


class Ranking(Record):
    """`order`: trace indices, best critic score first. `chosen`: rule name -> index of the trace it picks.

    Rules: critic, majority, weighted_vote, random, longest, shortest, logprob, and oracle where gold is known.
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
    rng: random.Random,
) -> Ranking:
    """Rank the traces of one problem and let every rule choose.

    `weight_temperature` divides the critic's `trace_score` (same unit) before the softmax that gives each trace its
    vote weight; it belongs to the critic and is stored with it. Length is in characters. `logprob` is the mean
    log-probability per token under the policy that drew the trace and is absent unless every trace has one; `oracle`
    is the best-scored correct trace and is absent where gold is unknown or no trace is correct.

    Ties go to the earliest sampled trace or, in a vote, to the group sampled first. A vote is represented by the
    first member of its group (majority: no peeking at the critic) or by its best-scored one (weighted_vote).

    Raises:
        ValueError: if `scores` does not run parallel to `traces` or `weight_temperature` is not positive.
    """
    if len(traces) != len(scores):
        raise ValueError(f"{len(traces)} traces but {len(scores)} scores")
    correct = tuple(None if gold is None else answers_match(gold, trace.answer) for trace in traces)
    if not traces:
        return Ranking(order=(), votes=(), chosen={}, correct=())
    critic = np.array([score.trace_score for score in scores])
    order = tuple(int(i) for i in np.argsort(-critic, kind="stable"))
    votes = count_votes(traces, vote_weights(critic, weight_temperature))
    lengths = [len(trace.text) for trace in traces]
    electable = [vote for vote in votes if vote.answer is not None] or list(votes)
    weighted = max(electable, key=lambda vote: (round(vote.weight, 12), -vote.members[0]))
    chosen = {
        "critic": order[0],
        "weighted_vote": max(weighted.members, key=lambda i: (critic[i], -i)),
        "majority": max(electable, key=lambda vote: (vote.count, -vote.members[0])).members[0],
        "random": rng.randrange(len(traces)),
        "longest": int(np.argmax(lengths)),
        "shortest": int(np.argmin(lengths)),
    }
    if all(trace.logprobs for trace in traces):
        chosen["logprob"] = int(np.argmax([np.mean(trace.logprobs) for trace in traces]))
    if any(correct):
        chosen["oracle"] = next(i for i in order if correct[i])
    return Ranking(order=order, votes=votes, chosen=chosen, correct=correct)


def vote_weights(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of `scores / temperature` (N,): positive, summing to 1. Low temperatures approach the critic's argmax,
    high ones the majority.

    Raises:
        ValueError: if `temperature` is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"the weight temperature must be positive, not {temperature}")
    weights = np.exp((scores - np.max(scores)) / temperature)
    return weights / weights.sum()


def count_votes(traces: Sequence[Trace], weights: Sequence[float] | np.ndarray) -> tuple[Vote, ...]:
    """Groups of equal answers, heaviest first (then first sampled), the unreadable ones last."""
    members: dict[str | None, list[int]] = {}
    for index, trace in enumerate(traces):
        members.setdefault(canonical_answer(trace.answer), []).append(index)
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


@dataclass(frozen=True)
class Candidates:
    """What the rules need to know of the N candidates of one problem; arrays of shape (N,).

    `groups` numbers the distinct answers from 0, with -1 for an unreadable one. `logprobs` is the mean log-probability
    per token (nats), or None where it is not known for all.
    """

    scores: np.ndarray
    correct: np.ndarray
    groups: np.ndarray
    lengths: np.ndarray
    logprobs: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def of(cls, traces: Sequence[Trace], scores: Sequence[TraceScore], gold: str) -> Candidates:
        """The scored traces of one problem whose gold answer is known."""
        known = all(trace.logprobs for trace in traces)
        return cls(
            scores=np.array([score.trace_score for score in scores]),
            correct=np.array([answers_match(gold, trace.answer) for trace in traces], dtype=bool),
            groups=number_groups([canonical_answer(trace.answer) for trace in traces]),
            lengths=np.array([len(trace.text) for trace in traces]),
            logprobs=np.array([np.mean(trace.logprobs) for trace in traces]) if known else None,
        )


def number_groups(keys: Sequence[Hashable | None]) -> np.ndarray:
    """Distinct keys numbered in order of appearance, None as -1; shape (N,)."""
    seen: dict[Hashable, int] = {}
    return np.array([-1 if key is None else seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)


def pass_at_k(n: int, c: int, k: int) -> float:
    """Probability that k of n samples, c of them correct, hold a correct one: 1 - C(n-c, k) / C(n, k).

    The unbiased estimator of Chen et al. 2021 (arXiv 2107.03374), in exact integers.

    Raises:
        ValueError: unless 0 <= c <= n and 1 <= k <= n.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"pass@{k} of {n} samples with {c} correct is not defined")
    return 1 - comb(n - c, k) / comb(n, k)


def expected_accuracy(
    candidates: Candidates,
    n: int,
    *,
    weight_temperature: float,
    rng: random.Random,
    draws: int = 2048,
) -> dict[str, float]:
    """How often each rule is right on n of the N candidates, drawn without replacement; ties share equally.

    The unbiased estimator over all n-subsets: exact by order statistics for the rules that take the largest of
    something, and by enumeration for votes wherever there are at most `EXACT_SUBSETS` of them (every n up to N = 16).
    Beyond that votes are averaged over `draws` random subsets, still unbiased, with a standard error of at most
    0.5 / sqrt(draws) per problem that falls with the number of problems.

    Returns:
        Rule name -> probability; `logprob` is absent where log-probabilities are not known.

    Raises:
        ValueError: unless 1 <= n <= N.
    """
    correct = candidates.correct.astype(float)
    if not 1 <= n <= len(candidates):
        raise ValueError(f"best of {n} is not defined for {len(candidates)} candidates")
    chosen = _subsets(len(candidates), n, draws, rng)
    accuracy = {
        "critic": _argmax_accuracy(candidates.scores, correct, n),
        "weighted_vote": _vote_accuracy(candidates, correct, chosen, weight_temperature),
        "majority": _vote_accuracy(candidates, correct, chosen, None),
        "random": float(correct.mean()),
        "longest": _argmax_accuracy(candidates.lengths, correct, n),
        "shortest": _argmax_accuracy(-candidates.lengths, correct, n),
        "oracle": pass_at_k(len(candidates), int(candidates.correct.sum()), n),
    }
    if candidates.logprobs is not None:
        accuracy["logprob"] = _argmax_accuracy(candidates.logprobs, correct, n)
    return accuracy


def best_of_n_curve(
    candidates: Candidates,
    ns: Sequence[int],
    *,
    weight_temperature: float,
    rng: random.Random,
    draws: int = 2048,
) -> dict[str, list[float]]:
    """`expected_accuracy` at each of `ns`; where n exceeds the number of candidates, all of them are taken."""
    points = [
        expected_accuracy(
            candidates, min(n, len(candidates)), weight_temperature=weight_temperature, rng=rng, draws=draws
        )
        for n in ns
    ]
    return {rule: [point[rule] for point in points] for rule in points[0]} if points else {}


def _argmax_accuracy(values: np.ndarray, correct: np.ndarray, n: int) -> float:
    """Mean correctness of the largest of a random n-subset, over all subsets.

    The largest lies among the m equal values that have b better ones with probability
    [C(N-b, n) - C(N-b-m, n)] / C(N, n), and by symmetry each of the m is then taken equally often.
    """
    levels, level_of, sizes = np.unique(-values, return_inverse=True, return_counts=True)
    level_accuracy = np.bincount(level_of, weights=correct) / sizes
    subsets, remaining, total = comb(len(values), n), len(values), 0.0
    for level in range(len(levels)):
        after = remaining - int(sizes[level])
        total += (comb(remaining, n) - comb(after, n)) / subsets * float(level_accuracy[level])
        remaining = after
    return total


def _subsets(size: int, n: int, draws: int, rng: random.Random) -> np.ndarray:
    """Membership (S, size) of all n-subsets where they can be counted, else of `draws` random ones."""
    if comb(size, n) <= EXACT_SUBSETS:
        return _all_subsets(size, n)
    generator = np.random.default_rng(rng.getrandbits(64))
    return _membership(np.argsort(generator.random((draws, size)), axis=1)[:, :n], size)


@lru_cache(maxsize=64)
def _all_subsets(size: int, n: int) -> np.ndarray:
    member = _membership(np.array(list(combinations(range(size), n))), size)
    member.flags.writeable = False
    return member


def _membership(rows: np.ndarray, size: int) -> np.ndarray:
    """Indices (S, n) as booleans (S, size)."""
    member = np.zeros((len(rows), size), dtype=bool)
    np.put_along_axis(member, rows, True, axis=1)
    return member


def _vote_accuracy(
    candidates: Candidates, correct: np.ndarray, member: np.ndarray, weight_temperature: float | None
) -> float:
    """Mean correctness of the group that wins the vote in each subset (S, N); no temperature: one trace, one vote.

    Groups that tie share the win. A group's correctness is the mean over its members, which differ only where the
    labels disagree about one answer. Weights are normalised within each subset, so none underflows to a false tie.
    """
    readable = candidates.groups >= 0
    eligible = member & (readable | ~(member & readable).any(axis=1, keepdims=True))
    if weight_temperature is None:
        weights = eligible.astype(float)
    else:
        scores = np.where(eligible, candidates.scores, -np.inf)
        weights = np.exp((scores - scores.max(axis=1, keepdims=True)) / weight_temperature)
    indicator = (candidates.groups[:, None] == np.unique(candidates.groups)).astype(float)
    heads = eligible @ indicator
    votes = np.where(heads > 0, weights @ indicator, -1)
    winners = votes >= votes.max(axis=1, keepdims=True) * (1 - 1e-9)
    right = (eligible * correct) @ indicator / np.maximum(heads, 1)
    return float(((right * winners).sum(axis=1) / winners.sum(axis=1)).mean())
