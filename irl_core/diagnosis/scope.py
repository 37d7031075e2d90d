"""Whether a text is of a kind that the critic knows: the arithmetic of word problems.

A calibration is worth nothing on a text of another kind. What kind a text is of is read off the problem and the
solution: how much of mathematics beyond arithmetic they hold, how much arithmetic, and how strange the words are.
"""

from __future__ import annotations

import math
import re

from irl_core.text.equations import equations_of
from irl_core.text.plain_reading import read_plainly
from irl_core.text.traces import Trace

SCOPE_FEATURES = ("powers", "higher_words", "symbols", "equations")

_POWER = re.compile(r"[\^√²³⁴ⁿ]|\bsqrt\b|\bsquare root|\bsquared\b|\bcubed\b|\bpower\b|\bexponent")
_HIGHER = re.compile(
    r"\b(?:polynomials?|integers?|functions?|coordinates?|triangles?|angles?|circles?|radius|radii|diameter|vertex|vertices"
    r"|vectors?|matri(?:x|ces)|determinants?|primes?|modulo|remainder|divisors?|divisible|sequences?|series|terms?|roots?"
    r"|quadratic|linear|slopes?|parabola|graph|axis|perpendicular|parallel|congruent|theorem|probability|permutations?"
    r"|combinations?|digits?|bases?|sin|cos|tan|log|ln|lim|derivative|integral|domain|range|sets?|subsets?|real|complex"
    r"|inequality|inequalities|coefficients?|factor(?:s|ed|ing|ization)?|expressions?|simplify|satisf(?:y|ies)|arithmetic"
    r"|geometric|hypotenuse|median|altitude|degrees|isosceles|equilateral|polygon|hexagon|pentagon|units?|group|ring"
    r"|field)\b",
    re.IGNORECASE,
)
_SYMBOL = re.compile(r"\\[A-Za-z]+|[≤≥≠∈∪∩⊂∠△π∞∑∏∫→⇒θαβ{}|_<>\[\]]")


def scope_features(question: str, trace: Trace) -> tuple[float, ...]:
    """The values of `SCOPE_FEATURES`: log(1 + how many there are for a hundred characters)."""
    solution = read_plainly(trace.text).text
    both = f"{read_plainly(question).text}\n{solution}"
    return (
        _rate(len(_POWER.findall(both)), both),
        _rate(len(_HIGHER.findall(both)), both),
        _rate(len(_SYMBOL.findall(both)), both),
        _rate(len(equations_of(trace)), solution),
    )


def _rate(count: int, text: str) -> float:
    return math.log1p(100 * count / max(100, len(text)))
