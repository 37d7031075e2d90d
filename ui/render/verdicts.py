"""What a diagnosis says of a solution, in words that fit its numbers.

A step is marked where the diagnosis marks it. How sure the words sound follows from the step's probability alone, and
what exact arithmetic found is said to be that. Nothing here is escaped yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from irl_core.diagnosis.suspect_step import Diagnosis, StepFinding, StepVerdict
from irl_core.text.equations import EquationCheck

from .html import plain, typeset

OUTSIDE = (
    "This is not a kind of text that the critic was calibrated on, so it does not judge it; "
    "equations are still checked."
)
_BANDS = ((0.9, "almost certainly wrong"), (0.6, "probably wrong"), (0.35, "may be wrong"))
_LOWEST_BAND = "worth a look"
_EXACT_ALONE_BELOW = 0.25
_STEP_WORDS = {
    "not sure": "not sure",
    "follows": "follows from an earlier step",
    "not judged": "not calibrated",
    "unfinished": "cut off here, not checked",
}


def first_false(equations: Iterable[EquationCheck]) -> EquationCheck | None:
    """The first equation that does not hold."""
    return next((e for e in equations if not e.ok), None)


def first_false_step(diagnosis: Diagnosis) -> tuple[int, EquationCheck] | None:
    """The first step with an equation that does not hold, and that equation; whatever the critic says."""
    checks = ((k, first_false(finding.equations)) for k, finding in enumerate(diagnosis.steps))
    return next(((k, wrong) for k, wrong in checks if wrong is not None), None)


def is_uncalibrated(diagnosis: Diagnosis) -> bool:
    """Whether nothing was judged, since nobody knows which of the critic's rewards is low enough to be suspect."""
    verdicts = {finding.verdict for finding in diagnosis.steps} - {"unfinished"}
    return verdicts == {"not judged"} and not diagnosis.outside


def shown_verdict(diagnosis: Diagnosis, index: int) -> StepVerdict:
    """The verdict on step `index`. Of a text that the critic does not judge, exact findings alone are left."""
    finding = diagnosis.steps[index]
    if (
        not diagnosis.outside
        or finding.verdict == "unfinished"
        or (finding.verdict == "suspect" and first_false(finding.equations))
    ):
        return finding.verdict
    return "not judged"


def suspect_step(diagnosis: Diagnosis | None) -> int | None:
    """The first suspect step, or None; also where a stranger's session names a step that does not exist."""
    if diagnosis is None or diagnosis.first_suspect is None or is_uncalibrated(diagnosis):
        return None
    index = diagnosis.first_suspect
    if not 0 <= index < len(diagnosis.steps):
        return None
    return None if diagnosis.outside and shown_verdict(diagnosis, index) != "suspect" else index


def probabilities(diagnosis: Diagnosis) -> tuple[float, ...] | None:
    """Of each finished step, that it is the first wrong one, in [0, 1] whatever a stranger wrote; None where nothing
    is judged or one of them is not known."""
    finished = [finding for finding in diagnosis.steps if finding.verdict != "unfinished"]
    known = [finding.error_probability for finding in finished if finding.error_probability is not None]
    if diagnosis.outside or is_uncalibrated(diagnosis) or not known or len(known) < len(finished):
        return None
    return tuple(min(max(p, 0.0), 1.0) for p in known)


def all_right(judged: Sequence[float]) -> list[float]:
    """After each step the chance that none so far is wrong: 1 − Σ P(step j is the first wrong one), j up to it."""
    return [max(1 - wrong, 0.0) for wrong in accumulate(judged)]


def chance(probability: float) -> str:
    """A probability with two digits, none of which says "never" or "always"."""
    if probability < 0.005:
        return "<0.01"
    return ">0.99" if probability > 0.995 else plain(probability)


def in_words(probability: float | None) -> str:
    """How wrong a marked step is, by its P(error); the weakest words where that is not known."""
    known = 0.0 if probability is None else probability
    return next((words for least, words in _BANDS if known >= least), _LOWEST_BAND)


