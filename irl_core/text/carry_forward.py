"""What a step takes over from an earlier slip: it may be right given a wrong number, or repeat the same slip."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import NamedTuple

from irl_core.text.equations import EquationCheck
from irl_core.text.numerals import NUMERAL, read_numeral

_NUMBER = re.compile(NUMERAL)


class Carried(NamedTuple):
    """What a step carries on.

    `given` are wrong results of earlier steps, as stated there, on which its true equations build; `repeats` is the
    earlier step whose slip all its false equations repeat, None where there is none.
    """

    given: tuple[str, ...] = ()
    repeats: int | None = None


def carry_forward(steps: Sequence[Sequence[EquationCheck]], known: Collection[Fraction] = ()) -> list[Carried]:
    """What each step carries on, from the equations of all steps.

    >>> from irl_core.text.equations import check_equations
    >>> steps = [check_equations(s) for s in ("9 * 4 = 38", "38 + 2 = 40")]
    >>> carry_forward(steps)[1].given
    ('38',)

    Args:
        known: numbers that the problem gives; one of them is nobody's slip.
    """
    wrong: dict[Fraction, str] = {}
    slips: dict[tuple[str, str], int] = {}
    right = set(known)
    carried = []
    for k, equations in enumerate(steps):
        false = [check for check in equations if not check.ok]
        given = [
            wrong[value]
            for check in equations
            if check.ok
            for value in _operands(check)
            if value in wrong.keys() - right
        ]
        earlier = [slips.get(_slip(check)) for check in false]
        repeats = earlier[0] if earlier and None not in earlier else None
        carried.append(Carried(tuple(dict.fromkeys(given)), repeats))
        for check in false:
            slips.setdefault(_slip(check), k)
            if (value := _value(check.stated)) is not None:
                wrong.setdefault(value, check.stated)
        # A result that only a wrong number leads to is no right one.
        right |= {
            value for check in equations if check.ok and not given and (value := _value(check.stated)) is not None
        }
    return carried


def _slip(check: EquationCheck) -> tuple[str, str]:
    return check.expected, check.stated


def _operands(check: EquationCheck) -> list[Fraction]:
    """The numbers that an equation calculates with: those before its last equals sign."""
    calculated, _, _ = check.text.rpartition("=")
    return [value for number in _NUMBER.findall(calculated) if (value := read_numeral(number)) is not None]


def _value(shown: str) -> Fraction | None:
    """The value of a number as it is shown, without its unit or %; None of one that is cut off or a fraction."""
    match = _NUMBER.search(shown)
    return None if match is None or "/" in shown or "…" in shown else read_numeral(match[0])
