"""Features of steps and the probabilities they lead to: exact values, and what must not change them."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irl_core.diagnosis.evidence import TraceEvidence, gather
from irl_core.diagnosis.features import FEATURES, MOST_NATS, Feature, features
from irl_core.diagnosis.first_error import (
    constant,
    first_error_probabilities,
    log_odds,
    step_log_odds,
    token_heat,
)
from irl_core.diagnosis.suspect_step import diagnose_scored
from irl_core.text.steps import step_of_tokens
from irl_core.text.traces import Trace
from tests.support.surprise import calibrated, cut, named, score_of, surprised

QUESTION = "Tom has 3 boxes with 4 pens in each. How many pens are there?"
OF_SURPRISE = ("worst_choice", "three_worst_choices", "mean_choice", "upper_surprise")
# Not far from what a fit finds, the writing's own level against.
WEIGHTS = {
    "worst_choice": 0.5, "three_worst_choices": 0.25, "mean_choice": 0.5, "false_equation": 3.0,
    "unknown_number": 0.5, "no_number": -0.5, "upper_surprise": 0.25,
}  # fmt: skip
CALIBRATION = calibrated(-3.0, **{name: weight for name, weight in WEIGHTS.items() if name in FEATURES})

Rows = list[tuple[Feature, ...]]


def rows_of(steps: Sequence[str], nats: dict[str, float] | None = None, level: float = 0.0) -> Rows:
    trace = Trace.from_steps(steps)
    return features(gather(QUESTION, trace, score_of(trace, nats, level)))


def values(rows: Rows, without: str = "") -> list[list[float]]:
    return [[f.value for name, f in zip(FEATURES, row, strict=True) if name != without] for row in rows]


def test_there_is_one_value_for_each_feature_of_each_step():
    rows = rows_of(["3 * 4 = 12 pens", "#### 12"])
    assert [len(row) for row in rows] == [len(FEATURES)] * 2


def test_choices_are_the_worst_and_the_mean_on_a_logarithmic_scale():
    # Choices 3, *, 4 and 5: the equation is true, so nobody chooses its 12.
    rows = rows_of(
        ["There are 3 * 4 = 12 pens in all of the boxes.", "So he has 12 and 5 pens there."],
        {"3": 6.0, " *": 3.0, "4": 1.5, "12": 9.0, "5": 2.0},
    )
    assert named(rows[0], "worst_choice").value == pytest.approx(math.log(1 + 6))
    assert named(rows[0], "three_worst_choices").value == pytest.approx(math.log(1 + 3.5))
    assert named(rows[0], "mean_choice").value == pytest.approx(math.log(1 + 3.5))
    assert named(rows[1], "worst_choice").value == pytest.approx(math.log(1 + 2))
    assert named(rows[1], "mean_choice").value == pytest.approx(math.log(1 + 1)), "5 and the 12 that cost nothing"


def test_surprise_above_a_bound_counts_as_the_bound_and_below_the_level_as_none():
    rows = rows_of(["There are now some 7 pens.", "And then some 9 pens."], {"7": 500.0, "9": 0.0}, level=2.0)
    assert [named(row, "worst_choice").value for row in rows] == pytest.approx([math.log(1 + MOST_NATS), 0.0])


def test_exact_findings_are_counted():
    rows = rows_of(["3 * 4 = 13 pens", "13 - 17 - 19 - 23 = 5", "So it is done.", "#### 6"])
    assert [named(row, "false_equation").value for row in rows] == [1.0, 1.0, 0.0, 0.0]
    assert [named(row, "unknown_number").value for row in rows] == [0.0, 2.0, 0.0, 0.0], "three count as two"
    assert [named(row, "no_number").value for row in rows] == [0.0, 0.0, 1.0, 0.0]


def test_a_slip_that_is_repeated_is_counted_once():
    rows = rows_of(["9 * 4 = 38", "So 9 * 4 = 38 again."])
    assert [named(row, "false_equation").value for row in rows] == [1.0, 0.0]


def test_the_shares_of_a_feature_add_up_to_one():
    nats = {"3": 6.0, " *": 3.0, "13": 2.0, "17": 1.0}
    for row in rows_of(["There are 3 * 4 = 13 pens in the box.", "13 - 17 = 5 of them", "#### 6"], nats):
        for feature in row:
            assert not feature.shares or sum(feature.shares.values()) == pytest.approx(1.0)


def test_tokens_share_a_mean_in_proportion_to_what_they_add():
    trace = Trace.from_text("Now he has 16 and 4 of them all.")
    offsets = cut(trace.text, digits=1)
    score = surprised(trace, offsets, [6.0 * (trace.text[a:b] in "16") + 4.0 * (trace.text[a:b] == "4")
                                       for a, b in offsets])  # fmt: skip
    (row,) = features(gather(QUESTION, trace, score))
    shares = {trace.text[slice(*offsets[t])]: share for t, share in named(row, "mean_choice").shares.items()}
    assert shares == pytest.approx({"1": 6 / 16, "6": 6 / 16, "4": 4 / 16})


def heat_of(steps: Sequence[str], nats: dict[str, float] | None = None, **weights: float) -> dict[str, float]:
    trace = Trace.from_steps(steps)
    score = score_of(trace, nats)
    heat = token_heat(features(gather(QUESTION, trace, score)), calibrated(**weights), len(score.offsets))
    return {trace.text[slice(*score.offsets[t])]: nats for t, nats in enumerate(heat) if nats}


def test_each_of_several_false_equations_of_a_step_has_its_share_of_the_heat():
    heat = heat_of(["So 3 * 4 = 13 pens and 2 + 2 = 5 hats and 6 + 1 = 7 caps"], false_equation=2.0)
    assert heat == {"13": -1.0, "5": -1.0}


def test_the_heat_of_a_false_equation_lies_on_the_result_that_it_states():
    assert heat_of(["So 3 * 4 = 13 pens", "13 + 1 = 14"], false_equation=2.5) == {"13": -2.5}


def test_the_heat_of_an_unknown_number_lies_on_it():
    assert heat_of(["3 * 4 = 12", "12 - 17 = -5"], unknown_number=1.5) == {"17": -1.5}


def test_what_a_surprising_number_adds_is_its_heat():
    heat = heat_of(["Tom then has 3 and also 4 of the pens."], {"3": 6.0, "4": 2.0}, mean_choice=2.0)
    assert heat == {"3": pytest.approx(-2 * math.log(5) * 0.75), "4": pytest.approx(-2 * math.log(5) * 0.25)}


WORDS = re.compile(r"\s?[A-Za-z0-9.]+")
Example = tuple[Trace, tuple[tuple[int, int], ...], list[float]]


def example(seed: int) -> Example:
    """Three to five steps; two numbers and a word of each surprise at random, the other six tokens by a nat.

    So the level is one nat, and five tokens of each step are at it or above. Surprises are multiples of 1 / 64, so
    that sums are exact.
    """
    rng = random.Random(seed)
    steps = [
        f"{rng.choice(['Tom', 'She'])} has {rng.randrange(10, 99)} pens with {rng.randrange(10, 99)} more cups there."
        for _ in range(rng.randint(3, 5))
    ]
    trace = Trace.from_steps(steps)
    offsets = tuple(m.span() for m in WORDS.finditer(trace.text))
    surprise = [
        rng.randrange(rng.choice((64, 300, 900))) / 64 if re.search(r"\d|cups", trace.text[a:b]) else 1.0
        for a, b in offsets
    ]
    return trace, offsets, surprise


def read(case: Example) -> TraceEvidence:
    trace, offsets, surprise = case
    return gather(QUESTION, trace, surprised(trace, offsets, surprise))


def whole(probabilities: Sequence[float]) -> float:
    return log_odds(sum(probabilities))


SEEDS = st.integers(0, 10_000)


@given(SEEDS, st.integers(-640, 6400))
def test_a_constant_added_to_every_tokens_surprise_changes_nothing(seed, constant_of_64):
    trace, offsets, surprise = example(seed)
    shifted = [nats + constant_of_64 / 64 for nats in surprise]
    assert features(read((trace, offsets, shifted))) == features(read((trace, offsets, surprise)))
    before, after = (
        diagnose_scored(QUESTION, trace, surprised(trace, offsets, s), CALIBRATION) for s in (surprise, shifted)
    )
    assert [s.error_probability for s in after.steps] == [s.error_probability for s in before.steps]
    assert (after.first_suspect, after.not_sure, after.token_heat) == (
        before.first_suspect, before.not_sure, before.token_heat
    )  # fmt: skip


def split(case: Example, repeated: bool) -> Example:
    """Every token as two; each has the whole surprise where it is `repeated`, else half of it."""
    trace, offsets, surprise = case
    halves = tuple(half for a, b in offsets for half in ((a, b - 1), (b - 1, b)))
    return trace, halves, [nats if repeated else nats / 2 for nats in surprise for _ in range(2)]


def with_words(case: Example) -> Example:
    """Every step with three more words, which surprise by the level of one nat."""
    trace, offsets, surprise = case
    longer = Trace.from_steps([text.rstrip("\n") + " in all indeed." for text in trace.step_texts()])
    owners, more = step_of_tokens(offsets, trace.steps), []
    for k in range(len(trace.steps)):
        more += [nats for nats, owner in zip(surprise, owners, strict=True) if owner == k] + [1.0] * 3
    return longer, tuple(m.span() for m in WORDS.finditer(longer.text)), more


@given(SEEDS)
def test_words_of_the_median_surprise_change_no_feature_of_a_step(seed):
    case = example(seed)
    after, before = (values(features(read(c)), "upper_surprise") for c in (with_words(case), case))
    assert after == before


@given(SEEDS)
def test_steps_of_tokens_that_are_all_repeated_have_features_higher_by_log_two_at_most(seed):
    case = example(seed)
    for before, after in zip(features(read(case)), features(read(split(case, repeated=True))), strict=True):
        for name in OF_SURPRISE:
            assert -1e-12 <= named(after, name).value - named(before, name).value <= math.log(2) + 1e-12


BOUND = 1e-9 + math.log(2) * sum(abs(WEIGHTS[name]) for name in OF_SURPRISE)
"""How far the log-odds of P(error) may move where every step is lengthened alike: 2.4 with these weights.

