"""What the words around an equation say of it: denied, asked, rounded, counted modulo something, with a remainder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from irl_core.text.equation_tokens import Kind, Token
from irl_core.text.expressions import Expression

_WINDOW = 240
_SENTENCE_START = re.compile(r"[\n?!]|\.(?=\s)")
_SENTENCE_END = re.compile(r"[\n?]|[.!](?=\s|$)")
_DENIES = re.compile(
    r"\b(?:wrong|incorrect|false|untrue|mistake|mistaken|mistakenly|erroneous|error|impossible|suppose|assume|assuming"
    r"|should|says|said|thinks|thought|believes|believed|writes|wrote|cannot|never|nobody|neither|hardly|whether|would|claim|claims|claimed|incorrectly|instead|unless|pretend|guess|guessed|contradict\w*|absurd)\b"
    r"|\bnot (?:true|correct|right|the case|equal)\b|\b(?:is|was|are|does|do|did|can)(?:n['’]t| not)\b",
    re.IGNORECASE,
)
_SUPPOSES = re.compile(r"\b(?:[Ii]f|[Uu]nless)\b[^,.;:!?\n]{0,80}\Z")
_ROUNDS = re.compile(
    r"\bround\w*|\bnearest\b|\bestimat\w*|\bapprox\w*|\broughly\b|\babout\b|\btruncat\w*|\bnearly\b|\balmost\b"
    r"|\baround\b|\bdecimal places?\b|\bsignificant\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\bclock\b|\bo['’]clock\b|\bmod(?:ulo|ular)?\b|\bremainder\b|\bbase\b", re.IGNORECASE)
_MODULUS = re.compile(r"[^\n=.;]{0,30}?\(?\bmod(?:ulo)?\s{1,3}([0-9]{1,6})")
_REMAINDER = re.compile(
    r"[ ]?(?:,[ ]?|\(|with[ ]|and[ ])?(?:a[ ])?(?:remainder|rem|R|r)\.?[ ]?(?:of[ ]|is[ ]|=[ ]?|:[ ]?)?"
    r"([0-9]{1,9})(?![.,]?[0-9])"
    r"|[^\n=.;]{0,30}?\b(?:with|and)[ ]([0-9]{1,9})[^\n=.;0-9]{0,20}?[ ](?:left|over|remain)"
)
MAX_LABEL, MAX_BARE_LABEL = 99, 10
_HYPHENED = re.compile(r"[0-9]-[0-9]{1,2}/[0-9]")
RANGE_WORDS = frozenset(
    "page pages chapter chapters age ages aged grade grades row rows line lines year years week weeks day days hour"
    " hours from between open works season seasons class classes level levels question questions problem problems"
    " number numbers verse verses item items step steps room rooms seat seats lane lanes size sizes month months"
    " floor floors exercise exercises lesson lessons ticket tickets unit units section sections pp".split()
)
LABELS = frozenset(
    "question part room box step day week month year problem number item group team case option bus table class grade"
    " page chapter level round exercise section task example unit lesson row column line stage phase method person"
    " student child friend train car truck plane store shop house floor route trip game match set no q ex figure fig"
    " player worker machine tank bag jar bottle crate answer solution equation note fact hint attempt choice"
    " statement".split()
)


def sentence_around(text: str, start: int, end: int) -> str:
    """The sentence that holds the characters `start` to `end`, as far as it is near, with its full stop."""
    left = max(0, start - _WINDOW)
    before = list(_SENTENCE_START.finditer(text, left, start))
    begins = before[-1].end() if before else left
    after = _SENTENCE_END.search(text, end, min(len(text), end + _WINDOW))
    return text[begins : after.end() if after else min(len(text), end + _WINDOW)]


def is_claimed(text: str, start: int, end: int) -> bool:
    """Does the sentence around the characters `start` to `end` state them, and exactly?"""
    return not (is_denied(text, start, end) or tells_rounding(sentence_around(text, start, end)))


def is_denied(text: str, start: int, end: int) -> bool:
    """Does the sentence around the characters `start` to `end` ask, suppose or deny rather than state?"""
    if _SUPPOSES.search(text, max(0, start - _WINDOW), start):
        return True
    sentence = sentence_around(text, start, end)
    return sentence.rstrip().endswith("?") or bool(_DENIES.search(sentence))


def tells_rounding(sentence: str) -> bool:
    """Does the sentence say that it rounds or estimates?"""
    return bool(_ROUNDS.search(sentence))


def counts_otherwise(sentence: str) -> bool:
    """Does the sentence speak of a clock, of remainders or of another base?"""
    return bool(_CLOCK.search(sentence))


def modulus_behind(text: str, end: int) -> int | None:
    """The 10 of "7 + 7 = 4 (mod 10)", where the equation ends at `end`."""
    match = _MODULUS.match(text, end)
    return int(match[1]) or None if match else None


def remainder_behind(text: str, end: int) -> int | None:
    """The 2 of "17 ÷ 5 = 3 R 2", "3 with a remainder of 2" and "3 with 2 left over", where the 3 ends at `end`."""
    match = _REMAINDER.match(text, end)
    return int(match[1] or match[2]) if match else None


def may_be_range(tokens: Sequence[Token], left: Expression, stated: Fraction, unit: str) -> bool:
    """Is "19-60" behind "aged" a range, "9-5" before "hours" a span of hours, "2020-2021" a school year?

    Args:
        tokens: those of the left side.
        unit: the word behind what is stated.
    """
    numbers = left.numbers()
    span = tokens[left.first : left.last]
    signs = [token for token in span if token.kind is Kind.OPERATOR]
    if len(numbers) != 2 or len(signs) != 1 or signs[0].text != "-" or any(n.decimals for n in numbers):
        return False
    if any(token.currency for token in span):
        return False
    low, high = numbers[0].value, numbers[1].value
    at = span.index(signs[0])
    glued = span[at - 1].end == signs[0].start and signs[0].end == span[at + 1].start
    words = {token.text.lower() for token in tokens[max(0, left.first - 2) : left.first]}
    words |= {token.text.lower() for token in tokens[left.last : left.last + 2]}
    if low < high:
        years = low >= 1000 and high <= 2100 and stated in (high - low, high - low + 1)
        return glued or years or not words.isdisjoint(RANGE_WORDS)
    hours = glued and max(low, high) <= 24 and unit.lower().rstrip("s.") in ("hour", "hr", "h")
    return hours and stated in ((high - low) % 12, (high - low) % 24)


def may_be_dates(left: Expression, unit: str) -> bool:
    """Is "5/10 - 5/8 = 2 days" a difference of dates?"""
    operators = [item for item in left.code if isinstance(item, str)]
    return operators == ["/", "/", "-"] and unit.lower() in ("day", "days", "week", "weeks", "month", "months")


def has_hyphened_number(written: str) -> bool:
    """Is there a mixed number with a hyphen, "2-1/2", that was read as a difference?"""
    return bool(_HYPHENED.search(written))


def label_before(tokens: Sequence[Token], left: Expression, *, any_word: bool = False) -> int | None:
    """Where the calculation begins behind "Part 2 - ", "Box 5 – " or "Day 3- "; None where there is no label.

    With `any_word` every word before the number is taken for one that may be a label, and so is a small number with
    which a line begins, "3 - " or "[3] - ".
    """
    first = left.first
    in_brackets = tokens[first].kind is Kind.OPEN and first + 2 < len(tokens) and tokens[first + 2].kind is Kind.CLOSE
    number = first + in_brackets
    dash = number + 1 + in_brackets
    behind = dash + 1
    while behind < len(tokens) and tokens[behind].text == "-" and tokens[behind].kind is Kind.OPERATOR:
        behind += 1  # "Part 2 -- 5 + 2 = 7"
    if behind >= len(tokens) or tokens[dash].kind is not Kind.OPERATOR or tokens[dash].text != "-":
        return None
    if tokens[number].kind is not Kind.NUMBER or tokens[number].currency or tokens[number].value > MAX_LABEL:
        return None
    apart, glued = tokens[dash - 1].end < tokens[dash].start, tokens[behind - 1].end == tokens[behind].start
    if glued and behind - 1 > dash and tokens[behind - 2].end < tokens[behind - 1].start:
        behind, glued = behind - 1, False  # "Part 2 - -5 + 7 = 2"
    if first == 0:
        return behind if any_word and not glued and tokens[number].value <= MAX_BARE_LABEL else None
    before = tokens[first - 1]
    is_label = before.text.lower().rstrip(".") in LABELS and (apart or not glued or behind - dash > 1)
    if before.kind is not Kind.WORD or not (any_word or is_label):
        return None
    return dash if apart and glued else behind  # "Part 2 -5 + 7 = 2" has a sign


def is_dash(tokens: Sequence[Token], left: Expression, opening: Token) -> bool:
    """Is the minus with which a clause begins the dash behind a label: "(3) - 5 + 2 = 7", "a) -- 8 / 2 = 4"?"""
    if left.first != 0 or len(tokens) < 2 or tokens[0].text != "-" or opening.text not in (")", "."):
        return False
    return opening.end == tokens[0].start or tokens[0].end < tokens[1].start
