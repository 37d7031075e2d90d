"""The labels with which steps begin, "Step 3: ", "Part 2 – ", "3) ": they count steps and are no arithmetic."""

from __future__ import annotations

import re

_LIST = r"[ \t]*(?:[>•–—*-][ \t]+){0,3}"
_NUMBER = r"(?:\(?[0-9]{1,2}\)?|[0-9]{1,2}\.[0-9]{1,2})(?:[ ]of[ ][0-9]{1,2})?(?![0-9])"
_SET_APART = (
    r"(?:[ ]?[.:)–—−-]*(?:[–—−-](?![0-9($.–—−-])|[:)]|\.(?![0-9]))"
    r"|[–—−-](?=[0-9($])"  # "Step 3-5 + 2 = 7"
    r"|[ ](?=[–—−-][0-9($]))"  # a minus with its number is what is calculated: "Step 3 -5 + 7 = 2"
)
NAMED = rf"(?:step|part|stage|phase)[ ]{{0,2}}(?:no\.?[ ]?|number[ ])?#?{_NUMBER}{_SET_APART}(?![ ]?=)"
"""A step that is called one, with what sets its number apart: "Step 3 - ". To be matched without regard to case."""

_VALUE = r"(?:[$€£]?[ ]?\(?[0-9.])"
_SIGN = r"(?:[-+−–][ \t]+|(?<=[.)])[-+−–])"  # not that of "1. -5 + 7 = 2"
_GOES_ON = (
    rf"[ \t]*(?:[×·⋅∙÷*/^=≈%<>]|{_SIGN}{_VALUE}|x[ ]?{_VALUE}"
    rf"|(?:times|plus|minus|divided[ ]by|multiplied[ ]by|over|equals)[ ]{_VALUE})"
)
_UNIT = (
    r"(?:[kcm]?m|[km]?g|m?l|kg|lbs?|oz|ft|in|km|inch(?:es)?|feet|foot|miles?|met(?:er|re)s?|lit(?:er|re)s?|gallons?"
    r"|hours?|hrs?|minutes?|mins?|seconds?|days?|weeks?|months?|years?|cents?|dollars?|euros?)"
)
_MEASURED = rf"[ \t]+{_UNIT}[ ]?(?:[×·⋅∙÷*/+−–-]|x(?=[ ]))[ ]?{_VALUE}"
_COUNTED = rf"[ \t]+(?-i:[a-z]{{2,20}})[ ]?(?:[×·⋅∙÷*/]|x(?=[ ]))[ ]?{_VALUE}"  # "(3) apples × 4"
_IN_BRACKETS = rf"\([0-9]{{1,2}}\)(?![ \t]?\([0-9.]{{1,9}}\))(?!{_COUNTED})"
NUMBERED = rf"(?:{_IN_BRACKETS}|[0-9]{{1,2}}[.)])(?![0-9])(?!{_GOES_ON})(?!{_MEASURED})"
"""A number of a list, "3. " or "(3) "; not one that something is done with: "(3) x (4)", "3) cm + 2 cm"."""

LINE_LABEL = rf"{_LIST}(?:{NAMED}|{NUMBERED})"
_NAMED = re.compile(rf"{_LIST}{NAMED}[ \t]*(?=\S)", re.IGNORECASE)


def behind_label(text: str, start: int, end: int) -> int:
    """Where the line at characters `start` to `end` goes on behind "Step 3: "; `start` where it has no such label.

    A number alone is no label here: what stands behind "3 - " may be subtracted.
    """
    label = _NAMED.match(text, start, end)
    return label.end() if label else start
