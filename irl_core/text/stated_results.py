"""What a step states: the results of its equations with their signs and units, and the answer behind "####"."""

from __future__ import annotations

from irl_core.text.answer_phrases import MAX_PHRASE, plain_text
from irl_core.text.answer_places import behind_hashes
from irl_core.text.answer_records import Amount, Meaning
from irl_core.text.answer_values import read_answer
from irl_core.text.answers import meanings_of
from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.same_answer import same_meaning


def last_result(text: str) -> tuple[Meaning, ...]:
    """The readings of the last value right of an equals sign; none where there is no such value.

    >>> [str(value.value) for value in last_result("It was 3 - 8 = -5 degrees.")]
    ['-5']
    """
    clean, _ = strip_calculator_marks(text)
    plain = plain_text(clean)
    at = plain.rfind("=")
    while at >= 0:
        behind = plain[at + 1 : at + 1 + MAX_PHRASE].lstrip(" :")
        read = read_answer(behind)
        if read is not None:
            return meanings_of(behind[: read[1]]) or (read[0],)
        at = plain.rfind("=", 0, at)
    return ()


def stated_final_answer(text: str) -> tuple[Meaning, ...]:
    """The readings of the answer behind `####`, if the step states one that is a value."""
    return meanings_of(behind_hashes(text)) if "####" in text else ()


def differ(result: tuple[Meaning, ...], answer: tuple[Meaning, ...]) -> bool:
    """Are a result and an answer both amounts, and the same in no reading?"""
    amounts = [m for m in (*result, *answer) if isinstance(m, Amount)]
    if not result or not answer or len(amounts) < len(result) + len(answer):
        return False
    return not any(same_meaning(a, b) for a in result for b in answer)
