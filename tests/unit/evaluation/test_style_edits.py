"""Style edits change no number, and the benchmark's figures are those worked out by hand."""

import random

import numpy as np
import pytest

from benchmarks.style import figures, outweighed, ratio_of_medians, versions, wrong_number
from irl_core.evaluation.style_edits import STYLE_EDITS, lengthened, reformatted, reworded, stripped
from irl_core.learning.data.demonstrations import Demonstration
from irl_core.learning.data.perturbations import results_of
from irl_core.text.equations import check_equations

SOLUTION = "So Tom bought 3 * 4 = $12 of pens.\nIn total he spent 12 + 5 = $17.\n#### 17"
rng = random.Random(0)


@pytest.mark.parametrize("edit", STYLE_EDITS.values(), ids=STYLE_EDITS)
@pytest.mark.parametrize("seed", range(5))
def test_no_style_edit_changes_a_result_the_answer_or_the_number_of_steps(edit, seed):
    edited = edit(SOLUTION, random.Random(seed))
    assert edited != SOLUTION
    assert edited.splitlines()[-1] == "#### 17"
    assert len(edited.splitlines()) == 3
    assert [check.stated for check in check_equations(edited)] == ["12", "17"]
    assert all(check.ok for check in check_equations(edited))


def test_rewording_leaves_the_equations_as_they_were():
    edited = reworded(SOLUTION, rng)
    assert "purchased 3 * 4 = $12 of pens" in edited
    assert "he paid out 12 + 5 = $17" in edited


def test_reformatting_changes_spaces_signs_of_times_and_dollars_only():
    assert reformatted(SOLUTION, random.Random(1)).replace("×", "x") == (
        "So Tom bought 3x4=12 of pens.\nIn total he spent 12+5=17.\n#### 17"
    )
    assert reformatted("3x4=12\n#### 12", rng) == "3 * 4 = 12\n#### 12"


def test_lengthening_says_each_result_again():
    edited = lengthened(SOLUTION, rng).splitlines()
    assert edited[0].startswith("So Tom bought 3 * 4 = $12 of pens. ")
    assert edited[0].count("12") == edited[1].count("17") == 2


def test_stripping_leaves_the_equations_and_gives_up_where_a_step_has_none():
    assert stripped(SOLUTION, rng) == "3 * 4 = $12\n12 + 5 = $17\n#### 17"
    assert stripped("He is tall.\n3 * 4 = 12\n#### 12", rng) is None
    assert stripped("3 * 4 = 12\n#### 12", rng) is None


def test_one_number_of_one_step_is_wrong_and_the_rest_is_as_it_was():
    edited = wrong_number("Tom has 3, 4, 5 and 9.", SOLUTION, "result", random.Random(2))
    changed = [a != b for a, b in zip(edited.splitlines(), SOLUTION.splitlines(), strict=True)]
    assert sum(changed) == 1
    assert results_of(edited) != results_of(SOLUTION)


def test_solutions_that_are_wrong_or_that_an_edit_does_not_suit_are_passed_over():
    demonstrations = [
        Demonstration("3, 4, 5 and 9?", "3 * 4 = 13\n#### 13", "gsm8k"),
        Demonstration("3, 4, 5 and 9?", "He is tall.\n#### 13", "gsm8k"),
        Demonstration("3, 4, 5 and 9?", SOLUTION, "gsm8k"),
        Demonstration("3, 4, 5 and 9?", SOLUTION, "gsm8k"),
    ]
    (found,) = versions(demonstrations, 1, random.Random(0))
    assert found["original"] == SOLUTION


def test_the_ratio_divides_the_median_sizes_and_outweighed_counts_pairs():
    styles, wrong = [np.array([0.1, -0.2, 0.3])] * 2, np.array([-1.0, -2.0, 0.5])
    assert ratio_of_medians(*styles, wrong) == pytest.approx(0.2)
    assert outweighed(*styles, wrong) == pytest.approx(2 / 3)
    changes = dict.fromkeys(STYLE_EDITS, styles[0]) | {"result": wrong, "operand": 2 * wrong}
    report = figures(changes, resamples=50, seed=0)
    assert report["ratio"]["value"] == pytest.approx(0.2)
    assert report["ratio_operand"]["value"] == pytest.approx(0.1)
    assert report["ratio"]["low"] <= 0.2 <= report["ratio"]["high"]
    assert report["edits"]["result"] == {"median_change": -1.0, "median_size": 1.0, "lowered": pytest.approx(2 / 3)}
