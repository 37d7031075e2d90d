"""Text with exact character offsets."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.scores import TraceScore
from irl_core.text.spans import partition
from irl_core.text.steps import split_steps, step_of_tokens
from irl_core.text.traces import Trace

any_text = st.text(max_size=300)
step_text = st.text(alphabet=st.sampled_from("ab1 .!?;\n\t\r\x1c\xa0\u2028«é漢😀"), max_size=80)


@given(st.lists(st.integers(-5, 60), max_size=20), st.integers(0, 50))
def test_a_partition_covers_the_text_once_and_in_order(starts, length):
    spans = partition(starts, length)
    assert len(spans) == len(starts)
    if starts:
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        assert all(a <= b for a, b in spans)
        assert all(left[1] == right[0] for left, right in pairwise(spans))


def test_a_gap_between_tokens_goes_to_the_token_before_it():
    assert partition([1, 4, 9], 12) == ((0, 4), (4, 9), (9, 12))


def test_the_later_bytes_of_one_character_get_empty_spans():
    assert partition([0, 0, 0, 1], 2) == ((0, 0), (0, 0), (0, 1), (1, 2))


@given(step_text | any_text)
def test_joining_the_steps_gives_back_the_text(text):
    spans = split_steps(text)
    assert "".join(text[a:b] for a, b in spans) == (text if spans else "")
    assert spans or not text.strip()


@given(step_text)
def test_every_step_of_a_text_has_something_in_it(text):
    assert all(text[a:b].strip() for a, b in split_steps(text))


def test_lines_are_steps():
    text = "\nTom has 3.\n\nHe eats 1. So 2.\n"
    assert [text[a:b] for a, b in split_steps(text)] == ["\nTom has 3.\n\n", "He eats 1. So 2.\n"]


def test_sentences_are_steps_of_a_single_line():
    text = "Tom has 3.5 kg. He eats 1! So 2.5; right?  Yes."
    assert [text[a:b] for a, b in split_steps(text)] == [
        "Tom has 3.5 kg. ", "He eats 1! ", "So 2.5; ", "right?  ", "Yes.",
    ]  # fmt: skip


plain_lines = st.lists(st.from_regex(r"[a-z][a-z ]{0,8}", fullmatch=True) | st.just(""), max_size=8)


@given(plain_lines, st.sampled_from(["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]))
def test_the_steps_of_plain_prose_are_its_lines_however_they_end(lines, end):
    steps = [line.strip() for line in lines if line.strip()]
    text = end.join(lines)
    assert [text[a:b].strip() for a, b in split_steps(text)] == steps


def seconds(work: Callable[[], object]) -> float:
    """Of the processor, the least of three tries."""
    tries = []
    for _ in range(3):
        begun = time.process_time()
        work()
        tries.append(time.process_time() - begun)
    return min(tries)


@pytest.mark.parametrize(
    "blank", [" ", "\xa0", "\t", " \n", ". ", "\r", "a. ", "$$\n", "```\n", "|-|\n", "\\[\n", "---\n", "1. ", "# a\n"]
)
def test_splitting_a_text_of_white_space_takes_time_in_proportion_to_its_length(blank):
    """Sixteen times the text may take sixteen times as long, not 256 times; the bound lies well between."""
    short, long = blank * 1_000, blank * 16_000
    assert seconds(lambda: split_steps(long)) < 64 * seconds(lambda: split_steps(short)) + 0.02


@given(any_text)
def test_any_pasted_text_becomes_a_consistent_trace(text):
    trace = Trace.from_text(text)
    assert trace.text == text
    assert "".join(text[a:b] for a, b in trace.steps) == text
    assert trace.stopped == "pasted"


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8))
def test_given_steps_keep_their_borders(steps):
    trace = Trace.from_steps(steps)
    assert trace.text == "\n".join(steps)
    assert [trace.text[a:b] for a, b in trace.steps] == [*(step + "\n" for step in steps[:-1]), steps[-1]]


def test_the_answer_of_a_pasted_trace_is_read():
    assert Trace.from_text("3 + 4 = 7\n#### 7").answer == "7"
    assert Trace.from_steps(["3 + 4 = 7", "The answer is 7."]).answer == "7"


def test_a_token_belongs_to_the_step_of_its_last_character():
    # "ab\n" and "cd": the token that begins with the line break is the first of the second step.
    assert step_of_tokens([(0, 2), (2, 4), (4, 5)], [(0, 3), (3, 5)]) == [0, 1, 1]


def test_an_empty_token_belongs_to_the_step_it_stands_in():
    assert step_of_tokens([(0, 3), (3, 3), (3, 5)], [(0, 3), (3, 5)]) == [0, 1, 1]


@given(st.lists(st.sampled_from(["48/2 = ", "<<48/2=24>>", "24", "\n", "<<", ">>", "é😀", "<<a\n>>"]), max_size=12))
def test_each_character_kept_without_marks_knows_where_it_stood(parts):
    text = "".join(parts)
    plain, positions = strip_calculator_marks(text)
    assert plain == "".join(text[i] for i in positions)
    assert positions == sorted(set(positions))
    assert len(text) - len(plain) >= len("<<48/2=24>>") * parts.count("<<48/2=24>>")


def test_calculator_marks_are_removed():
    assert strip_calculator_marks("a <<1+1=2>>2 b<<3>>")[0] == "a 2 b"
    assert strip_calculator_marks("a <<1+1=2>>2")[1] == [0, 1, 11]


@pytest.mark.parametrize("steps", [((0, 3),), ((0, 2), (3, 5)), ((0, 3), (2, 5)), ((1, 5),), ()])
def test_a_trace_whose_steps_do_not_cover_its_text_is_refused(steps):
    with pytest.raises(ValidationError, match="steps must cover"):
        Trace(text="ab cd", steps=steps)


def test_a_trace_whose_tokens_do_not_cover_its_text_is_refused():
    with pytest.raises(ValidationError, match="offsets must cover"):
        Trace(text="abc", steps=((0, 3),), offsets=((0, 2),), token_ids=(1,))


def test_a_trace_with_fewer_logprobs_than_tokens_is_refused():
    with pytest.raises(ValidationError, match="2 tokens but 1 logprobs"):
        Trace(text="abc", steps=((0, 3),), token_ids=(1, 2), logprobs=(-0.5,))


def test_a_score_with_fewer_rewards_than_tokens_is_refused():
    with pytest.raises(ValidationError, match="one entry per token"):
        TraceScore(offsets=((0, 1),), rewards=(), values=(0.5,), step_rewards=(0.5,), trace_score=0.5)
