"""One solution in many manners: the words around it change, what it says does not."""

import random
import re
from collections import Counter
from fractions import Fraction

import pytest

from irl_core.learning.data.broken_chains import break_solution
from irl_core.learning.data.solution_graph import read_solution
from irl_core.learning.data.styles import Style, draw_style, render
from irl_core.learning.data.styles.choices import ENDINGS, INTROS, LABELS, PUPIL_ENDINGS, Notation
from irl_core.learning.data.worked_equations import evaluate
from irl_core.text import answers_match, check_equations, extract_answer, split_steps
from irl_core.text.plain_reading import read_plainly
from tests.support.worked_solutions import CLIPS, COFFEE, GARDEN, SAMPLE, WALLET

SOLUTIONS = [read_solution(d.question, d.solution) for d in SAMPLE]
CLIPS_READ = read_solution(CLIPS.question, CLIPS.solution)
WALLET_READ = read_solution(WALLET.question, WALLET.solution)
PLAIN = Style(0, Notation(), {"inline": 1})


def drawn(n):
    rng = random.Random(0)
    return [draw_style(rng) for _ in range(n)]


def test_the_same_solution_in_hands_that_are_set():
    assert render(CLIPS_READ, PLAIN) == (
        "Natalia sold 48 / 2 = 24 clips in May.\nNatalia sold 48 + 24 = 72 clips altogether in April and May.\n#### 72"
    )
    pupil = Style(0, Notation("x", "÷", is_tight=True), {"terse": 1}, ending="so", lower=True)
    assert render(CLIPS_READ, pupil) == "48÷2=24 clips\n48+24=72 clips\nso 72"
    steps = Style(0, Notation("×", "÷"), {"terse": 1}, "**Step {n}:** ", "\n\n", ending="colon")
    assert render(CLIPS_READ, steps).splitlines()[:3] == [
        "**Step 1:** 48 ÷ 2 = 24 clips",
        "",
        "**Step 2:** 48 + 24 = 72 clips",
    ]
    display = Style(0, Notation("\\times", "frac", wrapper="\\["), {"result_first": 1}, ending="hashes")
    assert render(CLIPS_READ, display).startswith(
        "Natalia sold 24 clips in May:\n\\[\n\\frac{48}{2} = 24\n\\]\nNatalia sold 72"
    )
    inline = Style(0, Notation("\\times", "\\div", wrapper="$"), {"inline": 1})
    assert render(WALLET_READ, inline).splitlines()[0] == ("In the beginning, Betty has only $100 \\div 2 = \\$50$.")


def test_a_paragraph_is_one_line_of_sentences():
    style = Style(0, Notation(), {"inline": 1}, join=" ", intro="given", ending="answer_is")
    text = render(CLIPS_READ, style)
    assert "\n" not in text
    assert [text[a:b].strip() for a, b in split_steps(text)][2:4] == [
        "Natalia sold 48 / 2 = 24 clips in May.",
        "Natalia sold 48 + 24 = 72 clips altogether in April and May.",
    ]


@pytest.mark.parametrize("commas", [True, False])
def test_thousands_are_set_apart_or_not(commas):
    beef = next(s for s in SOLUTIONS if s.answer.value == 14000)
    text = render(beef, Style(0, Notation(commas=commas), {"terse": 1}))
    assert ("14,000" in text) == commas
    assert ("14000" in text) != commas


def test_every_equation_and_the_answer_survive_every_style():
    for style in drawn(400):
        for solution in SOLUTIONS:
            # The checker takes the dash of "Step 3 - " for a minus and then checks nothing in that step.
            text = re.sub(r"^(Step \d) - ", r"\1: ", render(solution, style), flags=re.MULTILINE)
            checks = [check for a, b in split_steps(text) for check in check_equations(text[a:b])]
            assert [check.text for check in checks if not check.ok] == [], text
            results = {Fraction(check.stated.rstrip("%")) for check in checks}
            shown = {node.result.value for node in solution.nodes if node.is_shown}
            assert shown <= results, text
            assert answers_match(solution.answer.digits, extract_answer(text)), (style, text)


