import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irl_core.learning.toy.exact_world import EXPERT, NOVICE, NUMBER, ExactWorld, Writer

WORLD = ExactWorld()
WRITER = Writer(
    connectives=(0.5, 0.3, 0.2),
    constant_first=0.25,
    operand_slip=0.1,
    operation_slip=0.2,
    result_slip=(0.1, 0.2, 0.4),
    misconception=0.5,
    answer_slip=0.3,
    garble=0.0,
)


def ids(text):
    return torch.tensor([[WORLD.words.index(word) for word in text.split()]])


def probabilities(writer, problem, solution):
    return WORLD.token_probabilities(writer, ids(problem), ids(solution))[0].tolist()


def near(distance):
    """Share of the slips that fall on one of the two numbers at a distance, on a clock of ten hours."""
    return 0.5**distance / (2 * (0.5 + 0.25 + 0.125 + 0.0625) + 0.03125)


def test_every_token_of_a_right_solution_has_the_probability_that_the_writers_habits_give_it():
    found = probabilities(WRITER, "3 + 4 * 2 - 5 ?", "so 3 + 4 = 7 then 2 * 7 = 4 thus 4 - 5 = 9 answer 9 <eos>")
    first = [0.5, 0.9 * 0.75 + 0.1 * 0, 0.8, 0.9, 1, 0.9]
    second = [0.3, 0.9 * 0.25 + 0.1 * near(5), 0.8, 0.9, 1, 0.6]
    third = [0.2, 0.9, 0.8, 0.9, 1, 0.8]
    assert found == pytest.approx([*first, *second, *third, 1, 0.7, 1], abs=1e-6)


def test_slips_are_likelier_near_the_right_number_and_later_steps_build_on_what_is_written():
    found = probabilities(WRITER, "3 + 4 * 2 - 5 ?", "so 3 - 5 = 8 then 9 * 2 = 8 so 8 - 5 = 3 answer 1 <eos>")
    first = [0.5, 0.9 * 0.75, 0.1, 0.1 * near(1), 1, 0.8]
    second = [0.3, 0.1 * near(1), 0.8, 0.9, 1, 0.6]
    third = [0.5, 0.9, 0.8, 0.9, 1, 0.8]
    assert found == pytest.approx([*first, *second, *third, 1, 0.3 * near(2), 1], abs=1e-6)


def test_a_misconception_multiplies_once_too_often_in_hard_products_alone():
    hard = probabilities(WRITER, "7 * 8 - 5 + 1 ?", "so 7 * 8 = 3")
    right = probabilities(WRITER, "7 * 8 - 5 + 1 ?", "so 7 * 8 = 6")
    easy = probabilities(WRITER, "7 * 3 - 5 + 1 ?", "so 7 * 3 = 8")
    assert hard[5] == pytest.approx(0.6 * 0.5 + 0.4 * near(3), abs=1e-6)
    assert right[5] == pytest.approx(0.6 * 0.5, abs=1e-6)
    assert easy[5] == pytest.approx(0.4 * near(3), abs=1e-6)


def test_garbled_tokens_have_the_uniform_share_and_an_unreadable_equation_leaves_its_result_open():
    garbling = Writer(**{**vars(WRITER), "garble": 0.21})
    found = probabilities(garbling, "3 + 4 * 2 - 5 ?", "answer so + 4 = 7")
    floor = 0.21 / len(WORLD.words)
    assert found[:2] == pytest.approx([floor, floor], abs=1e-6)
    assert found[5] == pytest.approx(0.79 / 10 + floor, abs=1e-6)


def test_the_log_ratio_is_the_difference_of_the_two_log_probabilities():
    problem, solution = ids("3 + 4 * 2 - 5 ?"), ids("so 3 + 4 = 8")
    found = WORLD.log_ratio(EXPERT, NOVICE, problem, solution)[0]
    floor = 1e-3 / len(WORLD.words)
    one, other = (0.999 * slip * near(1) + floor for slip in (EXPERT.result_slip[0], NOVICE.result_slip[0]))
    assert found[5].item() == pytest.approx(math.log(one / other), abs=1e-5)
    assert found[0].item() == pytest.approx(math.log((0.999 * 0.6 + floor) / (0.999 * 0.2 + floor)), abs=1e-5)
    assert found[4].item() == pytest.approx(0.0, abs=1e-6)