def is_exact_alone(finding: StepFinding) -> bool:
    """Whether a step is marked for a false equation alone: the critic's own P(error) is low, or not known."""
    false = first_false(finding.equations) is not None
    return false and (finding.error_probability is None or finding.error_probability < _EXACT_ALONE_BELOW)


def step_words(diagnosis: Diagnosis, index: int) -> str:
    """The verdict on one step in a few words; empty where there is nothing to say of it."""
    finding, verdict = diagnosis.steps[index], shown_verdict(diagnosis, index)
    if verdict != "suspect":
        return "not judged" if diagnosis.outside and verdict != "unfinished" else _STEP_WORDS.get(verdict, "")
    wrong = first_false(finding.equations)
    if wrong is None:
        return in_words(finding.error_probability)
    if diagnosis.outside or is_exact_alone(finding):
        return f"check: {_expected(wrong)}"
    return f"{in_words(finding.error_probability)}: {_expected(wrong)}"


def remark(diagnosis: Diagnosis) -> str:
    """What is found in a solution, in the few words that a row of the ranking has room for."""
    if diagnosis.outside or is_uncalibrated(diagnosis):
        words = "not judged: another kind of text" if diagnosis.outside else "not calibrated"
        false = first_false_step(diagnosis)
        return words + (f" · step {false[0] + 1}: {_expected(false[1])}" if false else "")
    suspect = suspect_step(diagnosis)
    if suspect is None:
        return "not sure" if diagnosis.not_sure else "no suspect step"
    wrong = first_false(diagnosis.steps[suspect].equations)
    if wrong is not None:
        return f"step {suspect + 1}: {_expected(wrong)}"
    return f"step {suspect + 1} {in_words(diagnosis.steps[suspect].error_probability)}"


def summary(diagnosis: Diagnosis | None) -> str:
    """The finding in a plain sentence with its probability, and what arithmetic found beside it."""
    if diagnosis is None:
        return "Not checked."
    if diagnosis.outside:
        return OUTSIDE + _also_false(diagnosis)
    if is_uncalibrated(diagnosis):
        return "The critic is not calibrated: no step is judged." + _also_false(diagnosis)
    suspect, somewhere = suspect_step(diagnosis), _somewhere(diagnosis)
    if suspect is not None:
        return _of_suspect(suspect, diagnosis.steps[suspect], somewhere) + _also_false(diagnosis, suspect)
    verdict = "The critic is not sure whether a step is wrong" if diagnosis.not_sure else "No step is suspect"
    return f"{verdict}{somewhere}." + _also_false(diagnosis)


def _of_suspect(index: int, finding: StepFinding, somewhere: str) -> str:
    """The sentence on the first suspect step. The chance of an error somewhere is told where the step's own is low: a
    solution may be suspect as a whole, and no step of it by much."""
    p, step = finding.error_probability, f"Step {index + 1}"
    own = "" if p is None else f"; P(error) {chance(p)}"
    wrong = first_false(finding.equations)
    if wrong is not None and is_exact_alone(finding):
        critic = "" if p is None else f"; the critic says P(error) {chance(p)}"
        return f"{step}: check, {_expected(wrong)} by exact arithmetic{critic}."
    verb = "" if in_words(p).startswith("may") else "is "
    found = f": {_expected(wrong)}" if wrong else ""
    return f"{step} {verb}{in_words(p)}{found}{own}{somewhere if p is not None and p < _BANDS[-1][0] else ''}."


def _somewhere(diagnosis: Diagnosis) -> str:
    known = probabilities(diagnosis)
    return "" if known is None else f"; P(error somewhere) {chance(min(sum(known), 1.0))}"


def _also_false(diagnosis: Diagnosis, but: int | None = None) -> str:
    """The first false equation, where the sentence is not about it already."""
    false = first_false_step(diagnosis)
    if false is None or (but is not None and first_false(diagnosis.steps[but].equations)):
        return ""
    return f" Step {false[0] + 1}: {_expected(false[1])}."


def _expected(wrong: EquationCheck) -> str:
    return f"expected {typeset(wrong.expected)}"
