"""Markup read as plain mathematics, with the place where each character was written."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irl_core.text.markup import read_markup


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (r"\frac34 \times 20 = 15", "3/4 × 20 = 15"),
        (r"\frac{2.4}{0.2} = 12", "2.4/0.2 = 12"),
        (r"\frac{3 \times 4}{2} = 6", "(3 × 4)/2 = 6"),
        (r"\dfrac{\frac{1}{2}}{3}", "(1/2)/3"),
        (r"12 \div \frac{3}{4} = 16", "12 ÷ (3/4) = 16"),
        (r"\frac{1}{2}^2", "(1/2)^2"),
        (r"\frac{a}{b}x", "(a/b)x"),
        (r"\frac\pi2", "π/2"),
        (r"2\frac12 + 1", "2 1/2 + 1"),
        (r"2 \frac{1}{2} + 1", "2 1/2 + 1"),
        ("2½ × 4 = 10", "2 1/2 × 4 = 10"),
        ("12 ÷ ¾", "12 ÷ (3/4)"),
        (r"\sqrt{9 + 16} = \sqrt[3]{125} = \sqrt 25", "√(9 + 16) = ∛125 = √25"),
        (r"2^{3} + 2^{1+1}", "2^3 + 2^(1+1)"),
        ("3² + 10⁻³", "3^2 + 10^-3"),
        (r"90^\circ + 90^{\circ}", "90° + 90°"),
        (r"3\left(4+5\right) \cdot 2", "3(4+5) · 2"),
        (r"1{,}000 + 1,\!500", "1,000 + 1,500"),
        (r"1\,000 + 500", "1 000 + 500"),
        (r"0.8\overline{3} = 0.\bar 6", "0.8(3) = 0.(6)"),
        (r"\overline{AB}", "AB"),
        (r"\text{total} = \boxed{3+4=7}", "total = 3+4=7"),
        (r"17 \equiv 2 \pmod{5}", "17 ≡ 2  (mod 5)"),
        (r"\binom{9}{2} = 36", "C(9, 2) = 36"),
        (r"\begin{aligned}3+4&=7\\7+1&=8\end{aligned}", "3+4=7; 7+1=8 "),
        (r"x \le 5, y \ne 3, \pi \approx 3.14", "x ≤ 5, y ≠ 3, π ≈ 3.14"),
        (r"\( 3 + 4 \) and \[5\] and $$6$$", " 3 + 4  and 5 and 6"),
        (r"20\% of \$50", "20% of $50"),
        (r"5~\text{cm}", "5 cm"),
        ("a_{10} + b", "a_10 + b"),
        ("&frac12; &times; 3<br>4<sup>2</sup>", "1/2 × 3; 4^2"),
    ],
)
def test_latex_and_unicode_read_as_plain_mathematics(written, plain):
    assert read_markup(written).text == plain


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("\x0crac{36}{6} = 6", "36/6 = 6"),
        ("rac{36}{6} = 6", "36/6 = 6"),
        ("frac{36}{6} = 6", "36/6 = 6"),
        (r"\\frac{36}{6} = 6", "36/6 = 6"),
        ("4 \times 5 = 20", "4 × 5 = 20"),
        ("4 imes 5 = 20", "4 × 5 = 20"),
        (r"9 \\cdot 7", "9 · 7"),
        ("\x08oxed{7}", "7"),
        ("\text{so} 5", "so 5"),
        (r"\begin{align}3&=3\\\frac12&=0.5\end{align}", "3=3; 1/2=0.5 "),
    ],
)
def test_a_lost_or_doubled_backslash_is_made_up_for(written, plain):
    assert read_markup(written).text.strip() == plain.strip()


@pytest.mark.parametrize(
    "money", ["$5 + $3 = $8", "$5+$3=$8", "She paid $5, then $6.", "$3 a bag * 4 bags = $14", "5$"]
)
def test_money_is_no_delimiter_of_mathematics(money):
    assert read_markup(money).text == money


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("$3 a - 8 = 17 - 2 a$", "3 a - 8 = 17 - 2 a"),
        ("so $x = 5$, and it costs $7.", "so x = 5, and it costs $7."),
        ("It costs $5 and $x$ is 3.", "It costs $5 and x is 3."),
        (r"$\$5 + \$3 = \$8$", "$5 + $3 = $8"),
        ("($5 + 3 = 8$)", "(5 + 3 = 8)"),
    ],
)
def test_dollar_signs_around_mathematics_are_left_out(written, plain):
    assert read_markup(written).text == plain


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("**5 + 3 = 8**", "5 + 3 = 8"),
        ("*Note:* 5*3*2 = 30", "Note: 5*3*2 = 30"),
        ("2**3 = 8", "2^3 = 8"),
        ("### Step 1\n#### 42", "Step 1\n#### 42"),
        ("* item 5\n- cost 3\n• 7\n- 5 + 8 = 3", "item 5\ncost 3\n7\n- 5 + 8 = 3"),
        ("| a | 3 × 4 |\n|---|---|\n| b | 5 |", "a ; 3 × 4 \n\nb ; 5 "),
        ("`5+3=8`\n```python\nx\n```", "5+3=8\n\nx\n"),
        (r"a\_b \* c", "a_b * c"),
    ],
)
def test_markdown_is_left_out(written, plain):
    assert read_markup(written).text == plain


def test_digits_and_signs_of_other_scripts_are_plain():
    assert read_markup("５＋３＝９").text == "5+3=9"
    assert read_markup("١٢ + ٣").text == "12 + 3"
    assert read_markup("5\u00a0km \u2212 3\u202fkm").text == "5 km - 3 km"


def test_a_calculator_mark_is_left_out():
    plain = read_markup("48/2 = <<48/2=24>>24 clips")
    assert plain.text == "48/2 = 24 clips"
    assert plain.written_span(0, 9) == (0, 20)


def test_a_span_of_plain_characters_points_at_what_was_written():
    written = r"so $\frac{1}{2} + 3 = 4$ holds"
    plain = read_markup(written)
    start = plain.text.index("1/2")
    assert written[slice(*plain.written_span(start, start + 11))] == r"\frac{1}{2} + 3 = 4"
    assert plain.written_span(2, 2) == (2, 2)


PARTS = st.sampled_from(
    r"\frac \frac{ \frac12 \sqrt \sqrt[3]{ \text{ \boxed{ \left( \right) \times \\ \\frac { } {,} ^ ^{ _{ ^\circ $ $$"
    r" \$ \( \) & | ** * _ ` ``` ## - ½ ² ⁻ × << >> <br> &times; ~ 1 23 4.5 a bc = + / ( ) . \begin{align} \end{align}"
    r" \pmod \binom \overline \phantom \hspace{ #### \, \% ５ ٣".split()
) | st.sampled_from([" ", "\n", "\t", "\r\n", "\x0c", "\x08", "\x0crac{", "\times", "\x00", "\ud800", "🍎"])
HOSTILE = st.lists(PARTS, max_size=60).map("".join) | st.text(max_size=200)


def test_an_argument_in_brackets_begins_where_its_command_begins():
    plain = read_markup(r"5 + \dfrac{3 \times 4}{2}")
    assert plain.text == "5 + (3 × 4)/2"
    assert plain.written_span(4, 13) == (4, 25)


@given(HOSTILE)
def test_every_plain_character_has_its_place_in_the_written_text(text):
    plain = read_markup(text)
    assert len(plain.text) == len(plain.starts) == len(plain.ends)
    assert list(plain.starts) == sorted(plain.starts)
    assert list(plain.ends) == sorted(plain.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(plain.starts, plain.ends, strict=True))


@given(st.lists(st.sampled_from([*"1 2 34 a bc $ * ** { } ^ ^{ _ _{ # ( ) + = / . , ~ & [ ] ½".split(), " ", "\n"])))
def test_no_digit_and_no_letter_is_lost(parts):
    text = "".join(parts)
    kept = "".join(c for c in text.replace("½", "12") if c.isalnum())
    assert "".join(c for c in read_markup(text).text if c.isalnum()) == kept


@given(
    st.lists(
        st.sampled_from(
            [r"\frac", r"\sqrt", r"\text", r"\boxed", r"\left", r"\, ", "{1", "{a", "}", "{", " 2", "3", "bc "]
        )
    )
)
def test_nothing_is_lost_between_commands_whatever_they_hold(parts):
    kept = "".join(c for part in parts if not part.startswith("\\") for c in part if c.isalnum())
    text = "".join(part if not part.startswith("\\") or part.endswith(" ") else part + " " for part in parts)
    assert "".join(c for c in read_markup(text).text if c.isalnum()) == kept


@given(st.text(alphabet="abc XYZ 0123456789 +-/=().,;:!?'\"%×÷–°", max_size=80))
def test_text_without_markup_comes_back_as_it_is(text):
    plain = read_markup(text)
    assert (plain.text, list(plain.starts)) == (text, list(range(len(text))))


@pytest.mark.parametrize(
    "part",
    ["$", "\\frac", "\\frac{", "{", "}", "**", "*a ", "\\", "\\\\", "^{", "\\frac{1}{2}", "\\begin{align}", "&", "| ",
     "<<", "«1", "`", "#", "\\sqrt[", "$1 ", "_", "½", "\t", "\\text{a}", "\n- ", "| a |\n", "~", "\x0crac", "&times",
     "\\left(", "\\overline{3", "\\hspace{", "\ud800", "1"],
)  # fmt: skip
def test_reading_takes_time_in_proportion_to_the_text(part):
    def seconds(length):
        text = part * (length // len(part))
        taken = []
        for _ in range(3):  # the least of three: a collection of garbage may fall into any one
            begin = time.process_time()
            read_markup(text)
            taken.append(time.process_time() - begin)
        return min(taken)

    # Eight times the text: about 8 times the seconds where the time is linear, 64 times where it is quadratic.
    assert seconds(16_000) < 24 * max(seconds(2_000), 0.01)
