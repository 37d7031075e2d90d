"""Which of several answers to one problem are the same: the groups of a vote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from irl_core.text.answer_records import Amount, Meaning
from irl_core.text.answer_units import Parts, ratio
from irl_core.text.answers import canonical_answer, meanings_of, normalise_answer
from irl_core.text.same_answer import key_of
from irl_core.text.symbolic_answers import is_quick, symbolically_equal

MAX_FORMULAS = 12


def answer_keys(answers: Sequence[str | None]) -> list[str | None]:
    """For each answer to one problem a key that it shares with the answers equal to it; None for no answer.

    >>> answer_keys(["90 minutes", "1.5 hours", "90", "60", None])
    ['90', '90', '90', '60', None]

    Units are converted into the one in which most numbers without a unit meet another answer. A percentage
    meets the fraction where nobody gives the number itself. Formulas are compared through math-verify.
    """
    read = [meanings_of(answer)[:1] for answer in answers]
    amounts = [meaning for found in read for meaning in found if isinstance(meaning, Amount)]
    unit = _common_unit(amounts)
    given = {amount.value for amount in amounts if not amount.percent}
    keys = [
        key_of(_converted(found[0], unit, given)) if found else canonical_answer(answer)
        for found, answer in zip(read, answers, strict=True)
    ]
    return _with_equal_formulas(keys, answers)


def _common_unit(amounts: Sequence[Amount]) -> Parts | None:
    """The unit in which most numbers without a unit meet one with a unit; of several the commonest."""
    counted = Counter(amount.senses[0] for amount in amounts if amount.senses)
    bare = [amount.value for amount in amounts if not amount.senses]

    def met(unit: Parts) -> int:
        values = {value for amount in amounts for value in _values_in(amount, unit)}
        return sum(value in values for value in bare)

    return max(counted, key=lambda unit: (met(unit), counted[unit])) if counted else None


def _values_in(amount: Amount, unit: Parts) -> list[Fraction]:
    factors = (ratio(sense, unit) for sense in amount.senses)
    return [amount.value * factor for factor in factors if factor is not None]


def _converted(meaning: Meaning, unit: Parts | None, given: set[Fraction]) -> Meaning:
    if not isinstance(meaning, Amount):
        return meaning
    if meaning.percent and meaning.value not in given and meaning.value / 100 in given:
        return meaning._replace(value=meaning.value / 100)
    values = _values_in(meaning, unit) if unit else []
    return meaning._replace(value=values[0]) if values else meaning


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
