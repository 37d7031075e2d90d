"""Which of several answers to one problem are the same: the groups of a vote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from irl_core.text.answer_units import Parts, ratio
from irl_core.text.answer_values import Amount, Meaning
from irl_core.text.answers import canonical_answer, meanings_of, normalise_answer
from irl_core.text.same_answer import key_of
from irl_core.text.symbolic_answers import is_quick, symbolically_equal

MAX_FORMULAS = 12


def answer_keys(answers: Sequence[str | None]) -> list[str | None]:
    """For each answer to one problem a key that it shares with the answers equal to it; None for no answer.

    >>> answer_keys(["90 minutes", "1.5 hours", "90", "60", None])
    ['90', '90', '90', '60', None]

    Units are converted into the one that most answers use, and numbers without a unit taken to be in it. A percentage
    meets the fraction where nobody gives the number itself. Formulas are compared through math-verify.
    """
    read = [meanings_of(answer)[:1] for answer in answers]
    amounts = [meaning for found in read for meaning in found if isinstance(meaning, Amount)]
    unit = _commonest_unit(amounts)
    given = {amount.value for amount in amounts if not amount.percent}
    keys = [
        key_of(_converted(found[0], unit, given)) if found else canonical_answer(answer)
        for found, answer in zip(read, answers, strict=True)
    ]
    return _with_equal_formulas(keys, answers)


def _commonest_unit(amounts: Sequence[Amount]) -> Parts | None:
    counted = Counter(amount.senses[0] for amount in amounts if amount.senses)
    return counted.most_common(1)[0][0] if counted else None


def _converted(meaning: Meaning, unit: Parts | None, given: set[Fraction]) -> Meaning:
    if not isinstance(meaning, Amount):
        return meaning
    if meaning.percent and meaning.value not in given and meaning.value / 100 in given:
        return meaning._replace(value=meaning.value / 100)
    factors = [ratio(sense, unit) for sense in meaning.senses] if unit else []
    factor = next((f for f in factors if f is not None), None)
    return meaning if factor is None else meaning._replace(value=meaning.value * factor)


def _with_equal_formulas(keys: Sequence[str | None], answers: Sequence[str | None]) -> list[str | None]:
    """The keys, with one for all formulas that are equal; only so many different ones are compared."""
    written = {key: normalise_answer(answer) for key, answer in zip(keys, answers, strict=True) if key and answer}
    formulas = [key for key, text in written.items() if "\\" in text or "^" in text][:MAX_FORMULAS]
    same: dict[str | None, str] = {}
    for i, key in enumerate(formulas):
        if not is_quick(written[key]):
            continue
        for other in formulas[:i]:
            if symbolically_equal(written[other], written[key]):
                same[key] = same.get(other, other)
                break
    return [same.get(key, key) if key is not None else None for key in keys]
