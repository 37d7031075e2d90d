import math
import random

import pytest
import torch

from irl_core.learning.common.encoding import collate, completion_logprobs, encode
from irl_core.learning.data.contrast_trees import (
    Alternative,
    Tree,
    contrast_loss,
    forest_logprobs,
    grow,
    predictors,
    tree_logprobs,
    tree_mask,
    usable,
)
from irl_core.learning.data.step_alternatives import departures, edits
from tests.support.nano import nano_llama, nano_tokenizer

QUESTION = "Tom has 3 boxes of 4 pens. He loses 2. How many pens are left?"
SOLUTION = "3 * 4 = 12 pens.\n12 - 2 = 10 left.\n#### 10"


@pytest.fixture(scope="module")
def tokenizer():
    return nano_tokenizer()


@pytest.fixture(scope="module")
def model():
    return nano_llama()


def test_a_tree_scores_trunk_and_branches_as_if_each_were_written_alone(tokenizer, model):
    alternative = Alternative(1, "12 + 2 = 14 left.", "operator")
    tree = grow(tokenizer, QUESTION, SOLUTION, [Alternative(0, "3 + 4 = 7 pens.", "operator"), alternative], 1000)
    with torch.no_grad():
        packed = tree_logprobs(model, tree)
        trunk = completion_logprobs(model, *collate([encode(tokenizer, QUESTION, SOLUTION)], 0))
        alone = encode(tokenizer, QUESTION, "3 * 4 = 12 pens.\n12 + 2 = 14 left.\n", ended=False)
        whole = completion_logprobs(model, *collate([alone], 0))
    torch.testing.assert_close(packed[: tree.trunk - tree.prompt], trunk, atol=1e-4, rtol=1e-4)
    start, end = tree.pairs[1][1]
    assert "".join(tokenizer.decode(tree.ids[start:end])) == "12 + 2 = 14 left.\n"
    torch.testing.assert_close(
        packed[start - tree.prompt : end - tree.prompt], whole[-(end - start) :], atol=1e-4, rtol=1e-4
    )


def test_trees_of_different_length_score_in_one_batch_as_they_do_alone(tokenizer, model):
    small = grow(tokenizer, QUESTION, "3 * 4 = 12\n#### 12", [Alternative(0, "3 + 4 = 7", "operator")], 1000)
    large = grow(tokenizer, QUESTION, SOLUTION, [Alternative(1, "12 + 2 = 14 left.", "operator")], 1000)
    with torch.no_grad():
        together = forest_logprobs(model, [small, large])
        alone = [tree_logprobs(model, tree) for tree in (small, large)]
    for packed, single in zip(together, alone, strict=True):
        torch.testing.assert_close(packed, single, atol=1e-5, rtol=1e-5)


def test_a_branch_sees_its_root_and_itself_and_nobody_sees_a_branch():
    tree = Tree(
        [9, 1, 2, 3, 4, 5], [0, 1, 2, 3, 2, 3], [0, 0, 0, 0, 1, 1], [4, 2], [False] * 6, 4, 1, [((2, 4), (4, 6))]
    )
    expected = [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [1, 1, 0, 0, 1, 1],
    ]
    assert tree_mask(tree).int().tolist() == expected
    assert predictors(tree) == [0, 1, 2, 1, 4]


def test_the_contrast_of_a_pair_is_the_logistic_loss_of_its_weighted_margin():
    tree = Tree(
        [9, 1, 2, 3, 4],
        [0, 1, 2, 1, 2],
        [0, 0, 0, 1, 1],
        [3, 1],
        [False, True, False, True, False],
        3,
        1,
        [((1, 3), (3, 5))],
    )
    logprobs = torch.tensor([-1.0, -2.0, -3.0, -4.0])
    loss, margins = contrast_loss(logprobs, tree, number_weight=1.0, word_weight=0.5, beta=2.0)
    assert margins.tolist() == [(-1.0 - 1.0) - (-3.0 - 2.0)]
    assert loss.item() == pytest.approx(math.log1p(math.exp(-2.0 * 3.0)), rel=1e-4)


def test_branches_that_do_not_fit_are_left_out(tokenizer):
    small = grow(tokenizer, QUESTION, SOLUTION, [Alternative(0, "3 + 4 = 7", "operator")], 50)
    assert small is None


def test_a_rollout_departs_where_it_first_computes_what_the_expert_never_does():
    rollouts = ["3 * 4 = 12 pens.\n12 + 2 = 14 left.\n#### 14", SOLUTION, "4 - 2 = 2 left.\n#### 2"]
    found = departures(SOLUTION, rollouts)
    assert found == [Alternative(1, "12 + 2 = 14 left.", "policy"), Alternative(0, "4 - 2 = 2 left.", "policy")]


def test_a_step_that_computes_one_of_the_experts_numbers_is_not_called_wrong():
    assert not usable("12 - 2 = 10 pens", "3 * 4 = 12", SOLUTION)
    assert not usable("She counts them.", "3 * 4 = 12", SOLUTION)
    assert usable("3 + 4 = 7", "3 * 4 = 12", SOLUTION)


def test_edits_name_the_step_they_change():
    steps = SOLUTION.split("\n")
    found = edits(QUESTION, SOLUTION, 3, random.Random(0))
    assert {alternative.step for alternative in found} == {0, 1}, "the answer computes nothing"
    for alternative in found:
        assert alternative.text.strip() != steps[alternative.step]
