"""Numbers and operators, where they are written and how much they surprised; all sums are made by hand."""

from __future__ import annotations

import pytest

from irl_core.critic.token_statistics import encode_items
from irl_core.diagnosis.mentions import Mention, read_mentions
from irl_core.text.equations import check_equations
from irl_core.text.traces import Trace
from tests.support.nano import nano_tokenizer
from tests.support.surprise import score_of, surprised
from tests.support.tokenizers import llama, qwen


def mentions(text: str, nats=None, level: float = 0.0, digits: int = 3) -> tuple[Mention, ...]:
    trace = Trace.from_text(text)
    return read_mentions(trace, score_of(trace, nats, level, digits), check_equations(text)).mentions


def written(text: str, found) -> list[str]:
    return [text[slice(*m.span)] for m in found]


def test_numbers_and_operators_are_mentioned_in_their_order_and_words_are_not():
    text = "She has 1,200 + 3.5 pens at 4 each, so 2 * 5 / 6."
    found = mentions(text)
    assert written(text, found) == ["1,200", "+", "3.5", "4", "2", "*", "5", "/", "6"]
    assert [m.is_number for m in found] == [True, False, True, True, True, False, True, False, True]


def test_a_bracket_that_opens_a_percent_sign_and_a_sign_of_money_are_chosen_as_operators_are():
    text = "He pays $5 and (20% of €3)."
    assert written(text, [m for m in mentions(text) if not m.is_number]) == ["$", "(", "%", "€"]


def test_a_hyphen_and_the_letter_x_are_no_operators():
    text = "The x-axis: 2x well-known pens."
    assert written(text, mentions(text)) == ["2"]


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_the_surprise_of_a_number_is_the_sum_of_its_tokens_however_many_they_are(digits):
    found = mentions("He pays 1250 coins, then 100.", {"1250": 6.0, "100": 1.5}, digits=digits)
    assert [m.excess for m in found] == pytest.approx([6.0, 1.5])


def test_two_tokenizers_with_the_same_sums_have_the_same_mentions_and_the_same_excess():
    text = "There are 12 * 150 = 1900 pens in all the boxes of the school, of which they then sell 12 more."
    nats = {"150": 3.0, "1900": 8.0, " *": 2.0}
    one, three = (mentions(text, nats, digits=digits) for digits in (1, 3))
    assert [(m.span, m[2:]) for m in one] == [(m.span, m[2:]) for m in three]
    assert [(text[slice(*m.span)], m.excess) for m in one] == [
        ("12", 0.0), ("*", 2.0), ("150", 3.0), ("1900", 8.0), ("12", 0.0)
    ]  # fmt: skip
    assert [len(m.tokens) for m in one] == [2, 1, 3, 4, 2]
    assert [len(m.tokens) for m in three] == [1, 1, 1, 2, 1]


