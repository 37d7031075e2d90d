"""What an answer may say: an amount with its unit, a time of day, or several amounts."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NamedTuple

from irl_core.text.answer_units import Parts
from irl_core.text.numerals import show_number


def is_money(parts: Parts) -> bool:
    return any(name in ("dollar", "euro", "pound_sterling", "rupee") for name, _ in parts)


class Amount(NamedTuple):
    """A number and what it counts; `percent` if it is a percentage, `fraction` its spelling if it is written as one.

    `readings` are its values in each unit that it names: 5.5 hours and 330 minutes for "5 hours 30 minutes".
    """

    value: Fraction
    percent: bool = False
    senses: tuple[Parts, ...] = ()
    noun: str = ""
    unit: str = ""
    fraction: str | None = None
    readings: tuple[Fraction, ...] = ()

    @property
    def money(self) -> bool:
        """Is it in a currency, whole and part together?"""
        return bool(self.senses) and all(map(is_money, self.senses))

    def shown(self) -> str:
        """The plain spelling of the number, with its unit where that converts into another and is not plain money."""
        if self.unit == "dozen":
            return f"{show_number(self.readings[0])} dozen"
        number = (self.fraction or show_number(self.value)) + "%" * self.percent
        return f"{number} {self.unit}" if self.unit and not self.money else number


class Clock(NamedTuple):
    """A time of day, or what looks like one; `half` is "am" or "pm" where it is said."""

    hour: int
    minute: int
    half: str | None = None


class Several(NamedTuple):
    """Amounts that together are the answer."""

    kind: Literal["list", "pair", "ratio", "range"]
    items: tuple[Amount, ...]


Meaning = Amount | Clock | Several
