"""Lines that only say what follows: "### Step 2", "**Solution:**", "Final answer:"."""

from __future__ import annotations

import re

MAX_HEADING = 200

_MARKS = re.compile(r"[ \t>]*(#{1,6})(?!#)")
_EDGES = " \t*_`#:.$"
_COUNTED = re.compile(
    r"(?:step|part|case|section|question|problem|example|exercise|phase|stage|method|option|scenario|day|week|round|task"
    r"|subproblem|item|q)(?:[ ]{0,3}\(?[0-9]{1,3}|[ ]{1,3}\(?(?:[a-z]|[ivx]{1,5}))\)?(?!\w)"
    r"(?:[ ]{0,3}[:.)–—-]|\Z|[ ]+of\b|[ ]+\()",
    re.IGNORECASE,
)
_COUNT_ONLY = re.compile(r"[0-9]{1,2}[.)][ \t]{1,4}[*_]*[^\W\d_]")
_BULLET = re.compile(r"(?:[-*+•]|[0-9]{1,2}[.)])[ \t]+")
_TITLES = frozenset(
    "solution,answer,final answer,the answer,the final answer,conclusion,given,explanation,calculation,calculations"
    ",verification,check,reasoning,analysis,result,approach,method,problem,working,work,steps,step by step"
    ",step-by-step solution,step by step solution,solution steps,final result,summary,proof,detailed solution"
    ",answer key".split(",")
)


def is_titled(line: str) -> bool:
    """Is the line, without its decoration, a title and nothing more: "Solution:", "Step 3", "**Final answer**"?"""
    bare = line.strip(_EDGES)
    if len(bare) > MAX_HEADING:
        return False
    counted = _COUNTED.match(bare)
    return bare.lower() in _TITLES or (counted is not None and counted.end() == len(bare))


def is_counted(line: str) -> bool:
    """Does the line begin as a heading that is counted does: "Step 1: add", "Part (b)", "2. Find the cost"?"""
    bare = line.strip(_EDGES)[:MAX_HEADING]
    return bool(_COUNTED.match(bare) or _COUNT_ONLY.match(bare))


def is_heading(line: str) -> bool:
    """Does the line only name what follows it? A line that calculates or states a value does not.

    >>> [is_heading(line) for line in ("### Step 1: Add", "**Solution:**", "#### 14", "### 3 + 4 = 7")]
    [True, True, False, False]
    """
    bare = line.strip()
    if not bare or len(bare) > MAX_HEADING or "=" in bare:
        return False
    if is_titled(bare):
        return True
    marks = _MARKS.match(bare)
    if marks:
        text = bare[marks.end() :].strip(_EDGES)
        return is_counted(text) or (any(map(str.isalpha, text)) and not _may_be_answer(text, len(marks[1])))
    bare = _BULLET.sub("", bare)
    is_bold = bare.rstrip(":").startswith(("**", "__")) and bare.rstrip(":").endswith(("**", "__"))
    inside = bare.strip(_EDGES)
    counted = is_counted(inside) or (bare != line.strip() and not any(map(str.isdigit, bare)))
    return is_bold and "**" not in inside and (counted or _ends_with_colon(bare, inside))


def _may_be_answer(text: str, level: int) -> bool:
    """Four marks are GSM8K's sign of an answer; behind fewer only a value by itself is one."""
    return any(map(str.isdigit, text)) if level >= 4 else text[:1].isdigit()


def _ends_with_colon(bare: str, inside: str) -> bool:
    at = bare.rfind(inside) + len(inside)
    return ":" in bare[at:] and not any(map(str.isdigit, inside))
