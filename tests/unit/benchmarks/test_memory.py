"""What the benchmark of the app's memory does and says."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from benchmarks.memory import growth, stories


def test_growth_is_what_is_held_at_the_end_over_what_was_held_after_twenty_uses():
    held = [1.0 + 0.01 * i for i in range(1, 51)]
    assert growth(held) == {"held_gb": {1: 1.01, 20: 1.2, 50: 1.5}, "growth": pytest.approx(1.25)}


def test_of_less_than_twenty_uses_no_growth_is_claimed():
    assert growth([2.0, 2.1]) == {"held_gb": {1: 2.0}}


def test_problems_are_of_many_lengths_and_each_another_one():
    told = list(islice(stories(random.Random(0)), 40))
    assert len({question for question, _ in told}) == 40
    lengths = sorted(len(solution) for _, solution in told)
    assert lengths[-1] > 3 * lengths[0]
    assert told == list(islice(stories(random.Random(0)), 40)), "the same seed gives the same problems"
