"""What a token is paid, from what the discriminator says of it."""

from __future__ import annotations

import pytest
import torch

from irl_core.learning.airl import reward_forms as forms
from irl_core.learning.airl.densities import reward_positions

MASK = torch.tensor([[1, 1, 1, 0]]).bool()
VALUES = torch.tensor([[0.5, 2.0, 1.0, 7.0]])
STEPS = torch.tensor([[0, 0, 1, 1]])


def test_a_level_is_the_value_itself():
    assert forms.level(VALUES, MASK).tolist() == [[0.5, 2.0, 1.0, 0.0]]


def test_differences_begin_at_the_prompt_and_sum_to_the_last_value():
    rewards = forms.difference(VALUES, MASK)
    assert rewards.tolist() == [[0.5, 1.5, -1.0, 0.0]]
    assert rewards.sum().item() == 1.0


def test_a_log_ratio_is_beta_times_the_difference_of_log_probabilities():
    rewards = forms.log_ratio(VALUES, torch.tensor([[1.0, 1.0, 2.0, 0.0]]), MASK, beta=0.5)
    assert rewards.tolist() == [[-0.25, 0.5, -0.5, 0.0]]


def test_a_level_is_read_at_its_position_and_local_rewards_are_summed_up_to_it():
    positions = reward_positions("step", MASK, steps=STEPS)
    assert forms.carried("level", VALUES, positions, MASK).tolist() == [[0.0, 2.0, 1.0, 0.0]]
    assert forms.carried("difference", VALUES, positions, MASK).tolist() == [[0.0, 2.5, 1.0, 0.0]]


def test_the_evidence_of_local_rewards_is_their_sum_so_far():
    dense = reward_positions("dense", MASK)
    assert forms.evidence("difference", VALUES, dense, MASK).tolist() == [[0.5, 2.5, 3.5, 0.0]]
    assert forms.evidence("level", VALUES, dense, MASK).tolist() == [[0.5, 2.0, 1.0, 0.0]]


def test_the_evidence_of_differences_is_the_value_they_came_from():
    dense = reward_positions("dense", MASK)
    evidence = forms.evidence("difference", forms.difference(VALUES, MASK), dense, MASK)
    assert evidence.tolist() == [[0.5, 2.0, 1.0, 0.0]]


def test_a_trace_scores_a_sum_of_local_rewards_a_mean_of_levels_or_a_mean_log_probability_per_token():
    positions = reward_positions("step", MASK, steps=STEPS)
    assert forms.trace_scores("difference", VALUES, positions, MASK).tolist() == [3.5]
    assert forms.trace_scores("level", VALUES, positions, MASK).tolist() == [1.5]
    assert forms.trace_scores("log_prob", VALUES, positions, MASK).tolist() == pytest.approx([3.5 / 3])
