"""Pairs of steps behind one prefix, by hand."""

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


def test_the_same_calculation_with_another_result_stands_against_the_expert_s_result():
    better, worse, where = departure("thus 4 + 3 = 8 so 8 * 2 = 6 so 6 - 5 = 1 answer 1 <eos>")
    assert better == "thus 4 + 3 = 7 then 2 * 7 = 4 so 4 - 5 = 9 answer 9 <eos>"
    assert worse == "thus 4 + 3 = 8 then 2 * 7 = 4 so 4 - 5 = 9 answer 9 <eos>"
    assert where == [5]


def test_another_calculation_stands_against_the_expert_s_whole_step():
    better, worse, where = departure("so 3 + 4 = 7 then 2 + 7 = 9 so 9 - 5 = 4 answer 4 <eos>")
    assert better == EXPERT_TEXT
    assert worse == "so 3 + 4 = 7 then 2 + 7 = 9 so 4 - 5 = 9 answer 9 <eos>"
    assert where == [8, 9, 10, 11]


def test_a_difference_does_not_commute():
    better, _, where = departure("so 3 + 4 = 7 then 2 * 7 = 4 so 5 - 4 = 1 answer 1 <eos>")
    assert better == EXPERT_TEXT
    assert where == [13, 14, 15, 16, 17]


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
        end = int(first[i]) // 6 * 6 + 5
        assert changed[0] == first[i]
        assert changed[-1] <= end
        assert made.where[i].nonzero()[:, 0].tolist() == list(range(int(first[i]), end + 1))
    wrong = WORLD.wrong_tokens(problems, made.worse)
    assert wrong.gather(1, first[:, None]).all()
    operand = first % 6 == 3
    assert not wrong[operand].gather(1, first[operand][:, None] + 2).any()


def test_the_same_draws_make_the_same_edits():
    problems = WORLD.problems(8, torch.Generator().manual_seed(0))
    experts = WORLD.sample(EXPERT, problems, torch.Generator().manual_seed(1))
    one, two = (edits(WORLD, problems, experts, torch.Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(one.worse, two.worse)
