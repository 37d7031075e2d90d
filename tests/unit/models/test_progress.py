"""Whoever asked to be told of a download is told, and nobody else."""

from __future__ import annotations

import threading

from irl_core.models.progress import Arrived, tell, told_of_downloads


def test_only_the_block_and_its_thread_are_listened_to() -> None:
    told: list[Arrived] = []
    with told_of_downloads(told.append):
        tell("Tiny", 1, 3)
        other = threading.Thread(target=tell, args=("Tiny", 2, 3))
        other.start()
        other.join()
    tell("Tiny", 3, 3)
    assert told == [Arrived("Tiny", 1, 3)]


def test_within_a_block_another_listener_takes_the_place_of_the_outer_one() -> None:
    outer: list[Arrived] = []
    inner: list[Arrived] = []
    with told_of_downloads(outer.append):
        with told_of_downloads(inner.append):
            tell("Tiny", 1, 3)
        tell("Tiny", 2, 3)
    assert (outer, inner) == ([Arrived("Tiny", 2, 3)], [Arrived("Tiny", 1, 3)])


def test_what_has_arrived_is_said_in_megabytes() -> None:
    assert str(Arrived("Qwen2.5-Coder-0.5B", 212_300_000, 491_400_064)) == "Qwen2.5-Coder-0.5B: 212 of 491 MB"