@pytest.mark.parametrize("tokenizer", [llama, qwen, nano_tokenizer])
def test_with_a_real_tokenizer_a_number_has_all_its_tokens_and_their_sum(tokenizer):
    text = "**Step 1:** She has \\( 120 \\times 30 \\) apples, so 42."
    trace = Trace.from_text(text)
    (encoded,) = encode_items(tokenizer(), [("Q", trace)])
    surprise = [float(t) for t in range(len(encoded.offsets))]
    found = read_mentions(trace, surprised(trace, encoded.offsets, surprise), ()).mentions
    assert written(text, found) == ["120", "\\times", "30", "42"]
    level = sorted(surprise)[len(surprise) // 2] if len(surprise) % 2 else (len(surprise) - 1) / 2
    for mention in found:
        a, b = mention.span
        own = [t for t, (start, end) in enumerate(encoded.offsets) if start < b and a < end]
        assert list(mention.tokens) == own
        assert mention.excess == pytest.approx(sum(own) - level * len(own))


def test_surprise_is_counted_from_the_median_of_the_trace():
    # Tokens "He", " pays", " ", "12", " now", ".": 3, 3, 3, 7, 3 and 3 nats.
    (mention,) = mentions("He pays 12 now.", {"12": 7.0}, level=3.0)
    assert mention.excess == 4.0
    # A digit a token, the same 7 nats: 1 and 2 have 3.5 each, half a nat above the level.
    (mention,) = mentions("He pays 12 now.", {"12": 7.0}, level=3.0, digits=1)
    assert mention.excess == 1.0


def test_every_token_has_its_own_excess():
    trace = Trace.from_text("He pays 12.")
    reading = read_mentions(trace, score_of(trace, {"He": 1.0, "12": 7.0}, level=3.0), ())
    assert reading.excess.tolist() == [-2.0, 0.0, 0.0, 4.0, 0.0]


def test_a_critic_without_log_probabilities_has_its_rewards_taken_for_them():
    trace = Trace.from_text("He pays 12 now.")
    score = score_of(trace, {"12": 7.0})
    for same in (score, score.model_copy(update={"logprobs": ()})):
        assert [m.excess for m in read_mentions(trace, same, ()).mentions] == [7.0]


def test_what_stands_behind_the_sign_of_a_true_equation_is_vouched_for_and_of_a_false_one_not():
    text = "3 * 4 = 12 pens\n12 + 5 = 18 pens"
    vouched = [(text[slice(*m.span)], m.vouched) for m in mentions(text)]
    assert vouched == [
        ("3", False), ("*", False), ("4", False), ("12", True),
        ("12", False), ("+", False), ("5", False), ("18", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        *(
            "3 times 4 is 12 pens",
            "3 × 4 equals 12",
            "3 * 4 is equal to 12",
            "\\( 3 \\times 4 = \\) 12",
            "10 + 2 ≈ 12",
        ),
        *("The sum of 7 and 5: 7 plus 5 is 12", "10:15 am + 12 min = 10:27 am"),
    ],
)
def test_a_true_equation_in_words_vouches_for_its_result_alone(text):
    vouched = [text[slice(*m.span)] for m in mentions(text) if m.vouched]
    assert vouched in (["12"], ["10", "27"])


def test_a_false_equation_in_words_vouches_for_nothing():
    assert not any(m.vouched for m in mentions("3 times 4 is 13 pens"))


def test_a_number_that_the_solution_wrote_before_is_seen_in_whatever_manner_it_is_written():
    text = "1200 pens and 3, so 1,200.0 and 3.5 and 3 + 1200"
    seen = [(text[slice(*m.span)], m.seen) for m in mentions(text) if m.is_number]
    assert seen == [("1200", False), ("3", False), ("1,200.0", True), ("3.5", False), ("3", True), ("1200", True)]
    assert not any(m.seen for m in mentions(text) if not m.is_number)


def test_a_mention_in_latex_has_the_place_where_it_is_written():
    text = "Thus \\( 3 \\times 4 = \\frac{24}{2} \\)"
    found = mentions(text)
    assert [text[slice(*m.span)] for m in found[:3]] == ["3", "\\times", "4"]
    assert "24" in text[slice(*found[3].span)]
    assert found[-1].is_number
    assert "2" in text[slice(*found[-1].span)]


def test_labels_and_calculator_marks_hold_no_mention():
    text = "Step 1: 3*4 = <<3*4=12>>12\n2. so 12"
    assert written(text, mentions(text)) == ["3", "*", "4", "12", "12"]


def test_what_the_critic_did_not_read_has_no_mention():
    trace = Trace.from_text("He has 12 pens, then 30.")
    whole = score_of(trace, {"12": 7.0})
    n = next(t for t, (start, _) in enumerate(whole.offsets) if trace.text[start:].startswith(" then"))
    cut_off = surprised(trace, whole.offsets[:n], [-x for x in whole.logprobs[:n]])
    assert written(trace.text, read_mentions(trace, cut_off, ()).mentions) == ["12"]


def test_a_score_without_tokens_has_no_mentions():
    trace = Trace.from_text("He has 12 pens.")
    reading = read_mentions(trace, surprised(trace, (), ()), ())
    assert (reading.excess.tolist(), reading.mentions) == ([], ())


def test_a_number_too_long_to_be_read_is_mentioned_and_seen_nowhere_else():
    long = "9" * 400
    found = mentions(f"{long} pens and 5 pens")
    assert [(m.is_number, m.seen) for m in found] == [(True, False), (True, False)]
