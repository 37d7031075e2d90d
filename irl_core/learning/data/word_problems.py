"""Generated word problems with exact short solutions, and arithmetic drills.

Each problem comes from one of the stories in `stories/*.yaml`. A tenth of the *stories* (not of the problems) is held
out by name, so that a held-out figure measures new situations. Everything is a function of the `random.Random` given.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import yaml

from irl_core.learning.data.long_arithmetic import chain

Split = Literal["train", "held_out"]

_MEN = "Adam Ben Carlos David Eli Frank George Hugo Ivan Jamal Kenji Liam Omar Sam Tom Yusuf"
_WOMEN = "Ana Bella Chloe Dina Emma Fatima Grace Hana Ines Julia Kate Lena Mia Nora Priya Zoe"
_PEOPLE = [
    *((name, "he", "his", "him") for name in _MEN.split()),
    *((name, "she", "her", "her") for name in _WOMEN.split()),
]
_THINGS = (
    ("apples", "pears", "plums", "oranges", "peaches", "lemons", "bananas", "mangoes"),
    ("pencils", "pens", "erasers", "crayons", "notebooks", "markers", "rulers"),
    ("red marbles", "blue marbles", "green marbles", "glass marbles"),
    ("cookies", "muffins", "candies", "brownies", "crackers", "donuts"),
    ("stamps", "postcards", "stickers", "badges", "coins", "shells"),
    ("books", "magazines", "comics", "games", "puzzles", "movies"),
    ("shirts", "hats", "socks", "scarves", "gloves", "ties"),
    ("roses", "tulips", "lilies", "daisies", "orchids"),
    ("salty pretzels", "sweet pretzels", "plain pretzels"),
    ("toy cars", "toy trains", "toy boats", "toy planes"),
    ("chairs", "desks", "lamps", "shelves", "mirrors"),
    ("bottles", "cans", "jars", "cups", "plates"),
    ("nails", "screws", "bolts", "hinges", "boards"),
    ("carrots", "onions", "potatoes", "tomatoes", "peppers"),
)
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_BRACKET = re.compile(r"\[(\w)=([^\]]+)\]")
_ASSIGNMENT = re.compile(r"([a-e])=(.+)")
_CONDITION = re.compile(r"(.+?)(<=|>=|<|>)(.+)")
_MAX_TRIES = 300

_THREE = 0.25  # share of sums that have three numbers
_PLAIN_DRILLS = ("What is {text}?", "Calculate {text}.", "{text} = ?", "How much is {text}?")
_WORDED_DRILLS = {
    "+": ("What is {b} more than {a}?", "{b} is taken from a number, and {a} is left. What is the number?"),
    "-": (
        "How much more is {a} than {b}?",
        "How much less is {b} than {a}?",
        "What must be added to {b} to make {a}?",
        "{b} + ? = {a}",
        "From {b} to {a} it is how much?",
        "{b} of {a} are gone. How many are left?",
    ),
    "*": ("How many are {b} groups of {a}?", "What is {b} times {a}?"),
    "/": (
        "How many groups of {b} can be made of {a}?",
        "How many times does {b} go into {a}?",
        "{b} * ? = {a}",
        "{b} people share {a} equally. How many does each get?",
    ),
}


@dataclass(frozen=True)
class Story:
    """A situation; `questions` pairs what can be asked with the lines of its solution, `where` holds conditions."""

    name: str
    situation: str
    questions: tuple[tuple[str, tuple[str, ...]], ...]
    where: tuple[str, ...] = ()


class WordProblem(NamedTuple):
    """`solution` ends with a line `#### answer`; `story` names the template it came from."""

    question: str
    solution: str
    answer: str
    story: str


@cache
def all_stories() -> tuple[Story, ...]:
    """The templates, in the order of their files."""
    files = sorted((Path(__file__).parent / "stories").glob("*.yaml"))
    rows = [row for file in files for row in yaml.safe_load(file.read_text(encoding="utf-8"))]
    return tuple(
        Story(
            name=row["name"],
            situation=row["situation"],
            questions=tuple((q["ask"], tuple(q["solve"])) for q in row["questions"]),
            where=tuple(clause.strip() for clause in row.get("where", "").split(";") if clause.strip()),
        )
        for row in rows
    )


def stories(split: Split) -> list[Story]:
    """The templates of one split; a story is held out by a checksum of its name, so a new story moves no other."""
    held_out = [s for s in all_stories() if zlib.crc32(s.name.encode()) % 10 == 3]
    return held_out if split == "held_out" else [s for s in all_stories() if s not in held_out]


def generate(rng: random.Random, split: Split = "train", *, written_out: float = 0.0) -> Iterator[WordProblem]:
    """Endless word problems; every situation and every question of it is equally likely.

    Args:
        written_out: the share whose hard operations are written out (`long_arithmetic`).
    """
    pool = [(story, question, lines) for story in stories(split) for question, lines in story.questions]
    while True:
        story, question, lines = rng.choice(pool)
        if problem := _instantiate(story, question, lines, rng, written_out=rng.random() < written_out):
            yield problem


def drills(rng: random.Random, *, written_out: float = 0.0) -> Iterator[WordProblem]:
    """Endless single operations ("What is 458 + 692?") with the numbers that school problems have.

    Half of them are worded, the smaller number often first ("How much more is 40 than 22?"): a model that has seen
    40 - 22 alone writes "22 - 40" where the text says 22 first.
    """
    while True:
        op = rng.choice("+++---**//")
        a, b = (_number(rng) for _ in range(2))
        if op == "-" and a < b:
            a, b = b, a
        if op == "*":
            a, b = rng.randint(2, 99), rng.randint(2, 20)
        if op == "/":
            b, quotient = rng.randint(2, 20), rng.randint(2, 100)
            a = b * quotient
        expression = f"{a}{op}{b}" + (f"+{_number(rng)}" if op == "+" and rng.random() < _THREE else "")
        text, value = _evaluate(expression, {})
        plain = text.count(" ") > 2 or rng.random() < 0.5
        form = rng.choice(_PLAIN_DRILLS if plain else _WORDED_DRILLS[op])
        worked = _equation(text, int(value), written_out=rng.random() < written_out)
        yield WordProblem(form.format(text=text, a=a, b=b), f"{worked}\n#### {value}", str(value), "drill")


def _equation(expression: str, value: int, *, written_out: bool) -> str:
    return " = ".join([expression, *(chain(expression) if written_out else ()), str(value)])


def _number(rng: random.Random) -> int:
    low, high = rng.choices(((2, 20), (10, 100), (100, 999)), weights=(45, 35, 20))[0]
    return rng.randint(low, high)


def _instantiate(
    story: Story, question: str, lines: tuple[str, ...], rng: random.Random, *, written_out: bool = False
) -> WordProblem | None:
    for _ in range(_MAX_TRIES):
        numbers = _draw_numbers(story, rng)
        if numbers is None:
            continue
        words = _draw_words(rng)
        try:
            solution, answer = _solve(lines, dict(numbers), words, rng, written_out=written_out)
        except ValueError:
            continue
        text = _fill(
            _choose(f"{story.situation} {question}", rng), {**words, **{k: str(v) for k, v in numbers.items()}}
        )
        return WordProblem(text, f"{solution}\n#### {answer}", str(answer), story.name)
    return None


def _draw_numbers(story: Story, rng: random.Random) -> dict[str, int] | None:
    """Numbers of one story, of one magnitude, or None if a condition fails (the caller tries again)."""
    low, high = rng.choices(((2, 20), (5, 100), (50, 999)), weights=(45, 35, 20))[0]
    numbers = {slot: rng.randint(low, high) for slot in "abcde"}
    for clause in story.where:
        if (limit := re.fullmatch(r"([a-e])<=(\d+)", clause)) and numbers[limit[1]] > int(limit[2]):
            numbers[limit[1]] = rng.randint(2, int(limit[2]))
    for clause in story.where:
        if assignment := _ASSIGNMENT.fullmatch(clause):
            numbers[assignment[1]] = int(_evaluate(assignment[2], numbers)[1])
    for clause in story.where:
        if condition := _CONDITION.fullmatch(clause):
            left, right = (_evaluate(side, numbers)[1] for side in (condition[1], condition[3]))
            holds = {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}
            if not holds[condition[2]]:
                return None
    return numbers


def _draw_words(rng: random.Random) -> dict[str, str]:
    (name, he, his, him), (other, *_), (third, *_) = rng.sample(_PEOPLE, 3)
    x, y = rng.sample(rng.choice(_THINGS), 2)
    pronouns = {"he": he, "He": he.capitalize(), "his": his, "him": him}
    return {"N": name, "M": other, "P": third, "x": x, "y": y, **pronouns}


def _solve(
    lines: tuple[str, ...], numbers: dict[str, int], words: dict[str, str], rng: random.Random, *, written_out: bool
) -> tuple[str, int]:
    """The solution with every bracket worked out.

    Raises:
        ValueError: if a result is not a positive whole number (the numbers do not suit the story).
    """
    answer = 0

    def work_out(match: re.Match[str]) -> str:
        nonlocal answer
        text, value = _evaluate(match[2], numbers)
        if value <= 0 or value.denominator != 1:
            raise ValueError(f"{text} is not a positive whole number")
        numbers[match[1]] = answer = int(value)
        return _equation(text, answer, written_out=written_out)

    written = [_BRACKET.sub(work_out, _choose(line, rng)) for line in lines]
    filled = [_fill(line, {**words, **{k: str(v) for k, v in numbers.items()}}) for line in written]
    return "\n".join(filled), answer


def _evaluate(expression: str, numbers: dict[str, int]) -> tuple[str, Fraction]:
    """An expression without parentheses, as text and exactly; `*` and `/` bind before `+` and `-`."""
    parts = re.findall(r"\d+|[a-z]|[-+*/]", expression)
    values = [Fraction(numbers[p] if p in numbers else int(p)) for p in parts[::2]]
    operators = parts[1::2]
    text = " ".join(str(values[i // 2]) if i % 2 == 0 else p for i, p in enumerate(parts))
    terms, signs = [values[0]], [1]
    for operator, value in zip(operators, values[1:], strict=True):
        if operator == "*":
            terms[-1] *= value
        elif operator == "/":
            terms[-1] /= value
        else:
            terms.append(value)
            signs.append(1 if operator == "+" else -1)
    return text, sum((s * t for s, t in zip(signs, terms, strict=True)), Fraction(0))


def _choose(text: str, rng: random.Random) -> str:
    return _CHOICE.sub(lambda m: rng.choice(m[1].split("|")), text)


def _fill(text: str, words: dict[str, str]) -> str:
    filled = _SLOT.sub(lambda m: words[m[1]], text)
    return re.sub(r"(^|[.?!] )([a-z])", lambda m: m[1] + m[2].upper(), filled)
