"""What one update of the discriminator compares: experts' traces, rollouts of the same prompts, edits of steps."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from irl_core.learning.airl.config import DiscriminatorConfig
from irl_core.learning.airl.rewards import reward_positions
from irl_core.learning.airl.traces import TokenizedTrace
from irl_core.learning.common.encoding import Encoded, encode
from irl_core.learning.data.step_alternatives import edits
from irl_core.text.steps import split_steps

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class EditPair(NamedTuple):
    """An expert's solution and its edit, both up to the end of the edited step; they differ first at token `start`."""

    expert: Encoded
    edited: Encoded
    start: int


class Group(NamedTuple):
    """All that answers one prompt, in the critic's tokens.

    `solved` tells which rollouts count as an expert's (`answer_relabel`).
    """

    expert: TokenizedTrace
    rollouts: list[TokenizedTrace]
    solved: list[bool]
    edits: Sequence[EditPair] = ()


class Comparison(NamedTuple):
    """The traces of some groups as rows, each with its class and the number of its group."""

    traces: list[TokenizedTrace]
    expert: list[bool]
    groups: list[int]
    edits: list[EditPair]


class TokenMasks(NamedTuple):
    """`counted` (B, T): tokens whose rewards count; `paid` (B, T): those of them at which rewards are paid."""

    counted: torch.Tensor
    paid: torch.Tensor


def compare(groups: Sequence[Group], config: DiscriminatorConfig) -> Comparison:
    """Solved rollouts join the experts; rollouts much longer or shorter than the expert may be left out."""
    traces: list[TokenizedTrace] = []
    expert: list[bool] = []
    numbers: list[int] = []
    for number, group in enumerate(groups):
        compared: Sequence[int] = range(len(group.rollouts))
        if config.length_ratio is not None:
            lengths = [len(trace.ids.completion) for trace in group.rollouts]
            compared = length_matched(lengths, len(group.expert.ids.completion), config.length_ratio)
        traces += [group.expert, *(group.rollouts[i] for i in compared)]
        expert += [True, *(group.solved[i] for i in compared)]
        numbers += [number] * (1 + len(compared))
    return Comparison(traces, expert, numbers, [pair for group in groups for pair in group.edits])


def length_matched(lengths: Sequence[int], expert_length: int, ratio: float) -> list[int]:
    """Indices of the rollouts whose length is within a factor `ratio` of the expert's; the nearest if none is."""
    factors = [max(n, expert_length) / max(1, min(n, expert_length)) for n in lengths]
    matched = [i for i, factor in enumerate(factors) if factor <= ratio]
    return matched or [min(range(len(lengths)), key=factors.__getitem__)]


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


def edit_pair(tokenizer: PreTrainedTokenizerBase, question: str, solution: str, rng: random.Random) -> EditPair | None:
    """An edit of one step of the expert's, of those that can be edited, at random; None where none can."""
    alternatives = edits(question, solution, 1, rng)
    if not alternatives:
        return None
    alternative, steps = rng.choice(alternatives), split_steps(solution)
    start, end = steps[alternative.step]
    expert = encode(tokenizer, question, solution[:end].rstrip("\n"), ended=False)
    edited = encode(tokenizer, question, solution[:start] + alternative.text.rstrip("\n"), ended=False)
    pairs = zip(expert.completion, edited.completion, strict=False)
    first = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(expert.completion), len(edited.completion)))
    return EditPair(expert, edited, first)


def token_masks(
    traces: Sequence[TokenizedTrace], config: DiscriminatorConfig, device: torch.device | str
) -> TokenMasks:
    """Where rewards count and where they are paid in each of B completions of at most T tokens.

    The end token counts only with `score_end`: else neither class shows it, so that a rollout that was cut off is
    not given away by its lack.
    """
    lengths = torch.tensor([len(trace.ids.completion) for trace in traces])
    hidden = torch.tensor([trace.ended and not config.score_end for trace in traces])
    width = int(lengths.max())
    counted = torch.arange(width)[None] < (lengths - hidden.long())[:, None]
    steps = torch.zeros(counted.shape, dtype=torch.long)
    for i, trace in enumerate(traces):
        steps[i, : len(trace.steps)] = torch.tensor(trace.steps, dtype=torch.long)
    paid = reward_positions(config.density, counted, steps=steps)
    return TokenMasks(counted.to(device), paid.to(device))