Every feature of surprise is log(1 + x) of an x that at most doubles or halves, so each moves by log 2 at most.
"""


@settings(max_examples=200)
@given(SEEDS, st.sampled_from(["split", "repeated", "words"]))
def test_lengthening_every_step_alike_names_no_other_step_and_moves_the_probability_little(seed, how):
    case = example(seed)
    longer = with_words(case) if how == "words" else split(case, repeated=how == "repeated")
    z_before, z_after = (step_log_odds(features(read(c)), CALIBRATION) for c in (case, longer))
    before, after = first_error_probabilities(z_before), first_error_probabilities(z_after)
    assert abs(whole(after) - whole(before)) <= BOUND
    first, second = sorted(z_before, reverse=True)[:2]
    if how == "words" or first - second > 0.7:  # steps that are nearer, a factor of two, are a tie for any reader
        assert after.index(max(after)) == before.index(max(before))


@given(SEEDS, st.sampled_from(["split", "words"]))
def test_choices_alone_name_the_same_step_with_the_same_probability_however_long_the_steps_are(seed, how):
    case = example(seed)
    longer = with_words(case) if how == "words" else split(case, repeated=False)
    alone = calibrated(-3.0, worst_choice=0.5, three_worst_choices=1.0, mean_choice=0.5)
    before, after = (first_error_probabilities(step_log_odds(features(read(c)), alone)) for c in (case, longer))
    assert after == before


@given(SEEDS, st.booleans())
def test_the_heat_of_a_steps_tokens_and_its_constant_add_up_to_its_log_odds(seed, false):
    trace, _, _ = example(seed)
    if false:
        trace = Trace.from_steps([*(t.strip() for t in trace.step_texts()), "3 * 4 = 13 and 8 - 41 = 7", "#### 99"])
    offsets = cut(trace.text)
    rng = random.Random(seed)
    score = surprised(trace, offsets, [rng.expovariate(0.5) for _ in offsets])
    rows = features(gather(QUESTION, trace, score))
    heat, owners = token_heat(rows, CALIBRATION, len(offsets)), step_of_tokens(offsets, trace.steps)
    for k, (row, z) in enumerate(zip(rows, step_log_odds(rows, CALIBRATION), strict=True)):
        own = sum(nats for nats, owner in zip(heat, owners, strict=True) if owner == k)
        assert constant(row, CALIBRATION) - own == pytest.approx(z)
