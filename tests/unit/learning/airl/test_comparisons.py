"""What one update of the discriminator compares."""

from __future__ import annotations

import random

from irl_core.learning.airl.comparisons import Group, compare, edit_pair, length_matched, parts, token_masks
from irl_core.learning.airl.config import DiscriminatorConfig
from irl_core.learning.airl.traces import TokenizedTrace, tokenize_trace
from irl_core.learning.common.encoding import Encoded
from tests.support.nano import nano_tokenizer

TOKENIZER = nano_tokenizer()


def trace(text: str, ended: bool = True) -> TokenizedTrace:
    return tokenize_trace(TOKENIZER, "How many?", text, ended=ended)


def test_a_cut_trace_and_an_ended_one_show_the_same_tokens():
    traces = [trace("abc"), trace("abc", ended=False)]
    hidden = token_masks(traces, DiscriminatorConfig(density="sparse"), "cpu")
    assert hidden.counted.tolist() == [[True, True, True, False]] * 2
    assert hidden.paid.tolist() == [[False, False, True, False]] * 2
    shown = token_masks(traces, DiscriminatorConfig(density="sparse", score_end=True), "cpu")
    assert shown.counted.sum(1).tolist() == [4, 3]


def test_solved_rollouts_join_the_experts_and_lengths_are_matched():
    group = Group(
        trace("2 + 3 = 5\n#### 5"), [trace(t) for t in ("9 9 9\n9", "2 + 3 = 6\n#### 6", "five")], [False, True, False]
    )
    everything = compare([group], DiscriminatorConfig())
    assert everything.expert == [True, False, True, False]
    lengths = [len(group.expert.ids.completion), *(len(r.ids.completion) for r in group.rollouts)]
    assert lengths == [17, 8, 17, 5]
    matched = compare([group], DiscriminatorConfig(length_ratio=2.5))
    assert [len(r.ids.completion) for r in matched.traces] == [17, 8, 17]


def test_an_edit_differs_from_the_expert_first_where_it_says_and_ends_with_the_edited_step():
    solution = "She has 2 + 3 = 5 pens.\nThen 5 * 2 = 10.\n#### 10"
    pairs = [edit_pair(TOKENIZER, "Q", solution, random.Random(seed)) for seed in range(20)]
    assert len([pair for pair in pairs if pair]) > 10
    for pair in filter(None, pairs):
        a, b = pair.expert.completion, pair.edited.completion
        assert a[: pair.start] == b[: pair.start]
        assert a[pair.start] != b[pair.start]
        text = TOKENIZER.decode(a)
        assert text in ("She has 2 + 3 = 5 pens.", "She has 2 + 3 = 5 pens.\nThen 5 * 2 = 10.")
    assert edit_pair(TOKENIZER, "Q", "No sum here.\n#### 1", random.Random(0)) is None


def test_a_trace_of_no_token_counts_nothing():
    empty = TokenizedTrace(Encoded([1], []), "", (), (), False)
    masks = token_masks([trace("abc"), empty], DiscriminatorConfig(), "cpu")
    assert masks.counted.sum(1).tolist() == [3, 0]
    assert masks.paid.sum(1).tolist() == [1, 0]


def test_rollouts_are_matched_by_the_ratio_of_lengths():
    assert length_matched([10, 19, 21, 5, 4], 10, 2.0) == [0, 1, 3]
    assert length_matched([100, 40], 10, 2.0) == [1]


def test_groups_stay_whole_in_parts_of_so_many_traces():
    group = Group(trace("a"), [trace("b")] * 3, [False] * 3)
    assert [len(part) for part in parts([group] * 4, 8)] == [2, 2]
    assert [len(part) for part in parts([group] * 3, 1)] == [1, 1, 1]
