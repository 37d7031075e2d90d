"""Expert demonstrations: GSM8K's solutions, generated problems and drills, as one list of question and solution."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from irl_core.learning.data.long_arithmetic import write_out_marks
from irl_core.learning.data.word_problems import Split, drills, generate
from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.json_lines import BadLine, load_object, numbered_lines

VALIDATION_SHARE = 0.05
HUB_NAME = "openai/gsm8k"


class Demonstration(NamedTuple):
    """An expert's solution; the last line is `#### answer`. `source` is gsm8k, story or drill."""

    question: str
    solution: str
    source: str

    @property
    def answer(self) -> str:
        return self.solution.rpartition("####")[2].strip().replace(",", "")


@dataclass(frozen=True)
class Mixture:
    """How many demonstrations of each kind, and how they are written.

    Attributes:
        gsm8k: a path of JSON lines, a hub name, or empty for none.
        gsm8k_skip, gsm8k_limit: leave out the first so many of its training part, then take at most so many.
        written_out: the share of demonstrations whose hard operations are written out (`long_arithmetic`).
    """

    gsm8k: str = HUB_NAME
    gsm8k_skip: int = 0
    gsm8k_limit: int | None = None
    stories: int = 14_000
    drills: int = 8_000
    written_out: float = 0.0
    seed: int = 0


def load_gsm8k(
    source: str,
    *,
    split: Split = "train",
    written_out: float = 0.0,
    rng: random.Random | None = None,
    keep_marks: bool = False,
) -> list[Demonstration]:
    """GSM8K's training solutions, calculator marks stripped; the last twentieth is the validation part.

    A share of `written_out`, drawn by `rng`, has its hard operations written out. `keep_marks` leaves the calculator
    marks in, for `solution_graph`.

    Raises:
        FileNotFoundError: if `source` looks like a file and is none.
        ValueError: naming a line that cannot be read or lacks `question` or `answer`.
    """
    if source == HUB_NAME:
        import datasets

        rows: list[dict[str, str]] = list(datasets.load_dataset(HUB_NAME, "main", split="train"))
    else:
        rows = [_demonstration_on(source, line) for line in numbered_lines(Path(source))]
    cut = round(len(rows) * (1 - VALIDATION_SHARE))
    chosen = rows[:cut] if split == "train" else rows[cut:]
    draw = (rng or random.Random(0)).random
    solutions = [write_out_marks(row["answer"]) if draw() < written_out else row["answer"] for row in chosen]
    return [
        Demonstration(row["question"], solution if keep_marks else strip_calculator_marks(solution)[0], "gsm8k")
        for row, solution in zip(chosen, solutions, strict=True)
    ]


def _demonstration_on(source: str, line: tuple[int, bytes] | BadLine) -> dict[str, str]:
    if isinstance(line, BadLine):
        raise ValueError(f"{source}, line {line.line}: {line.reason}")
    number, raw = line
    try:
        row = load_object(raw)
    except ValueError as problem:
        raise ValueError(f"{source}, line {number}: {problem}") from problem
    if not all(isinstance(row.get(key), str) for key in ("question", "answer")):
        raise ValueError(f"{source}, line {number}: needs the texts 'question' and 'answer'")
    return row


def load_mixture(mixture: Mixture) -> list[Demonstration]:
    """All demonstrations of a mixture, shuffled by its seed."""
    rng = random.Random(mixture.seed)
    share = mixture.written_out
    chosen = load_gsm8k(mixture.gsm8k, written_out=share, rng=rng) if mixture.gsm8k else []
    chosen = chosen[mixture.gsm8k_skip :][: mixture.gsm8k_limit]
    made = {"story": (generate, mixture.stories), "drill": (drills, mixture.drills)}
    for source, (problems, n) in made.items():
        chosen += [Demonstration(p.question, p.solution, source) for p in islice(problems(rng, written_out=share), n)]
    rng.shuffle(chosen)
    return chosen


def held_out_stories(n: int, seed: int = 1) -> Iterator[Demonstration]:
    """Problems from situations that no training mixture contains."""
    for p in islice(generate(random.Random(seed), "held_out"), n):
        yield Demonstration(p.question, p.solution, "story")
