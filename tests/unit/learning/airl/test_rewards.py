"""What a token is paid: which tokens are, and how much, from what the discriminator says of each."""

from __future__ import annotations

import pytest
import torch

from irl_core.learning.airl import rewards as forms
from irl_core.learning.airl.rewards import pool, reward_positions, spread

MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]]).bool()
STEPS = torch.tensor([[0, 0, 1, 1, 1, 2], [0, 1, 1, 9, 9, 9]])
REWARDS = torch.tensor([[1.0, 2, 3, 4, 5, 6], [1, 2, 3, 50, 50, 50]])
ONE_MASK = torch.tensor([[1, 1, 1, 0]]).bool()
VALUES = torch.tensor([[0.5, 2.0, 1.0, 7.0]])
ONE_STEPS = torch.tensor([[0, 0, 1, 1]])


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


def test_a_level_is_the_value_itself():
    assert forms.level(VALUES, ONE_MASK).tolist() == [[0.5, 2.0, 1.0, 0.0]]


def test_differences_begin_at_the_prompt_and_sum_to_the_last_value():
    rewards = forms.difference(VALUES, ONE_MASK)
    assert rewards.tolist() == [[0.5, 1.5, -1.0, 0.0]]
    assert rewards.sum().item() == 1.0


def test_a_log_ratio_is_beta_times_the_difference_of_log_probabilities():
    rewards = forms.log_ratio(VALUES, torch.tensor([[1.0, 1.0, 2.0, 0.0]]), ONE_MASK, beta=0.5)
    assert rewards.tolist() == [[-0.25, 0.5, -0.5, 0.0]]


def test_a_level_is_read_at_its_position_and_local_rewards_are_summed_up_to_it():
    positions = reward_positions("step", ONE_MASK, steps=ONE_STEPS)
    assert forms.paid_rewards("level", VALUES, positions, ONE_MASK).tolist() == [[0.0, 2.0, 1.0, 0.0]]
    assert forms.paid_rewards("difference", VALUES, positions, ONE_MASK).tolist() == [[0.0, 2.5, 1.0, 0.0]]


def test_the_evidence_of_local_rewards_is_their_sum_so_far():
    dense = reward_positions("dense", ONE_MASK)
    assert forms.expert_logits("difference", VALUES, dense, ONE_MASK).tolist() == [[0.5, 2.5, 3.5, 0.0]]
    assert forms.expert_logits("level", VALUES, dense, ONE_MASK).tolist() == [[0.5, 2.0, 1.0, 0.0]]


def test_the_evidence_of_differences_is_the_value_they_came_from():
    dense = reward_positions("dense", ONE_MASK)
    logits = forms.expert_logits("difference", forms.difference(VALUES, ONE_MASK), dense, ONE_MASK)
    assert logits.tolist() == [[0.5, 2.0, 1.0, 0.0]]


def test_a_trace_scores_a_sum_of_local_rewards_a_mean_of_levels_or_a_mean_log_probability_per_token():
    positions = reward_positions("step", ONE_MASK, steps=ONE_STEPS)
    assert forms.trace_scores("difference", VALUES, positions, ONE_MASK).tolist() == [3.5]
    assert forms.trace_scores("level", VALUES, positions, ONE_MASK).tolist() == [1.5]
    assert forms.trace_scores("log_prob", VALUES, positions, ONE_MASK).tolist() == pytest.approx([3.5 / 3])
