"""What a step takes over from an earlier slip."""

from __future__ import annotations

from fractions import Fraction

from irl_core.text.carry_forward import Carried, carry_forward
from irl_core.text.equations import check_equations


def carried(*steps: str, known: set[Fraction] | None = None) -> list[Carried]:
    return carry_forward([check_equations(step) for step in steps], known or set())


def test_a_true_step_that_builds_on_a_slip_names_the_wrong_number():
    assert carried("9 * 4 = 38", "38 / 2 = 19")[1] == Carried(("38",), None)


def test_what_only_a_wrong_number_led_to_is_no_slip_of_its_own():
    assert carried("9 * 4 = 38", "38 / 2 = 19", "19 + 1 = 20") == [Carried(), Carried(("38",)), Carried()]


def test_a_repeated_slip_names_the_step_that_made_it_first():
    assert carried("9 * 4 = 38", "3 + 3 = 6", "9 × 4 = 38 again")[2] == Carried((), 0)


def test_another_slip_is_no_repetition():
    assert carried("9 * 4 = 38", "9 * 4 = 38 and 2 + 2 = 5")[1] == Carried((), None)


def test_a_number_that_the_problem_gives_is_nobodys_slip():
    assert carried("9 * 4 = 38", "38 / 2 = 19", known={Fraction(38)})[1] == Carried()


def test_a_number_that_another_step_computed_rightly_is_no_slip():
    assert carried("30 + 8 = 38", "9 * 4 = 38", "38 / 2 = 19")[2] == Carried()


def test_without_a_slip_nothing_is_carried_on():
    assert carried("2 + 2 = 4", "4 * 2 = 8", "no numbers here") == [Carried()] * 3
