"""Losses and statistics of the discriminator, against values computed by hand."""

from __future__ import annotations

from math import exp, log, log1p

import pytest
import torch

from irl_core.learning.airl import losses

EXPERT = torch.tensor([True, False, False])
ONE_GROUP = torch.zeros(3, dtype=torch.long)


def softplus(x):
    return log1p(exp(x))


def test_cross_entropy_is_a_mean_over_tokens_then_over_traces_and_both_classes_weigh_one_half():
    logits = torch.tensor([[1.0, 3.0], [2.0, 9.0], [0.0, -1.0]])
    positions = torch.tensor([[True, True], [True, False], [True, True]])
    expert = 0.5 * (softplus(-1) + softplus(-3))
    rollouts = 0.5 * (softplus(2) + 0.5 * (softplus(0) + softplus(-1)))
    found = losses.bce(logits, positions, EXPERT, smoothing=0.0)
    assert found.item() == pytest.approx(0.5 * expert + 0.5 * rollouts)


def test_smoothing_bounds_the_optimal_logit():
    def loss(x):
        logits = torch.tensor([[x], [-x]])
        positions = torch.ones_like(logits).bool()
        return losses.bce(logits, positions, torch.tensor([True, False]), smoothing=0.1).item()

    best = log(0.95 / 0.05)
    assert loss(best) == pytest.approx(-0.95 * log(0.95) - 0.05 * log(0.05))
    assert loss(best) < min(loss(best - 0.1), loss(best + 0.1))


def test_a_trace_without_a_counted_token_has_no_label():
    logits = torch.tensor([[1.0], [2.0], [50.0]])
    positions = torch.tensor([[True], [True], [False]])
    found = losses.bce(logits, positions, EXPERT, smoothing=0.0)
    assert found.item() == pytest.approx(0.5 * softplus(-1) + 0.5 * softplus(2))


def test_a_class_without_a_trace_adds_nothing_to_the_cross_entropy():
    logits = torch.tensor([[1.0], [2.0]], requires_grad=True)
    found = losses.bce(logits, torch.ones(2, 1).bool(), torch.tensor([True, True]), smoothing=0.0)
    assert found.item() == pytest.approx(0.25 * (softplus(-1) + softplus(-2)))
    found.backward()
    assert logits.grad.isfinite().all()


def test_the_relativistic_loss_is_the_experts_share_of_its_groups_softmax():
    scores = torch.tensor([1.0, 0.0, 2.0])
    expected = -log(exp(1) / (exp(1) + exp(0) + exp(2)))
    assert losses.relativistic(scores, EXPERT, ONE_GROUP).item() == pytest.approx(expected)
    cooler = -log(exp(2) / (exp(2) + exp(0) + exp(4)))
    assert losses.relativistic(scores, EXPERT, ONE_GROUP, temperature=0.5).item() == pytest.approx(cooler)


def test_what_all_traces_of_a_prompt_share_cancels_in_the_relativistic_loss():
    scores = torch.tensor([1.0, 0.0, 2.0, -1.0, 3.0, 3.0])
    expert = EXPERT.repeat(2)
    groups = torch.tensor([0, 0, 0, 1, 1, 1])
    moved = scores + torch.tensor([7.0, 7, 7, -4, -4, -4])
    a, b = (losses.relativistic(s, expert, groups).item() for s in (scores, moved))
    assert a == pytest.approx(b)


def test_a_rollout_counted_as_expert_is_no_rival_of_the_other_expert():
    expert = torch.tensor([True, True, False])
    found = losses.relativistic(torch.tensor([1.0, 5.0, 0.0]), expert, ONE_GROUP)
    assert found.item() == pytest.approx((softplus(0 - 1) + softplus(0 - 5)) / 2)


def test_a_group_without_rollouts_adds_nothing():
    assert losses.relativistic(torch.tensor([1.0]), torch.tensor([True]), torch.tensor([0])).item() == 0


def test_a_local_pair_is_decided_by_the_difference_of_its_sums():
    found = losses.local(torch.tensor([2.0, 0.0]), torch.tensor([0.5, 0.5]))
    assert found.item() == pytest.approx((softplus(-1.5) + softplus(0.5)) / 2)


def test_statistics_count_experts_above_and_rollouts_below_even_odds():
    scores = torch.tensor([1.0, -1.0, 0.5, -2.0])
    expert = torch.tensor([True, False, False, True])
    found = losses.statistics(scores, scores, expert, torch.tensor([0, 0, 0, 1]))
    assert found["disc_acc"] == 0.5
    assert (found["disc_acc_expert"], found["disc_acc_policy"]) == (0.5, 0.5)
    assert found["disc_group_acc"] == 1.0  # the expert of group 1 has no rival
    assert (found["disc_proportion_expert_pred"], found["disc_proportion_expert_true"]) == (0.5, 0.5)
    certain = losses.statistics(torch.tensor([0.0, 0.0]), torch.zeros(2), torch.tensor([True, False]), torch.zeros(2))
    assert certain["disc_entropy"] == pytest.approx(log(2))
    assert certain["disc_group_acc"] == 0.5
    alone = losses.statistics(torch.ones(2), torch.ones(2), torch.tensor([True, True]), torch.zeros(2))
    assert set(losses.STATISTICS) - set(alone) == {"disc_acc_policy"}
    assert set(found) == set(losses.STATISTICS)


def test_centred_scores_lie_around_the_midpoint_of_their_group():
    scores = torch.tensor([4.0, 1.0, 3.0, 10.0])
    expert = torch.tensor([True, False, False, True])
    found = losses.centred(scores, expert, torch.tensor([0, 0, 0, 1]))
    assert found.tolist() == [1.0, -2.0, 0.0, 0.0]
