"""The words behind a number: "square feet", "apples a day", "miles per hour", "more hours of sleep"."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from irl_core.text import units
from irl_core.text.equation_numbers import WrittenNumber
from irl_core.text.equation_tokens import Kind, Token

MAX_UNIT_WORDS = 8

_PER = frozenset("per a an each every".split())
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_ADJECTIVES = frozenset(
    "more extra whole full additional total us long short new old other remaining further entire complete straight"
    " consecutive work working school business light fewer less".split()
)
_PREPOSITIONS = frozenset("of in on at from for by to during with between into under over without".split())
# Words that make the number behind which they stand a part of something unknown: "4 times the number of mugs".
_DETERMINERS = frozenset("the his her their my our its your".split())
_UNKNOWN = frozenset(
    "times twice number some any than and or is are was were has have had what which who unknown as".split()
)
_ENDS_NOUN = _PER | _PREPOSITIONS | _UNKNOWN | _DETERMINERS


class UnitPhrase(NamedTuple):
    """Unit words with exponents; the phrase reaches to token `end`, its own unit words to `unit_end`.

    `leads_on` if the expression may go on behind it: an operator, a bracket or the end of the clause follows.
    """

    words: tuple[tuple[str, int], ...]
    unit_end: int
    end: int
    leads_on: bool


class SmallerUnit(NamedTuple):
    """The second part of "1 hour 30 minutes", with the position behind it."""

    number: WrittenNumber
    words: tuple[tuple[str, int], ...]
    unit_end: int
    end: int


def read_unit_phrase(tokens: Sequence[Token], at: int) -> UnitPhrase | None:
    """The unit phrase that begins at token `at`; None where there is none, or where it names something unknown."""
    bracketed = _kind(tokens, at) is Kind.OPEN and _kind(tokens, at + 1) is Kind.WORD
    bracketed = bracketed and tokens[at - 1].end != tokens[at].start
    begin = at + bracketed
    end = begin
    limit = min(begin + MAX_UNIT_WORDS, len(tokens))
    while end < limit and (tokens[end].kind is Kind.WORD or _exponent(tokens, end)):
        end += 1 if tokens[end].kind is Kind.WORD else 2
    if end == begin:
        return None
    run = tokens[begin:end]
    follows = _kind(tokens, end)
    if bracketed:
        if follows is not Kind.CLOSE:
            return None
        end += 1
        follows = _kind(tokens, end)
    leads_on = follows in (None, Kind.OPERATOR, Kind.CLOSE)
    words, length = _unit_words(run, leads_on)
    if bracketed:  # a remark: "14 (third day)"
        return UnitPhrase((), begin, end, leads_on)
    end, leads_on = _behind_remark(tokens, end, leads_on)
    if run[0].text.lower() == "of":
        return None
    if _is_unknown(run):
        return UnitPhrase(words, begin + length, begin, False) if words else None
    return UnitPhrase(words, begin + length, end, leads_on)


def _behind_remark(tokens: Sequence[Token], end: int, leads_on: bool) -> tuple[int, bool]:
    """Steps over a remark in brackets: "20 minutes (restart time) + 5"."""
    if _kind(tokens, end) is not Kind.OPEN or _kind(tokens, end + 1) is not Kind.WORD:
        return end, leads_on
    close = end + 1
    while _kind(tokens, close) is Kind.WORD and close < end + MAX_UNIT_WORDS:
        close += 1
    if _kind(tokens, close) is not Kind.CLOSE or _kind(tokens, close + 1) not in (None, Kind.OPERATOR, Kind.CLOSE):
        return end, leads_on
    return close + 1, True


def smaller_unit(tokens: Sequence[Token], phrase: UnitPhrase | SmallerUnit) -> SmallerUnit | None:
    """The number with a smaller unit of the same kind right behind a unit phrase."""
    if len(phrase.words) != 1 or phrase.words[0][1] != 1:
        return None
    at = phrase.unit_end
    if _kind(tokens, at) is Kind.WORD and tokens[at].text.lower() == "and":
        at += 1
    if _kind(tokens, at) is not Kind.NUMBER or _kind(tokens, at + 1) is not Kind.WORD:
        return None
    number, word = tokens[at].number, tokens[at + 1].text
    if number is None or not _is_smaller(word, phrase.words[0][0]):
        return None
    return SmallerUnit(number, ((word, 1),), at + 2, at + 2)


def _is_smaller(word: str, other: str) -> bool:
    return any(
        Fraction(a.name) < Fraction(b.name)
        if a.dimension == b.dimension == "scale"
        else units.is_smaller(a.name, b.name)
        for a in units.senses_of(word)
        for b in units.senses_of(other)
    )


def _unit_words(run: Sequence[Token], leads_on: bool) -> tuple[tuple[tuple[str, int], ...], int]:
    """The unit that a run of words begins with, and how many tokens it takes."""
    at = 0
    while at + 1 < len(run) and run[at].text.lower() in _ADJECTIVES:
        at += 1
    words: list[tuple[str, int]] = []
    at = _numerator(run, at, words, leads_on)
    while at + 1 < len(run) and run[at].text.lower() in _PER:
        at = _denominator(run, at + 1, words)
    return tuple(words), at


def _numerator(run: Sequence[Token], at: int, words: list[tuple[str, int]], leads_on: bool) -> int:
    start = at
    while at < len(run):
        unit, taken = _unit_at(run, at, leads_on)
        if unit is None:
            break
        words.append(unit)
        at += taken
        if not _is_scale(unit[0]):
            return at
    noun = at
    while noun < len(run) and run[noun].kind is Kind.WORD and run[noun].text.lower() not in _ENDS_NOUN:
        noun += 1
    if noun > at:
        words.append((units.COUNTED + _stem(run[noun - 1].text), 1))
        return noun
    return at if at > start else start


def _denominator(run: Sequence[Token], at: int, words: list[tuple[str, int]]) -> int:
    unit, taken = _unit_at(run, at, True)
    if unit is not None:
        words.append((unit[0], -unit[1]))
        return at + taken
    if run[at].kind is Kind.WORD and run[at].text.lower() not in _PREPOSITIONS:
        words.append((units.COUNTED + _stem(run[at].text), -1))
    return at + 1


def _unit_at(run: Sequence[Token], at: int, leads_on: bool) -> tuple[tuple[str, int] | None, int]:
    """The unit word at `at` with its exponent, and how many tokens it takes."""
    word = run[at].text
    lower = word.lower()
    power = _POWERS.get(lower, 1)
    if power > 1 or lower in ("fluid", "fl"):
        if at + 1 < len(run) and units.senses_of(run[at + 1].text):
            return (("floz", 1) if power == 1 else (run[at + 1].text, power)), 2
        return None, 0
    if run[at].kind is not Kind.WORD or not units.senses_of(word):
        return None, 0
    if (lower == "in" or _is_part(lower)) and not (at + 1 == len(run) and leads_on):
        return None, 0  # "5 in a row", "3 half-full decks"
    if _exponent(run, at + 1):
        return (word, int(run[at + 2].value)), 3
    return (word, 1), 1


def _exponent(tokens: Sequence[Token], at: int) -> bool:
    """Whether "^2" or "^3" of "m^2" stands at `at`, glued to a unit."""
    if at == 0 or at + 1 >= len(tokens) or tokens[at].text != "^" or tokens[at - 1].kind is not Kind.WORD:
        return False
    glued = tokens[at - 1].end == tokens[at].start and tokens[at].end == tokens[at + 1].start
    return glued and tokens[at + 1].value in (2, 3) and bool(units.senses_of(tokens[at - 1].text))


def _is_scale(word: str) -> bool:
    return units.senses_of(word)[0].dimension == "scale"


def _is_part(word: str) -> bool:
    return "/" in units.senses_of(word)[0].name and not word.endswith("s")


def _stem(word: str) -> str:
    lower = word.lower()
    for ending, instead in (("ies", "y"), ("ves", "f"), ("s", "")):
        if lower.endswith(ending) and len(lower) > len(ending) + 1:
            return lower.removesuffix(ending) + instead
    return lower


def _is_unknown(run: Sequence[Token]) -> bool:
    """Whether words behind the unit name a number that is not given, or another sentence begins among them."""
    words = [token.text.lower() for token in run]
    return any(
        word in _UNKNOWN or (word in _DETERMINERS and (i == 0 or words[i - 1] not in _PREPOSITIONS))
        for i, word in enumerate(words)
    )


def _kind(tokens: Sequence[Token], at: int) -> Kind | None:
    return tokens[at].kind if at < len(tokens) else None
