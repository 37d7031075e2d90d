"""The final answer of a trace, and whether two answers are the same.

Reading follows lm-eval's two GSM8K filters (strict `#### x`, flexible last number), with `\\boxed{}` and "answer is"
between them, so that figures compare with published ones. Equality is exact: plain numbers as fractions, anything
else through math-verify, which never sees text that could keep sympy busy.
"""

from __future__ import annotations

import logging
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

from irl_core.text.numerals import NUMERAL, decimal_places, read_number, show_number

MAX_ANSWER = 200
MAX_SYMBOLIC = 60

_NUMBER = (
    rf"(?<![0-9/])(?<![0-9]\.)(?:(?<![0-9A-Za-z)])[-−])?[$£€₹]?[ ]?(?:[0-9]{{1,9}}[ ](?=[0-9]{{1,9}}/[0-9]))?"
    rf"(?:{NUMERAL})(?:/[0-9]+)?(?:[ ]?\\?%)?"
)
_ANY_NUMBER = re.compile(_NUMBER)
_NUMBER_WITH_UNIT = re.compile(rf"({_NUMBER})(?![0-9]|,[0-9])(?:[ -]?[^\W\d_]{{2,}}|[ .,;!?)*]|$)")
_HASHES = re.compile(r"####[ \t]*([^\n]*)")
_ANSWER_IS = re.compile(r"\banswer[ \t]*(?:is|are|=|:|would be|will be)[ \t]*:?([^\n]*)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)")
_DECORATION = re.compile(r"\\[()\[\]!,; ]|\*\*|\\(?:text|mathrm|mbox)\{([^{}]*)\}|\\(?=[$%])")
_ALGEBRA = re.compile(r"[\\^+*/={}]|[0-9][a-z]\b")


def extract_answer(text: str) -> str | None:
    """The final answer that `text` states, normalised by `normalise_answer`; None where it states none.

    >>> extract_answer("3 * 4 = 12 pens.\\n#### 1,200.00")
    '1200'

    The first `#### x` wins, then the last `\\boxed{x}`, then the last "answer is x", then the last number.
    """
    for find in (_after_hashes, _boxed, _after_answer_is, _last_number):
        stated = find(text)
        if stated:
            return normalise_answer(stated) or None
    return None


def normalise_answer(answer: str) -> str:
    """One spelling per plain number ("$1,600.00" -> "1600", "007." -> "7"); a % stays; other text is only trimmed."""
    answer = _DECORATION.sub(lambda m: m[1] or "", answer[:MAX_ANSWER]).strip().strip("*`\"'").rstrip(".,;!? ")
    number = read_number(answer)
    if number is None:
        bare = answer.strip("$ ")
        number = read_number(bare)
        answer = bare or answer
    if number is None:
        return answer
    value, percent = number
    written = answer.strip("$% ") if "/" in answer else show_number(value)
    return written + "%" * percent


def canonical_answer(answer: str | None) -> str | None:
    """A key under which equal answers meet in a vote; None for no answer.

    A % is a unit here, like $: GSM8K's gold answers leave both out.
    """
    if answer is None:
        return None
    answer = normalise_answer(answer)
    number = read_number(answer)
    if number is None:
        return re.sub(r"\s+", " ", answer).casefold() or None
    value = number[0]
    return show_number(value) if decimal_places(value) is not None else str(value)


def answers_match(gold: str | None, answer: str | None) -> bool:
    """Are the two answers the same value? False where either is missing.

    >>> answers_match("1/2", "0.5"), answers_match("0.333", "1/3")
    (True, False)

    Plain numbers are compared exactly ("0.5" is "1/2", "0.333" is not "1/3"); "50%" is both 50 and 1/2.
    """
    if gold is None or answer is None:
        return False
    if max(len(gold), len(answer)) > MAX_ANSWER:
        return gold == answer
    gold, answer = normalise_answer(gold), normalise_answer(answer)
    numbers = read_number(gold), read_number(answer)
    if numbers[0] and numbers[1]:
        return not _readings(*numbers[0]).isdisjoint(_readings(*numbers[1]))
    if canonical_answer(gold) == canonical_answer(answer):
        return bool(gold)
    return _symbolically_equal(gold, answer)


