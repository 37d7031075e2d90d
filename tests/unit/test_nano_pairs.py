"""Pairs of steps behind one prefix, by hand."""

import pytest
import torch

from irl_core.learning.exact_world import EXPERT, IDEAL, ExactWorld
from irl_core.learning.nano_pairs import departures, edits

WORLD = ExactWorld()
EXPERT_TEXT = "so 3 + 4 = 7 then 2 * 7 = 4 so 4 - 5 = 9 answer 9 <eos>"
PROBLEM = torch.tensor([[WORLD.words.index(w) for w in "3 + 4 * 2 - 5 ?".split()]])


def ids(text):
    return torch.tensor([[WORLD.words.index(word) for word in text.split()]])


def departure(rollout):
    found = departures(WORLD, PROBLEM, ids(EXPERT_TEXT), ids(rollout))
    if not len(found.prompts):
        return None
    compared = found.where[0].nonzero()[:, 0].tolist()
    return WORLD.text(found.better[0].tolist()), WORLD.text(found.worse[0].tolist()), compared


def test_the_first_wrong_token_of_the_first_wrong_step_stands_against_the_expert_s():
    better, worse, where = departure("thus 4 + 3 = 8 so 8 * 2 = 6 so 6 - 5 = 1 answer 1 <eos>")
    assert better == "thus 4 + 3 = 7 then 2 * 7 = 4 so 4 - 5 = 9 answer 9 <eos>"
    assert worse == "thus 4 + 3 = 8 then 2 * 7 = 4 so 4 - 5 = 9 answer 9 <eos>"
    assert where == [5]


@pytest.mark.parametrize(
    ("step", "corrected", "place"),
    [
        ("2 + 7 = 9", "2 * 7 = 9", 8),
        ("2 * 6 = 2", "2 * 7 = 2", 9),
        ("7 * 3 = 1", "7 * 2 = 1", 9),
        ("5 * 7 = 5", "2 * 7 = 5", 7),
        ("7 * 2 = 8", "7 * 2 = 4", 11),
    ],
)
def test_operands_may_change_places_where_the_operation_commutes(step, corrected, place):
    better, worse, where = departure(f"so 3 + 4 = 7 thus {step} so 4 - 5 = 9 answer 4 <eos>")
    assert better == f"so 3 + 4 = 7 thus {corrected} so 4 - 5 = 9 answer 9 <eos>"
    assert worse == f"so 3 + 4 = 7 thus {step} so 4 - 5 = 9 answer 9 <eos>"
    assert where == [place]


def test_a_difference_does_not_commute():
    better, _, where = departure("so 3 + 4 = 7 then 2 * 7 = 4 so 5 - 4 = 1 answer 1 <eos>")
    assert better == "so 3 + 4 = 7 then 2 * 7 = 4 so 4 - 4 = 1 answer 9 <eos>"
    assert where == [13]


def test_a_rollout_that_arrives_where_the_expert_does_departs_nowhere():
    assert departure("thus 4 + 3 = 7 thus 7 * 2 = 4 then 4 - 5 = 9 answer 8 <eos>") is None


def test_an_edit_has_one_wrong_number_and_what_follows_from_it():
    draws = torch.Generator().manual_seed(0)
    problems = WORLD.problems(500, draws)
    experts = WORLD.sample(IDEAL, problems, draws)
    made = edits(WORLD, problems, experts, draws)
    assert len(made.prompts) == 500
    assert torch.equal(made.better, experts)
    first = made.where.int().argmax(1)
    assert set((first % 6).tolist()) == {3, 5}
    for i in range(500):
        changed = (made.better[i] != made.worse[i]).nonzero()[:, 0].tolist()
        assert changed[0] == first[i]
        assert changed[-1] <= int(first[i]) // 6 * 6 + 5
        assert made.where[i].nonzero()[:, 0].tolist() == [int(first[i])]
    wrong = WORLD.wrong_tokens(problems, made.worse)
    assert wrong.gather(1, first[:, None]).all()
    operand = first % 6 == 3
    assert not wrong[operand].gather(1, first[operand][:, None] + 2).any()


def test_the_same_draws_make_the_same_edits():
    problems = WORLD.problems(8, torch.Generator().manual_seed(0))
    experts = WORLD.sample(EXPERT, problems, torch.Generator().manual_seed(1))
    one, two = (edits(WORLD, problems, experts, torch.Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(one.worse, two.worse)
