"""What an answer says: an amount with its unit, a time of day, a ratio, a range, or a list of amounts.

`read_answer` reads the beginning of a plain text (see `markup`), `meanings` a whole answer in all its readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from irl_core.text.answer_records import Amount, Clock, Meaning, Several
from irl_core.text.answer_units import Unit, money_unit, ratio, unit_at
from irl_core.text.number_words import SCALES, word_numbers
from irl_core.text.written_numbers import WRITTEN, numeral_at

MAX_ITEMS = 12
MAX_WORDS = 80


_SIGN = re.compile(r"(?:(?:minus|negative)[ ](?=[$€£₹.0-9a-z])|[-+−–—‒－﹣][ ]?(?=[$€£₹.0-9(]))", re.IGNORECASE)
_CURRENCY = re.compile(r"(?:US|CA|AU)?([$€£₹¥])[ ]?|(?:Rs\.?|USD|EUR|INR)[ ]?(?=[0-9])")
_DIGIT_SCALE = re.compile(r"[ ]?(hundred|thousand|million|billion|trillion|dozen|lakh|crore)s?\b", re.IGNORECASE)
_SHORT_SCALE = re.compile(r"(k|K|mn|bn|M|B)(?![\w^])")
_SHORT = {"k": 10**3, "K": 10**3, "mn": 10**6, "M": 10**6, "bn": 10**9, "B": 10**9}
_PERCENT = re.compile(r"[ ]?(?:\\?%|per[ ]?cent\b|pct\b)", re.IGNORECASE)
_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])(?::00)?(?![:\d])(?:[ ]?([ap])\.?[ ]?m\b\.?)?", re.IGNORECASE)
_HOUR = re.compile(r"([0-9]{1,2})[ ]?([ap])\.?[ ]?m\b\.?|([0-9]{1,2})[ ]o['’]clock\b", re.IGNORECASE)
_NOON = re.compile(r"(noon|midnight)\b", re.IGNORECASE)
_RATIO = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?(?:[ ]?:[ ]?[0-9]{1,9}(?:\.[0-9]{1,9})?){1,5}(?![:\d])")
_OPEN = re.compile(r"[(\[{]")
_SEPARATOR = re.compile(r"[ ]?(?:,[ ]{0,2}(?:and|or)\b|[,;]|\b(?:and|or)\b|&)[ ]{0,2}", re.IGNORECASE)
_AND_MORE = re.compile(r"\+(?=$|[ ][a-z]{2}|[.,;!?])")  # "500+ people"
_BARE_COMMA = re.compile(r",(?![0-9]{3}(?![0-9]))")
_DOZEN = re.compile(r"[0-9.][ ]dozens?\Z", re.IGNORECASE)
_OF = re.compile(r"[ ]of\b", re.IGNORECASE)  # "one of these"
_AND_PART = re.compile(r"[ ]and[ ](?:an?|one)[ ](half|third|quarter)\b", re.IGNORECASE)
_PARTS = {"half": 2, "third": 3, "quarter": 4}
_BARE_LIST = re.compile(r"-?[0-9]{1,9}(?:,-?[0-9]{1,9}){2,11}")
_RATIO_WORDS = re.compile(r"([0-9]{1,9})[ ]to[ ]([0-9]{1,9})")
_JOINT = re.compile(r"[ ]?(?:,[ ]?)?(?:and[ ])?[ ]?")
_TO = re.compile(r"[ ]?[-–—][ ]?|[ ]to[ ]", re.IGNORECASE)
_BETWEEN = re.compile(r"(?:between|from)[ ]", re.IGNORECASE)
_GLUED_HOURS = re.compile(r"([0-9]{1,3})[ ]?h[ ]?([0-5]?[0-9])(?:[ ]?(?:min|m))?(?![\w.])")


def read_answer(text: str) -> tuple[Meaning, int] | None:
    """What the beginning of `text` says, and where it ends; None where it does not begin with a value."""
    single = _clock(text) or _ratio(text) or _glued_hours(text)
    if single is not None:
        clock, end = single
        return (_clock_range(text, clock, end) if isinstance(clock, Clock) else None) or single
    if _OPEN.match(text):
        return _bracketed(text)
    between = _BETWEEN.match(text)
    if between:
        return _range(text, between.end(), _SEPARATOR if between[0].lower().startswith("b") else _TO)
    return _range(text, 0, _TO) or _list(text, 0)


def meanings(text: str) -> tuple[Meaning, ...]:
    """All readings of an answer that is nothing but a value, the usual one first; none for any other text."""
    text = text.strip()
    if _BARE_LIST.fullmatch(text) and not re.fullmatch(WRITTEN, text):
        text = text.replace(",", ", ")
    return tuple(_readings_of(text))


def _readings_of(text: str) -> Iterator[Meaning]:
    ratio_words = _RATIO_WORDS.fullmatch(text)
    read = read_answer(text)
    if read is not None and is_end(text, read[1]):
        yield read[0]
    if ratio_words:
        yield Several("ratio", (Amount(Fraction(ratio_words[1])), Amount(Fraction(ratio_words[2]))))
    if read is None or not is_end(text, read[1]):
        return
    if re.fullmatch(r"[1-9][0-9]{0,8},[0-9]{1,2}", text):
        first, second = text.split(",")
        yield Several("list", (Amount(Fraction(first)), Amount(Fraction(second))))
    other = numeral_at(text, 0)
    if isinstance(read[0], Amount) and other is not None and other.other is not None and read[0].value == other.value:
        yield read[0]._replace(value=other.other)


_TAIL = re.compile(r"[ ]*(?:[.,;:!?)\]+]|[ ]|\([^()]{0,60}\)){0,8}\Z")


def is_end(text: str, at: int) -> bool:
    """Does nothing but a remark in brackets and a full stop follow?"""
    return bool(_TAIL.match(text, at))


def amount_at(text: str, at: int) -> tuple[Amount, int] | None:
    """The amount that begins at `at`, with smaller units behind it ("5 hours and 30 minutes"), and where it ends."""
    first = _simple_amount(text, at)
    if first is None:
        return None
    amount, end = first
    for _ in range(2):
        joint = _JOINT.match(text, end)
        following = _simple_amount(text, joint.end() if joint else end) if len(amount.senses) > 0 else None
        joined = _joined(amount, following[0]) if following else None
        if joined is None or following is None:
            break
        amount, end = joined, following[1]
    return amount, end


def _simple_amount(text: str, at: int) -> tuple[Amount, int] | None:
    sign = _SIGN.match(text, at)
    begin = sign.end() if sign else at
    currency = _CURRENCY.match(text, begin)
    begin = currency.end() if currency else begin
    negative = (sign is not None and sign[0] != "+") ^ (text[begin : begin + 1] in ("-", "−", "–") and bool(currency))
    begin += text[begin : begin + 1] in ("-", "−", "–") and bool(currency)
    number = _number_at(text, begin, bool(currency))
    if number is None:
        return None
    value, end, fraction = number
    value, fraction = (-value, fraction and f"-{fraction}") if negative else (value, fraction)
    end = more.end() if (more := _AND_MORE.match(text, end)) else end
    percent = _PERCENT.match(text, end)
    end = percent.end() if percent else end
    unit = unit_at(text, end)
    if currency:
        senses = money_unit(currency[1] or "", end).senses if not unit.written else ()
        unit = unit._replace(senses=senses, written="") if not unit.senses else Unit((), "", "", unit.end)
    amount = Amount(value, percent is not None, unit.senses, unit.noun, unit.written if unit.senses else "", fraction)
    if _DOZEN.search(text, begin, end):
        # Who is asked for dozens answers in dozens.
        amount = amount._replace(unit="dozen", readings=(value / 12,))
    return amount, unit.end


def _number_at(text: str, at: int, money: bool) -> tuple[Fraction, int, str | None] | None:
    """A number in digits or words at `at`, times the scale behind it; where it ends; its spelling as a fraction."""
    numeral = numeral_at(text, at)
    if numeral is None:
        words = word_numbers(text[at : at + MAX_WORDS]) if text[at : at + 1].isalpha() else []
        if not words or words[0].start != 0 or (not words[0].parts and _OF.match(text, at + words[0].end)):
            return None
        parts = words[0].parts
        return words[0].value, at + words[0].end, f"{parts[0]}/{parts[1]}" if parts else None
    value, end = numeral.value, numeral.end
    scale = _DIGIT_SCALE.match(text, end)
    if scale:
        value *= SCALES[scale[1].lower()]
        further = _DIGIT_SCALE.match(text, scale.end())
        value *= SCALES[further[1].lower()] if further else 1
        return value, (further or scale).end(), None
    part = _AND_PART.match(text, end)
    if part and value.denominator == 1:
        return value + Fraction(1, _PARTS[part[1].lower()]), part.end(), None
    short = _SHORT_SCALE.match(text, end)
    if short and (short[1] not in ("B", "M") or money or "." in text[at:end]):
        return value * _SHORT[short[1]], short.end(), None
    return value, end, numeral.shown


def _joined(larger: Amount, smaller: Amount) -> Amount | None:
    """ "5 dollars" and "20 cents" as one amount; None where the second is no smaller unit of the same kind."""
    for above in larger.senses:
        for below in smaller.senses:
            factor = ratio(below, above)
            if factor is None or factor >= 1 or larger.percent or smaller.percent or smaller.value < 0:
                continue
            added = -smaller.value if larger.value < 0 else smaller.value
            value = larger.value + added * factor
            return Amount(value, False, (above,), readings=(value, value / factor))
    return None


def _clock(text: str) -> tuple[Clock, int] | None:
    match = _CLOCK.match(text)
    if match and int(match[1]) < 24:
        return Clock(int(match[1]), int(match[2]), f"{match[3]}m".lower() if match[3] else None), match.end()
    match = _HOUR.match(text)
    if match and int(match[1] or match[3]) <= 12:
        return Clock(int(match[1] or match[3]), 0, f"{match[2]}m".lower() if match[2] else None), match.end()
    match = _NOON.match(text)
    return (Clock(12, 0, "pm" if match[1].lower() == "noon" else "am"), match.end()) if match else None


def _clock_range(text: str, begin: Clock, at: int) -> tuple[Several, int] | None:
    """ "9:00 to 10:30", as minutes of the day."""
    until = _TO.match(text, at)
    second = _clock(text[until.end() :]) if until else None
    if until is None or second is None:
        return None
    times = [begin._replace(half=begin.half or second[0].half), second[0]]
    minutes = [(t.hour % 12 + 12 * (t.half == "pm") if t.half else t.hour) * 60 + t.minute for t in times]
    return Several("range", tuple(Amount(Fraction(n), noun="clock") for n in minutes)), until.end() + second[1]


def _ratio(text: str) -> tuple[Several, int] | None:
    match = _RATIO.match(text)
    if not match:
        return None
    return Several("ratio", tuple(Amount(Fraction(part.strip())) for part in match[0].split(":"))), match.end()


def _glued_hours(text: str) -> tuple[Amount, int] | None:
    """ "2h30" and "1h 20min"."""
    match = _GLUED_HOURS.match(text)
    if not match:
        return None
    hours = int(match[1]) + Fraction(int(match[2]), 60)
    return Amount(hours, False, ((("hour", 1),),), readings=(hours, hours * 60)), match.end()


def _range(text: str, at: int, separator: re.Pattern[str]) -> tuple[Several, int] | None:
    first = amount_at(text, at)
    joint = separator.match(text, first[1]) if first else None
    second = amount_at(text, joint.end()) if joint else None
    if first is None or second is None or joint is None or not first[0].value < second[0].value:
        return None
    if "-" in joint[0] and joint[0] != "-":
        return None  # "10 - 12" is a subtraction
    return Several("range", (first[0], second[0])), second[1]


def _list(text: str, at: int) -> tuple[Meaning, int] | None:
    """One amount, or several that commas and "and" hold together up to the end."""
    read = amount_at(text, at)
    if read is None:
        return None
    first, end = read
    items, behind = [first], end
    while len(items) < MAX_ITEMS and (joint := _SEPARATOR.match(text, behind)):
        following = amount_at(text, joint.end())
        if following is None:
            break
        items.append(following[0])
        behind = following[1]
    if len(items) == 1 or not is_end(text, behind):
        return first, end
    if len({item.value / (100 if item.percent else 1) for item in items}) == 1 and " or " in text:
        return first, end
    return Several("list", tuple(items)), behind


def _bracketed(text: str) -> tuple[Meaning, int] | None:
    """ "(3, 4)", whose order counts, "{3, 4}", whose does not, and "(5)"."""
    close = {"(": ")", "[": "]", "{": "}"}[text[0]]
    if not text.rstrip(" .").endswith(close):
        return None
    # In brackets a comma separates: "(1,2)" is no 1.2.
    inside = _BARE_COMMA.sub(", ", text[1:].rstrip(" .")[:-1]).strip()
    read = _list(inside, 0)
    if read is None or not is_end(inside, read[1]):
        return None
    meaning = read[0]
    if isinstance(meaning, Several) and text[0] != "{":
        meaning = Several("pair", meaning.items)
    return meaning, len(text)
