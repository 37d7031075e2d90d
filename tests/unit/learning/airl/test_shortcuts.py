"""What can be told without reading."""

from __future__ import annotations

import random

from irl_core.learning.airl.shortcuts import bag_of_tokens_auc, length_auc


def test_lengths_that_give_the_class_away_are_found_in_either_direction():
    assert length_auc([9, 8, 1, 2], [True, True, False, False]) == 1.0
    assert length_auc([1, 2, 9, 8], [True, True, False, False]) == 1.0
    assert length_auc([1, 2, 2, 1], [True, True, False, False]) == 0.5
    assert length_auc([1, 2], [False, False]) == 0.5


def test_a_token_that_only_experts_write_is_found_and_their_order_is_not():
    rng = random.Random(0)
    expert = [i % 2 == 0 for i in range(60)]
    plain = [[rng.randrange(5) for _ in range(12)] for _ in expert]
    marked = [trace + [7] * own for trace, own in zip(plain, expert, strict=True)]
    assert bag_of_tokens_auc(marked, expert) > 0.95
    ordered = [sorted(trace) if own else sorted(trace, reverse=True) for trace, own in zip(plain, expert, strict=True)]
    assert bag_of_tokens_auc(ordered, expert) < 0.75
    assert bag_of_tokens_auc(plain[:3], [True, False, False]) == 0.5
