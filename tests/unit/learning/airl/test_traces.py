"""Traces as tokens, and rewards between tokenizers, on a SentencePiece-like Llama and a byte-level Qwen made here."""

from __future__ import annotations

import pytest

from irl_core.learning.airl.traces import (
    decode_trace,
    false_equation_ends,
    read_rollouts,
    rewards_to_policy_tokens,
    tokenize_trace,
)
from irl_core.models.solution_tokens import decode_solution, encode_solution, end_id
from tests.support.nano import nano_tokenizer
from tests.support.tokenizers import TEXT, llama, qwen


@pytest.mark.parametrize(("critic", "policy"), [(llama(), qwen()), (qwen(), llama())], ids=["llama", "qwen"])
def test_local_rewards_keep_their_sum_up_to_every_token_of_the_text(critic, policy):
    theirs, ours = (encode_solution(t, TEXT)[1] for t in (critic, policy))
    assert theirs != ours
    rewards = [float(2**i % 7) for i in range(len(theirs))]
    moved = rewards_to_policy_tokens(rewards, theirs, ours, add=True)
    assert sum(moved) == sum(rewards)
    for _, written in ours:  # all that was judged by then is paid, and nothing for text that is not yet written
        known = sum(r for r, (_, end) in zip(rewards, theirs, strict=True) if end <= written)
        paid = sum(r for r, (_, end) in zip(moved, ours, strict=True) if end <= written)
        assert paid == known


def test_the_reward_belongs_to_the_token_that_holds_the_last_character():
    theirs, ours = [(0, 3), (3, 5), (5, 6)], [(0, 1), (1, 4), (4, 6)]
    assert rewards_to_policy_tokens([1.0, 2.0, 4.0], theirs, ours, add=True) == [0.0, 1.0, 6.0]


def test_a_level_holds_until_another_one_is_read():
    theirs, ours = [(0, 3), (3, 5), (5, 6)], [(0, 1), (1, 4), (4, 6)]
    assert rewards_to_policy_tokens([1.0, 2.0, 4.0], theirs, ours, add=False) == [0.0, 1.0, 4.0]
    assert rewards_to_policy_tokens([5.0], [(0, 3)], [(0, 3), (3, 3)], add=False) == [5.0, 5.0]


def test_the_end_token_is_one_character_past_the_text_and_belongs_to_the_last_step():
    ended, cut = (tokenize_trace(nano_tokenizer(), "Q", "a\nbc", ended=ended) for ended in (True, False))
    assert ended.spans == (*cut.spans, (4, 5))
    assert (ended.steps, cut.steps) == ((0, 0, 1, 1, 1), (0, 0, 1, 1))
    assert (ended.ended, cut.ended) == (True, False)
    theirs, ours = [(0, 2), (2, 3)], [(0, 1), (1, 2), (2, 3)]
    assert rewards_to_policy_tokens([1.0, 9.0], theirs, ours, add=True) == [0.0, 1.0, 9.0]


@pytest.mark.parametrize("tokenizer", [nano_tokenizer(), qwen()], ids=["nano", "qwen"])
@pytest.mark.parametrize("ended", [True, False])
def test_a_trace_that_was_written_down_is_decoded_as_it_was(tokenizer, ended):
    written = tokenize_trace(tokenizer, "Q", TEXT, ended=ended)
    assert decode_trace(tokenizer, written.ids) == written
    assert "".join(TEXT[a:b] for a, b in written.spans) == TEXT


def test_the_critic_reads_the_sampled_ids_or_the_text_in_its_own_tokens():
    ours, theirs = nano_tokenizer(), llama()
    completion = [*encode_solution(ours, "2 + 2 = 4\n")[0], end_id(ours)]
    ((own, read),) = read_rollouts(["Q"], [completion], ours, ours)
    assert read is own
    assert own.ids.completion == completion
    ((own, read),) = read_rollouts(["Q"], [completion], ours, theirs)
    assert decode_solution(theirs, read.ids.completion)[0] == own.text == "2 + 2 = 4\n"
    assert read.ids.completion[-1] == end_id(theirs)
    paid = rewards_to_policy_tokens([1.0] * len(read.spans), read.spans, own.spans, add=True)
    assert len(paid) == len(completion)
    assert sum(paid) == len(read.ids.completion)


def test_a_critic_whose_tokens_lose_a_character_when_decoded_is_lined_up_by_the_text_it_was_given():
    ours, theirs = nano_tokenizer(), llama()
    ((own, read),) = read_rollouts(["Q"], [encode_solution(ours, TEXT)[0]], ours, theirs)
    assert "😀" not in decode_solution(theirs, read.ids.completion)[0]
    assert read.text == own.text == TEXT
    assert "".join(TEXT[a:b] for a, b in read.spans) == TEXT


def test_a_rollout_of_no_token_is_a_trace_without_text():
    ((own, _),) = read_rollouts(["Q"], [[]], nano_tokenizer(), nano_tokenizer())
    assert (own.text, own.spans, own.ended) == ("", (), False)


def rows(*solutions):
    return [tokenize_trace(nano_tokenizer(), "What?", solution) for solution in solutions]


def test_a_false_equation_is_charged_to_the_token_that_ends_it():
    tokenizer = nano_tokenizer()
    (row,) = rows("2 + 3 = 6 in all.\n#### 6")
    found = false_equation_ends([row], len(row.ids.completion))
    (where,) = found[0].nonzero()[:, 0].tolist()
    text, spans = decode_solution(tokenizer, row.ids.completion[: where + 1])
    assert text == "2 + 3 = 6"
    assert spans[where][1] == 9
    assert found[0, where] == 1


def test_true_equations_cost_nothing_and_two_false_ones_cost_twice():
    made = rows("2 + 3 = 5\n#### 5", "2 + 3 = 6\n4 - 1 = 2\n#### 2")
    width = max(len(row.ids.completion) for row in made)
    assert false_equation_ends(made, width).sum(1).tolist() == [0.0, 2.0]


def test_a_rollout_without_text_has_no_false_equation():
    (row,) = rows("")
    assert row.ids.completion == [end_id(nano_tokenizer())]
    assert false_equation_ends([row], 3).tolist() == [[0.0, 0.0, 0.0]]
