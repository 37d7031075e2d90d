"""Runs of words that training text shares with an exam."""

from __future__ import annotations

from benchmarks.overlap import COMMON, runs, shared_runs


def test_numbers_are_one_word_and_case_does_not_count():
    assert runs("He had 12 Red pens.", 4) == {("he", "had", "#", "red"), ("had", "#", "red", "pens")}
    assert runs("He had", 4) == set()


def test_a_problem_with_other_numbers_is_found_and_says_where():
    exam = ["Tom had 3 red pens and lost 2.", "A tram is empty."]
    made = [("pens", "In May Ann had 9 red pens and lost 4 of them."), ("trams", "Trams are full.")]
    assert shared_runs(exam, made, 6) == {"Tom had 3 red pens and lost 2.": "pens"}


def test_what_many_problems_say_is_common_english():
    exam = [f"{name} has more than he had before" for name in "abcdefghijk"[: COMMON + 1]]
    made = [("any", "he has more than he had before")]
    assert shared_runs(exam, made, 6) == {}
    assert len(shared_runs(exam[:COMMON], made, 6)) == COMMON
