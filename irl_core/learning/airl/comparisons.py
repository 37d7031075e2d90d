"""What one update of the discriminator compares: experts' traces, rollouts of the same prompts, edits of steps."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from irl_core.learning.airl.config import DiscriminatorConfig
from irl_core.learning.airl.densities import reward_positions
from irl_core.learning.airl.shortcuts import length_matched
from irl_core.learning.common.encoding import Encoded, encode
from irl_core.learning.data.step_alternatives import edits
from irl_core.models.solution_tokens import decode_solution, end_id
from irl_core.text.steps import split_steps, step_of_tokens


class EditPair(NamedTuple):
    """An expert's solution and its edit, both up to the end of the edited step; they differ first at token `start`."""

    expert: Encoded
    edited: Encoded
    start: int


class Group(NamedTuple):
    """All that answers one prompt; `solved` tells which rollouts count as an expert's (`answer_relabel`)."""

    expert: Encoded
    rollouts: list[Encoded]
    solved: list[bool]
    edits: Sequence[EditPair] = ()


class Comparison(NamedTuple):
    """The traces of some groups as rows, each with its class and the number of its group."""

    rows: list[Encoded]
    expert: list[bool]
    groups: list[int]
    edits: list[EditPair]


def compare(groups: Sequence[Group], config: DiscriminatorConfig) -> Comparison:
    """Solved rollouts join the experts; rollouts much longer or shorter than the expert may be left out."""
    rows, expert, owners = [], [], []
    for g, group in enumerate(groups):
        near = range(len(group.rollouts))
        if config.length_ratio is not None:
            lengths = [len(r.completion) for r in group.rollouts]
            near = length_matched(lengths, len(group.expert.completion), config.length_ratio)
        rows += [group.expert, *(group.rollouts[i] for i in near)]
        expert += [True, *(group.solved[i] for i in near)]
        owners += [g] * (1 + len(near))
    return Comparison(rows, expert, owners, [pair for group in groups for pair in group.edits])


def parts(groups: Sequence[Group], most_rows: int) -> Iterator[list[Group]]:
    """Whole groups in lists of at most `most_rows` traces, or of one group."""
    part: list[Group] = []
    for group in groups:
        if part and sum(1 + len(g.rollouts) for g in [*part, group]) > most_rows:
            yield part
            part = []
        part.append(group)
    if part:
        yield part


def edit_pair(tokenizer, question: str, solution: str, rng: random.Random) -> EditPair | None:
    """An edit of one step of the expert's, of those that can be edited, at random; None where none can."""
    found = edits(question, solution, 1, rng)
    if not found:
        return None
    alternative, steps = rng.choice(found), split_steps(solution)
    start, end = steps[alternative.step]
    expert = encode(tokenizer, question, solution[:end].rstrip("\n"), ended=False)
    edited = encode(tokenizer, question, solution[:start] + alternative.text.rstrip("\n"), ended=False)
    pairs = zip(expert.completion, edited.completion, strict=False)
    first = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(expert.completion), len(edited.completion)))
    return EditPair(expert, edited, first)


class Judged(NamedTuple):
    """`mask` (B, T): tokens whose rewards count; `positions` (B, T): those where they are paid."""

    mask: torch.Tensor
    positions: torch.Tensor


def judge(rows: Sequence[Encoded], tokenizer, config: DiscriminatorConfig, device: torch.device | str) -> Judged:
    """Where rewards count and where they are paid in each completion.

    The end token counts only with `score_end`: else neither class shows it, so that a rollout that was cut off is
    not given away by its lack.
    """
    lengths = [len(row.completion) for row in rows]
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    if not config.score_end:
        end = end_id(tokenizer)
        for i, row in enumerate(rows):
            mask[i, lengths[i] - 1] = row.completion[-1] != end
    steps = None
    if config.density == "step":
        steps = torch.zeros(mask.shape, dtype=torch.long)
        for i, row in enumerate(rows):
            steps[i, : lengths[i]] = torch.tensor(steps_of(tokenizer, row.completion))
    positions = reward_positions(config.density, mask, steps=steps)
    return Judged(mask.to(device), positions.to(device))


def steps_of(tokenizer, completion: Sequence[int]) -> list[int]:
    """For each token the index of its step; an end token belongs to the last."""
    text, spans = decode_solution(tokenizer, completion)
    return step_of_tokens(spans, split_steps(text))
