"""The final answer of a trace, and whether two answers are the same.

Where the answer stands is found as lm-eval's two GSM8K filters do (strict `#### x`, flexible last number), with
`\\boxed{}` and "answer is" between them, so that figures compare with published ones; `answer_places` says what is
passed over. Equality is exact: numbers as fractions, with their units, times, ratios and lists; formulas through
math-verify, which never sees text that could keep sympy busy.
"""

from __future__ import annotations

import re
from fractions import Fraction

from irl_core.text.answer_phrases import plain_text
from irl_core.text.answer_places import stated_answer
from irl_core.text.answer_records import Amount, Clock, Meaning
from irl_core.text.answer_values import is_end, meanings, read_answer
from irl_core.text.same_answer import key_of, same_meaning
from irl_core.text.symbolic_answers import symbolically_equal

MAX_ANSWER = 200

_DECORATION = re.compile(r"\\[()\[\]!,; ]|\*\*|\\(?:text|mathrm|mbox)\{([^{}]*)\}|\\(?=[$%])")
_CHOICE = re.compile(r"(?:(?:option|choice)[ ])?\(?([a-h])\)?")
_NAMED_ITEM = re.compile(r"(?<![\w)])([A-Za-z](?:_[0-9a-z])?)[ ]?=[ ]?((?:(?!,|;|\band\b|\bor\b)[^=]){1,60})")
_ALL_NAMED = re.compile(
    r"[A-Za-z](?:_[0-9a-z])?[ ]?=[^=]{1,60}(?:(?:,|;|\band\b|\bor\b)[ ]?[A-Za-z](?:_[0-9a-z])?[ ]?=[^=]{1,60}){0,5}"
)
_WORDS_ONLY = r"(?:[A-Za-z]{2,}[ ,.:;!]*|[aAI][ ])"  # no single letter that could be an unknown
_SENTENCE = re.compile(rf"{_WORDS_ONLY}{{0,40}}[$€£]?[0-9][0-9,.]*(?![A-Za-z])[ %]{{0,3}}{_WORDS_ONLY}{{0,40}}")
_FILLERS = re.compile(
    r"\A(?:(?:about|approximately|approx\.?|around|roughly|exactly|only|just|≈|~|=)[ ]?)+", re.IGNORECASE
)


def extract_answer(text: str, *, guess: bool = True) -> str | None:
    """The final answer that `text` states, normalised by `normalise_answer`; None where it states none.

    >>> extract_answer("3 * 4 = 12 pens.\\n#### 1,200.00")
    '1200'

    The first `#### x` wins, then the last `\\boxed{x}`, then the last "answer is x", then the last number.
    Without `guess` the last number is not taken for it: of a text that goes on it is a result on the way.
    """
    stated = stated_answer(text, guess=guess)
    return (normalise_answer(stated) or None) if stated else None


def normalise_answer(answer: str) -> str:
    """One spelling per plain number ("$1,600.00" -> "1600", "007." -> "7"); other text is only trimmed.

    A % and a unit that converts into another ("5 km", "90 minutes", "20 cents") stay; what was counted and the sign of
    money go.
    """
    trimmed = _DECORATION.sub(lambda m: m[1] or "", answer[:MAX_ANSWER]).strip().strip("*`\"'").rstrip(".,;!? ")
    plain = _plain(answer)
    read = read_answer(plain)
    if read is None or not is_end(plain, read[1]):
        return trimmed if trimmed.strip("$ ") == "" else trimmed.strip("$ ")
    meaning, _ = read
    if isinstance(meaning, Amount) and (meaning.money or meaning.unit or not meaning.readings):
        bare = not (meaning.senses or meaning.noun or meaning.percent)
        return trimmed.strip("$ ") if bare and meaning.fraction and "\\" in trimmed else meaning.shown()
    if isinstance(meaning, Clock) and meaning.half:
        return f"{meaning.hour}:{meaning.minute:02d} {meaning.half}"
    return plain.rstrip(".,;!? ")


def known_answer(typed: str | None) -> str | None:
    """The answer to compare with, of what a person typed as the answer; "Tom has 8 pencils" is 8.

    Only of a sentence around one number in digits is anything left out: a formula stays as it was typed.

    >>> known_answer("8 pencils each"), known_answer("2x + 8"), known_answer("3 pens and 8 pencils")
    ('8', '2x + 8', '3 pens and 8 pencils')
    """
    if typed is None or meanings_of(typed) or not _SENTENCE.fullmatch(typed):
        return typed
    return extract_answer(typed) or typed


def canonical_answer(answer: str | None) -> str | None:
    """A key under which equal answers meet in a vote; None for no answer.

    A unit is left out, and so is a %, like $: GSM8K's gold answers leave them out. For several answers to one problem
    see `answer_votes`.
    """
    if answer is None:
        return None
    read = meanings_of(answer)
    if read:
        return key_of(read[0])
    return _words(answer) or None


def answers_match(gold: str | None, answer: str | None) -> bool:
    """Are the two answers the same value? False where either is missing.

    >>> answers_match("1/2", "0.5"), answers_match("0.333", "1/3"), answers_match("1.5 hours", "90 minutes")
    (True, False, True)

    Numbers are compared exactly ("0.5" is "1/2", "0.333" is not "1/3"); "50%" is both 50 and 1/2. Where one of them
    has no unit, the other's is left out; what was counted does not matter.
    """
    if gold is None or answer is None:
        return False
    if max(len(gold), len(answer)) > MAX_ANSWER:
        return gold == answer
    ours, theirs = meanings_of(gold), meanings_of(answer)
    if ours and theirs:
        return any(same_meaning(a, b) for a in ours for b in theirs)
    if not (ours or theirs) and canonical_answer(gold) == canonical_answer(answer):
        return bool(normalise_answer(gold))
    if gold.replace(" ", "") == answer.replace(" ", ""):
        return True
    return symbolically_equal(*(_unnamed(normalise_answer(one)) for one in (gold, answer)))


def meanings_of(answer: str | None) -> tuple[Meaning, ...]:
    """All readings of an answer as a value, the usual one first; none for a formula or words."""
    return meanings(_plain(answer)) if answer else ()


def answer_number(answer: str | None) -> tuple[Fraction, bool] | None:
    """The number of an answer and whether it is a percentage; None where it is none or several."""
    read = meanings_of(answer)
    return (read[0].value, read[0].percent) if read and isinstance(read[0], Amount) else None


def _plain(answer: str) -> str:
    """The answer without markup, in our digits, without what introduces it ("x =", "about")."""
    text = plain_text(answer[:MAX_ANSWER]).strip(" *`\"'").rstrip(".,;!? ")
    return _unnamed(_FILLERS.sub("", text, count=1))


def _words(answer: str) -> str:
    """What an answer that is no value says: "(B)" and "option b" are one."""
    text = re.sub(r"\s+", " ", _unnamed(normalise_answer(answer))).casefold()
    choice = _CHOICE.fullmatch(text)
    return choice[1] if choice else text


def _unnamed(text: str) -> str:
    """ "x = 5" without its "x =", "x = 2 or x = 3" without either; several names keep their order by letter."""
    named = [(m[1], m[2].strip(" ,;")) for m in _NAMED_ITEM.finditer(text)]
    if not named or not _ALL_NAMED.fullmatch(text):
        return text
    if len({name for name, _ in named}) == 1:
        return ", ".join(value for _, value in named)
    return "(" + ", ".join(value for _, value in sorted(named)) + ")"
