"""Numbers written out: "twenty-five", "two hundred and three", "half a dozen", "two and a half", "three-eighths"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

_UNITS = "zero one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SMALL = {word: i for i, word in enumerate([*_UNITS, *_TEENS])} | {word: 10 * i for i, word in enumerate(_TENS, 2)}
_SMALL["fourty"] = 40
_POWERS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
SCALES = _POWERS | {"hundred": 100, "dozen": 12, "dozens": 12, "lakh": 10**5, "crore": 10**7}
"""Words that multiply the number before them."""
_ORDINALS = (
    "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth"
    " seventeenth eighteenth nineteenth twentieth"
)
_ONE_PART = {word: i for i, word in enumerate(_ORDINALS.split(), 3)} | {
    "half": 2, "quarter": 4, "thirtieth": 30, "fortieth": 40, "fiftieth": 50, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
PARTS = _ONE_PART | {word + "s": n for word, n in _ONE_PART.items()} | {"halves": 2}
"""Words for an equal part of a whole, and into how many of them it is cut; those above half are ordinals too."""

_BEGINNINGS = frozenset([*_SMALL, "half", "a", "an"])
_TOKEN = re.compile(r"[A-Za-z]+")
_JOINTS = frozenset([" ", "-", "‐", "‑", "–", "  ", "\n"])


class WordNumber(NamedTuple):
    """A number at characters `start` to `end`; `parts` of "three eighths" is (3, 8)."""

    value: Fraction
    start: int
    end: int
    parts: tuple[int, int] | None = None


class _Word(NamedTuple):
    text: str
    start: int
    end: int
    joined: bool


def word_numbers(text: str) -> list[WordNumber]:
    """All numbers in words, in order; ordinals ("the third day") are none. Linear in the text.

    >>> [str(number.value) for number in word_numbers("Twenty-five of two hundred and three, or half a dozen")]
    ['25', '203', '6']
    """
    words = _words(text)
    found: list[WordNumber] = []
    at = 0
    while at < len(words):
        read = _number(words, at) if words[at].text in _BEGINNINGS else None
        if read is None:
            at += 1
            continue
        value, parts, behind = read
        found.append(WordNumber(value, words[at].start, words[behind - 1].end, parts))
        at = behind
    return found


def _words(text: str) -> list[_Word]:
    words: list[_Word] = []
    end = -1
    for match in _TOKEN.finditer(text):
        joined = end >= 0 and match.start() - end <= 2 and text[end : match.start()] in _JOINTS
        words.append(_Word(match[0].lower(), match.start(), match.end(), joined))
        end = match.end()
    return words


def _text(words: Sequence[_Word], at: int) -> str:
    """The word at `at` if it is joined to the one before; "" otherwise."""
    return words[at].text if at < len(words) and words[at].joined else ""


_Read = tuple[Fraction, tuple[int, int] | None, int]


def _number(words: Sequence[_Word], at: int) -> _Read | None:
    """The number that begins with word `at`, its parts, and the word behind it."""
    part = _part(words, at)
    if part is not None:
        value, _, behind = part
        scale = _text(words, behind + 1) if _text(words, behind) in ("a", "of") else ""
        return (value * SCALES[scale], None, behind + 2) if scale in SCALES else part
    value, unit, behind = _cardinal(words, at)
    if unit == 0:
        return None
    part_name = _text(words, behind)
    if unit == 1 and part_name.endswith("s") and part_name in PARTS:
        return value / PARTS[part_name], (int(value), PARTS[part_name]), behind + 1
    if _text(words, behind) == "and":
        extra = _part(words, behind + 1) if _text(words, behind + 1) else None
        if extra is not None:
            value, behind = value + extra[0] * unit, extra[2]
            factor = SCALES.get(_text(words, behind), 1)
            return value * factor, None, behind + (factor > 1)
    return value, None, behind


def _part(words: Sequence[_Word], at: int) -> _Read | None:
    """ "half", "a third", "three eighths"."""
    first = words[at].text
    if first == "half":
        return Fraction(1, 2), (1, 2), at + 1
    count, behind = (1, at + 1) if first in ("a", "an") else (_SMALL.get(first, 0), at + 1)
    part = PARTS.get(_text(words, behind), 0)
    if not count or not part or (part == 2 and count > 1 and _text(words, behind) == "half"):
        return None
    return Fraction(count, part), (count, part), behind + 1


def _cardinal(words: Sequence[_Word], at: int) -> tuple[Fraction, int, int]:
    """A whole number, what its last word counts (0 if there is none), and the word behind it."""
    total, current, unit, bound = 0, None, 0, 10**15
    word = words[at].text
    if word in ("a", "an") and _text(words, at + 1) in SCALES:
        current, at, word = 1, at + 1, _text(words, at + 1)
    while word:
        if word in _SMALL and _may_follow(current, _SMALL[word]):
            current, unit = (current or 0) + _SMALL[word], 1
        elif word in SCALES and current is not None and SCALES[word] < bound:
            if word == "hundred":
                current, unit = current * 100, 100
            else:
                unit = bound = SCALES[word]
                total, current = total + current * unit, None
        elif word == "and" and unit >= 100 and _text(words, at + 1) in _SMALL:
            pass
        else:
            break
        at += 1
        word = _text(words, at)
    return Fraction(total + (current or 0)), unit, at


def _may_follow(current: int | None, small: int) -> bool:
    """May "five" stand behind "twenty" or "two hundred"? Nothing may behind "three"."""
    if current is None:
        return True
    rest = current % 100
    return (current > 0 and rest == 0) or (20 <= rest < 100 and rest % 10 == 0 and 0 < small < 10)
