"""How often each selection rule is right when n of the candidates are drawn."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np

from irl_core.text.answer_votes import answer_keys
from irl_core.text.answers import answers_match
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

EXACT_SUBSETS = 12_870
"""C(16, 8): a vote among up to 16 candidates is counted over every subset, not sampled."""

RULES = ("critic", "weighted_vote", "majority", "random", "longest", "shortest", "logprob", "oracle")


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
            groups=number_groups(answer_keys([trace.answer for trace in traces])),
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
