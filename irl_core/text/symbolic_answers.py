"""Whether two formulas are equal, through math-verify, which never sees text that could keep sympy busy."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any

MAX_SYMBOLIC = 60

# What sympy works through quickly: short, at most two variables, two powers of one digit, nothing nested, no
# factorials, sums or functions.
_QUICK_COMMANDS = frozenset(
    ["frac", "dfrac", "tfrac", "sqrt", "pi", "cdot", "times", "div", "left", "right", "text", "pm", "circ", "infty"]
)
_POWER = re.compile(r"\^|\*\*")
_SMALL_POWER = re.compile(r"(?<![)}])(?:\^|\*\*)\{?-?[0-9a-zA-Z](?:\}|(?![0-9a-zA-Z^*{(]))(?!\^|\*\*)")


def is_quick(text: str) -> bool:
    """Is the text a formula that sympy is sure to be done with soon?"""
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
def symbolically_equal(gold: str, answer: str) -> bool:
    """Are the two formulas equal? False where either is not `is_quick`."""
    if not (is_quick(gold) and is_quick(answer)):
        return False
    # Imported here because it brings sympy, a second of start-up that plain numbers never need.
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    # math-verify's own time limits use signal.alarm, which is for the main thread only; `is_quick` stands in, so
    # the warning that it logs on every call without them has nothing to tell.
    logging.getLogger("math_verify").setLevel(logging.ERROR)

    def read(text: str) -> list[Any]:
        rules = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
        return list(parse(f"${text}$", extraction_config=rules, extraction_mode="first_match", parsing_timeout=None))

    parsed = read(gold), read(answer)
    return all(parsed) and bool(verify(*parsed, timeout_seconds=None))
