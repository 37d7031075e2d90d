"""Whether two values are the same: 1.5 hours and 90 minutes are, 5 km and 5 m are not."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations, product

from irl_core.text.answer_records import Amount, Clock, Meaning, Several
from irl_core.text.answer_units import ratio
from irl_core.text.numerals import decimal_places, show_number

MAX_UNORDERED = 6


def same_meaning(gold: Meaning, answer: Meaning) -> bool:
    """Are the two the same? A number without a unit is taken to be in the unit of the other."""
    if isinstance(gold, Amount) and isinstance(answer, Amount):
        return same_amount(gold, answer)
    if isinstance(gold, Clock) and isinstance(answer, Clock):
        return _same_time(gold, answer)
    if isinstance(gold, Several) and isinstance(answer, Several):
        return _same_items(gold, answer)
    for one, other in ((gold, answer), (answer, gold)):
        if isinstance(one, Clock) and isinstance(other, Several):
            return other.kind == "ratio" and [item.value for item in other.items] == [one.hour, one.minute]
        if isinstance(one, Clock) and isinstance(other, Amount):
            return not other.senses and one.minute == 0 and other.value in (one.hour, one.hour % 12 or 12)
    return False


def same_amount(gold: Amount, answer: Amount) -> bool:
    """ "50%" is both 50 and 1/2; "5 hours 30 minutes" is 5.5 as well as 330 where the other has no unit."""
    if gold.senses and answer.senses:
        pairs = list(product(gold.senses, answer.senses))
        factors = [ratio(theirs, ours) for ours, theirs in pairs]
        return any(factor is not None and answer.value * factor == gold.value for factor in factors)
    return not values_of(gold).isdisjoint(values_of(answer))


def values_of(amount: Amount) -> set[Fraction]:
    """The numbers that an amount may be compared as where units are left out."""
    return {amount.value, *amount.readings} | ({amount.value / 100} if amount.percent else set())


def key_of(meaning: Meaning) -> str:
    """A key under which equal answers meet, whatever their units."""
    if isinstance(meaning, Amount):
        value = meaning.value
        return show_number(value) if decimal_places(value) is not None else str(value)
    if isinstance(meaning, Clock):
        return f"{_hours(meaning, None)}:{meaning.minute:02d}"
    keys = [key_of(item) for item in meaning.items]
    if meaning.kind == "list":
        keys = sorted(f"{key} {_stem(item.noun)}".strip() for key, item in zip(keys, meaning.items, strict=True))
    elif meaning.kind == "ratio" and meaning.items[-1].value:
        keys = [str(item.value / meaning.items[-1].value) for item in meaning.items]
    return {"list": ", ", "pair": "; ", "ratio": ":", "range": " to "}[meaning.kind].join(keys)


def _same_time(gold: Clock, answer: Clock) -> bool:
    if gold.half and answer.half and gold.half != answer.half:
        return False
    hours = [_hours(clock, other.half) for clock, other in ((gold, answer), (answer, gold))]
    return hours[0] == hours[1] and gold.minute == answer.minute


def _hours(clock: Clock, other_half: str | None) -> int:
    """The hour of the day. Without "am" or "pm" it is as written, or in the half that the other time names."""
    half = clock.half or (other_half if clock.hour <= 12 else None)
    if half is None:
        return clock.hour
    return clock.hour % 12 + 12 * (half == "pm") if clock.hour <= 12 else clock.hour


def _same_items(gold: Several, answer: Several) -> bool:
    if len(gold.items) != len(answer.items):
        return False
    if gold.kind == answer.kind == "ratio":
        quotients = {a.value / b.value if b.value else None for a, b in zip(gold.items, answer.items, strict=True)}
        return len(quotients) == 1 and None not in quotients
    if "ratio" in (gold.kind, answer.kind):
        return False
    in_order = gold.kind != "list" and answer.kind != "list"
    if in_order or len(gold.items) > MAX_UNORDERED:
        return _pairwise_same(gold.items, answer.items)
    return any(_pairwise_same(gold.items, items) for items in permutations(answer.items))


def _pairwise_same(gold: Sequence[Amount], answer: Sequence[Amount]) -> bool:
    """Whether each is the same as its counterpart, and counts the same where both say what."""
    return all(
        same_amount(a, b) and (not a.noun or not b.noun or _stem(a.noun) == _stem(b.noun))
        for a, b in zip(gold, answer, strict=True)
    )


def _stem(noun: str) -> str:
    return noun.removesuffix("s").removesuffix("e")