def test_every_number_of_an_equation_survives_every_style():
    for style in drawn(300):
        for solution in SOLUTIONS:
            plain = read_plainly(render(solution, style)).text.replace(",", "")
            found = Counter(re.findall(r"\d+(?:\.\d+)?|\.\d+", plain))
            for node in solution.nodes:
                numbers = [t.digits for t in node.tokens if not isinstance(t, str)] + [node.result.digits]
                for number in numbers if node.is_shown else numbers[-1:]:
                    assert found[number.replace(",", "")] > 0, (number, plain)


def test_the_steps_keep_their_order():
    style = Style(5, Notation("×", "÷"), {"terse": 1}, "Step {n}: ")
    for solution in SOLUTIONS:
        text = render(solution, style)
        steps = [text[a:b] for a, b in split_steps(text)]
        assert len(steps) == len(solution.lines) + 1
        for k, step in enumerate(steps[:-1]):
            stated = [Fraction(check.stated) for check in check_equations(step)]
            assert stated == [solution.nodes[i].result.value for i in solution.nodes_in(k)]


def test_right_and_wrong_have_the_same_words():
    """What is drawn does not depend on the numbers: without them, signs, and titles, the texts are one."""

    def words(text):
        text = re.sub(r"\*\*[^*\n]*\*\*|^#+ .*$|^Step \d+: .*$", "", text, flags=re.MULTILINE)
        text = re.sub(r"\\(?:frac|times|div|cdot|text\{ of \})", "", text)
        return re.sub(r"[\d.,$%{}\\()×÷·*/x+\s-]|\bof\b", "", text)

    rng = random.Random(0)
    for style in drawn(150):
        for solution in SOLUTIONS:
            broken = break_solution(solution, rng, "slip")
            assert words(render(broken.wrong, style)) == words(render(solution, style))


def test_a_style_is_a_function_of_its_seed():
    assert drawn(50) == drawn(50)
    for style in drawn(50):
        assert render(WALLET_READ, style) == render(WALLET_READ, style)


def test_all_choices_are_drawn_and_combined():
    styles = drawn(3000)
    assert {s.label for s in styles} == set(LABELS)
    assert {s.intro for s in styles} == set(INTROS)
    assert {s.ending for s in styles} == set(ENDINGS) | set(PUPIL_ENDINGS)
    assert {s.notation.wrapper for s in styles} == {"", "\\(", "$", "\\[", "$$"}
    assert {s.notation.times for s in styles} == {"*", "×", "x", "·", "\\times", "\\cdot"}
    families = Counter(s.family for s in styles)
    assert set(families) == {"pupil", "latex", "markdown", "labelled", "terse", "paragraph", "prose", "plain"}
    assert min(families.values()) > 60
    assert len({s.description for s in styles}) > 1500


def test_a_display_formula_stands_in_lines_of_its_own():
    for style in drawn(400):
        if style.notation.wrapper == "\\[":
            text = render(WALLET_READ, style)
            assert all(line in ("\\[", "\\]") for line in text.splitlines() if "\\[" in line or "\\]" in line), text


def test_a_fraction_is_not_made_of_part_of_a_longer_quotient():
    solution = read_solution("Take 48, 4 and 3.", "He has 48/4/3 = <<48/4/3=4>>4 left.\n#### 4")
    style = Style(0, Notation("\\times", "frac", wrapper="\\("), {"inline": 1})
    assert render(solution, style).startswith("He has \\( \\frac{48}{4} \\div 3 = 4 \\) left.")
    assert evaluate(solution.nodes[0].tokens) == 4


def test_coffee_and_garden_have_no_doubled_openers():
    for style in drawn(600):
        for demonstration in (COFFEE, GARDEN):
            text = render(read_solution(demonstration.question, demonstration.solution), style)
            assert not re.search(r"\b(?:so,? so|this means that means|then,? so|finally, so)\b", text, re.IGNORECASE)
