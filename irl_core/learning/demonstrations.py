"""Expert demonstrations: GSM8K's solutions, generated problems and drills, as one list of question and solution."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch

from irl_core.json_lines import BadLine, load_object, numbered_lines
from irl_core.learning.long_arithmetic import write_out_marks
from irl_core.learning.word_problems import Split, drills, generate
from irl_core.prompts import encode_solution, end_id, prompt_ids
from irl_core.traces import strip_calculator_marks

VALIDATION_SHARE = 0.05
HUB_NAME = "openai/gsm8k"
ROUND_TO = 32
"""Lengths and numbers of rows in training are multiples of it, so that there are few different shapes."""


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
    source: str, *, split: Split = "train", written_out: float = 0.0, rng: random.Random | None = None
) -> list[Demonstration]:
    """GSM8K's training solutions, calculator marks stripped; the last twentieth is the validation part.

    A share of `written_out`, drawn by `rng`, has its hard operations written out.

    Raises:
        FileNotFoundError: if `source` looks like a file and is none.
        ValueError: naming a line that cannot be read or lacks `question` or `answer`.
    """
    if source == HUB_NAME:
        import datasets

        rows: list[dict] = list(datasets.load_dataset(HUB_NAME, "main", split="train"))
    else:
        rows = [_demonstration_on(source, line) for line in numbered_lines(Path(source))]
    cut = round(len(rows) * (1 - VALIDATION_SHARE))
    chosen = rows[:cut] if split == "train" else rows[cut:]
    draw = (rng or random.Random(0)).random
    solutions = [write_out_marks(row["answer"]) if draw() < written_out else row["answer"] for row in chosen]
    return [
        Demonstration(row["question"], strip_calculator_marks(solution)[0], "gsm8k")
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


class Encoded(NamedTuple):
    """Prompt and completion as ids; the completion ends with the end-of-turn id."""

    prompt: list[int]
    completion: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


def encode(tokenizer, question: str, solution: str, *, ended: bool = True) -> Encoded:
    """One example as the policy sees it; `ended=False` for a solution that was cut off."""
    ids, _ = encode_solution(tokenizer, solution)
    return Encoded(prompt_ids(tokenizer, question), ids + [end_id(tokenizer)] * ended)


def collate(
    examples: list[Encoded], pad: int, *, round_to: int = 1
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Right-padded `input_ids`, `attention_mask` and `completion_mask` (true on completion tokens), each (B, T).

    T is a multiple of `round_to`.
    """
    width = max(map(len, examples))
    width += -width % round_to
    ids = torch.full((len(examples), width), pad)
    attention = torch.zeros_like(ids)
    completion = torch.zeros(ids.shape, dtype=torch.bool)
    for row, example in enumerate(examples):
        ids[row, : len(example)] = torch.tensor(example.prompt + example.completion)
        attention[row, : len(example)] = 1
        completion[row, len(example.prompt) : len(example)] = True
    return ids, attention, completion


def completion_logprobs(
    model: torch.nn.Module, ids: torch.Tensor, attention: torch.Tensor, completion: torch.Tensor
) -> torch.Tensor:
    """log π(y_t | x, y_<t) of the completion tokens, in nats, flat (N,) in row order.

    The head is applied to the completion positions alone, as one matrix: on a CPU a three-dimensional product would
    copy the vocabulary's weights once per row.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = causal.model(input_ids=ids, attention_mask=attention).last_hidden_state
    return target_logprobs(causal.lm_head, hidden[:, :-1][completion[:, 1:]], ids[:, 1:][completion[:, 1:]])


def target_logprobs(lm_head: torch.nn.Module, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """log π of `targets` (N,) under the head at `states` (N, d), in nats, (N,).

    Rows are rounded up: on a CPU each new number of them costs a kernel, which is then kept in memory for good.
    """
    rounded = torch.nn.functional.pad(states, (0, 0, 0, -len(states) % ROUND_TO))
    logits = lm_head(rounded)[: len(states)].float()
    return -torch.nn.functional.cross_entropy(logits, targets, reduction="none")
