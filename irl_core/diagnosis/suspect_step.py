"""Scores and arithmetic -> calibrated error probability per step, first suspect step, abstention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from irl_core.diagnosis.calibration import Calibration, calibration_of
from irl_core.diagnosis.evidence import StepEvidence, TraceEvidence, gather
from irl_core.diagnosis.features import features
from irl_core.diagnosis.first_error import first_error_probabilities, step_log_odds, token_heat
from irl_core.diagnosis.kinds import ErrorKind, error_kind
from irl_core.text.equations import EquationCheck
from irl_core.text.records import Record
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

StepVerdict = Literal["fine", "suspect", "not sure", "follows", "not judged", "unfinished"]
"""`not judged`: the critic has no calibration, or the text is of a kind that it was not calibrated on. `unfinished`:
the trace was cut while the step was being written."""


class StepFinding(Record):
    """What is known of one step.

    `error_probability` is that *this* step is the first wrong one, None without a calibration or where the step is
    unfinished; `reward` and `surprise`
    are sums over the step in nats. `kind` names what is wrong or unusual in it.
    """

    error_probability: float | None
    verdict: StepVerdict
    reward: float
    surprise: float
    equations: tuple[EquationCheck, ...] = ()
    reason: str
    kind: ErrorKind | None = None


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

    At or above the threshold on the probability that the trace holds an error (`first_error_probabilities`) the most
    probable step is suspect and the steps after it only follow; a little below it, the most probable step is marked
    "not sure". A text of another kind than the calibration's has no mark; what is false exactly is still told.

    A step with a false equation that is its own slip is always suspect. It is the first suspect too, unless an earlier
    step passes the threshold by its own probability: then that one is, and both are marked.

    A trace that was cut is judged by its finished steps alone.
    """
    if trace.unfinished is not None:
        return _diagnose_cut(question, trace, score, calibration)
    evidence = gather(question, trace, score)
    if calibration is None:
        return Diagnosis(steps=_findings(trace, evidence, _no_verdicts(evidence), None))
    rows = features(evidence)
    probabilities = first_error_probabilities(step_log_odds(rows, calibration))
    verdicts = _judge(evidence, probabilities, calibration)
    return Diagnosis(
        steps=_findings(trace, evidence, verdicts, probabilities),
        first_suspect=verdicts.suspect,
        not_sure=verdicts.not_sure,
        outside=verdicts.outside,
        token_heat=token_heat(rows, calibration, evidence.n_tokens),
        heat_scale=calibration.heat_scale,
        calibrated_on=calibration.basis,
    )


def _diagnose_cut(question: str, trace: Trace, score: TraceScore, calibration: Calibration | None) -> Diagnosis:
    """The diagnosis of the finished steps, and a finding on the unfinished one that says no more than that."""
    finished, last = trace.finished(), len(trace.steps) - 1
    before = Diagnosis(steps=(), heat_scale=calibration.heat_scale if calibration else None)
    if finished.steps:
        before = diagnose_scored(question, finished, score.beginning(len(finished.text), last), calibration)
    unfinished = StepFinding(
        error_probability=None,
        verdict="unfinished",
        reward=score.step_rewards[last],
        surprise=score.surprise[last] if score.surprise else 0.0,
        reason="cut off here, so it was not checked",
    )
    heat = before.token_heat + (0.0,) * (len(score.offsets) - len(before.token_heat)) if calibration else ()
    return before.model_copy(update={"steps": (*before.steps, unfinished), "token_heat": heat})


class _Verdicts(NamedTuple):
    """What is said of each step, and of the whole."""

    of_steps: tuple[StepVerdict, ...]
    suspect: int | None = None
    not_sure: bool = False
    outside: bool = False


def _judge(evidence: TraceEvidence, probabilities: Sequence[float], calibration: Calibration) -> _Verdicts:
    if calibration.scope is not None and calibration.scope.is_outside(evidence.scope):
        return _no_verdicts(evidence)._replace(outside=True)
    slips = [k for k, step in enumerate(evidence.steps) if step.slips]
    wrong = sum(probabilities)
    considered = probabilities[: slips[0]] if slips else probabilities
    top = max(range(len(considered)), key=considered.__getitem__, default=None)
    suspect: int | None
    if slips:
        suspect = top if top is not None and considered[top] >= calibration.threshold else slips[0]
    else:
        suspect = top if wrong >= calibration.threshold else None
    unsure = top if suspect is None and wrong >= calibration.unsure_above else None
    verdicts: list[StepVerdict] = [
        "suspect" if k in slips else _verdict(k, suspect, unsure) for k in range(len(probabilities))
    ]
    return _Verdicts(tuple(verdicts), suspect, unsure is not None)


def _no_verdicts(evidence: TraceEvidence) -> _Verdicts:
    nothing: StepVerdict = "not judged"
    return _Verdicts((nothing,) * len(evidence.steps))


def _findings(
    trace: Trace, evidence: TraceEvidence, verdicts: _Verdicts, probabilities: Sequence[float] | None
) -> tuple[StepFinding, ...]:
    return tuple(
        StepFinding(
            error_probability=None if probabilities is None else probabilities[k],
            verdict=verdicts.of_steps[k],
            reward=step.reward,
            surprise=step.surprise,
            equations=step.equations,
            reason=_reason(step, k, verdicts.suspect),
            kind=error_kind(step, trace.text[slice(*step.span)], suspect=k == verdicts.suspect),
        )
        for k, step in enumerate(evidence.steps)
    )


def _verdict(k: int, suspect: int | None, unsure: int | None) -> StepVerdict:
    if k == suspect:
        return "suspect"
    if suspect is not None and k > suspect:
        return "follows"
    return "not sure" if k == unsure else "fine"


def _reason(evidence: StepEvidence, k: int, suspect: int | None) -> str:
    """One sentence for a person; exact findings come before the critic's opinion."""
    carried = evidence.carried
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
        return "the critic finds its choice of numbers or operations unlikely for an expert"
    if rounded := next((e for e in evidence.equations if e.rounded_to_whole), None):
        return f"arithmetic checked; {rounded.expected} was rounded to {rounded.stated}"
    return "arithmetic checked" if evidence.equations else "nothing to check exactly"
