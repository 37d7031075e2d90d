"""A broken solution is wrong from one step on, and consistent with itself."""

import random

import pytest

from irl_core.learning.data.broken_chains import break_solution, carried_through
from irl_core.learning.data.error_kinds import KINDS, Break, swapped
from irl_core.learning.data.solution_graph import read_solution
from irl_core.learning.data.styles import Style, render
from irl_core.learning.data.styles.choices import Notation
from irl_core.text import check_equations, extract_answer
from tests.support.worked_solutions import BEEF, CLIPS, COFFEE, GARDEN, POINTS, READING, SAMPLE, WALLET

AS_GSM8K = Style(0, Notation(), {"inline": 1})


def read(demonstration):
    return read_solution(demonstration.question, demonstration.solution)


def written(solution):
    return render(solution, AS_GSM8K).splitlines()


def ways(demonstration, kind, node):
    """All that a kind of error makes of a node, as texts."""
    solution = read(demonstration)
    texts = {}
    for seed in range(60):
        change = KINDS[kind].make(solution, node, random.Random(seed))
        broken = carried_through(solution, change, kind) if change else None
        if broken:
            texts["\n".join(written(broken.wrong))] = broken.line
    return texts


def test_another_operator_is_carried_through_to_the_answer():
    assert ways(CLIPS, "operator", 0) == {
        f"Natalia sold 48 {sign} 2 = {first} clips in May.\n"
        f"Natalia sold 48 + {first} = {total} clips altogether in April and May.\n#### {total}": 0
        for sign, first, total in (("+", 50, 98), ("-", 46, 94), ("*", 96, 144))
    }


def test_another_quantity_of_the_problem_takes_the_place_of_an_operand():
    made = ways(BEEF, "quantity", 2)
    assert {text.splitlines()[2] for text in made} == {
        "So the chicken cost 2000 * $8 = $16000.",
        "So the chicken cost 1000 * $3 = $3000.",
    }
    assert set(made.values()) == {2}
    assert (
        "The beef cost $8 * 1000 = $8000.\nHe buys 1000 * 2 = 2000 pounds of chicken.\n"
        "So the chicken cost 2000 * $8 = $16000.\nSo the total cost is $8000 + $16000 = $24,000.\n#### 24000"
    ) in made
    assert ways(COFFEE, "quantity", 1) == {
        "He spends 2 * $2 = $4 per day.\nApril has 30 days so he spends $2 * 30 = $60.\n#### 60": 1
    }


def test_an_earlier_result_takes_the_place_of_an_operand():
    lines = next(text for text in ways(WALLET, "earlier_result", 1)).splitlines()
    assert lines[1:] == [
        "Betty's grandparents gave her $50 * 2 = $100.",
        "This means, Betty needs 100 - 50 - 100 - 15 = $-65 more.",
        "#### -65",
    ]


def test_a_term_is_dropped():
    made = ways(WALLET, "dropped", 2)
    assert {text.splitlines()[2] for text in made} == {
        "This means, Betty needs 100 - 30 - 15 = $55 more.",
        "This means, Betty needs 100 - 50 - 15 = $35 more.",
        "This means, Betty needs 100 - 50 - 30 = $20 more.",
    }
    assert set(made.values()) == {2}


def test_a_term_is_counted_twice():
    made = ways(CLIPS, "doubled", 1)
    assert list(made) == [
        "Natalia sold 48 / 2 = 24 clips in May.\n"
        "Natalia sold 48 + 24 + 24 = 96 clips altogether in April and May.\n#### 96"
    ]


def test_a_step_is_left_out_and_its_main_operand_stands_in_its_place():
    made = ways(BEEF, "left_out", 1)
    assert made == {
        "The beef cost $8 * 1000 = $8000.\nSo the chicken cost 1000 * $3 = $3000.\n"
        "So the total cost is $8000 + $3000 = $11,000.\n#### 11000": 1
    }
    assert ways(BEEF, "left_out", 3) == {}  # the last step has no use that could show it


def test_the_solution_stops_a_step_early():
    assert ways(COFFEE, "stopped_early", 0) == {"He spends 2 * $2 = $4 per day.\n#### 4": 1}


def test_a_comparison_is_read_backwards():
    assert [text.splitlines()[1] for text in ways(READING, "backwards", 1)] == [
        "So she read 30 pages - 15 pages = 15 pages today."
    ]
    assert ways(COFFEE, "backwards", 1) == {}  # nothing is compared


def test_a_percentage_is_taken_of_another_quantity():
    firsts = {text.splitlines()[0] for text in ways(READING, "percent_base", 0)}
    assert firsts == {
        "Today she read 50% of 120 = 60 pages more.",
        "Today she read 50% of 4 = 2 pages more.",
    }


