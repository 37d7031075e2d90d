"""What is known of each step before anyone judges it: surprise, exact arithmetic, where its numbers come from."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from irl_core.diagnosis.mentions import Mention, read_mentions
from irl_core.diagnosis.scope import scope_features
from irl_core.text.answer_records import Meaning
from irl_core.text.carry_forward import Carried, carry_forward
from irl_core.text.equations import EquationCheck, check_equations
from irl_core.text.number_use import COMMON_NUMBERS, given_numbers, numbers_in, unknown_operands
from irl_core.text.scores import TraceScore
from irl_core.text.spans import Span
from irl_core.text.stated_results import differ, last_result, stated_final_answer
from irl_core.text.steps import step_of_tokens
from irl_core.text.traces import Trace


class TokenExcess(NamedTuple):
    """A token and its surprise above the trace's level, in nats."""

    token: int
    excess: float


class StepEvidence(NamedTuple):
    """What is known of one step before it is judged.

    `span` is the step in the text of the trace. `reward` and `surprise` are sums over the step in nats, of the
    critic's rewards and of the model's surprise. `tokens` are all its tokens, `mentions` its numbers and operators.
    `unknown` are numbers used that neither the problem gives nor an earlier step computes, `unknown_tokens` their
    tokens; `answer_mismatch` says that the step states an answer other than the last result before it.
    """

    span: Span
    reward: float
    surprise: float
    tokens: tuple[TokenExcess, ...]
    mentions: tuple[Mention, ...]
    equations: tuple[EquationCheck, ...]
    carried: Carried
    unknown: tuple[str, ...]
    unknown_tokens: tuple[range, ...]
    answer_mismatch: bool

    @property
    def slips(self) -> tuple[EquationCheck, ...]:
        """Its false equations, but for those that only repeat the slip of an earlier step."""
        return () if self.carried.repeats is not None else tuple(e for e in self.equations if not e.ok)


class TraceEvidence(NamedTuple):
    """What is known of a whole solution: its steps in order, and of what kind its text is (`scope_features`)."""

    steps: tuple[StepEvidence, ...]
    scope: tuple[float, ...]
    n_tokens: int


class _Exact(NamedTuple):
    """What exact reading says of one step."""

    equations: tuple[EquationCheck, ...]
    unknown: tuple[str, ...]
    answer_mismatch: bool


def gather(question: str, trace: Trace, score: TraceScore) -> TraceEvidence:
    """The evidence of a scored trace; spans are in the text of the trace."""
    exact = _read_exactly(question, trace)
    equations = [found.equations for found in exact]
    everything = [equation for found in equations for equation in found]
    carried = carry_forward(equations, numbers_in(question))
    owners = step_of_tokens(score.offsets, trace.steps)
    excess, mentions = read_mentions(trace, score, everything)
    starts = [start for start, _ in trace.steps]
    of_step: list[list[Mention]] = [[] for _ in trace.steps]
    for mention in mentions:
        of_step[max(bisect_right(starts, mention.span[0]) - 1, 0)].append(mention)
    tokens: list[list[TokenExcess]] = [[] for _ in trace.steps]
    for token, owner in enumerate(owners):
        tokens[owner].append(TokenExcess(token, float(excess[token])))
    steps = tuple(
        StepEvidence(
            span=trace.steps[k],
            reward=score.step_rewards[k],
            surprise=score.surprise[k] if score.surprise else 0.0,
            tokens=tuple(tokens[k]),
            mentions=tuple(of_step[k]),
            equations=found.equations,
            carried=carried[k],
            unknown=found.unknown,
            unknown_tokens=tuple(m.tokens for m in of_step[k] if trace.text[slice(*m.span)] in found.unknown),
            answer_mismatch=found.answer_mismatch,
        )
        for k, found in enumerate(exact)
    )
    return TraceEvidence(steps, scope_features(question, trace), len(score.offsets))


def _read_exactly(question: str, trace: Trace) -> list[_Exact]:
    known = given_numbers(question) | COMMON_NUMBERS
    computed: tuple[Meaning, ...] = ()
    exact = []
    for k, (start, end) in enumerate(trace.steps):
        text = trace.text[start:end]
        equations = tuple(
            e.model_copy(update={"span": (e.span[0] + start, e.span[1] + start)}) for e in check_equations(text)
        )
        unknown, _ = unknown_operands(text, known)
        exact.append(_Exact(equations, unknown, k > 0 and differ(computed, stated_final_answer(text))))
        known |= given_numbers(text)
        computed = last_result(text) or computed
    return exact
