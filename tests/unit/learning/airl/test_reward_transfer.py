"""Rewards between tokenisers, on a SentencePiece-like Llama and a byte-level Qwen made here."""

from __future__ import annotations

import pytest

from irl_core.learning.airl.reward_transfer import transfer, with_end
from irl_core.models.solution_tokens import encode_solution
from tests.support.tokenizers import TEXT, llama, qwen


@pytest.mark.parametrize(("critic", "policy"), [(llama(), qwen()), (qwen(), llama())], ids=["llama", "qwen"])
def test_local_rewards_keep_their_sum_up_to_every_token_of_the_text(critic, policy):
    theirs, ours = (encode_solution(t, TEXT)[1] for t in (critic, policy))
    assert theirs != ours
    rewards = [float(2**i % 7) for i in range(len(theirs))]
    found = transfer(rewards, theirs, ours, add=True)
    assert sum(found) == sum(rewards)
    for _, written in ours:  # all that was judged by then is paid, and nothing for text that is not yet written
        known = sum(r for r, (_, end) in zip(rewards, theirs, strict=True) if end <= written)
        paid = sum(r for r, (_, end) in zip(found, ours, strict=True) if end <= written)
        assert paid == known


def test_the_reward_belongs_to_the_token_that_holds_the_last_character():
    theirs, ours = [(0, 3), (3, 5), (5, 6)], [(0, 1), (1, 4), (4, 6)]
    assert transfer([1.0, 2.0, 4.0], theirs, ours, add=True) == [0.0, 1.0, 6.0]


def test_a_level_holds_until_another_one_is_read():
    theirs, ours = [(0, 3), (3, 5), (5, 6)], [(0, 1), (1, 4), (4, 6)]
    assert transfer([1.0, 2.0, 4.0], theirs, ours, add=False) == [0.0, 1.0, 4.0]
    assert transfer([5.0], [(0, 3)], [(0, 3), (3, 3)], add=False) == [5.0, 5.0]


def test_the_end_token_is_one_character_past_the_text():
    theirs, ours = with_end([(0, 2)], True), with_end([(0, 1), (1, 2)], True)
    assert transfer([1.0, 9.0], theirs, ours, add=True) == [0.0, 1.0, 9.0]
    assert with_end([(0, 2)], False) == [(0, 2)]