def test_a_style_word_says_more_of_who_wrote_it_than_a_slip_does():
    """Why an expert's likeness is not correctness: the true log-ratio itself cares more for `so` and `thus`."""
    problem = ids("3 + 4 * 2 - 5 ?").expand(3, -1)
    found = WORLD.log_ratio(
        EXPERT, NOVICE, problem, torch.cat([ids("so 3 + 4 = 7"), ids("thus 3 + 4 = 7"), ids("so 3 + 4 = 8")])
    ).sum(1)
    style, slip = found[0] - found[1], found[0] - found[2]
    assert style.item() == pytest.approx(math.log(0.6 / 0.2) - math.log(0.1 / 0.5), abs=0.01)
    assert slip.item() == pytest.approx(math.log(0.98 / 0.85) - math.log(0.02 / 0.15), abs=0.03)
    assert style > slip


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), modulus=st.integers(2, 12), steps=st.integers(1, 3), garbage=st.booleans())
def test_probabilities_sum_to_one_at_every_state_that_any_text_can_reach(seed, modulus, steps, garbage):
    world = ExactWorld(modulus=modulus, steps=steps, largest_constant=modulus - 1)
    generator = torch.Generator().manual_seed(seed)
    problems = world.problems(8, generator)
    anything = torch.randint(len(world.words), (8, world.length), generator=generator)
    solutions = anything if garbage else world.sample(NOVICE, problems, generator)
    for writer in (EXPERT, NOVICE, WRITER):
        for t in range(world.length):
            found = world.next_token_probabilities(writer, problems, solutions[:, :t])
            assert (found >= 0).all()
            torch.testing.assert_close(found.sum(1), torch.ones(8))


def test_samples_follow_the_probabilities():
    generator = torch.Generator().manual_seed(0)
    problems = ids("3 + 4 * 2 - 5 ?").expand(20_000, -1)
    first = WORLD.sample(WRITER, problems, generator)[:, :6]
    share = (first == ids("so 3 + 4 = 7")).all(1).float().mean().item()
    assert share == pytest.approx(0.5 * 0.675 * 0.8 * 0.9 * 0.9, abs=0.01)


def test_errors_are_marked_where_they_happen_and_style_is_never_one():
    problem = ids("3 + 4 * 2 - 5 ?")
    wrong = WORLD.wrong_tokens(problem, ids("thus 4 + 3 = 7 so 7 * 2 = 5 so 5 - 5 = 0 answer 0 <eos>"))
    assert wrong[0].nonzero().flatten().tolist() == [11]
    wrong = WORLD.wrong_tokens(problem, ids("thus 4 + 4 = 8 so 8 - 2 = 6 so 6 - 5 = 1 answer 2 <eos>"))
    assert wrong[0].nonzero().flatten().tolist() == [3, 8, 19]


def test_the_answer_is_right_or_wrong_whatever_led_to_it():
    problem = ids("3 + 4 * 2 - 5 ?")
    assert WORLD.answers(problem).tolist() == [NUMBER + 9]
    assert WORLD.correct(problem, ids("so 3 + 4 = 7 then 2 * 7 = 4 so 4 - 5 = 9 answer 9 <eos>")).item()
    assert WORLD.correct(problem, ids("so 3 + 4 = 7 then 2 * 7 = 5 so 5 - 5 = 0 answer 9 <eos>")).item()
    assert not WORLD.correct(problem, ids("so 3 + 4 = 7 then 2 * 7 = 4 so 4 - 5 = 9 answer 8 <eos>")).item()


def test_the_tokenizer_reads_what_the_world_writes():
    problem = WORLD.problems(1, torch.Generator().manual_seed(3))[0].tolist()
    assert WORLD.tokenizer()(WORLD.text(problem))["input_ids"] == problem


def test_a_constant_that_the_clock_does_not_show_is_refused():
    with pytest.raises(ValueError, match="between 1 and 4: 5"):
        ExactWorld(modulus=5, largest_constant=5)
