"""Text with arithmetic in it, cut into tokens: numbers, operators, equals signs, words, and what keeps them apart.

Every pattern is linear in the text. What could be algebra, a time, a date, a ratio or a malformed number becomes
`OTHER`, which keeps its neighbours from being read as arithmetic: a miss costs less than a false alarm.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from irl_core.text.numerals import NUMERAL, read_number, read_numeral

MAX_NUMBER_DIGITS = 15


class Kind(Enum):
    """`BREAK` ends a clause; `OTHER` is whatever arithmetic must not touch."""

    NUMBER = auto()
    OPERATOR = auto()
    PERCENT = auto()
    CENTS = auto()
    FRACTION = auto()
    OPEN = auto()
    CLOSE = auto()
    EQUALS = auto()
    IS = auto()
    WORD = auto()
    BREAK = auto()
    OTHER = auto()


class Token(NamedTuple):
    """A piece of text at characters `start` to `end`; `value` and `decimals` (digits after the point) of a number."""

    kind: Kind
    text: str
    start: int
    end: int
    value: Fraction | None = None
    decimals: int = 0


_LEXEME = re.compile(
    rf"""
    (?P<mixed>   (?:[$£€₹][ ]?)?[0-9]{{1,6}}[ ](?:1/[2-9]|2/[35]|3/[458]|4/5|5/[68]|7/8)(?![0-9/]|[.,][0-9]) )
  | (?P<number>  (?:[$£€₹][ ]?)?(?:{NUMERAL}) )
  | (?P<vulgar>  [½⅓⅔¼¾⅕⅛] )
  | (?P<phrase>  (?:divided[ ]by|multiplied[ ]by|is[ ]equal[ ]to)(?!\w) )
  | (?P<word>    [^\W\d_]+(?:['’][^\W\d_]+)* )
  | (?P<command> \\[A-Za-z]+ )
  | (?P<breaks>  [\n\r]+ | \\[\\()\[\]] | [=<>-]> | [<>!]= | <= | [.…]{{2,}} | \#{{2,}} )
  | (?P<power>   (?<=[0-9])[*]{{2}}(?=[0-9]) )
  | (?P<ignored> \\[$%!,;] | [ \t\xa0]+ | [*]{{2}} | [&`"“”$£€₹°] )
  | (?P<symbol>  == | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_VULGAR = dict(zip("½⅓⅔¼¾⅕⅛", map(Fraction, ("1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "1/8")), strict=True))
_MEANING = {
    **dict.fromkeys(["+", "plus"], (Kind.OPERATOR, "+")),
    **dict.fromkeys(["-", "−", "–", "minus"], (Kind.OPERATOR, "-")),
    **dict.fromkeys(
        ["*", "×", "·", "∗", "⋅", "x", "times", "multiplied by", "\\times", "\\cdot"], (Kind.OPERATOR, "*")
    ),
    **dict.fromkeys(["/", "÷", "divided by", "\\div"], (Kind.OPERATOR, "/")),
    "^": (Kind.OPERATOR, "^"),
    **dict.fromkeys(["=", "==", "equals", "is equal to"], (Kind.EQUALS, "=")),
    "is": (Kind.IS, "is"),
    **dict.fromkeys(["%", "percent", "\\%"], (Kind.PERCENT, "%")),
    **dict.fromkeys(["cents", "cent", "¢"], (Kind.CENTS, "cents")),
    **dict.fromkeys("([{", (Kind.OPEN, "(")),
    **dict.fromkeys(")]}", (Kind.CLOSE, ")")),
    **dict.fromkeys([*".,;:!?—→≈~|•<>≤≥≠"], (Kind.BREAK, ".")),
    **dict.fromkeys("so because since therefore thus hence then if when while but".split(), (Kind.BREAK, ".")),
    **dict.fromkeys(["\\frac", "\\dfrac", "\\tfrac"], (Kind.FRACTION, "frac")),
    **dict.fromkeys("squared cubed remainder mod am pm twice double triple".split(), (Kind.OTHER, "?")),
    **dict.fromkeys("two three four five six seven eight nine ten eleven twelve twenty".split(), (Kind.OTHER, "?")),
}
_TRANSPARENT = frozenset(["\\text", "\\mathrm", "\\mbox", "\\left", "\\right", "\\boxed", "\\quad", "\\displaystyle"])
_ENUMERATES = re.compile(r"(?:^|\n)[ ]*[0-9A-Za-z]{1,2}$")  # the "a" of "a) 5 * 3 = 15"
_OPERATOR_WORDS = frozenset(["plus", "minus", "times", "multiplied by", "divided by", "x"])
_OPERAND_BEGINS = (Kind.NUMBER, Kind.OPEN, Kind.FRACTION)
_OPERAND_ENDS = (Kind.NUMBER, Kind.CLOSE, Kind.PERCENT, Kind.CENTS, Kind.WORD)


def tokenize(text: str) -> list[Token]:
    """All tokens of `text` in order; spaces, emphasis and stray currency signs are dropped. Linear in its length."""
    raw = [token for token in map(_classify, _LEXEME.finditer(text)) if token is not None]
    raw = [_checked_number(text, token) if token.kind is Kind.NUMBER else token for token in raw]
    nothing = Token(Kind.BREAK, "\n", 0, 0)
    tokens: list[Token] = []
    for token, following in pairwise([*raw, nothing]):
        before = tokens[-1] if tokens else nothing
        resolved = _in_context(text, before, token, following)
        if resolved is not None:
            tokens.append(resolved)
        if token.text == "²" or token.text == "³":
            power = Fraction(2 if token.text == "²" else 3)
            tokens.append(Token(Kind.NUMBER, token.text, token.end, token.end, power))
    return tokens


def _classify(match: re.Match[str]) -> Token | None:
    """A token from its own letters alone."""
    group, text, (start, end) = match.lastgroup, match[0], match.span()
    if group == "ignored" or text in _TRANSPARENT:
        return Token(Kind.PERCENT, "%", start, end) if text == "\\%" else None
    if group in ("number", "mixed"):
        return Token(Kind.NUMBER, text, start, end)
    if group == "vulgar":
        return Token(Kind.NUMBER, text, start, end, _VULGAR[text])
    if group == "breaks":
        return Token(Kind.BREAK, text[0] if text[0] in "\n\r" else ".", start, end)
    if group == "power" or text in "²³":
        return Token(Kind.OPERATOR, text if text in "²³" else "^", start, end)
    kind, meaning = _MEANING.get(text.lower(), (Kind.WORD if group == "word" else Kind.OTHER, text))
    keeps_spelling = kind is Kind.OPERATOR and group in ("word", "phrase")
    return Token(kind, text.lower() if keeps_spelling else meaning, start, end)


def _checked_number(text: str, token: Token) -> Token:
    """The number with its value, or `OTHER` for times (3:30), malformed groups (1,23), versions and long digits."""
    other = token._replace(kind=Kind.OTHER)
    after, before = text[token.end : token.end + 2], text[max(0, token.start - 2) : token.start]
    joined_after = after[:1] in (",", ".", ":") and after[1:].isdigit()
    joined_before = before[1:] in (",", ".", ":") and before[:1].isdigit()
    if joined_after or joined_before:
        return other
    if token.value is not None:
        return token
    digits = token.text.lstrip("$£€₹ ")
    if sum(map(str.isdigit, digits)) > MAX_NUMBER_DIGITS or re.match(r"0[0-9]", digits):
        return other
    if " " in digits:
        mixed = read_number(digits)
        return token._replace(value=mixed[0]) if mixed else other
    value = read_numeral(digits)
    return token._replace(value=value, decimals=len(digits.partition(".")[2])) if value is not None else other


def _in_context(text: str, before: Token, token: Token, following: Token) -> Token | None:
    """What the token means between its neighbours; None to drop it."""
    glued_before, glued_after = before.end == token.start, token.end == following.start
    if token.kind is Kind.NUMBER and glued_before and before.kind is Kind.WORD:
        return token._replace(kind=Kind.OTHER)
    if token.kind is Kind.OPERATOR:
        return _operator_in_context(before, token, following, glued_before, glued_after)
    if token.kind is Kind.CENTS and before.kind is not Kind.NUMBER:
        return token._replace(kind=Kind.WORD)
    if token.kind is Kind.CLOSE and _ENUMERATES.search(text[max(0, token.start - 5) : token.start]):
        return token._replace(kind=Kind.BREAK)
    if token.kind is Kind.WORD:
        return _word_in_context(before, token, glued_before)
    return token


def _word_in_context(before: Token, token: Token, glued_before: bool) -> Token:
    if glued_before and before.kind is Kind.NUMBER and token.text.lower() in ("st", "nd", "rd", "th"):
        return token._replace(kind=Kind.OTHER)
    # A letter by itself is a variable, except the article.
    if len(token.text) == 1 and (glued_before or token.text not in "aAI"):
        return token._replace(kind=Kind.OTHER)
    return token


def _operator_in_context(
    before: Token, token: Token, following: Token, glued_before: bool, glued_after: bool
) -> Token | None:
    if token.text in _OPERATOR_WORDS:
        operator = _MEANING[token.text][1]
        if following.kind in _OPERAND_BEGINS and before.kind in _OPERAND_ENDS:
            return token._replace(text=operator)
        return token._replace(kind=Kind.OTHER if token.text == "x" else Kind.WORD)
    if token.text in "²³":
        return token._replace(text="^")
    starts_line = before.kind is Kind.BREAK and before.text in "\n\r"
    if starts_line and token.text in "+-*" and not glued_after:
        return token._replace(kind=Kind.BREAK)
    if following.kind is Kind.WORD and token.text == "-" and glued_before and glued_after:
        return None  # the hyphen of "5-gallon" or "two-thirds"
    if following.kind is Kind.WORD and token.text == "/":
        return None  # the "per" of "2 dollars/apple"
    if token.text == "-" and glued_before and glued_after and before.kind is Kind.WORD:
        return token._replace(kind=Kind.OTHER)  # the hyphen of "covid-19"
    return token
