"""From rewards to advantages, against values computed by hand."""

from __future__ import annotations

import pytest
import torch

from irl_core.learning.airl import advantages
from irl_core.learning.airl.rewards import difference, reward_positions

MASK = torch.tensor([[1, 1, 1], [1, 1, 0]]).bool()
EPSILON = 1e-4


def test_a_group_is_normalised_as_trl_does():
    found = advantages.grpo(torch.tensor([1.0, 3.0, 5.0, 5.0]), 2)
    assert found.tolist() == pytest.approx([-1 / (2**0.5 + EPSILON), 1 / (2**0.5 + EPSILON), 0, 0])


def test_rewards_are_discounted_from_the_end():
    found = advantages.discounted(torch.tensor([[1.0, 2.0, 4.0]]), 0.5)
    assert found.tolist() == [[3.0, 4.0, 4.0]]


def test_a_long_trace_and_a_small_discount_do_not_overflow():
    found = advantages.discounted(torch.ones(1, 2000), 0.1)
    assert found[0, 0].item() == pytest.approx(1 / 0.9)
    assert found.isfinite().all()


def test_levels_are_normalised_by_the_groups_last_rewards_and_then_discounted():
    rewards = torch.tensor([[5.0, 1.0, 4.0], [3.0, 2.0, 0.0]])
    positions = reward_positions("dense", MASK)
    found = advantages.level_returns(rewards, positions, MASK, group_size=2, gamma=0.5)
    # last rewards 4 and 2: mean 3, deviation sqrt(2)
    # less the mean: 2, -2, 1 and 0, -1
    expected = [[2 - 1 + 0.25, -2 + 0.5, 1], [-0.5, -1, 0]]
    torch.testing.assert_close(found, torch.tensor(expected) / (2**0.5 + EPSILON))


def test_returns_of_differences_telescope_to_what_is_still_to_come():
    values = torch.tensor([[1.0, 3.0, 2.0], [0.0, -2.0, 9.0]])
    differences = difference(values, MASK)
    to_come = torch.tensor([[2.0, 1.0, -1.0], [-2.0, -2.0, 0.0]])  # V_T - V_(t-1), with V_0 = 0
    found = advantages.local_returns(differences, MASK, group_size=2, gamma=1.0)
    valid = to_come[MASK]
    expected = (to_come - valid.mean()) / (valid.std() + EPSILON) * MASK
    torch.testing.assert_close(found, expected)


def test_a_group_never_sees_another():
    rewards, mask = torch.randn(4, 5, generator=torch.Generator().manual_seed(0)), torch.ones(4, 5).bool()
    whole = advantages.local_returns(rewards, mask, group_size=2, gamma=0.9)
    alone = advantages.local_returns(rewards[:2], mask[:2], group_size=2, gamma=0.9)
    torch.testing.assert_close(whole[:2], alone)


def test_without_a_step_term_the_mixed_advantage_is_the_sparse_one_exactly():
    scores = torch.tensor([0.3, -1.7])
    rewards = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]])
    found = advantages.mixed(scores, rewards, MASK, MASK, group_size=2, weight=0.0)
    assert torch.equal(found, advantages.grpo(scores, 2)[:, None] * MASK)


def test_the_mixed_advantage_adds_each_tokens_unit_normalised_over_the_group():
    positions = torch.tensor([[False, True, True], [False, True, False]])
    rewards = torch.tensor([[0.0, 4.0, 1.0], [0.0, 1.0, 0.0]])
    found = advantages.mixed(torch.zeros(2), rewards, positions, MASK, group_size=2, weight=0.5)
    deviation = 3**0.5 + EPSILON  # of 4, 1, 1 around 2
    expected = 0.5 * torch.tensor([[2.0, 2.0, -1.0], [-1.0, -1.0, 0.0]]) / deviation
    torch.testing.assert_close(found, expected)


def test_an_outlying_step_is_clipped():
    rewards = torch.zeros(2, 50)
    rewards[0, 0] = 1000.0
    mask = torch.ones(2, 50).bool()
    found = advantages.mixed(torch.zeros(2), rewards, mask, mask, group_size=2, weight=1.0, clip=3.0)
    assert found.max().item() == pytest.approx(3.0)


def test_a_group_of_equal_rollouts_moves_nothing():
    rewards = torch.ones(2, 3)
    mask = torch.ones(2, 3).bool()
    assert not advantages.mixed(torch.ones(2), rewards, mask, mask, 2, 0.5).any()
