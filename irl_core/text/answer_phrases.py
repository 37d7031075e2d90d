"""The value that a phrase or the last sentence states: "therefore 12 more", "5 + 3 = 8 apples", "**72** clips"."""

from __future__ import annotations

import re

from irl_core.text.answer_records import Amount
from irl_core.text.answer_values import is_end, read_answer
from irl_core.text.markup import read_markup
from irl_core.text.sentences import sentence_starts
from irl_core.text.symbolic_answers import MAX_SYMBOLIC
from irl_core.text.written_numbers import plain_digits

MAX_PHRASE = 200
MAX_SENTENCE = 2_000

_ASIDE = re.compile(
    r"[,;:(]?[ ]?\b(?:because|since|as|which|where|so that|i\.e\.|rather than|instead of|assuming|given that|not)\b"
    r"|[,;(][ ]?(?:so|and not|but)\b|[ ]\((?=not\b)",
    re.IGNORECASE,
)
_FILLERS = re.compile(
    r"(?:(?:therefore|thus|hence|so|then|just|simply|only|exactly|about|approximately|approx\.?|around|roughly"
    r"|equal to|equals|now|clearly|simply|also|indeed|still|a total of|in total|≈|~|:|=)[ ,]*)+",
    re.IGNORECASE,
)
_ALGEBRA = re.compile(r"[\\^+*/={}√α-ωΑ-Ω]|[0-9][a-z]\b|\b[xyz]\b")
_VARIABLE = re.compile(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])")
_BEGINS_NUMBER = re.compile(r"(?<![\w.,/])(?:[-−–—‒][ ]?)?(?:[$€£₹][ ]?)?[-−–]?(?:[0-9]|\.[0-9])")
_DIGIT = re.compile(r"[0-9]")
_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*(?!:)")
_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|leaving|leaves|making|makes|giving|gives|total(?:ing|s)?|which is|that is"
    r"|i\.e\.)\b",
    re.IGNORECASE,
)
_REMARK_LINE = re.compile(
    r"[\s*_#>(\[-]{0,8}(?:note|check|checking|verification|verify|hint|remark|consistent|proof|nb|n\.b\.)\b",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"\b(?:in|for|over|within|during|out of|among|per)[ ](?:the[ ]|all[ ]|those[ ]|these[ ]|only[ ])?\Z"
)
_SAYS = re.compile(r"\b(?:is|are|be|equals)[ :]{1,2}(?:[$€£₹])?[-−–]?[0-9]")
_LONE_VARIABLE = re.compile(r"(?<![\w+*/×÷^)-])(?<![-+*/×÷^][ ])[A-Za-z](?:_?[0-9a-z])?[ ]?\Z")
_LONG = re.compile(r"[-−–]?[$€£₹]?(?=[0-9.]{31})[0-9]{1,200}(?:\.[0-9]+)?")  # more digits than are ever compared
_NO_ANSWER = frozenset(
    "The the a an it this that found below above correct right wrong incorrect clear obvious given".split()
)
_BULLET = re.compile(r"\A[ \t]*[-*•+][ \t]+")
_DATE = re.compile(
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.? [0-9]",
    re.IGNORECASE,
)
_LONE_NUMBER = re.compile(r"(?:^|[:,;.] )[$€£₹]?[-−–]?[0-9][0-9,.]{0,20}[ ]?\Z")
_OPERATOR = re.compile(r"[ ]?(?:[+*/×·÷^=<>≈]|[-−–][ ]?[0-9(])")
_SAYS_SIGN = re.compile(r"(?:minus|negative)[ ]\Z", re.IGNORECASE)


def is_value(phrase: str) -> bool:
    """Is the phrase nothing but a value?"""
    plain = _cleaned(phrase)
    read = read_answer(plain)
    return read is not None and is_end(plain, read[1])


def value_of(phrase: str, *, formula: bool = False, strict: bool = False) -> str | None:
    """The value that a short phrase states: the right side of an equation, an amount, a list, or the phrase itself.

    `formula`: the phrase is one formula, and stays as it is if it is no value. `strict`: only a value with which the
    phrase begins counts. None where it states nothing.
    """
    phrase = phrase[:MAX_PHRASE].strip()
    plain = _cleaned(phrase)
    head = _without_aside(plain)
    stated = _stated(head, strict)
    if stated is not None or strict:
        return stated
    if formula or _ALGEBRA.search(head):
        written = phrase.strip(" *`\"'").strip()
        value = written if head == plain else head
    else:
        value = head
    if len(head) > MAX_SYMBOLIC or head.removeprefix("The ") in _NO_ANSWER or not any(map(str.isalnum, head)):
        return None
    return value


def plain_text(text: str) -> str:
    """The text without markup, in our digits and with single spaces."""
    return re.sub(r"[\s~]+", " ", plain_digits(read_markup(text).text))


def _cleaned(phrase: str) -> str:
    text = plain_text(phrase).strip(" *`_\"'").rstrip(".,;!? ")
    return first_sentence(text).rstrip(".,;!? ")


def first_sentence(text: str) -> str:
    """The text up to where its second sentence begins."""
    starts = sentence_starts(text, numbered=False)
    return text[: starts[0]] if starts else text


def _without_aside(plain: str) -> str:
    """The phrase up to "because ..." or "not 6", if something with a number stands before."""
    for aside in _ASIDE.finditer(plain):
        if aside.start() > 0 and (_DIGIT.search(plain[: aside.start()]) or read_answer(plain)):
            return plain[: aside.start()].rstrip(" ,;(")
    return plain


