"""What is known of each step before anyone judges it: rewards, exact arithmetic, where its numbers come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from irl_core.text.answer_records import Meaning
from irl_core.text.equations import EquationCheck, check_equations
from irl_core.text.number_use import COMMON_NUMBERS, given_numbers, unknown_operands
from irl_core.text.scores import TraceScore
from irl_core.text.stated_results import differ, last_result, stated_final_answer
from irl_core.text.steps import step_of_tokens
from irl_core.text.traces import Trace

FEATURES = (
    "reward",
    "worst_token",
    "reward_below_trace",
    "false_equation",
    "true_equation",
    "unknown_number",
    "answer_mismatch",
    "position",
    "log_tokens",
    "final_step",
)


class StepEvidence(NamedTuple):
    """What is known of one step before it is judged; rewards and surprise in nats.

    `reward` and `surprise` are sums over the step, `worst_token` is its lowest token reward. `unknown` are numbers
    used that neither the problem gives nor an earlier step computes; `answer_mismatch` says that the step states an
    answer other than the last result before it.
    """

    reward: float
    surprise: float
    worst_token: float
    tokens: int
    equations: tuple[EquationCheck, ...]
    unknown: tuple[str, ...]
    answer_mismatch: bool


def gather(question: str, trace: Trace, score: TraceScore) -> list[StepEvidence]:
    """Evidence of each step. Rewards and surprise in nats; spans of the equations are in the text of the trace."""
    owners = step_of_tokens(score.offsets, trace.steps)
    rewards: list[list[float]] = [[] for _ in trace.steps]
    for owner, reward in zip(owners, score.rewards, strict=True):
        rewards[owner].append(reward)
    known = given_numbers(question) | COMMON_NUMBERS
    computed: tuple[Meaning, ...] = ()
    evidence: list[StepEvidence] = []
    for k, (start, end) in enumerate(trace.steps):
        text = trace.text[start:end]
        equations = tuple(
            e.model_copy(update={"span": (e.span[0] + start, e.span[1] + start)}) for e in check_equations(text)
        )
        unknown, _ = unknown_operands(text, known)
        mismatch = k > 0 and differ(computed, stated_final_answer(text))
        evidence.append(
            StepEvidence(
                reward=score.step_rewards[k],
                surprise=score.surprise[k] if score.surprise else 0.0,
                worst_token=min(rewards[k], default=0.0),
                tokens=len(rewards[k]),
                equations=equations,
                unknown=unknown,
                answer_mismatch=mismatch,
            )
        )
        known |= given_numbers(text)
        computed = last_result(text) or computed
    return evidence


def features(evidence: Sequence[StepEvidence]) -> list[list[float]]:
    """One row of `FEATURES` per step."""
    rows = []
    for k, e in enumerate(evidence):
        others = [o.reward for i, o in enumerate(evidence) if i != k]
        rows.append(
            [
                e.reward,
                e.worst_token,
                e.reward - (sum(others) / len(others) if others else e.reward),
                float(any(not q.ok for q in e.equations)),
                float(bool(e.equations) and all(q.ok for q in e.equations)),
                float(min(2, len(e.unknown))),
                float(e.answer_mismatch),
                math.log1p(k),
                math.log1p(e.tokens),
                float(k == len(evidence) - 1),
            ]
        )
    return rows
