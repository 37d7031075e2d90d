"""GSM8K's calculator marks: `<<48/2=24>>` behind an equals sign."""

from __future__ import annotations

import re

_CALCULATOR_MARK = re.compile(r"<<[^<>\n]{0,200}>>")


def strip_calculator_marks(text: str) -> tuple[str, list[int]]:
    """GSM8K's `<<48/2=24>>` removed, and for each remaining character its position in `text`."""
    kept: list[int] = []
    position = 0
    for mark in _CALCULATOR_MARK.finditer(text):
        kept.extend(range(position, mark.start()))
        position = mark.end()
    kept.extend(range(position, len(text)))
    return "".join(text[i] for i in kept), kept