def _readings(value: Fraction, percent: bool) -> set[Fraction]:
    return {value, value / 100} if percent else {value}


def _after_hashes(text: str) -> str | None:
    match = _HASHES.search(text)
    return _value_of(match[1]) if match else None


def _boxed(text: str) -> str | None:
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    start += len("\\boxed{")
    depth = 1
    for i, char in enumerate(text[start : start + MAX_ANSWER], start):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return text[start:i].strip() or None
    return None


def _after_answer_is(text: str) -> str | None:
    phrase = None
    for match in _ANSWER_IS.finditer(text):
        phrase = match[1]
    if phrase is None:
        return None
    phrase = phrase[:MAX_ANSWER]
    end = _SENTENCE_END.search(phrase)
    return _value_of(phrase[: end.start()] if end else phrase)


def _value_of(phrase: str) -> str | None:
    """The value a short phrase states: a number with its unit, the right side of an equation, or the phrase."""
    phrase = _DECORATION.sub(lambda m: m[1] or "", phrase[:MAX_ANSWER]).strip().strip("*`\"'").strip()
    if "=" in phrase:
        phrase = phrase.rsplit("=", 1)[1].strip()
    if read_number(phrase):
        return phrase
    leading = _NUMBER_WITH_UNIT.match(phrase)
    algebra = _ALGEBRA.search(phrase)
    if leading and not (algebra and algebra.start() >= leading.end(1)):
        return leading[1]
    if not algebra and (inside := _ANY_NUMBER.search(phrase)):
        return inside[0]
    return phrase if len(phrase) <= MAX_SYMBOLIC else None


def _last_number(text: str) -> str | None:
    last = None
    for match in _ANY_NUMBER.finditer(text):
        last = match[0]
    return last


# What sympy works through quickly: short, at most two variables, two powers of one digit, nothing nested, no
# factorials, sums or functions.
_QUICK_COMMANDS = frozenset(
    ["frac", "dfrac", "tfrac", "sqrt", "pi", "cdot", "times", "div", "left", "right", "text", "pm", "circ", "infty"]
)
_POWER = re.compile(r"\^|\*\*")
_SMALL_POWER = re.compile(r"(?<![)}])(?:\^|\*\*)\{?-?[0-9a-zA-Z](?:\}|(?![0-9a-zA-Z^*{(]))(?!\^|\*\*)")


def _is_quick(text: str) -> bool:
    powers = len(_POWER.findall(text))
    without_commands = re.sub(r"\\[A-Za-z]+", " ", text)
    letters = re.findall(r"[A-Za-z]+", without_commands)
    return (
        0 < len(text) <= MAX_SYMBOLIC
        and "!" not in text
        and powers <= 2
        and powers == len(_SMALL_POWER.findall(text))
        and not re.search(r"[0-9]{13}|[0-9][eE][0-9]", text)
        and text.count("\\sqrt") <= 2
        and _QUICK_COMMANDS.issuperset(re.findall(r"\\([A-Za-z]+)", text))
        and all(len(run) <= 2 for run in letters)
        and len(set("".join(letters))) <= 2
    )


@lru_cache(maxsize=4096)
def _symbolically_equal(gold: str, answer: str) -> bool:
    if not (_is_quick(gold) and _is_quick(answer)):
        return False
    # Imported here because it brings sympy, a second of start-up that plain numbers never need.
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    # math-verify's own time limits use signal.alarm, which is for the main thread only; `_is_quick` stands in, so
    # the warning that it logs on every call without them has nothing to tell.
    logging.getLogger("math_verify").setLevel(logging.ERROR)

    def read(text: str) -> list[Any]:
        rules = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
        return list(parse(f"${text}$", extraction_config=rules, extraction_mode="first_match", parsing_timeout=None))

    parsed = read(gold), read(answer)
    return all(parsed) and bool(verify(*parsed, timeout_seconds=None))
