"""Which tokens carry a reward, and how rewards of the others reach them."""

from __future__ import annotations

import pytest
import torch

from irl_core.learning.airl.densities import pool, reward_positions, spread

MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]]).bool()
STEPS = torch.tensor([[0, 0, 1, 1, 1, 2], [0, 1, 1, 9, 9, 9]])
REWARDS = torch.tensor([[1.0, 2, 3, 4, 5, 6], [1, 2, 3, 50, 50, 50]])


def where(positions):
    return [row.nonzero()[:, 0].tolist() for row in positions]


def test_a_sparse_reward_is_paid_at_the_last_token_and_a_dense_one_at_every_token():
    assert where(reward_positions("sparse", MASK)) == [[5], [2]]
    assert where(reward_positions("dense", MASK)) == [[0, 1, 2, 3, 4, 5], [0, 1, 2]]


def test_a_step_is_paid_at_its_last_token():
    assert where(reward_positions("step", MASK, steps=STEPS)) == [[1, 4, 5], [0, 2]]


def test_a_last_token_that_is_not_judged_is_not_paid():
    masked_end = torch.tensor([[True, True, False]])
    assert where(reward_positions("sparse", masked_end)) == [[1]]
    assert where(reward_positions("step", masked_end, steps=torch.tensor([[0, 1, 1]]))) == [[0, 1]]


def test_steps_cannot_be_found_without_their_index():
    with pytest.raises(ValueError, match="needs the step of each token"):
        reward_positions("step", MASK)


@pytest.mark.parametrize(
    ("density", "expected"),
    [
        ("sparse", [[0, 0, 0, 0, 0, 21], [0, 0, 6, 0, 0, 0]]),
        ("step", [[0, 3, 0, 0, 12, 6], [1, 0, 5, 0, 0, 0]]),
        ("dense", [[1, 2, 3, 4, 5, 6], [1, 2, 3, 0, 0, 0]]),
    ],
)
def test_pooling_sums_the_rewards_since_the_position_before(density, expected):
    positions = reward_positions(density, MASK, steps=STEPS)
    assert pool(REWARDS, positions, MASK).tolist() == expected


def test_spreading_gives_every_token_the_value_that_pays_for_it():
    positions = reward_positions("step", MASK, steps=STEPS)
    assert spread(REWARDS, positions, MASK).tolist() == [[2, 2, 5, 5, 5, 6], [1, 3, 3, 0, 0, 0]]
