"""A demonstration is read as a chain of results, or not at all."""

from fractions import Fraction

import pytest

from irl_core.learning.data.solution_graph import read_solution
from irl_core.learning.data.worked_equations import (
    NotReadable,
    Quantity,
    evaluate,
    quantities,
    read_expression,
    rounded,
)
from tests.support.worked_solutions import CLIPS, POINTS, READING, SAMPLE, WALLET


def read(demonstration):
    return read_solution(demonstration.question, demonstration.solution)


def origins(demonstration):
    nodes = read(demonstration).nodes
    return [[(q.source, q.place, q.digits) for _, q in quantities(node.tokens)] for node in nodes]


def test_every_operand_is_known_by_where_it_comes_from():
    assert origins(CLIPS) == [
        [("given", 0, "48"), ("constant", -1, "2")],
        [("given", 0, "48"), ("result", 0, "24")],
    ]
    assert origins(WALLET)[2] == [
        ("given", 0, "100"),
        ("result", 0, "50"),
        ("result", 1, "30"),
        ("given", 1, "15"),
    ]


def test_words_numbers_and_equations_are_the_pieces_of_a_line():
    before, node, after = read(CLIPS).lines[0]
    assert (before, node, after) == ("Natalia sold ", 0, " clips in May.")
    said = read(POINTS).lines[0][1]
    assert isinstance(said, Quantity)
    assert (said.digits, said.source, said.place) == ("23", "result", 0)


def test_units_currency_and_percent_stay_with_their_numbers():
    first, second = (q for _, q in quantities(read(READING).nodes[1].tokens))
    assert (first.after, second.after) == (" pages", " pages")
    assert read(READING).nodes[0].tokens[0].is_percent
    assert read(WALLET).nodes[0].result.before == "$"


def test_the_answer_is_the_result_of_a_node():
    answer = read(POINTS).answer
    assert (answer.value, answer.source, answer.place) == (3, "result", 5)


@pytest.mark.parametrize(
    "solution",
    [
        "3 + 4 = <<3+4=8>>8\n#### 8",  # does not agree
        "3 + 4 = <<3*4=12>>12\n#### 12",  # text and mark disagree
        "x + 4 = 12\n8 = <<12-4=8>>8\n#### 8",  # an unknown
        "3 + 4 = 5 + 2 = <<5+2=7>>7\n#### 7",  # a chain
        "(3 + 4 = <<3+4=7>>7\n2 + 1) = 3\n#### 3",  # a bracket that nobody opens
        "3 + 4 = <<3+4=7>>7\n#### 9",  # the answer is no result
        "3 + 4 = <<3+4=7>>7",  # no answer
        "3 plus 4 equals <<3+4=7>>7\n#### 7",  # an operator in words
        "It is <<7=7>>7\n#### 7",  # nothing is computed
    ],
)
def test_what_cannot_be_read_exactly_is_left_out(solution):
    assert read_solution("Tom has 3 and 4.", solution) is None


def test_an_expression_is_evaluated_exactly():
    assert evaluate(read_expression("2+3*4-10/4")) == Fraction(23, 2)
    assert evaluate(read_expression("20%*50")) == 10
    assert evaluate(read_expression("2(3+4)")) == 14
    assert evaluate(read_expression("-(2+3)*2")) == -10
    for text in ("3/0", "3+", "(3", "3 4", "a+1"):
        with pytest.raises(NotReadable):
            evaluate(read_expression(text))


def test_another_value_is_written_as_the_number_was():
    def shown(digits, value, before=""):
        return Quantity(Fraction(digits.replace(",", "")), digits, before).at(Fraction(value)).digits

    assert shown("1,200", 34567) == "34,567"
    assert shown("12.50", "3.5", "$") == "3.50"
    assert shown("12.50", 3, "$") == "3.00"
    assert shown("12", "0.5", "$") == "0.50"
    assert shown("12", "0.5") == "0.5"
    assert rounded(Fraction(50, 3)) == Fraction("16.67")
    assert rounded(Fraction(1, 3000)) == Fraction("0.00033") != Fraction(1, 3000)


def test_every_solution_of_the_sample_is_read():
    assert [d.question for d in SAMPLE if read(d) is None] == []
