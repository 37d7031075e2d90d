"""Scores and arithmetic -> calibrated error probability per step, first suspect step, abstention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from irl_core.diagnosis.calibration import Calibration, calibration_of
from irl_core.diagnosis.evidence import StepEvidence, features, gather
from irl_core.diagnosis.first_error import apply_trace_model, first_error_probabilities, hazards
from irl_core.text.carry_forward import Carried, carry_forward
from irl_core.text.equations import EquationCheck
from irl_core.text.number_use import numbers_in
from irl_core.text.records import Record
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

StepVerdict = Literal["fine", "suspect", "not sure", "follows", "not judged"]
"""`not judged`: the critic has no calibration, so nobody knows which of its rewards is low enough to be suspect."""


class StepFinding(Record):
    """What is known of one step.

    `error_probability` is that *this* step is the first wrong one, None without a calibration; `reward` and `surprise`
    are sums over the step in nats.
    """

    error_probability: float | None
    verdict: StepVerdict
    reward: float
    surprise: float
    equations: tuple[EquationCheck, ...] = ()
    reason: str


class Diagnosis(Record):
    """Findings per step; `first_suspect` is an index into them or None.

    `not_sure` and `outside` say that no step is marked because the evidence is not enough, or because the text is of
    no kind that the critic was calibrated on. `token_heat` is each token's share in the log-odds that its step is the
    first wrong one, with the sign of a reward: below zero it speaks against the step. It runs parallel to the score's
    tokens and is coloured fully at `heat_scale`; both are empty where the critic has no calibration.
    `calibrated_on` says on what the probabilities were fitted and on how many; it is empty where there are none.
    """

    steps: tuple[StepFinding, ...]
    first_suspect: int | None = None
    not_sure: bool = False
    outside: bool = False
    token_heat: tuple[float, ...] = ()
    heat_scale: float | None = None
    calibrated_on: str = ""


class ScoresTraces(Protocol):
    """What `diagnose` needs of a critic."""

    @property
    def calibration(self) -> object | None:
        """A `Calibration`, or None where the critic has none."""
        ...

    def score(self, question: str, traces: Sequence[Trace]) -> list[TraceScore]:
        """One score per trace, in order."""
        ...


def diagnose(
    question: str,
    trace: Trace,
    critic: ScoresTraces,
    *,
    score: TraceScore | None = None,
    calibration: Calibration | None = None,
) -> Diagnosis:
    """Which step of a solution is suspect, and why.

    >>> import irl_core as irl
    >>> critic = irl.load_critic()
    >>> trace = irl.Trace.from_text("He has 3 * 4 = 13 pens.\\n#### 13")
    >>> diagnosis = irl.diagnose("Tom has 3 boxes of 4 pens. How many pens?", trace, critic)
    >>> diagnosis.first_suspect, diagnosis.steps[0].reason
    (0, 'check: expected 12, the step says 13')

    Args:
        score: what the critic says of the trace, if it is known already.
        calibration: another than the critic's own. Where there is neither, every step is "not judged" and
            has no probability.

    Raises:
        ValueError: if the trace has no text.
    """
    if score is None:
        (score,) = critic.score(question, [trace])
    return diagnose_scored(question, trace, score, calibration or calibration_of(critic))


def diagnose_scored(question: str, trace: Trace, score: TraceScore, calibration: Calibration | None) -> Diagnosis:
    """As `diagnose`, of a score that is known.

    With hazards h_k the probability that step k is the first wrong one is p_k = h_k Π_{j<k} (1 − h_j), and the trace
    holds an error with probability Σ p_k, unless the calibration has a model of whole traces. At or above the
    threshold the most probable step is suspect and the steps after it only follow; a little below it, the most
    probable step is marked "not sure".

    A step with a false equation that is its own slip is always suspect. It is the first suspect too, unless an earlier
    step passes the threshold by its own probability: then that one is, and both are marked.
    """
    evidence = gather(question, trace, score)
    carried = carry_forward([e.equations for e in evidence], numbers_in(question))
    if calibration is None:
        return Diagnosis(
            steps=tuple(
                _finding(e, None, "not judged", _reason(e, k, None, carried[k])) for k, e in enumerate(evidence)
            )
        )
    probabilities = first_error_probabilities(hazards(features(evidence), calibration))
    if calibration.trace_model is not None:
        probabilities = apply_trace_model(probabilities, score.trace_score, calibration.trace_model)
    wrong = sum(probabilities)
    slips = _own_slips(evidence, carried)
    considered = probabilities[: slips[0]] if slips else probabilities
    top = max(range(len(considered)), key=considered.__getitem__, default=None)
    suspect: int | None
    if slips:
        suspect = top if top is not None and considered[top] >= calibration.threshold else slips[0]
    else:
        suspect = top if wrong >= calibration.threshold else None
    unsure = suspect is None and wrong >= calibration.unsure_above
    verdicts: list[StepVerdict] = [
        "suspect" if k in slips else _verdict(k, suspect, top if unsure else None) for k in range(len(evidence))
    ]
    findings = tuple(
        _finding(e, p, verdicts[k], _reason(e, k, suspect, carried[k]))
        for k, (p, e) in enumerate(zip(probabilities, evidence, strict=True))
    )
    return Diagnosis(steps=findings, first_suspect=suspect, not_sure=unsure, calibrated_on=calibration.basis)


def _own_slips(evidence: Sequence[StepEvidence], carried: Sequence[Carried]) -> list[int]:
    """The steps with a false equation, but for those that only repeat an earlier one."""
    return [
        k
        for k, (found, carry) in enumerate(zip(evidence, carried, strict=True))
        if carry.repeats is None and any(not equation.ok for equation in found.equations)
    ]


def _finding(evidence: StepEvidence, probability: float | None, verdict: StepVerdict, reason: str) -> StepFinding:
    return StepFinding(
        error_probability=probability,
        verdict=verdict,
        reward=evidence.reward,
        surprise=evidence.surprise,
        equations=evidence.equations,
        reason=reason,
    )


def _verdict(k: int, suspect: int | None, unsure: int | None) -> StepVerdict:
    if k == suspect:
        return "suspect"
    if suspect is not None and k > suspect:
        return "follows"
    return "not sure" if k == unsure else "fine"


def _reason(evidence: StepEvidence, k: int, suspect: int | None, carried: Carried) -> str:
    """One sentence for a person; exact findings come before the critic's opinion."""
    given = f"right given your {', '.join(carried.given[:3])}" if carried.given else ""
    if false := next((e for e in evidence.equations if not e.ok), None):
        if carried.repeats is not None:
            return f"repeats the slip of step {carried.repeats + 1}: expected {false.expected}"
        tolerance = f" ({false.reading})" if false.reading else ""
        return f"check: expected {false.expected}, the step says {false.stated}{tolerance}"
    if suspect is not None and k > suspect:
        return f"follows from step {suspect + 1}" + (f"; {given}" if given else "")
    if given:
        return f"arithmetic checked; {given}"
    if evidence.unknown:
        numbers = ", ".join(evidence.unknown[:3])
        return f"uses {numbers}, which neither the problem nor an earlier step gives"
    if evidence.answer_mismatch:
        return "the answer differs from the last computed result"
    if k == suspect and any(e.expected.startswith("-") for e in evidence.equations):
        return "its result is below zero"
    if k == suspect:
        return f"the critic finds this step unlikely for an expert (reward {evidence.reward:+.1f} nats)"
    if rounded := next((e for e in evidence.equations if e.rounded_to_whole), None):
        return f"arithmetic checked; {rounded.expected} was rounded to {rounded.stated}"
    return "arithmetic checked" if evidence.equations else "nothing to check exactly"
