"""Text with arithmetic in it, cut into tokens: numbers, operators, equals signs, words, and what keeps them apart.

Every pattern is linear in the text. What could be algebra, a time, a date, a ratio or a malformed number becomes
`OTHER`, which keeps its neighbours from being read as arithmetic: a miss costs less than a false alarm.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from irl_core.text import equation_numbers as numbers
from irl_core.text.equation_numbers import WrittenNumber
from irl_core.text.units import ABBREVIATIONS, LETTER_UNITS, senses_of


class Kind(Enum):
    """`BREAK` ends a clause; `OTHER` is whatever arithmetic must not touch; `TIME` is a time of day."""

    NUMBER = auto()
    OPERATOR = auto()
    PERCENT = auto()
    ROOT = auto()
    FACTORIAL = auto()
    OPEN = auto()
    CLOSE = auto()
    EQUALS = auto()
    ABOUT = auto()
    IS = auto()
    WORD = auto()
    BREAK = auto()
    TIME = auto()
    OTHER = auto()


class Token(NamedTuple):
    """A piece of text at characters `start` to `end`; a number with its value and its currency, if it has one."""

    kind: Kind
    text: str
    start: int
    end: int
    number: WrittenNumber | None = None
    currency: str = ""

    @property
    def value(self) -> Fraction:
        return self.number.value if self.number else Fraction(0)


_CURRENCY = r"(?:(?:US|AU|CA|A|C|S)?\$|£|€|₹)"
_LEXEME = re.compile(
    rf"""
    (?P<clock>   [0-9]{{1,2}}(?::[0-9]{{2}})?[ ]?(?:[ap]\.m\.|[ap]m(?!\w)|[AP]M(?!\w)|o['’]clock)
               | [0-9]{{1,2}}:[0-9]{{2}}(?![:0-9]) )
  | (?P<mixed>   (?:{_CURRENCY}[ ]?)?{numbers.MIXED} )
  | (?P<periodic> {numbers.PERIODIC} )
  | (?P<grouped> (?:{_CURRENCY}[ ]?)?(?:{numbers.GROUPED}) )
  | (?P<number>  (?:{_CURRENCY}[ ]?(?:[-−](?=[0-9]))?)?(?:{numbers.ASCII_NUMBER}) )
  | (?P<part>    (?i:{numbers.PART_WORD}) )
  | (?P<spelled> (?i:{numbers.NUMBER_WORD}) )
  | (?P<about>   =[ ]?(?:approximately|about|roughly|around|almost|nearly)(?!\w) )
  | (?P<phrase>  (?:divided[ ]by|multiplied[ ]by|is[ ]equal[ ]to|per[ ]cent|(?:the[ ])?square[ ]root[ ]of)(?!\w) )
  | (?P<word>    [^\W\d_]+(?:['’][^\W\d_]+)* )
  | (?P<breaks>  [\n\r]+ | [=<>-]> | [<>!]= | <= | [.…]{{2,}} | \#{{2,}} )
  | (?P<ignored> [ \t\xa0]+ | °[ ]?[CF](?![A-Za-z]) | [*]{{2}} | [&`"“”$£€₹°] )
  | (?P<symbol>  == | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_MEANING = {
    **dict.fromkeys(["+", "plus"], (Kind.OPERATOR, "+")),
    **dict.fromkeys(["-", "−", "–", "minus"], (Kind.OPERATOR, "-")),
    **dict.fromkeys(["*", "×", "·", "∗", "⋅", "x", "X", "times", "multiplied by"], (Kind.OPERATOR, "*")),
    **dict.fromkeys(["/", "÷", "divided by"], (Kind.OPERATOR, "/")),
    "^": (Kind.OPERATOR, "^"),
    "mod": (Kind.OPERATOR, "mod"),
    **dict.fromkeys(["=", "==", "equals", "is equal to"], (Kind.EQUALS, "=")),
    **dict.fromkeys("≈≅≃", (Kind.ABOUT, "≈")),
    "is": (Kind.IS, "is"),
    **dict.fromkeys(["%", "percent", "per cent"], (Kind.PERCENT, "%")),
    **dict.fromkeys("([{", (Kind.OPEN, "(")),
    **dict.fromkeys(")]}", (Kind.CLOSE, ")")),
    **dict.fromkeys([*".,;:!?—→⇒➡↦⇔∴~|•<>≤≥≠"], (Kind.BREAK, "")),
    **dict.fromkeys("so because since therefore thus hence then if when while but".split(), (Kind.BREAK, "")),
    **dict.fromkeys(["√", "sqrt", "square root of", "the square root of"], (Kind.ROOT, "2")),
    "∛": (Kind.ROOT, "3"),
    "∜": (Kind.ROOT, "4"),
    **dict.fromkeys("twice double triple".split(), (Kind.OTHER, "?")),
}
_ENUMERATES = re.compile(r"(?:^|\n)[ ]*\(?[0-9A-Za-z]{1,2}$")  # the "a" of "a) 5 * 3 = 15"
_OPERATOR_WORDS = frozenset(["plus", "minus", "times", "multiplied by", "divided by", "x", "X"])
_OPERAND_BEGINS = (Kind.NUMBER, Kind.OPEN, Kind.ROOT)
_OPERAND_ENDS = (Kind.NUMBER, Kind.CLOSE, Kind.PERCENT, Kind.WORD, Kind.FACTORIAL)
_READERS: dict[str, Callable[[str], WrittenNumber | None]] = {
    "mixed": numbers.mixed_number,
    "periodic": numbers.periodic_number,
    "grouped": numbers.grouped_number,
    "number": numbers.plain_number,
    "part": numbers.part_word,
    "spelled": numbers.number_word,
}
_SYMBOL = re.compile(rf"{_CURRENCY}[ ]?([-−]?)")


def tokenize(text: str) -> list[Token]:
    """All tokens of `text` in order; spaces, emphasis and stray currency signs are dropped. Linear in its length."""
    return tokenize_line(text, 0, len(text))


def tokenize_line(text: str, start: int, end: int) -> list[Token]:
    """The tokens of the characters `start` to `end`, with their places in the whole text."""
    matches = _LEXEME.finditer(text, start, end)
    raw = [token for match in matches if (token := _classify(text, match)) is not None]
    nothing = Token(Kind.BREAK, "\n", start, start)
    tokens: list[Token] = []
    depth = 0
    for token, following in pairwise([*raw, nothing]):
        depth += token.kind is Kind.OPEN
        if token.kind is Kind.CLOSE:
            depth -= 1
            if depth < 0:  # the "b)" of a list
                depth = 0
                token = token._replace(kind=Kind.BREAK)
                if (
                    tokens
                    and len(tokens[-1].text) == 1
                    and tokens[-1].text.isalpha()
                    and tokens[-1].end == token.start
                ):
                    tokens.pop()
        before = tokens[-1] if tokens else nothing
        resolved = _in_context(text, before, token, following)
        if resolved is not None:
            tokens.append(resolved)
            if resolved.text == "^" and token.text in ("squared", "cubed"):
                power = WrittenNumber(Fraction(2 if token.text == "squared" else 3))
                tokens.append(Token(Kind.NUMBER, token.text, token.end, token.end, power))
    return tokens


def _classify(text: str, match: re.Match[str]) -> Token | None:
    """A token from its own letters alone."""
    group, written, (start, end) = match.lastgroup or "symbol", match[0], match.span()
    if group == "ignored":
        return None
    if group in _READERS:
        return _number(text, Token(Kind.NUMBER, written, start, end), group)
    if group == "about":
        return Token(Kind.ABOUT, "≈", start, end)
    if group == "clock":
        return Token(Kind.TIME, written, start, end)
    if group == "breaks":
        return Token(Kind.BREAK, written[0], start, end)
    other = Kind.WORD if group == "word" else Kind.OTHER
    kind, meaning = _MEANING.get(written.lower() if group != "word" or len(written) > 1 else written, (other, written))
    if group == "symbol" and kind is Kind.OTHER and ord(written) > 0x2190:
        return Token(Kind.BREAK, "✓", start, end)  # a tick, a star, an emoji
    keeps_spelling = kind is Kind.BREAK or (kind is Kind.OPERATOR and group in ("word", "phrase"))
    return Token(kind, written.lower() if keeps_spelling else meaning, start, end)


def _number(text: str, token: Token, group: str) -> Token:
    """The number with its value, or `OTHER` for malformed groups (1,23,4), versions (1.2.3) and long digits."""
    start, end = token.start, token.end
    other = token._replace(kind=Kind.OTHER)
    after, before = text[end : end + 2], text[max(0, start - 2) : start]
    if group in ("part", "spelled"):
        return other if before[1:].isalnum() else token._replace(number=_READERS[group](token.text))
    joined_after = after[:1] in (",", ".", ":") and after[1:].isdigit()
    joined_before = before[1:] in (",", ".", ":") and before[:1].isdigit()
    if joined_after or joined_before or (before[1:] == "_"):
        return other
    symbol = _SYMBOL.match(token.text)
    digits = token.text[symbol.end() :] if symbol else token.text
    number = _READERS[group](digits)
    if number is None:
        return other
    if group == "grouped" and " " in digits and text[start - 1 : start] == " " and before[:1].isdigit():
        return other
    if symbol and symbol[1]:
        number = number._replace(value=-number.value, continental=None)
    currency = next((sign for sign in "£€₹" if symbol and sign in symbol[0]), "$") if symbol else ""
    return token._replace(number=number, currency=currency)


def _in_context(text: str, before: Token, token: Token, following: Token) -> Token | None:
    """What the token means between its neighbours; None to drop it."""
    glued_before, glued_after = before.end == token.start, token.end == following.start
    if token.kind is Kind.NUMBER and glued_before and before.kind is Kind.WORD:
        return token._replace(kind=Kind.OTHER)
    if token.kind is Kind.OPERATOR:
        return _operator_in_context(before, token, following, glued_before, glued_after)
    apart = not glued_after or following.kind is Kind.BREAK
    if token.kind is Kind.CLOSE and apart and _ENUMERATES.search(text[max(0, token.start - 6) : token.start]):
        return token._replace(kind=Kind.BREAK)
    if token.kind is Kind.WORD:
        return _word_in_context(text, before, token, following)
    if token.kind is Kind.BREAK:
        return _break_in_context(text, before, token, following, glued_before)
    return token


def _word_in_context(text: str, before: Token, token: Token, following: Token) -> Token:
    lower, glued_before = token.text.lower(), before.end == token.start
    if lower in ("squared", "cubed"):
        power = before.kind in (Kind.NUMBER, Kind.CLOSE)
        return Token(Kind.OPERATOR, "^", token.start, token.end) if power else token._replace(kind=Kind.OTHER)
    if lower in ("and", "or") and following.kind is Kind.OPERATOR and following.text in ("-", "−"):
        return token._replace(kind=Kind.BREAK, text="and")
    if lower in ("remainder", "rem", "r"):
        behind = (before.kind is Kind.NUMBER and not glued_before) or (before.kind is Kind.OPEN and len(lower) > 1)
        return token._replace(kind=Kind.WORD if behind else Kind.OTHER)
    if glued_before and before.kind in (Kind.NUMBER, Kind.CLOSE):
        # Letters glued to a number are variables, but for units: "4pq", "3kg".
        return token if senses_of(token.text) else token._replace(kind=Kind.OTHER)
    if len(token.text) > 1:
        return token
    if before.kind is Kind.NUMBER and token.text in LETTER_UNITS and following.kind not in (Kind.OPEN, Kind.NUMBER):
        return token
    if before.kind is Kind.WORD and before.text == "per" and token.text in LETTER_UNITS:
        return token
    # A letter by itself is a variable, except the article.
    article = token.text in "aAI" and not glued_before and following.kind is Kind.WORD
    return token if article and following.text not in _OPERATOR_WORDS else token._replace(kind=Kind.OTHER)


def _break_in_context(text: str, before: Token, token: Token, following: Token, glued_before: bool) -> Token | None:
    after = text[token.end : token.end + 2]
    if token.text in "\n\r" and following.kind in (Kind.EQUALS, Kind.ABOUT):
        return None  # a calculation that goes on in the next line
    if token.text == "!" and glued_before and before.kind in (Kind.NUMBER, Kind.CLOSE):
        return token._replace(kind=Kind.FACTORIAL)
    abbreviated = glued_before and before.kind is Kind.WORD and before.text.lower() in ABBREVIATIONS
    if token.text == "." and abbreviated and not (after[1:].isupper() or after.strip() == ""):
        return None  # the full stop of "10 oz. - 2 oz"
    return token


def _operator_in_context(
    before: Token, token: Token, following: Token, glued_before: bool, glued_after: bool
) -> Token | None:
    if token.text in _OPERATOR_WORDS:
        operator = _MEANING[token.text.lower()][1]
        signed = following.kind is Kind.OPERATOR and following.text == "-" and token.text not in "xX"
        if (following.kind in _OPERAND_BEGINS or signed) and before.kind in _OPERAND_ENDS:
            return token._replace(text=operator)
        return token._replace(kind=Kind.OTHER if token.text in "xX" else Kind.WORD)
    starts_line = before.kind is Kind.BREAK and before.text in "\n\r"
    if starts_line and token.text in "+-*" and not glued_after:
        return token._replace(kind=Kind.BREAK, text="-" if token.text == "-" else "\n")
    if following.kind is Kind.WORD and token.text == "-" and glued_before and glued_after:
        return None  # the hyphen of "5-gallon" or "two-thirds"
    variable = len(following.text) == 1 and following.text not in LETTER_UNITS
    if following.kind is Kind.WORD and token.text == "/" and not variable:
        return token._replace(kind=Kind.WORD, text="per")  # "2 dollars/apple"
    if token.text == "-" and glued_before and glued_after and before.kind is Kind.WORD:
        return token._replace(kind=Kind.OTHER)  # the hyphen of "covid-19"
    return token