def test_a_percentage_is_taken_for_what_it_leaves():
    made = ways(GARDEN, "percent_complement", 0)
    assert list(made) == [
        "There are 20 / 100 * 10 = 2 more purple flowers than yellow flowers.\n"
        "So in Mark's garden, there are 10 + 2 = 12 purple flowers.\n"
        "Purple and yellow flowers sum up to 10 + 12 = 22 flowers.\n"
        "That means in Mark's garden there are 25 / 100 * 22 = 5.5 green flowers.\n"
        "So in total Mark has 22 + 5.5 = 27.5 plants in his garden.\n#### 27.5"
    ]


def test_a_decimal_is_a_percentage_only_where_the_problem_speaks_of_percent():
    steps = "He eats 1.5 * 4 = <<1.5*4=6>>6 cups.\n#### 6"
    for question, made in (("He eats 1.5 cups, 4 times.", set()), ("It is 150% of 4 cups.", {"0.5 * 4 = 2"})):
        found = ways(CLIPS._replace(question=question, solution=steps), "percent_complement", 0)
        assert {text.splitlines()[0].removeprefix("He eats ").removesuffix(" cups.") for text in found} == made


def test_the_factor_of_a_unit_is_wrong_left_out_or_upside_down():
    lasts = {text.splitlines()[-2] for text in ways(READING, "unit", 4)}
    assert lasts == {
        "That is 180 / 100 = 1.8 hours.",
        "That is 180 / 10 = 18 hours.",
        "That is 180 * 60 = 10800 hours.",
    }


def test_two_digits_of_a_number_are_swapped_in_equation_and_words():
    made = ways(POINTS, "copied", 0)
    assert {text.splitlines()[0] for text in made} == {
        "She averaged 29 points per game because 435 / 15 = 29.",
        "She averaged 23.6 points per game because 354 / 15 = 23.6.",
        "She averaged 6.76 points per game because 345 / 51 = 6.76.",
    }
    assert swapped("100") == []
    assert swapped("3.5") == []
    assert swapped("480") == ["840", "408"]


def test_a_slip_of_arithmetic_alone_leaves_a_false_equation():
    for text, line in ways(CLIPS, "slip", 0).items():
        first, second, _ = text.splitlines()
        assert line == 0
        assert [check.ok for check in check_equations(first)] == [False]
        assert [check.ok for check in check_equations(second)] == [True]
    assert "Natalia sold 48 / 2 = 25 clips in May." in {t.splitlines()[0] for t in ways(CLIPS, "slip", 0)}


def test_the_steps_before_the_error_stay_as_they_are():
    for demonstration in SAMPLE:
        solution = read(demonstration)
        for seed in range(40):
            broken = break_solution(solution, random.Random(seed))
            right, wrong = written(broken.right_beside), written(broken.wrong)
            first = next(k for k, (a, b) in enumerate(zip(right, wrong, strict=True)) if a != b)
            assert first == broken.line


def test_every_equation_holds_unless_it_is_the_slip():
    for demonstration in SAMPLE:
        for seed in range(60):
            broken = break_solution(read(demonstration), random.Random(seed))
            text = render(broken.wrong, AS_GSM8K)
            false = [check.text for line in text.splitlines() for check in check_equations(line) if not check.ok]
            assert len(false) == (broken.kind == "slip"), text
            assert extract_answer(text) == broken.wrong.answer.digits.replace(",", "")


def test_results_that_give_themselves_away_are_refused():
    ugly = undone = n = 0
    for demonstration in SAMPLE:
        solution = read(demonstration)
        for seed in range(200):
            broken = break_solution(solution, random.Random(seed))
            n += 1
            pairs = list(zip(solution.nodes, broken.wrong.nodes, strict=True))
            assert all(node.result.value > 0 for node in broken.wrong.nodes)
            ugly += any(a.result.value.denominator == 1 < b.result.value.denominator for a, b in pairs)
            undone += broken.wrong.answer.value == solution.answer.value
    assert 0 < ugly < 0.15 * n
    assert undone < 0.03 * n


def test_one_seed_makes_one_error():
    solution = read(GARDEN)
    assert break_solution(solution, random.Random(3)) == break_solution(solution, random.Random(3))
    assert len({break_solution(solution, random.Random(seed)).wrong for seed in range(30)}) > 15


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_is_made_of_some_solution(kind):
    made = [break_solution(read(d), random.Random(seed), kind) for d in SAMPLE for seed in range(20)]
    assert {broken.kind for broken in made if broken} == {kind}


def test_a_break_that_divides_by_zero_is_none():
    solution = read(GARDEN)
    tokens = (*solution.nodes[0].tokens[:2], solution.nodes[0].tokens[2].at(0), *solution.nodes[0].tokens[3:])
    assert carried_through(solution, Break(0, tokens), "unit") is None