def _stated(head: str, strict: bool) -> str | None:
    left, equals, right = head.rpartition("=")
    if equals:
        if _keeps_equation(left, right):
            return None
        head = right.strip()
    head = _FILLERS.sub("", head, count=1) if _FILLERS.match(head) else head
    algebra = _ALGEBRA.search(head)
    read = read_answer(head)
    if read is not None:
        meaning, end = read
        if is_end(head, end):
            return head
        goes_on = _OPERATOR.match(head, end) or (algebra and algebra.start() >= end and head[end : end + 1] != " ")
        if not goes_on and not (isinstance(meaning, Amount) and (head[end : end + 1].isalpha() and algebra)):
            return head[:end].strip()
        return None
    if strict or algebra:
        return None
    return head if _DATE.match(head) else _inside(head)


def _keeps_equation(left: str, right: str) -> bool:
    """Is an equation the answer itself ("3x + 4y = 0"), and not its right side?"""
    left, right = left.strip(), right.strip()
    if "=" in left:
        return False
    unknowns = _VARIABLE.findall(left)
    lone = re.fullmatch(r"[A-Za-z](?:_?\w)?", left)
    return (bool(unknowns) and not lone and bool(re.search(r"[0-9^+*/-]", left))) or (
        bool(lone) and bool(_VARIABLE.search(right)) and read_answer(right) is None
    )


def _inside(head: str) -> str | None:
    """The first value inside a phrase."""
    for number in _BEGINS_NUMBER.finditer(head):
        start = number.start()
        sign = _SAYS_SIGN.search(head[:start])
        start = sign.start() if sign else start
        read = read_answer(head[start:])
        if read is not None:
            return head[start : start + read[1]].strip()
    return None


def last_number(text: str, *, result_only: bool = False) -> str | None:
    """What the last sentence with a number states: its bold number, the result of its equation, or its last number.

    `result_only`: nothing but the result of an equation or what follows "is" counts.
    """
    end = len(text)
    remarks: str | None = None
    while end > 0:
        start = max(text.rfind(mark, 0, end) for mark in "\n\r\u2028\u2029") + 1
        line = text[max(start, end - MAX_SENTENCE) : end]
        end = start - 1
        if not line.strip() or not _has_number(line):
            continue
        if _REMARK_LINE.match(line) and not result_only:
            remarks = remarks or line
            continue
        return _in_line(line, result_only)
    return _in_line(remarks, result_only) if remarks else None


def _has_number(text: str) -> bool:
    return any(char.isdigit() for char in text) or any(char in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞" for char in text)


def _in_line(line: str, result_only: bool) -> str | None:
    line = _BULLET.sub("", line)
    remark: str | None = None
    for start in reversed([0, *sentence_starts(line)]):
        sentence, line = line[start:].strip(), line[:start]
        if not _has_number(sentence):
            continue
        if not _REMARK_LINE.match(sentence) or result_only:
            return _in_sentence(sentence, result_only)
        remark = remark or sentence
    return _in_sentence(remark, result_only) if remark else None


def _in_sentence(sentence: str, result_only: bool) -> str | None:
    bold = [part for part in _BOLD.findall(sentence) if _has_number(part) and not part.rstrip().endswith(":")]
    if bold and len(bold[-1]) + 4 < len(sentence.rstrip(".!")):
        value = value_of(bold[-1])
        if value and _has_number(value):
            return value
    plain = plain_text(sentence)
    result, end = _result(plain)
    if result and not (_CONCLUDES.search(plain, end) and _DIGIT.search(plain, end)) and not _SAYS.search(plain, end):
        return result
    if result_only and not result and not re.search(r"\b(?:is|are|be|=|answer|get|have)\b", plain):
        return None
    return _last_in(plain)


def _result(plain: str) -> tuple[str | None, int]:
    """The value behind the last equals sign that a value follows, and where it ends."""
    at = plain.rfind("=")
    while at >= 0:
        rest = plain[at + 1 :]
        skipped = len(rest) - len(rest.lstrip(" :"))
        read = read_answer(rest[skipped:][:MAX_PHRASE])
        named = _LONE_VARIABLE.search(plain[max(0, at - 12) : at]) and _DIGIT.search(
            rest, skipped + (read or (0, 0))[1]
        )
        if read is None and (digits := _LONG.match(rest, skipped)):
            return digits[0], at + 1 + digits.end()
        if read is not None and not named and not _OPERATOR.match(rest, skipped + read[1]):
            end = skipped + read[1]
            return rest[skipped:end].strip(), at + 1 + end
        # "30 = 15 * 2"
        if read is not None and not named and (left := _LONE_NUMBER.search(plain[:at][-30:])):
            return left[0].strip(" :,;."), len(plain)
        at = plain.rfind("=", 0, at)
    return None, 0


def _last_in(plain: str) -> str | None:
    """The last value of a sentence; numbers in remarks ("in 3 boxes") only where there is no other."""
    found: list[tuple[str, bool]] = []
    at = 0
    while number := _BEGINS_NUMBER.search(plain, at):
        sign = _SAYS_SIGN.search(plain[max(0, number.start() - 10) : number.start()])
        start = number.start() - (len(sign[0]) if sign else 0)
        read = read_answer(plain[start : start + MAX_PHRASE])
        if read is None:
            digits = _LONG.match(plain, number.start())
            found += [(digits[0], False)] if digits else []
            at = digits.end() if digits else number.end()
            continue
        value = plain[start : start + read[1]].strip()
        found.append((value, bool(_REMARK.search(plain[max(0, start - 20) : start]))))
        at = max(start + read[1], number.end())
    stated = [value for value, remark in found if not remark]
    stated = stated or [value for value, _ in found]
    return stated[-1] if stated else None
