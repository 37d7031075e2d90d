"""Where a text states its final answer: behind "####", in a box, behind "answer is", or its last number.

Headings ("#### Step 1: add") are no answers; neither is what is denied ("not 6 but 5") or taken back ("Wait, ...").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from irl_core.text.answer_phrases import MAX_PHRASE, first_sentence, is_value, last_number, value_of
from irl_core.text.headings import is_counted, is_heading, is_titled

MAX_BETWEEN_BOXES = 40
MAX_PLACES = 50


class _Place(NamedTuple):
    """A value as the text writes it, and where the text goes on."""

    value: str
    end: int


_HASHES = re.compile(r"(?<!#)#{4,6}(?!#)[ \t]*([^\n\r\u2028\u2029]*)")
_LINE = re.compile(r"[^\n\r\u2028\u2029]+")
_ANSWER = re.compile(r"\banswers?\b", re.IGNORECASE)
_STATES = re.compile(
    r"[*_`\"')\]]{0,4}(?:[ \t]+(?:to|for|of)\b[^.\n:=]{0,60}?(?=[ \t]*(?:\bis\b|[:=])))?(?:,[ ]?\w{2,12},)?[ \t]*"
    r"(?P<verb>(?:is|are|was|were|would be|will be|must be|should be|has to be|comes to|becomes|equals|=|:)(?!\w)"
    r"|(?:isn['’]t|wasn['’]t|can['’]t be|cannot be|can not be|couldn['’]t be)(?!\w))[*_`\"' \t]*:?",
    re.IGNORECASE,
)
_DENIED_BEFORE = re.compile(
    r"(?:wrong|incorrect|false|mistaken|not (?:the|an?|my|our)|old|his|her|their|first)[ ]\Z", re.IGNORECASE
)
_DENIES = re.compile(r"(?:isn|wasn|can|couldn)['’]?(?:not|t| not)", re.IGNORECASE)
_INSTEAD = re.compile(
    r"(?:,|;|—|–)?[ ]?\b(?:but|rather|instead|it['’]s|it is|it was|actually)\b[ ,:]*(?:rather|instead|it is|it['’]s)?"
    r"[ ]*(?!not\b)(?=\S)",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    r"\b(?:wait|actually|correction|oops|whoops|hold on|hmm|sorry|scratch that|(?:i|we) (?:made|forgot|missed)"
    r"|that(?:['’]s| is| was) (?:wrong|incorrect|not right))\b",
    re.IGNORECASE,
)
_CHECKS = re.compile(r"\b(?:check|verify|confirm|double-check|recheck)", re.IGNORECASE)
_FAULT = re.compile(
    r"\b(?:wrong|mistake|incorrect|forgot|missed|error|should|instead|not right|oops)\b", re.IGNORECASE
)
_BOX = re.compile(r"\\f?boxed?(?:[ ]*\{|[ ]+(?=[-0-9]))|\\framebox[ ]*\{")
_BARE_BOX = re.compile(r"-?[0-9.,]{0,20}[0-9]")
_JOINT = re.compile(
    r"[ \t$.]*(?:,|;|\band\b|\bor\b|,[ ]?and\b|\\(?:text|quad|qquad|;|,)\{?[ ]?(?:and|or)?[ ]?\}?)"
    r"[ \t$]*(?:[A-Za-z][ ]?=)?[ \t$]*"
)
_UNIT_BEHIND = re.compile(r"[ \t]*\$?\$?\\?[)\]]?(?:[ \t]|\\[,;!~ ]|~){0,3}(?=[A-Za-z°%\\])")


def stated_answer(text: str, *, guess: bool = True) -> str | None:
    """The final answer as the text writes it; None where it states none. Linear in the text.

    Without `guess` a number that merely comes last, or stands under the last heading, is none.
    """
    hashes = behind_hashes(text)
    if hashes:
        return hashes
    place = _boxed(text) or _behind_answer(text)
    if place is None:
        return None if not guess else _under_last_heading(text) or last_number(text)
    return _correction(text[place.end :]) or place.value


def behind_hashes(text: str) -> str | None:
    """The first "#### x" that is no heading; a doubtful one only where nothing but it ends the text."""
    last_digit = max(text.rfind(digit) for digit in "0123456789")
    for mark in islice(_HASHES.finditer(text), MAX_PLACES):
        line = mark[1].strip()[:MAX_PHRASE]
        if _names_answer(line) and (below := _next_line(text, mark.end())):
            value = None if "\\box" in below else value_of(below)
        elif not line or is_titled(line) or (is_counted(line) and "=" not in line):
            continue
        else:
            label = _ANSWER.search(line)
            states = _STATES.match(line, label.end()) if label else None
            rest = line[states.end() :] if states else line
            value = value_of(rest, strict=not states and last_digit >= mark.end())
        if value:
            return value
    return None


def _names_answer(line: str) -> bool:
    return is_titled(line) and bool(_ANSWER.search(line))


def _next_line(text: str, at: int) -> str:
    lines = _LINE.findall(text, at, at + 2 * MAX_PHRASE)
    return next((line.strip()[:MAX_PHRASE] for line in lines if not line.isspace()), "")


def _boxed(text: str) -> _Place | None:
    """The last box, with the boxes that "and" or a comma join to it and the unit behind it."""
    boxes = list(_boxes(text))
    if not boxes:
        return None
    inside, start, end = boxes[-1]
    values = [inside]
    for before, before_start, before_end in reversed(boxes[:-1]):
        if start - before_end > MAX_BETWEEN_BOXES or not _JOINT.fullmatch(text, before_end, start):
            break
        values, start = [before, *values], before_start
    if len(values) > 1:
        return _Place(", ".join(values), end)
    value = inside if is_value(inside) else value_of(inside, formula=True) or inside
    unit = _UNIT_BEHIND.match(text, end)
    if unit and value == inside:
        line = _LINE.match(text, unit.end())
        joined = value_of(f"{inside} {line[0][:40]}", formula=True) if line else None
        value = joined if joined and joined.startswith(inside) and "\\" not in inside else value
    return _Place(value, end)


def _boxes(text: str) -> Iterator[tuple[str, int, int]]:
    """What stands in each box, and where the box begins and ends; the innermost of nested ones."""
    for box in list(_BOX.finditer(text))[-MAX_PLACES:]:
        start = box.end()
        if not box[0].endswith("{"):
            number = _BARE_BOX.match(text, start)
            if number:
                yield number[0], box.start(), number.end()
            continue
        end = _closing(text, start)
        inside = text[start:end].strip() if end is not None else ""
        if end is not None and inside and not _BOX.search(inside):
            yield inside, box.start(), end + 1


def _closing(text: str, start: int) -> int | None:
    depth = 1
    for i, char in enumerate(text[start : start + MAX_PHRASE], start):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return i
    return None


def _behind_answer(text: str) -> _Place | None:
    """The last "the answer is x" that is neither denied nor empty; "her answer is x" only where there is no other."""
    fallback: _Place | None = None
    for word in reversed(list(_ANSWER.finditer(text))[-MAX_PLACES:]):
        states = _STATES.match(text, word.end())
        place = _stated_behind(text, states) if states else None
        if place is None:
            continue
        if not _DENIED_BEFORE.search(text[max(0, word.start() - 16) : word.start()]):
            return place
        fallback = fallback or place
    return fallback


def _stated_behind(text: str, states: re.Match[str]) -> _Place | None:
    line = _LINE.match(text, states.end(), states.end() + MAX_PHRASE)
    phrase = line[0] if line and line[0].strip(" *_:$") else ""
    phrase = first_sentence(phrase)
    end = states.end() + len(phrase)
    phrase = phrase or _next_line(text, states.end())
    phrase = phrase[: again.start()] if (again := _ANSWER.search(phrase)) else phrase
    if _DENIES.match(states["verb"]) or phrase.lstrip().lower().startswith("not "):
        instead = _INSTEAD.search(phrase)
        phrase = phrase[instead.end() :] if instead else ""
    value = value_of(phrase) if phrase.strip() else None
    return _Place(value, end) if value else None


def _correction(rest: str) -> str | None:
    """What the text says after it took its answer back; None if it did not, or only checked it."""
    back = _TAKEN_BACK.search(rest)
    if not back:
        return None
    tail = rest[back.start() :]
    if _CHECKS.search(tail) and not _FAULT.search(tail):
        return None
    return last_number(tail, result_only=True)


def _under_last_heading(text: str) -> str | None:
    """The line under a last heading that names the answer."""
    under = None
    expects = False
    for line in _LINE.finditer(text):
        if expects and not line[0].isspace():
            under, expects = line[0].strip()[:MAX_PHRASE], False
        if len(line[0]) <= MAX_PHRASE and _ANSWER.search(line[0]) and is_heading(line[0]):
            expects = True
    return value_of(under) if under else None
