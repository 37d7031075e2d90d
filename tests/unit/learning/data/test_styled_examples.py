"""Right and wrong solutions in random manners, and the step that is named."""

import random
import re
from itertools import islice

from irl_core.learning.data.broken_chains import break_solution
from irl_core.learning.data.solution_graph import read_solution
from irl_core.learning.data.styled_examples import first_difference, right_example, styled_examples, wrong_example
from irl_core.text import check_equations, split_steps
from tests.support.worked_solutions import CLIPS, POINTS, SAMPLE


def examples(n, seed=0):
    return list(styled_examples(SAMPLE, n, random.Random(seed)))


def test_half_of_the_examples_are_right():
    made = examples(12)
    assert [example.first_error_step == -1 for example in made] == [True, False] * 6
    assert [example.kind == "right" for example in made] == [True, False] * 6
    assert all(a.question == b.question for a, b in zip(made[::2], made[1::2], strict=True))
    assert [example.is_answer_right for example in made[::2]] == [True] * 6


def test_it_stops_at_the_number_that_was_asked_for():
    assert len(examples(3)) == 3
    assert len(examples(100)) == 2 * len(SAMPLE)


def test_one_seed_gives_one_list():
    assert examples(10) == examples(10)
    assert examples(10) != examples(10, seed=1)


def test_a_slip_is_named_where_its_equation_or_its_result_first_stands():
    solution = read_solution(POINTS.question, POINTS.solution)
    for seed in range(150):
        broken = break_solution(solution, random.Random(seed), "slip")
        example = wrong_example(broken, random.Random(seed))
        steps = [example.solution[a:b] for a, b in split_steps(example.solution)]
        false = [k for k, step in enumerate(steps) if any(not check.ok for check in check_equations(step))]
        # A display formula or a sentence of its own may repeat behind the result.
        assert len(false) == 1
        assert example.first_error_step in (false[0], false[0] - 1)


def test_the_steps_before_the_first_error_are_of_the_right_solution():
    """Nothing that only the wrong solution computes stands before the named step."""
    solution = read_solution(CLIPS.question, CLIPS.solution)
    for seed in range(200):
        broken = break_solution(solution, random.Random(seed), "operator")
        example = wrong_example(broken, random.Random(seed))
        start = split_steps(example.solution)[example.first_error_step][0]
        before = example.solution[:start]
        wrong = {n.result.digits for n in broken.wrong.nodes} - {n.result.digits for n in solution.nodes}
        assert not any(re.search(rf"= {digits}(?!\d)", before) for digits in wrong)


def test_the_first_difference_is_a_step_of_the_text():
    assert first_difference("a = 1\nb = 2\n#### 2", "a = 1\nb = 3\n#### 3") == 1
    assert first_difference("a = 1\nb = 2\n#### 4", "a = 1\nb = 2\n#### 3") == 2
    assert first_difference("a = 1\nb = 2", "a = 1\nb = 2\n#### 3") == 1


def test_both_sides_of_a_pair_draw_from_one_distribution_of_styles():
    solution = read_solution(POINTS.question, POINTS.solution)
    broken = break_solution(solution, random.Random(0), "operator")
    right = [right_example(solution, random.Random(seed)).family for seed in range(300)]
    wrong = [wrong_example(broken, random.Random(seed)).family for seed in range(300)]
    assert sum(a == b for a, b in zip(right, wrong, strict=True)) > 290


def test_a_demonstration_that_cannot_be_read_is_left_out():
    unreadable = CLIPS._replace(solution="Let x be 3.\n#### 3")
    assert list(islice(styled_examples([unreadable], 2, random.Random(0)), 1)) == []
