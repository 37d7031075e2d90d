"""What a critic reads of a solution: plain mathematics, a step to a line, with the place where each character is."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from irl_core.text.plain_reading import read_plainly


def read(text: str) -> str:
    return read_plainly(text).text


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (r"So \( 3 \times 4 = 12 \) pens.", "So 3 * 4 = 12 pens."),
        (r"\frac{12}{4} = 3", "12/4 = 3"),
        (r"$$5 \cdot 6 = 30$$", "5 * 6 = 30"),
        (r"The answer is \boxed{42}.", "The answer is 42."),
        ("**Cost:** __3__ pens", "Cost: 3 pens"),
        ("<b>3</b> &times; 4", "3 * 4"),
    ],
)
def test_latex_and_markdown_are_read_as_plain_mathematics(written, plain):
    assert read(written) == plain


@pytest.mark.parametrize(
    "label", ["Step 1: ", "Step 12 - ", "STEP #3. ", "Part 2) ", "### Step 1: ", "**Step 4:** ", "1. ", "2) ", "(3) "]
)
def test_the_label_of_a_step_is_not_read_where_a_line_begins(label):
    assert read(f"{label}She buys 4 pens.\n{label}She loses 2.") == "She buys 4 pens.\nShe loses 2."


NUMBERS = ["(3)", "3)", "3."]


@pytest.mark.parametrize("number", [*NUMBERS, "(a)"])
@pytest.mark.parametrize(
    "behind",
    [
        *(
            "x (4) = 12",
            "× 4 = 12",
            "·4 = 12",
            "÷ 3 = 1",
            "/ 3 = 1",
            "+ 4 = 7",
            "- 1 = 2",
            "− 1 = 2",
            "= 3",
            "^ 2 = 9",
        ),
        *("times 4 is 12", "plus 4 equals 7", "cm × 4 = 12 cm", "kg + 2 kg = 5 kg", "hours * 60 = 180 minutes"),
    ],
)
def test_a_bracketed_number_that_something_is_done_with_is_no_label(number, behind):
    written = f"{number} {behind}"
    plain = written.translate(str.maketrans("×·÷−", "**/-")).replace(") x (", ") * (")
    assert read(written).startswith(plain[: len(number) + 3])
    assert read(f"She has pens.\n{written}").splitlines()[1] == read(written)


@pytest.mark.parametrize("written", ["(3)(4) = 12", "(3) (4) = 12", "(3)+4 = 7", "3)+4", "(3) apples × 4 = 12 apples"])
def test_a_bracketed_factor_or_summand_stays(written):
    assert read(written).startswith(written[:3])


@pytest.mark.parametrize("label", NUMBERS)
@pytest.mark.parametrize(
    "said",
    [
        *(
            "She buys 4 pens.",
            "4 + 3 = 7",
            "-5 + 7 = 2",
            "x + 4 = 7",
            "(4 + 3) * 2 = 14",
            "$4 + $3 = $7",
            "Total = 4 + 3",
        ),
        *("Times two is 8.", "plus the pens", "km are 1000 m.", "4 kg + 3 kg = 7 kg", "Cost * 3 = 12"),
    ],
)
def test_a_number_with_words_or_a_calculation_of_its_own_behind_it_is_a_label(label, said):
    assert read(f"{label} {said}") == said


@pytest.mark.parametrize(
    "label", ["Stage 3: ", "Phase 2 - ", "Step (3): ", "Step 3.1: ", "Step No. 3: ", "Step 2 of 5: "]
)
def test_a_step_by_another_name_or_count_is_a_label(label):
    assert read(f"{label}She buys 4 pens.") == "She buys 4 pens."


@pytest.mark.parametrize("mark", ["* ", "• ", "  ", "> 1. ", "- Step 2: "])
def test_the_marks_of_lists_and_indents_are_not_read(mark):
    assert read(f"Pens:\n{mark}4 red\n{mark}2 blue") == "Pens:\n4 red\n2 blue"


@pytest.mark.parametrize("between", ["\n\n", "\n\n\n\n", "\n---\n", "\n\n====\n\n", "  \n", "\n \t \n", "\n***\n"])
def test_rules_empty_lines_and_spaces_at_the_end_leave_one_line_break(between):
    assert read(f"3 + 4 = 7{between}7 + 1 = 8") == "3 + 4 = 7\n7 + 1 = 8"


@pytest.mark.parametrize("text", ["#### 12", "1.5 + 2 = 3.5", "- 5 + 7 = 2", "12\n5\n17", "It takes step 3: 4 pens."])
def test_what_only_looks_like_a_label_is_read(text):
    assert read(text) == text


@pytest.mark.parametrize("times", ["×", "·", "⋅", "∙", "x", "X", r"\times", r"\cdot", "&times;"])
def test_every_sign_of_multiplication_is_read_as_one(times):
    assert read(f"She pays 3 {times} $4 = $12.") == "She pays 3 * $4 = $12."


def test_signs_of_division_and_minus_are_read_in_one_manner():
    assert read("12 ÷ 4 = 3 and 5 − 2 = 3") == "12 / 4 = 3 and 5 - 2 = 3"
    assert read("3x4, 50% x 8, (1 + 2) x 3") == "3*4, 50% * 8, (1 + 2) * 3"


@pytest.mark.parametrize("text", ["2x + 3 = 7", "x = 5", "So x 5 is out.", "4x, then 3y", "max 3", "3 xylophones"])
def test_an_x_that_is_a_letter_stays(text):
    assert read(text) == text


def test_calculator_marks_are_not_read():
    assert read("48/2 = <<48/2=24>>24 clips") == "48/2 = 24 clips"


def test_a_number_is_found_where_it_is_written():
    text = "**Step 1:**  3 × 4 = <<3*4=12>>12\n\n2. \\( 12 \\div 4 = \\frac{6}{2} \\)"
    plain = read_plainly(text)
    assert plain.text == "3 * 4 = 12\n12 / 4 = 6/2"
    spans = [plain.written_span(plain.text.index(part), plain.text.index(part) + len(part)) for part in ("12\n", "6")]
    assert [text[a:b] for a, b in spans] == ["12\n", "\\frac{6"]
    at = plain.text.index("*")
    assert text[slice(*plain.written_span(at, at + 1))] == "×"


@pytest.mark.parametrize("text", ["**", "---", "###", "$", "```", "1. ", "\n\n\n", "* ", "\\(\\)", "<<3*4=12>>", " "])
def test_a_text_of_markup_only_is_read_so_that_something_is_left_to_score(text):
    plain = read_plainly(text)
    assert plain.text
    assert len(plain.text) == len(plain.starts) == len(plain.ends)
    assert text[plain.starts[0] : plain.ends[-1]].startswith(plain.text[0])


def test_no_text_has_an_empty_reading():
    assert read("") == ""


PIECES = st.sampled_from(
    ["**", "### ", "Step 1: ", "1. ", "- ", "• ", "\n", "\n\n", "  ", "---", "3", "12.5", " x ", "x", "×", "÷", "−",
     "=", "\\frac{1}{2}", "\\( ", " \\)", "\\times", "$", "<<1+1=2>>", "so", "pens.", "é", "😀", "|", "½", "<br>", "{"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60)


@given(TEXTS)
@example("\n1. 3 x 4\n\n---\n")
def test_positions_never_decrease_and_lie_in_the_text(text):
    plain = read_plainly(text)
    assert len(plain.text) == len(plain.starts) == len(plain.ends)
    assert list(plain.starts) == sorted(plain.starts)
    assert all(0 <= a < b <= len(text) for a, b in zip(plain.starts, plain.ends, strict=True))


# Plain lines: no markup, so that each character is kept at its own place or is a sign read in the one manner.
WORDS = ("Step 2: ", "1. ", "3", "12", " x ", " × ", " ÷ ", " − ", " + ", "\n", "\n\n", "so ")
PLAIN = st.lists(st.sampled_from(WORDS)).map("".join)
SIGNS = {"×": "*", "÷": "/", "−": "-", "x": "*"}


@given(PLAIN)
def test_every_character_that_is_kept_is_at_its_place_or_is_the_sign_that_stands_for_it(text):
    plain = read_plainly(text)
    for char, start, end in zip(plain.text, plain.starts, plain.ends, strict=True):
        assert end == start + 1
        assert char in (text[start], SIGNS.get(text[start]))


@given(PLAIN)
def test_no_digit_is_lost_but_those_of_labels(text):
    assert read(text.replace("Step 2: ", "").replace("1. ", "")).count("3") == text.count("3")


HOSTILE = ["*", "1. ", "\n", "- ", "x 3 x 3", "3 x ", "\n- ", "> ", "---\n", "\n \n", "Step 1: ", "\\( ", "<<1"]


@pytest.mark.parametrize("part", HOSTILE)
def test_reading_plainly_takes_linear_time(part):
    def seconds(repeats: int) -> float:
        taken = []
        for _ in range(3):
            started = time.process_time()
            read_plainly(part * repeats)
            taken.append(time.process_time() - started)
        return min(taken)

    n = 100_000 // len(part)
    # Eight times the text: about 8 times the seconds where the time is linear, 64 times where it is quadratic.
    assert seconds(n) < 25 * max(seconds(n // 8), 0.002)
